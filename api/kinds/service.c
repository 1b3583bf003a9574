/* Service (core/v1). Addresses and node ports are given to it behind this, by the API server
 * (apiserver/service/allocate.h).
 */
#include "api/kinds/service.h"

#include <string.h>

#include "api/fault.h"
#include "api/kinds/cells.h"
#include "api/kinds/defaults.h"
#include "api/kinds/kinds.h"

static void default_ports(struct json_object *ports)
{
	for (size_t i = 0; i < json_len(ports); i++) {
		struct json_object *port = json_at(ports, i), *target = json_get(port, "targetPort");
		bool is_text = json_object_is_type(target, json_type_string);

		default_str(port, "protocol", "TCP");
		if (is_text ? !default_has_str(port, "targetPort") : json_int(port, "targetPort", 0) == 0)
			json_set_int(port, "targetPort", json_int(port, "port", 0));
	}
}

static void set_defaults(struct json_object *obj)
{
	struct json_object *spec = json_ensure_object(obj, "spec");

	default_str(spec, "sessionAffinity", "None");
	default_str(spec, "type", "ClusterIP");
	if (strcmp(json_str(spec, "sessionAffinity"), "None") == 0)
		json_object_object_del(spec, "sessionAffinityConfig");
	else if (strcmp(json_str(spec, "sessionAffinity"), "ClientIP") == 0)
		default_int(json_ensure_object(json_ensure_object(spec, "sessionAffinityConfig"), "clientIP"),
			    "timeoutSeconds", 10800);
	default_ports(json_get(spec, "ports"));
	if (service_is_external(spec))
		default_str(spec, "externalTrafficPolicy", "Cluster");
	if (service_is_type(spec, "LoadBalancer"))
		default_bool(spec, "allocateLoadBalancerNodePorts", true);
	if (!service_is_type(spec, "ExternalName"))
		default_str(spec, "internalTrafficPolicy", "Cluster");
	json_ensure_object(json_ensure_object(obj, "status"), "loadBalancer");
}

/* Who gives one address gives the list as well, in the older way of saying it. */
static void prepare_create(struct json_object *obj)
{
	struct json_object *status = json_object_new_object(), *spec = json_ensure_object(obj, "spec");

	json_ensure_object(status, "loadBalancer");
	json_set(obj, "status", status);
	if (default_has_str(spec, "clusterIP") && json_len(json_get(spec, "clusterIPs")) == 0)
		json_object_array_add(json_ensure_array(spec, "clusterIPs"),
				      json_object_new_string(json_str(spec, "clusterIP")));
}

static bool needs_cluster_ip(const struct json_object *spec)
{
	return !service_is_type(spec, "ExternalName");
}

static bool needs_node_port(const struct json_object *spec)
{
	return service_is_type(spec, "NodePort") || service_is_type(spec, "LoadBalancer");
}

static bool is_balancer(const struct json_object *spec)
{
	return service_is_type(spec, "LoadBalancer");
}

static bool same(const struct json_object *a, const struct json_object *b, const char *key)
{
	return json_equal(json_get(a, key), json_get(b, key));
}

static void keep(struct json_object *spec, const struct json_object *old_spec, const char *key)
{
	const struct json_object *kept = json_get(old_spec, key);

	if (kept)
		json_set(spec, key, json_clone(kept));
}

static bool has_node_port(const struct json_object *spec, int64_t node_port)
{
	const struct json_object *ports = json_get(spec, "ports");

	for (size_t i = 0; i < json_len(ports); i++)
		if (json_int(json_at(ports, i), "nodePort", 0) == node_port)
			return true;
	return false;
}

/* Ports without a node port get that of the port of their name, unless another one has it. */
static void keep_node_ports(struct json_object *spec, const struct json_object *old_spec)
{
	const struct json_object *ports = json_get(spec, "ports"), *old_ports = json_get(old_spec, "ports");

	for (size_t i = 0; i < json_len(ports); i++) {
		struct json_object *port = json_at(ports, i);
		int64_t kept = 0;

		if (json_int(port, "nodePort", 0))
			continue;
		for (size_t j = 0; j < json_len(old_ports); j++)
			if (strcmp(json_str_or_empty(port, "name"),
				   json_str_or_empty(json_at(old_ports, j), "name")) == 0)
				kept = json_int(json_at(old_ports, j), "nodePort", 0);
		if (kept && !has_node_port(spec, kept))
			json_set_int(port, "nodePort", kept);
	}
}

/* What was allocated stays when an update does not name it. */
static void keep_allocated(struct json_object *spec, const struct json_object *old_spec)
{
	if (needs_cluster_ip(old_spec) && needs_cluster_ip(spec)) {
		if (!default_has_str(spec, "clusterIP"))
			keep(spec, old_spec, "clusterIP");
		if (json_len(json_get(spec, "clusterIPs")) == 0)
			keep(spec, old_spec, "clusterIPs");
	}
	if (needs_node_port(old_spec) && needs_node_port(spec))
		keep_node_ports(spec, old_spec);
	if (service_has_health_check(old_spec) && service_has_health_check(spec) &&
	    !json_int(spec, "healthCheckNodePort", 0))
		keep(spec, old_spec, "healthCheckNodePort");
}

/* clusterIP is the first of clusterIPs: a client that knows only one of the two changes both by it. */
static void match_cluster_ips(struct json_object *spec, const struct json_object *old_spec)
{
	if (same(spec, old_spec, "clusterIP")) {
		if (json_len(json_get(spec, "clusterIPs")) == 0)
			keep(spec, old_spec, "clusterIPs");
		return;
	}
	if (!same(spec, old_spec, "clusterIPs"))
		return;
	json_object_object_del(spec, "clusterIPs");
	if (default_has_str(spec, "clusterIP"))
		json_object_array_add(json_ensure_array(spec, "clusterIPs"),
				      json_object_new_string(json_str(spec, "clusterIP")));
}

static bool same_node_ports(const struct json_object *spec, const struct json_object *old_spec)
{
	const struct json_object *ports = json_get(spec, "ports"), *old_ports = json_get(old_spec, "ports");
	bool all = true;

	for (size_t i = 0; i < json_len(ports); i++)
		all &= has_node_port(old_spec, json_int(json_at(ports, i), "nodePort", 0));
	for (size_t i = 0; i < json_len(old_ports); i++)
		all &= has_node_port(spec, json_int(json_at(old_ports, i), "nodePort", 0));
	return all;
}

/* KEY goes when the old type had a use for it, the new one has none, and nobody changed it. */
static void drop(struct json_object *spec, const struct json_object *old_spec, const char *key,
		 bool (*needs)(const struct json_object *spec))
{
	if (needs(old_spec) && !needs(spec) && same(spec, old_spec, key))
		json_object_object_del(spec, key);
}

/* What belongs to another type goes along with it. */
static void drop_dependent(struct json_object *spec, const struct json_object *old_spec)
{
	drop(spec, old_spec, "clusterIP", needs_cluster_ip);
	drop(spec, old_spec, "clusterIPs", needs_cluster_ip);
	drop(spec, old_spec, "ipFamilies", needs_cluster_ip);
	drop(spec, old_spec, "ipFamilyPolicy", needs_cluster_ip);
	if (needs_node_port(old_spec) && !needs_node_port(spec) && same_node_ports(spec, old_spec))
		for (size_t i = 0; i < json_len(json_get(spec, "ports")); i++)
			json_object_object_del(json_at(json_get(spec, "ports"), i), "nodePort");
	drop(spec, old_spec, "healthCheckNodePort", service_has_health_check);
	drop(spec, old_spec, "allocateLoadBalancerNodePorts", is_balancer);
	drop(spec, old_spec, "loadBalancerClass", is_balancer);
	drop(spec, old_spec, "externalTrafficPolicy", service_is_external);
}

static void prepare_update(struct json_object *obj, const struct json_object *old)
{
	struct json_object *spec = json_ensure_object(obj, "spec");
	const struct json_object *old_spec = json_get(old, "spec");

	keep_allocated(spec, old_spec);
	match_cluster_ips(spec, old_spec);
	drop_dependent(spec, old_spec);
}

static const struct kind_column columns[] = {
	CELL_COLUMN_NAME,
	{ "Type", "string", "", "How the service is exposed.", 0 },
	{ "Cluster-IP", "string", "", "Its address inside the cluster.", 0 },
	{ "External-IP", "string", "", "Its addresses outside the cluster.", 0 },
	{ "Port(s)", "string", "", "Its ports, with node port and protocol.", 0 },
	CELL_COLUMN_AGE,
	{ "Selector", "string", "", "Labels of the pods behind it.", 1 },
};

static void add_joined(struct buf *b, const char *text)
{
	buf_printf(b, "%s%s", b->len > 0 ? "," : "", text);
}

static void cell_external_ip(struct json_object *ret, const struct json_object *obj)
{
	const struct json_object *spec = json_get(obj, "spec"), *ips = json_get(spec, "externalIPs");
	const struct json_object *ingress = json_path(obj, "status", "loadBalancer", "ingress", NULL);
	bool load_balancer = service_is_type(spec, "LoadBalancer");
	CLEANUP(buf_close) struct buf b = BUF_INIT;

	if (service_is_type(spec, "ExternalName")) {
		cell_str_or(ret, json_str(spec, "externalName"), "<none>");
		return;
	}
	for (size_t i = 0; load_balancer && i < json_len(ingress); i++) {
		const struct json_object *entry = json_at(ingress, i);

		add_joined(&b, default_has_str(entry, "ip") ? json_str(entry, "ip")
							    : json_str_or_empty(entry, "hostname"));
	}
	for (size_t i = 0; i < json_len(ips); i++)
		add_joined(&b, json_object_get_string(json_at(ips, i)));
	cell_str_or(ret, b.data, load_balancer ? "<pending>" : "<none>");
}

static void cell_ports(struct json_object *ret, const struct json_object *ports)
{
	CLEANUP(buf_close) struct buf b = BUF_INIT;

	for (size_t i = 0; i < json_len(ports); i++) {
		const struct json_object *port = json_at(ports, i);
		int64_t node_port = json_int(port, "nodePort", 0);

		buf_printf(&b, "%s%lld", i > 0 ? "," : "", (long long)json_int(port, "port", 0));
		if (node_port > 0)
			buf_printf(&b, ":%lld", (long long)node_port);
		buf_printf(&b, "/%s", json_str_or_empty(port, "protocol"));
	}
	cell_str_or(ret, b.data, "<none>");
}

static void cells(const struct json_object *obj, int64_t now_us, struct json_object *ret)
{
	const struct json_object *spec = json_get(obj, "spec");

	cell_name(ret, obj);
	cell_str(ret, json_str(spec, "type"));
	cell_str_or(ret, json_str(spec, "clusterIP"), "<none>");
	cell_external_ip(ret, obj);
	cell_ports(ret, json_get(spec, "ports"));
	cell_age(ret, obj, now_us);
	cell_labels(ret, json_get(spec, "selector"));
}

static const char *const selectable_fields[] = { "spec.clusterIP", "spec.type", NULL };

/* What has no effect, or will not have for long. (pkg/api/service/warnings.go) */
static void warnings(const struct json_object *obj, const struct json_object *old, warning_fn call, void *arg)
{
	const struct json_object *spec = json_get(obj, "spec");
	bool external_ips = json_len(json_get(spec, "externalIPs")) > 0;
	bool external_name = service_is_type(spec, "ExternalName");
	bool headless =
	    service_is_type(spec, "ClusterIP") && strcmp(json_str_or_empty(spec, "clusterIP"), "None") == 0;

	(void)old;
	if (json_get(json_path(obj, "metadata", "annotations", NULL),
		     "service.kubernetes.io/topology-aware-hints"))
		call("annotation service.kubernetes.io/topology-aware-hints is deprecated, please use "
		     "service.kubernetes.io/topology-mode instead",
		     arg);
	if (headless && *json_str_or_empty(spec, "loadBalancerIP"))
		call("spec.loadBalancerIP is ignored for headless services", arg);
	if (headless && external_ips)
		call("spec.externalIPs is ignored for headless services", arg);
	if (headless && strcmp(json_str_or_empty(spec, "sessionAffinity"), "None") != 0)
		call("spec.SessionAffinity is ignored for headless services", arg);
	if (external_ips && !headless && !external_name)
		call("spec.externalIPs is deprecated and may no longer be implemented in some clusters", arg);
	if (external_ips && external_name)
		call("spec.externalIPs is ignored when spec.type is \"ExternalName\"", arg);
	if (!external_name && *json_str_or_empty(spec, "externalName"))
		call("spec.externalName is ignored when spec.type is not \"ExternalName\"", arg);
	if (strcmp(json_str_or_empty(spec, "trafficDistribution"), "PreferClose") == 0)
		call("spec.trafficDistribution: \"PreferClose\" is deprecated; use \"PreferSameZone\"", arg);
}

const struct kind kind_service = {
	.api_version = "v1",
	.kind = "Service",
	.definition = "core.v1.Service",
	.name_check = name_check_dns_label,
	.has_status = true,
	.unconditional_update = true,
	.create_on_update = true,
	.set_defaults = set_defaults,
	.prepare_create = prepare_create,
	.prepare_update = prepare_update,
	.validate = service_validate,
	.validate_update = service_validate_update,
	.warnings = warnings,
	.selectable_fields = selectable_fields,
	.columns = columns,
	.n_columns = ARRAY_SIZE(columns),
	.cells = cells,
};
