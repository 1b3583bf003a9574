/* Ingress (networking.k8s.io/v1). */
#include <string.h>

#include "api/fault.h"
#include "api/ip.h"
#include "api/kinds/cells.h"
#include "api/kinds/ingress.h"
#include "api/kinds/kinds.h"

#define CLASS_ANNOTATION "kubernetes.io/ingress.class"

static void default_status(struct json_object *status)
{
	json_ensure_object(status, "loadBalancer");
}

static void set_defaults(struct json_object *obj)
{
	json_ensure_object(obj, "spec");
	default_status(json_ensure_object(obj, "status"));
}

static void prepare_create(struct json_object *obj)
{
	json_set(obj, "status", json_object_new_object());
	default_status(json_get(obj, "status"));
}

void ingress_validate_reference(const struct json_object *ref, struct field_path *path,
				struct field_errors *errors)
{
	fault_name(ref, "apiGroup", false, name_check_dns_subdomain, path, errors);
	fault_name(ref, "kind", true, name_check_path_segment, path, errors);
	fault_name(ref, "name", true, name_check_path_segment, path, errors);
}

static void validate_service(const struct json_object *service, struct field_path *path,
			     struct field_errors *errors)
{
	const struct json_object *port = json_get(service, "port");
	const char *name = json_str_or_empty(port, "name");
	int64_t number = json_int(port, "number", 0);
	struct name_faults faults = { .n = 0 };
	size_t mark = field_push(path, "service");

	fault_name(service, "name", true, name_check_dns_label, path, errors);
	field_push(path, "port");
	if (*name && number == 0) {
		name_check_port_name(name, &faults);
		fault_names(errors, path, "name", name, &faults);
	} else if (!*name && number != 0) {
		validate_port_number(number, "number", path, errors);
	}
	field_pop(path, mark);
	if (*name && number != 0)
		field_error_invalid_str(errors, path, "", "cannot set both port name & port number");
	else if (!*name && number == 0)
		field_error_required(errors, path, "port name or number is required");
}

static void validate_backend(const struct json_object *backend, struct field_path *path,
			     struct field_errors *errors)
{
	const struct json_object *service = json_get(backend, "service"),
				 *resource = json_get(backend, "resource");
	size_t mark;

	if (service && resource) {
		field_error_invalid_str(errors, path, "", "cannot set both resource and service backends");
	} else if (resource) {
		mark = field_push(path, "resource");
		ingress_validate_reference(resource, path, errors);
		field_pop(path, mark);
	} else if (service) {
		validate_service(service, path, errors);
	} else {
		field_error_invalid_str(errors, path, "", "resource or service backend is required");
	}
}

/* Parts that a path may not have in the middle, and at its end. */
static void validate_path_parts(const char *value, struct field_path *path, struct field_errors *errors)
{
	static const char *const anywhere[] = { "//", "/./", "/../", "%2f", "%2F" };
	static const char *const at_end[] = { "/..", "/." };
	size_t len = strlen(value), mark = field_push(path, "path");

	for (size_t i = 0; i < ARRAY_SIZE(anywhere); i++)
		if (strstr(value, anywhere[i]))
			field_error_invalid_str(errors, path, value, "must not contain '%s'", anywhere[i]);
	for (size_t i = 0; i < ARRAY_SIZE(at_end); i++) {
		size_t n = strlen(at_end[i]);

		if (len >= n && strcmp(value + len - n, at_end[i]) == 0)
			field_error_invalid_str(errors, path, value, "cannot end with '%s'", at_end[i]);
	}
	field_pop(path, mark);
}

static void validate_path(const struct json_object *item, struct field_path *path,
			  struct field_errors *errors)
{
	static const char *const types[] = { "Exact", "ImplementationSpecific", "Prefix", NULL };
	const char *value = json_str_or_empty(item, "path"), *type = json_str(item, "pathType");
	bool specific;
	size_t mark;

	if (!type) {
		fault_required(errors, path, "pathType", "pathType must be specified");
		return;
	}
	specific = strcmp(type, "ImplementationSpecific") == 0;
	if (!specific && strcmp(type, "Exact") != 0 && strcmp(type, "Prefix") != 0) {
		fault_not_supported(errors, path, "pathType", type, types);
	} else {
		if (*value != '/' && (*value || !specific))
			fault_str(errors, path, "path", value, "must be an absolute path");
		if (*value && !specific)
			validate_path_parts(value, path, errors);
	}
	mark = field_push(path, "backend");
	validate_backend(json_get(item, "backend"), path, errors);
	field_pop(path, mark);
}

static void validate_host(const char *host, const char *key, struct field_path *path,
			  struct field_errors *errors)
{
	struct name_faults faults = { .n = 0 };

	if (strchr(host, '*'))
		name_check_wildcard_subdomain(host, &faults);
	else
		name_check_dns_subdomain(host, false, &faults);
	fault_names(errors, path, key, host, &faults);
}

static void validate_rule(const struct json_object *rule, struct field_path *path,
			  struct field_errors *errors)
{
	const char *host = json_str_or_empty(rule, "host");
	const struct json_object *http = json_get(rule, "http");
	size_t mark;

	if (*host && ip_valid(host, NULL))
		fault_str(errors, path, "host", host, "must be a DNS name, not an IP address");
	if (*host)
		validate_host(host, "host", path, errors);
	if (!http)
		return;
	mark = field_push(path, "http");
	if (json_len(json_get(http, "paths")) == 0)
		fault_required(errors, path, "paths", "");
	fault_each(http, "paths", path, errors, validate_path);
	field_pop(path, mark);
}

static void validate_tls(const struct json_object *tls, struct field_path *path, struct field_errors *errors)
{
	const struct json_object *hosts = json_get(tls, "hosts");
	size_t mark = field_push(path, "hosts");

	for (size_t i = 0; i < json_len(hosts); i++) {
		size_t item = field_push_index(path, i);

		validate_host(json_object_get_string(json_at(hosts, i)), NULL, path, errors);
		field_pop(path, item);
	}
	field_pop(path, mark);
	fault_name(tls, "secretName", false, name_check_dns_subdomain, path, errors);
}

static void validate(const struct json_object *obj, struct field_errors *errors)
{
	const struct json_object *spec = json_get(obj, "spec"), *backend = json_get(spec, "defaultBackend");
	struct field_path path;
	size_t mark;

	field_path_init(&path, "spec");
	if (json_len(json_get(spec, "rules")) == 0 && !backend)
		fault_json(errors, &path, "rules", json_get(spec, "rules"),
			   "either `defaultBackend` or `rules` must be specified");
	mark = field_push(&path, "defaultBackend");
	if (backend)
		validate_backend(backend, &path, errors);
	field_pop(&path, mark);
	fault_each(spec, "rules", &path, errors, validate_rule);
	fault_each(spec, "tls", &path, errors, validate_tls);
	fault_name(spec, "ingressClassName", false, name_check_dns_subdomain, &path, errors);
}

static void validate_create(const struct json_object *obj, struct field_errors *errors)
{
	const char *class = json_str(json_get(obj, "spec"), "ingressClassName");
	const char *annotation = json_str(json_path(obj, "metadata", "annotations", NULL), CLASS_ANNOTATION);
	struct field_path path;

	field_path_init(&path, "annotations");
	if (class && annotation && strcmp(class, annotation) != 0)
		fault_str(errors, &path, CLASS_ANNOTATION, annotation,
			  "must match `ingressClassName` when both are specified");
}

static void validate_ingress_point(const struct json_object *point, struct field_path *path,
				   struct field_errors *errors)
{
	const char *ip = json_str_or_empty(point, "ip"), *host = json_str_or_empty(point, "hostname");
	size_t mark = field_push(path, "ip");

	if (*ip)
		ip_validate(ip, path, errors);
	field_pop(path, mark);
	if (*host && ip_valid(host, NULL))
		fault_str(errors, path, "hostname", host, "must be a DNS name, not an IP address");
	fault_name(point, "hostname", false, name_check_dns_subdomain, path, errors);
}

static void validate_status(const struct json_object *obj, const struct json_object *old,
			    struct field_errors *errors)
{
	struct field_path path;

	(void)old;
	field_path_init(&path, "status.loadBalancer");
	fault_each(json_path(obj, "status", "loadBalancer", NULL), "ingress", &path, errors,
		   validate_ingress_point);
}

static void warnings(const struct json_object *obj, const struct json_object *old, warning_fn call, void *arg)
{
	if (!old && json_str(json_path(obj, "metadata", "annotations", NULL), CLASS_ANNOTATION))
		call("annotation \"kubernetes.io/ingress.class\" is deprecated, please use "
		     "'spec.ingressClassName' instead",
		     arg);
}

static const struct kind_column columns[] = {
	CELL_COLUMN_NAME,
	{ "Class", "string", "", "The IngressClass that serves it.", 0 },
	{ "Hosts", "string", "", "Hosts it is for.", 0 },
	{ "Address", "string", "", "Where it is reached.", 0 },
	{ "Ports", "string", "", "Ports of that address.", 0 },
	CELL_COLUMN_AGE,
};

#define SHOWN 3

static void cell_hosts(struct json_object *cells, const struct json_object *rules)
{
	CLEANUP(buf_close) struct buf b = BUF_INIT;
	size_t n = 0;

	for (size_t i = 0; i < json_len(rules); i++) {
		const char *host = json_str_or_empty(json_at(rules, i), "host");

		if (!*host)
			continue;
		if (n < SHOWN)
			buf_printf(&b, "%s%s", n > 0 ? "," : "", host);
		n++;
	}
	if (n > SHOWN)
		buf_printf(&b, " + %zu more...", n - SHOWN);
	cell_str_or(cells, b.data, "*");
}

static void cell_addresses(struct json_object *cells, const struct json_object *points)
{
	CLEANUP(buf_close) struct buf b = BUF_INIT;

	for (size_t i = 0; i < json_len(points); i++) {
		const char *ip = json_str_or_empty(json_at(points, i), "ip");
		const char *host = json_str_or_empty(json_at(points, i), "hostname");

		if (*ip || *host)
			buf_printf(&b, "%s%s", b.len > 0 ? "," : "", *ip ? ip : host);
	}
	cell_buf(cells, &b);
}

static void cells(const struct json_object *obj, int64_t now_us, struct json_object *ret)
{
	const struct json_object *spec = json_get(obj, "spec");

	cell_name(ret, obj);
	cell_str_or(ret, json_str(spec, "ingressClassName"), "<none>");
	cell_hosts(ret, json_get(spec, "rules"));
	cell_addresses(ret, json_path(obj, "status", "loadBalancer", "ingress", NULL));
	cell_str(ret, json_len(json_get(spec, "tls")) > 0 ? "80, 443" : "80");
	cell_age(ret, obj, now_us);
}

const struct kind kind_ingress = {
	.api_version = "networking.k8s.io/v1",
	.kind = "Ingress",
	.definition = "networking.v1.Ingress",
	.has_status = true,
	.has_generation = true,
	.unconditional_update = true,
	.set_defaults = set_defaults,
	.prepare_create = prepare_create,
	.validate = validate,
	.validate_create = validate_create,
	.validate_status = validate_status,
	.warnings = warnings,
	.columns = columns,
	.n_columns = ARRAY_SIZE(columns),
	.cells = cells,
};
