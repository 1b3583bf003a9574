/* Endpoints (core/v1): the addresses behind a Service, in the older form that is still read. */
#include <string.h>

#include "api/fault.h"
#include "api/ip.h"
#include "api/kinds/cells.h"
#include "api/kinds/defaults.h"
#include "api/kinds/kinds.h"

static const char *const protocols[] = { "SCTP", "TCP", "UDP", NULL };

static void set_defaults(struct json_object *obj)
{
	struct json_object *subsets = json_get(obj, "subsets");

	for (size_t i = 0; i < json_len(subsets); i++) {
		struct json_object *ports = json_get(json_at(subsets, i), "ports");

		for (size_t j = 0; j < json_len(ports); j++)
			default_str(json_at(ports, j), "protocol", "TCP");
	}
}

static void validate_address(const struct json_object *address, struct field_path *path,
			     struct field_errors *errors)
{
	const char *hostname = json_str_or_empty(address, "hostname");
	const char *node = json_str_or_empty(address, "nodeName");
	struct name_faults host_faults = { .n = 0 }, node_faults = { .n = 0 };
	size_t mark = field_push(path, "ip");

	ip_validate_not_special(json_str_or_empty(address, "ip"), path, errors);
	field_pop(path, mark);
	if (*hostname)
		name_check_dns_label(hostname, false, &host_faults);
	fault_names(errors, path, "hostname", hostname, &host_faults);
	if (*node)
		name_check_dns_subdomain(node, false, &node_faults);
	fault_names(errors, path, "nodeName", node, &node_faults);
}

static void validate_port(const struct json_object *port, bool name_required, struct field_path *path,
			  struct field_errors *errors)
{
	const char *name = json_str_or_empty(port, "name"), *app = json_str_or_empty(port, "appProtocol");
	struct name_faults faults = { .n = 0 }, app_faults = { .n = 0 };

	if (name_required && !*name)
		fault_required(errors, path, "name", "");
	if (*name)
		name_check_dns_label(name, false, &faults);
	fault_names(errors, path, "name", name, &faults);
	validate_port_number(json_int(port, "port", 0), "port", path, errors);
	validate_enum(port, "protocol", protocols, true, path, errors);
	if (*app)
		name_check_qualified(app, &app_faults);
	fault_names(errors, path, "appProtocol", app, &app_faults);
}

static void validate_addresses(const struct json_object *subset, const char *key, struct field_path *path,
			       struct field_errors *errors)
{
	const struct json_object *list = json_get(subset, key);
	size_t mark = field_push(path, key);

	for (size_t i = 0; i < json_len(list); i++) {
		size_t item = field_push_index(path, i);

		validate_address(json_at(list, i), path, errors);
		field_pop(path, item);
	}
	field_pop(path, mark);
}

static void validate_subset(const struct json_object *subset, struct field_path *path,
			    struct field_errors *errors)
{
	const struct json_object *ports = json_get(subset, "ports");
	size_t mark;

	if (json_len(json_get(subset, "addresses")) == 0 &&
	    json_len(json_get(subset, "notReadyAddresses")) == 0)
		field_error_required(errors, path, "must specify `addresses` or `notReadyAddresses`");
	validate_addresses(subset, "addresses", path, errors);
	validate_addresses(subset, "notReadyAddresses", path, errors);
	mark = field_push(path, "ports");
	for (size_t i = 0; i < json_len(ports); i++) {
		size_t item = field_push_index(path, i);

		validate_port(json_at(ports, i), json_len(ports) > 1, path, errors);
		field_pop(path, item);
	}
	field_pop(path, mark);
}

static void validate(const struct json_object *obj, struct field_errors *errors)
{
	const struct json_object *subsets = json_get(obj, "subsets");
	struct field_path path;

	field_path_init(&path, "subsets");
	for (size_t i = 0; i < json_len(subsets); i++) {
		size_t mark = field_push_index(&path, i);

		validate_subset(json_at(subsets, i), &path, errors);
		field_pop(&path, mark);
	}
}

static const struct kind_column columns[] = {
	CELL_COLUMN_NAME,
	{ "Endpoints", "string", "", "The first addresses with their ports, and how many more.", 0 },
	CELL_COLUMN_AGE,
};

#define SHOWN 3

/* Adds the addresses of one subset with one port, or without any. */
static size_t add_addresses(struct buf *b, const struct json_object *subset, const struct json_object *port,
			    size_t n_before)
{
	const struct json_object *addresses = json_get(subset, "addresses");
	size_t n = json_len(addresses);

	for (size_t i = 0; i < n && n_before + i < SHOWN; i++) {
		const char *ip = json_str_or_empty(json_at(addresses, i), "ip");
		bool v6 = strchr(ip, ':') != NULL;

		buf_str(b, n_before + i > 0 ? "," : "");
		if (port)
			buf_printf(b, "%s%s%s:%lld", v6 ? "[" : "", ip, v6 ? "]" : "",
				   (long long)json_int(port, "port", 0));
		else
			buf_str(b, ip);
	}
	return n;
}

static void cell_endpoints(struct json_object *ret, const struct json_object *subsets)
{
	CLEANUP(buf_close) struct buf b = BUF_INIT;
	size_t n = 0;

	if (json_len(subsets) == 0) {
		cell_str(ret, "<none>");
		return;
	}
	for (size_t i = 0; i < json_len(subsets); i++) {
		const struct json_object *subset = json_at(subsets, i), *ports = json_get(subset, "ports");

		if (json_len(ports) == 0)
			n += add_addresses(&b, subset, NULL, n);
		for (size_t j = 0; j < json_len(ports); j++)
			n += add_addresses(&b, subset, json_at(ports, j), n);
	}
	if (n > SHOWN)
		buf_printf(&b, " + %zu more...", n - SHOWN);
	cell_buf(ret, &b);
}

static void cells(const struct json_object *obj, int64_t now_us, struct json_object *ret)
{
	cell_name(ret, obj);
	cell_endpoints(ret, json_get(obj, "subsets"));
	cell_age(ret, obj, now_us);
}

const struct kind kind_endpoints = {
	.api_version = "v1",
	.kind = "Endpoints",
	.definition = "core.v1.Endpoints",
	.unconditional_update = true,
	.create_on_update = true,
	.deprecated = "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
	.set_defaults = set_defaults,
	.validate = validate,
	.columns = columns,
	.n_columns = ARRAY_SIZE(columns),
	.cells = cells,
};
