/* Service (core/v1): stored, with defaults. A clusterIP that the client gives is kept; one that it leaves out
 * stays out until there is something that allocates them.
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

/* clusterIP is the first of clusterIPs: whoever gives one gives both. */
static void default_cluster_ips(struct json_object *spec)
{
	struct json_object *ips = json_get(spec, "clusterIPs");

	if (default_has_str(spec, "clusterIP") && json_len(ips) == 0)
		json_object_array_add(json_ensure_array(spec, "clusterIPs"),
				      json_object_new_string(json_str(spec, "clusterIP")));
	else if (json_len(ips) > 0)
		default_str(spec, "clusterIP", json_object_get_string(json_at(ips, 0)));
}

static void default_families(struct json_object *spec)
{
	struct json_object *families = json_ensure_array(spec, "ipFamilies");

	if (json_len(families) == 0)
		json_object_array_add(families, json_object_new_string("IPv4"));
	default_str(spec, "ipFamilyPolicy", "SingleStack");
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

/* What is given to a Service, unlike its defaults: whoever wrote the Service does not own it. */
static void assign_addresses(struct json_object *spec)
{
	default_cluster_ips(spec);
	if (!service_is_type(spec, "ExternalName"))
		default_families(spec);
}

static void prepare_create(struct json_object *obj)
{
	struct json_object *status = json_object_new_object();

	json_ensure_object(status, "loadBalancer");
	json_set(obj, "status", status);
	assign_addresses(json_ensure_object(obj, "spec"));
}

static void keep(struct json_object *spec, const struct json_object *old_spec, const char *key)
{
	const struct json_object *kept = json_get(old_spec, key);

	if (kept && !json_get(spec, key))
		json_set(spec, key, json_clone(kept));
}

/* What the cluster gave a service stays when an update does not name it; what belongs to another type goes.
 */
static void prepare_update(struct json_object *obj, const struct json_object *old)
{
	struct json_object *spec = json_ensure_object(obj, "spec");
	const struct json_object *old_spec = json_get(old, "spec");
	static const char *const of_address[] = { "clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy" };
	bool was_external_name = service_is_type(old_spec, "ExternalName");

	if (!service_is_type(spec, "ExternalName")) {
		if (!default_has_str(spec, "clusterIP")) {
			json_object_object_del(spec, "clusterIP");
			json_object_object_del(spec, "clusterIPs");
		}
		for (size_t i = 0; i < ARRAY_SIZE(of_address) && !was_external_name; i++)
			keep(spec, old_spec, of_address[i]);
	} else if (!was_external_name) {
		for (size_t i = 0; i < ARRAY_SIZE(of_address); i++)
			if (json_equal(json_get(spec, of_address[i]), json_get(old_spec, of_address[i])))
				json_object_object_del(spec, of_address[i]);
	}
	assign_addresses(spec);
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
	.selectable_fields = selectable_fields,
	.columns = columns,
	.n_columns = ARRAY_SIZE(columns),
	.cells = cells,
};
