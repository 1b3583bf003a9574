/* EndpointSlice (discovery.k8s.io/v1): a part of the addresses behind a Service. */
#include <string.h>

#include "api/fault.h"
#include "api/ip.h"
#include "api/kinds/cells.h"
#include "api/kinds/defaults.h"
#include "api/kinds/kinds.h"
#include "api/kinds/workload.h"
#include "lib/map.h"

#define ENDPOINTS_MAX 1000
#define ADDRESSES_MAX 100
#define PORTS_MAX     20000
#define HINTS_MAX     8

static void set_defaults(struct json_object *obj)
{
	const struct json_object *endpoints = json_get(obj, "endpoints"), *ports = json_get(obj, "ports");

	if (!endpoints) /* Kubernetes writes lists without items as null */
		json_set(obj, "endpoints", NULL);
	if (!ports)
		json_set(obj, "ports", NULL);
	for (size_t i = 0; i < json_len(endpoints); i++)
		json_ensure_object(json_at(endpoints, i), "conditions");
	for (size_t i = 0; i < json_len(ports); i++) {
		default_empty_str(json_at(ports, i), "name");
		default_str(json_at(ports, i), "protocol", "TCP");
	}
}

/* generation counts changes of what it says, not of what is said about it. */
static void prepare_update(struct json_object *obj, const struct json_object *old)
{
	static const char *const counted[] = { "addressType", "endpoints", "ports" };
	bool same = json_equal(json_path(obj, "metadata", "labels", NULL),
			       json_path(old, "metadata", "labels", NULL));

	for (size_t i = 0; i < ARRAY_SIZE(counted); i++)
		same &= json_equal(json_get(obj, counted[i]), json_get(old, counted[i]));
	if (!same)
		workload_count_generation(obj, old);
}

static void validate_address(const char *address, const char *type, struct field_path *path,
			     struct field_errors *errors)
{
	bool v6 = false, valid = ip_valid(address, &v6);

	if (strcmp(type, "IPv4") == 0 && (!valid || v6)) {
		field_error_invalid_str(errors, path, address, "must be a valid IPv4 address");
	} else if (strcmp(type, "IPv6") == 0 && (!valid || !v6)) {
		field_error_invalid_str(errors, path, address, "must be a valid IPv6 address");
	} else if (strcmp(type, "FQDN") == 0) {
		struct name_faults faults = { .n = 0 };

		name_check_dns_subdomain(address, false, &faults);
		fault_names(errors, path, NULL, address, &faults);
		if (faults.n == 0 && !strchr(address, '.'))
			field_error_invalid_str(errors, path, address,
						"should be a domain with at least two segments separated by "
						"dots");
	} else if (valid) {
		ip_validate_not_special(address, path, errors);
	}
}

static void validate_addresses(const struct json_object *endpoint, const char *type, struct field_path *path,
			       struct field_errors *errors)
{
	const struct json_object *addresses = json_get(endpoint, "addresses");
	size_t n = json_len(addresses), mark;

	if (n == 0)
		fault_required(errors, path, "addresses", "must contain at least 1 address");
	if (n > ADDRESSES_MAX)
		fault_too_many(errors, path, "addresses", n, ADDRESSES_MAX);
	mark = field_push(path, "addresses");
	for (size_t i = 0; i < n && n <= ADDRESSES_MAX; i++) {
		size_t item = field_push_index(path, i);

		validate_address(json_object_get_string(json_at(addresses, i)), type, path, errors);
		field_pop(path, item);
	}
	field_pop(path, mark);
}

static void validate_hints(const struct json_object *endpoint, const char *key, struct field_path *path,
			   struct field_errors *errors)
{
	const struct json_object *hints = json_path(endpoint, "hints", key, NULL);
	size_t mark = field_push(path, "hints");

	if (json_len(hints) > HINTS_MAX)
		fault_too_many(errors, path, key, json_len(hints), HINTS_MAX);
	field_push(path, key);
	for (size_t i = 0; i < json_len(hints) && json_len(hints) <= HINTS_MAX; i++) {
		const char *name = json_str_or_empty(json_at(hints, i), "name");
		struct name_faults faults = { .n = 0 };
		size_t item = field_push_index(path, i), k = 0;

		while (k < i && strcmp(json_str_or_empty(json_at(hints, k), "name"), name) != 0)
			k++;
		if (k < i)
			fault_duplicate(errors, path, "name", name);
		name_check_label_value(name, &faults);
		fault_names(errors, path, "name", name, &faults);
		field_pop(path, item);
	}
	field_pop(path, mark);
}

static void validate_endpoints(const struct json_object *obj, struct field_path *path,
			       struct field_errors *errors)
{
	const struct json_object *endpoints = json_get(obj, "endpoints");
	const char *type = json_str_or_empty(obj, "addressType");
	size_t mark;

	if (json_len(endpoints) > ENDPOINTS_MAX) {
		fault_too_many(errors, path, "endpoints", json_len(endpoints), ENDPOINTS_MAX);
		return;
	}
	mark = field_push(path, "endpoints");
	for (size_t i = 0; i < json_len(endpoints); i++) {
		const struct json_object *endpoint = json_at(endpoints, i);
		size_t item = field_push_index(path, i), inner;

		validate_addresses(endpoint, type, path, errors);
		fault_name(endpoint, "nodeName", false, name_check_dns_subdomain, path, errors);
		inner = field_push(path, "deprecatedTopology");
		validate_labels(json_get(endpoint, "deprecatedTopology"), path, errors);
		field_pop(path, inner);
		fault_name(endpoint, "hostname", false, name_check_dns_label, path, errors);
		validate_hints(endpoint, "forZones", path, errors);
		validate_hints(endpoint, "forNodes", path, errors);
		field_pop(path, item);
	}
	field_pop(path, mark);
}

static void validate_port(const struct json_object *port, struct map *names, struct field_path *path,
			  struct field_errors *errors)
{
	static const char *const protocols[] = { "SCTP", "TCP", "UDP", NULL };
	const char *name = json_str_or_empty(port, "name"), *app = json_str_or_empty(port, "appProtocol");
	struct name_faults faults = { .n = 0 };

	fault_name(port, "name", false, name_check_dns_label, path, errors);
	if (map_get(names, name))
		fault_duplicate(errors, path, "name", name);
	map_put(names, name, (void *)(uintptr_t)name);
	validate_enum(port, "protocol", protocols, true, path, errors);
	if (json_get(port, "port"))
		validate_port_number(json_int(port, "port", 0), "port", path, errors);
	if (*app)
		name_check_qualified(app, &faults);
	fault_names(errors, path, "appProtocol", app, &faults);
}

static void validate_ports(const struct json_object *obj, struct field_path *path,
			   struct field_errors *errors)
{
	const struct json_object *ports = json_get(obj, "ports");
	struct map names = { 0 };
	size_t mark;

	if (json_len(ports) > PORTS_MAX) {
		fault_too_many(errors, path, "ports", json_len(ports), PORTS_MAX);
		return;
	}
	mark = field_push(path, "ports");
	for (size_t i = 0; i < json_len(ports); i++) {
		size_t item = field_push_index(path, i);

		validate_port(json_at(ports, i), &names, path, errors);
		field_pop(path, item);
	}
	field_pop(path, mark);
	map_close(&names);
}

static void validate(const struct json_object *obj, struct field_errors *errors)
{
	static const char *const types[] = { "FQDN", "IPv4", "IPv6", NULL };
	struct field_path path;

	field_path_init(&path, "");
	validate_enum(obj, "addressType", types, true, &path, errors);
	validate_endpoints(obj, &path, errors);
	validate_ports(obj, &path, errors);
}

static void validate_update(const struct json_object *obj, const struct json_object *old,
			    struct field_errors *errors)
{
	struct field_path path;

	field_path_init(&path, "");
	validate_immutable(obj, old, "addressType", &path, errors);
}

static void warnings(const struct json_object *obj, const struct json_object *old, warning_fn call, void *arg)
{
	if (!old && strcmp(json_str_or_empty(obj, "addressType"), "FQDN") == 0)
		call("addressType: FQDN endpoints are deprecated", arg);
}

static const struct kind_column columns[] = {
	CELL_COLUMN_NAME,
	{ "AddressType", "string", "", "IPv4, IPv6 or FQDN.", 0 },
	{ "Ports", "string", "", "The first ports, and how many more.", 0 },
	{ "Endpoints", "string", "", "The first addresses, and how many more.", 0 },
	CELL_COLUMN_AGE,
};

#define SHOWN 3

static void cell_shown(struct json_object *cells, struct buf *b, size_t n)
{
	if (n > SHOWN)
		buf_printf(b, " + %zu more...", n - SHOWN);
	cell_str_or(cells, b->data, "<unset>");
}

static void cell_ports(struct json_object *cells, const struct json_object *ports)
{
	CLEANUP(buf_close) struct buf b = BUF_INIT;

	for (size_t i = 0; i < json_len(ports) && i < SHOWN; i++) {
		const struct json_object *port = json_at(ports, i);

		buf_str(&b, i > 0 ? "," : "");
		if (json_get(port, "port"))
			buf_printf(&b, "%lld", (long long)json_int(port, "port", 0));
		else
			buf_str(&b, json_str(port, "name") ? json_str(port, "name") : "*");
	}
	cell_shown(cells, &b, json_len(ports));
}

static void cell_endpoints(struct json_object *cells, const struct json_object *endpoints)
{
	CLEANUP(buf_close) struct buf b = BUF_INIT;
	size_t n = 0;

	for (size_t i = 0; i < json_len(endpoints); i++) {
		const struct json_object *addresses = json_get(json_at(endpoints, i), "addresses");

		for (size_t k = 0; k < json_len(addresses); k++, n++)
			if (n < SHOWN)
				buf_printf(&b, "%s%s", n > 0 ? "," : "",
					   json_object_get_string(json_at(addresses, k)));
	}
	cell_shown(cells, &b, n);
}

static void cells(const struct json_object *obj, int64_t now_us, struct json_object *ret)
{
	cell_name(ret, obj);
	cell_str(ret, json_str(obj, "addressType"));
	cell_ports(ret, json_get(obj, "ports"));
	cell_endpoints(ret, json_get(obj, "endpoints"));
	cell_age(ret, obj, now_us);
}

const struct kind kind_endpoint_slice = {
	.api_version = "discovery.k8s.io/v1",
	.kind = "EndpointSlice",
	.definition = "discovery.v1.EndpointSlice",
	.has_generation = true,
	.unconditional_update = true,
	.set_defaults = set_defaults,
	.prepare_update = prepare_update,
	.validate = validate,
	.validate_update = validate_update,
	.warnings = warnings,
	.columns = columns,
	.n_columns = ARRAY_SIZE(columns),
	.cells = cells,
};
