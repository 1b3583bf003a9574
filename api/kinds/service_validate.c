/* What a Service must look like. Whether its addresses and node ports can be had is found out behind this. */
#include "api/kinds/service.h"

#include <string.h>

#include "api/fault.h"
#include "api/ip.h"
#include "api/kinds/defaults.h"

#define MAX_AFFINITY_SECONDS 86400

static const char *const types[] = { "ClusterIP", "ExternalName", "LoadBalancer", "NodePort", NULL };
static const char *const protocols[] = { "SCTP", "TCP", "UDP", NULL };
static const char *const affinities[] = { "ClientIP", "None", NULL };
static const char *const policies[] = { "Cluster", "Local", NULL };
static const char *const families[] = { "IPv4", "IPv6", NULL };
static const char *const family_policies[] = { "PreferDualStack", "RequireDualStack", "SingleStack", NULL };

bool service_is_type(const struct json_object *spec, const char *type)
{
	return strcmp(json_str_or_empty(spec, "type"), type) == 0;
}

bool service_is_external(const struct json_object *spec)
{
	return service_is_type(spec, "NodePort") || service_is_type(spec, "LoadBalancer") ||
	       (service_is_type(spec, "ClusterIP") && json_len(json_get(spec, "externalIPs")) > 0);
}

bool service_is_headless(const struct json_object *spec)
{
	return strcmp(json_str_or_empty(spec, "clusterIP"), "None") == 0;
}

bool service_has_health_check(const struct json_object *spec)
{
	return service_is_type(spec, "LoadBalancer") &&
	       strcmp(json_str_or_empty(spec, "externalTrafficPolicy"), "Local") == 0;
}

static void validate_external_name(const struct json_object *spec, struct field_path *path,
				   struct field_errors *errors)
{
	const char *name = json_str_or_empty(spec, "externalName");
	struct name_faults faults = { .n = 0 };
	size_t len = strlen(name);

	static const char *const of_addresses[] = { "clusterIPs", "ipFamilies", "ipFamilyPolicy" };
	for (size_t i = 0; i < ARRAY_SIZE(of_addresses); i++)
		if (json_len(json_get(spec, of_addresses[i])) > 0 || default_has_str(spec, of_addresses[i]))
			fault_forbidden(errors, path, of_addresses[i],
					"may not be set when `type` is 'ExternalName'");
	if (len == 0) {
		fault_required(errors, path, "externalName", "");
		return;
	}
	/* The root's dot at the end is allowed. */
	CLEANUP(mem_freep) char *bare = mem_dupn(name, name[len - 1] == '.' ? len - 1 : len);
	name_check_dns_subdomain(bare, false, &faults);
	fault_names(errors, path, "externalName", name, &faults);
}

static void validate_of_type(const struct json_object *spec, struct field_path *path,
			     struct field_errors *errors)
{
	const struct json_object *ports = json_get(spec, "ports");
	bool load_balancer = service_is_type(spec, "LoadBalancer");

	if (service_is_type(spec, "ExternalName")) {
		validate_external_name(spec, path, errors);
		return;
	}
	if (service_is_headless(spec) && (load_balancer || service_is_type(spec, "NodePort")))
		fault_str(errors, path, "clusterIPs[0]", "None",
			  load_balancer ? "may not be set to 'None' for LoadBalancer services"
					: "may not be set to 'None' for NodePort services");
	for (size_t i = 0; load_balancer && i < json_len(ports); i++) {
		size_t list = field_push(path, "ports"), item = field_push_index(path, i);

		if (json_int(json_at(ports, i), "port", 0) == 10250)
			fault_int(errors, path, "port", 10250,
				  "may not expose port 10250 externally since it is used by kubelet");
		field_pop(path, item);
		field_pop(path, list);
	}
}

static void validate_target_port(const struct json_object *port, struct field_path *path,
				 struct field_errors *errors)
{
	struct json_object *target = json_get(port, "targetPort");
	struct name_faults faults = { .n = 0 };

	if (!json_object_is_type(target, json_type_string)) {
		validate_port_number(json_int(port, "targetPort", 0), "targetPort", path, errors);
		return;
	}
	name_check_port_name(json_object_get_string(target), &faults);
	fault_names(errors, path, "targetPort", json_object_get_string(target), &faults);
}

static bool earlier_has_name(const struct json_object *ports, size_t end, const char *name)
{
	for (size_t i = 0; i < end; i++)
		if (strcmp(json_str_or_empty(json_at(ports, i), "name"), name) == 0)
			return true;
	return false;
}

static void validate_port(const struct json_object *ports, size_t i, struct field_path *path,
			  struct field_errors *errors)
{
	const struct json_object *port = json_at(ports, i);
	const char *name = json_str_or_empty(port, "name"), *app = json_str_or_empty(port, "appProtocol");
	struct name_faults faults = { .n = 0 }, app_faults = { .n = 0 };

	if (!*name && json_len(ports) > 1) {
		fault_required(errors, path, "name", "");
	} else if (*name) {
		name_check_dns_label(name, false, &faults);
		fault_names(errors, path, "name", name, &faults);
		if (earlier_has_name(ports, i, name))
			fault_duplicate(errors, path, "name", name);
	}
	validate_port_number(json_int(port, "port", 0), "port", path, errors);
	validate_enum(port, "protocol", protocols, true, path, errors);
	validate_target_port(port, path, errors);
	if (*app)
		name_check_qualified(app, &app_faults);
	fault_names(errors, path, "appProtocol", app, &app_faults);
}

static bool same_member(const struct json_object *a, const struct json_object *b, const char *key)
{
	return json_equal(json_get(a, key), json_get(b, key));
}

/* Shown as Kubernetes shows it: all members of its Go type, only these two set. */
static void add_duplicate_port(const struct json_object *port, struct field_path *path,
			       struct field_errors *errors)
{
	CLEANUP(json_putp) struct json_object *shown = json_object_new_object();

	json_set_str(shown, "Name", "");
	json_set_str(shown, "Protocol", json_str_or_empty(port, "protocol"));
	json_object_object_add(shown, "AppProtocol", NULL);
	json_set_int(shown, "Port", json_int(port, "port", 0));
	json_set_int(shown, "TargetPort", 0);
	json_set_int(shown, "NodePort", 0);
	field_error_add(errors, FIELD_DUPLICATE, path, shown, "%s", "");
}

static void validate_port_use(const struct json_object *spec, size_t i, struct field_path *path,
			      struct field_errors *errors)
{
	const struct json_object *ports = json_get(spec, "ports"), *port = json_at(ports, i);
	int64_t node_port = json_int(port, "nodePort", 0);

	if (node_port != 0 && service_is_type(spec, "ClusterIP"))
		fault_forbidden(errors, path, "nodePort", "may not be used when `type` is 'ClusterIP'");
	for (size_t j = 0; j < i; j++) {
		const struct json_object *other = json_at(ports, j);

		if (!same_member(port, other, "protocol"))
			continue;
		if (node_port != 0 && same_member(port, other, "nodePort")) {
			size_t mark = field_push(path, "nodePort");

			field_error_add(errors, FIELD_DUPLICATE, path, json_get(port, "nodePort"), "%s", "");
			field_pop(path, mark);
		}
		if (same_member(port, other, "port")) {
			add_duplicate_port(port, path, errors);
			break;
		}
	}
}

static void validate_ports(const struct json_object *spec, struct field_path *path,
			   struct field_errors *errors)
{
	const struct json_object *ports = json_get(spec, "ports");
	size_t mark = field_push(path, "ports"),
	       n = fault_list_fits(errors, path, ports) ? json_len(ports) : 0;

	for (size_t i = 0; i < n; i++) {
		size_t item = field_push_index(path, i);

		validate_port(ports, i, path, errors);
		field_pop(path, item);
	}
	for (size_t i = 0; i < n; i++) {
		size_t item = field_push_index(path, i);

		validate_port_use(spec, i, path, errors);
		field_pop(path, item);
	}
	field_pop(path, mark);
}

static void validate_affinity(const struct json_object *spec, struct field_path *path,
			      struct field_errors *errors)
{
	const char *affinity = json_str_or_empty(spec, "sessionAffinity");
	const struct json_object *config = json_get(spec, "sessionAffinityConfig");
	int64_t seconds = json_int(json_get(config, "clientIP"), "timeoutSeconds", 1);

	validate_enum(spec, "sessionAffinity", affinities, true, path, errors);
	if (strcmp(affinity, "ClientIP") == 0 && (seconds <= 0 || seconds > MAX_AFFINITY_SECONDS))
		fault_int(errors, path, "sessionAffinityConfig.clientIP.timeoutSeconds", seconds,
			  "must be greater than 0 and less than 86400");
	if (strcmp(affinity, "None") == 0 && config)
		fault_forbidden(errors, path, "sessionAffinityConfig",
				"must not be set when session affinity is None");
}

static bool is_v6(const struct json_object *text)
{
	return strchr(json_object_get_string((struct json_object *)(uintptr_t)text), ':') != NULL;
}

/* clusterIP and clusterIPs say the same, one address of each family. False: not even addresses. */
static bool validate_addresses(const struct json_object *spec, struct field_path *path,
			       struct field_errors *errors)
{
	const struct json_object *ips = json_get(spec, "clusterIPs");
	const char *first = json_str_or_empty(spec, "clusterIP");
	size_t n = json_len(ips), mark = field_push(path, "clusterIPs"), before;

	if (!*first && n > 0)
		field_error_add(errors, FIELD_INVALID, path, ips,
				"must be empty when `clusterIP` is not specified");
	else if (*first && n == 0)
		field_error_required(errors, path, "");
	else if (n > 0 && strcmp(json_object_get_string(json_at(ips, 0)), first) != 0)
		field_error_add(errors, FIELD_INVALID, path, ips, "first value must match `clusterIP`");
	before = errors->n;
	for (size_t i = 0; i < n; i++) {
		const char *ip = json_object_get_string(json_at(ips, i));
		bool none = i == 0 && strcmp(ip, "None") == 0;
		size_t item;

		if (none && n > 1)
			field_error_add(errors, FIELD_INVALID, path, ips,
					"'None' must be the first and only value");
		item = field_push_index(path, i);
		if (!none)
			ip_validate(ip, path, errors);
		field_pop(path, item);
	}
	bool good = errors->n == before;
	if (n > 2)
		field_error_add(errors, FIELD_INVALID, path, ips, "may only hold up to 2 values");
	if (good && n > 1 && (n > 2 || is_v6(json_at(ips, 0)) == is_v6(json_at(ips, 1))))
		field_error_add(errors, FIELD_INVALID, path, ips,
				"may specify no more than one IP for each IP family");
	field_pop(path, mark);
	return good;
}

static void validate_families(const struct json_object *spec, struct field_path *path,
			      struct field_errors *errors)
{
	const struct json_object *list = json_get(spec, "ipFamilies");
	size_t mark = field_push(path, "ipFamilies");

	for (size_t i = 0; i < json_len(list); i++) {
		const char *family = json_object_get_string(json_at(list, i));
		size_t item = field_push_index(path, i);
		bool seen = false;

		if (strcmp(family, "IPv4") != 0 && strcmp(family, "IPv6") != 0)
			field_error_not_supported(errors, path, family, families);
		for (size_t j = 0; j < i && j < FAULT_LIST_MAX; j++)
			seen |= json_equal(json_at(list, j), json_at(list, i));
		if (seen)
			field_error_duplicate(errors, path, family);
		field_pop(path, item);
	}
	field_pop(path, mark);
	validate_enum(spec, "ipFamilyPolicy", family_policies, false, path, errors);
}

/* The address at each place is of the family there. */
static void validate_order(const struct json_object *spec, struct field_path *path,
			   struct field_errors *errors)
{
	const struct json_object *ips = json_get(spec, "clusterIPs"), *list = json_get(spec, "ipFamilies");
	size_t mark = field_push(path, "clusterIPs");

	for (size_t i = 0; i < json_len(ips) && i < json_len(list) && !service_is_headless(spec); i++) {
		const char *family = json_object_get_string(json_at(list, i));
		size_t item = field_push_index(path, i);

		if (strcmp(family, is_v6(json_at(ips, i)) ? "IPv4" : "IPv6") == 0)
			field_error_invalid_str(errors, path, json_object_get_string(json_at(ips, i)),
						"expected an %s value as indicated by `ipFamilies[%zu]`",
						family, i);
		field_pop(path, item);
	}
	field_pop(path, mark);
}

static void validate_cluster_ips(const struct json_object *spec, struct field_path *path,
				 struct field_errors *errors)
{
	bool good = validate_addresses(spec, path, errors);

	validate_families(spec, path, errors);
	if (good)
		validate_order(spec, path, errors);
}

static void validate_list(const struct json_object *spec, const char *key,
			  void (*check)(const char *value, struct field_path *path,
					struct field_errors *errors),
			  struct field_path *path, struct field_errors *errors)
{
	const struct json_object *list = json_get(spec, key);
	size_t mark = field_push(path, key);

	for (size_t i = 0; i < json_len(list); i++) {
		size_t item = field_push_index(path, i);

		check(json_object_get_string(json_at(list, i)), path, errors);
		field_pop(path, item);
	}
	field_pop(path, mark);
}

static void check_source_range(const char *value, struct field_path *path, struct field_errors *errors)
{
	if (!ip_cidr_valid(value))
		field_error_invalid_str(errors, path, value,
					"must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)");
}

static void validate_balancer(const struct json_object *spec, struct field_path *path,
			      struct field_errors *errors)
{
	static const char *const of_balancers[] = { "allocateLoadBalancerNodePorts", "loadBalancerClass",
						    "loadBalancerSourceRanges" };
	const char *class = json_str_or_empty(spec, "loadBalancerClass");
	bool balancer = service_is_type(spec, "LoadBalancer");
	struct name_faults faults = { .n = 0 };
	int64_t port = json_int(spec, "healthCheckNodePort", 0);

	for (size_t i = 0; i < ARRAY_SIZE(of_balancers) && !balancer; i++)
		if (json_get(spec, of_balancers[i]))
			fault_forbidden(errors, path, of_balancers[i],
					"may only be used when `type` is 'LoadBalancer'");
	if (balancer && json_get(spec, "loadBalancerClass"))
		name_check_qualified(class, &faults);
	fault_names(errors, path, "loadBalancerClass", class, &faults);
	if (port && !service_has_health_check(spec))
		fault_int(errors, path, "healthCheckNodePort", port,
			  "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is "
			  "'Local'");
	else if (port)
		validate_port_number(port, "healthCheckNodePort", path, errors);
}

static void validate_policies(const struct json_object *spec, struct field_path *path,
			      struct field_errors *errors)
{
	validate_list(spec, "loadBalancerSourceRanges", check_source_range, path, errors);
	if (default_has_str(spec, "externalTrafficPolicy") && !service_is_external(spec))
		fault_str(errors, path, "externalTrafficPolicy", json_str(spec, "externalTrafficPolicy"),
			  "may only be set for externally-accessible services");
	else
		validate_enum(spec, "externalTrafficPolicy", policies, service_is_external(spec), path,
			      errors);
	validate_enum(spec, "internalTrafficPolicy", policies, false, path, errors);
}

void service_validate(const struct json_object *obj, struct field_errors *errors)
{
	const struct json_object *spec = json_get(obj, "spec");
	struct field_path path;
	size_t mark;

	field_path_init(&path, "spec");
	if (json_len(json_get(spec, "ports")) == 0 && !service_is_headless(spec) &&
	    !service_is_type(spec, "ExternalName"))
		fault_required(errors, &path, "ports", "");
	validate_of_type(spec, &path, errors);
	validate_ports(spec, &path, errors);
	mark = field_push(&path, "selector");
	validate_labels(json_get(spec, "selector"), &path, errors);
	field_pop(&path, mark);
	validate_affinity(spec, &path, errors);
	if (!service_is_type(spec, "ExternalName"))
		validate_cluster_ips(spec, &path, errors);
	validate_list(spec, "externalIPs", ip_validate_not_special, &path, errors);
	validate_enum(spec, "type", types, true, &path, errors);
	validate_balancer(spec, &path, errors);
	validate_policies(spec, &path, errors);
}

/* Addresses and families stay, but for a second one that comes or goes. */
static void validate_kept(const struct json_object *spec, const struct json_object *old_spec, const char *key,
			  const char *unset, struct field_errors *errors)
{
	const struct json_object *list = json_get(spec, key), *old_list = json_get(old_spec, key);
	size_t n = json_len(list), old_n = json_len(old_list);
	struct field_path path;

	field_path_init(&path, "spec");
	field_push(&path, key);
	for (size_t i = 0; i < old_n && (i == 0 || n == old_n); i++) {
		size_t item = field_push_index(&path, i);

		if (n == 0)
			field_error_add(errors, FIELD_INVALID, &path, list, "%s", unset);
		else if (!json_equal(json_at(list, i), json_at(old_list, i)))
			field_error_add(errors, FIELD_INVALID, &path, list, "may not change once set");
		field_pop(&path, item);
	}
}

static void validate_balancer_update(const struct json_object *spec, const struct json_object *old_spec,
				     struct field_errors *errors)
{
	struct field_path path;

	field_path_init(&path, "spec");
	if (service_is_type(spec, "LoadBalancer") && service_is_type(old_spec, "LoadBalancer") &&
	    !same_member(spec, old_spec, "loadBalancerClass"))
		fault_json(errors, &path, "loadBalancerClass", json_get(spec, "loadBalancerClass"),
			   "may not change once set");
	if (service_has_health_check(spec) && service_has_health_check(old_spec) &&
	    json_int(old_spec, "healthCheckNodePort", 0) &&
	    !same_member(spec, old_spec, "healthCheckNodePort"))
		fault_int(errors, &path, "healthCheckNodePort", json_int(spec, "healthCheckNodePort", 0),
			  "field is immutable");
}

void service_validate_update(const struct json_object *obj, const struct json_object *old,
			     struct field_errors *errors)
{
	const struct json_object *spec = json_get(obj, "spec"), *old_spec = json_get(old, "spec");

	if (service_is_type(spec, "ExternalName") || service_is_type(old_spec, "ExternalName"))
		return;
	validate_kept(spec, old_spec, "clusterIPs", "primary clusterIP can not be unset", errors);
	/* Families that nobody names are found behind this. */
	if (!service_is_headless(spec) && !service_is_headless(old_spec) &&
	    json_len(json_get(spec, "ipFamilies")) > 0)
		validate_kept(spec, old_spec, "ipFamilies", "", errors);
	validate_balancer_update(spec, old_spec, errors);
}
