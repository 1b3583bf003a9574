/* NetworkPolicy (networking.k8s.io/v1). */
#include <string.h>

#include "api/fault.h"
#include "api/ip.h"
#include "api/kinds/cells.h"
#include "api/kinds/defaults.h"
#include "api/kinds/kinds.h"

static void default_rules(const struct json_object *rules)
{
	for (size_t i = 0; i < json_len(rules); i++) {
		const struct json_object *ports = json_get(json_at(rules, i), "ports");

		for (size_t k = 0; k < json_len(ports); k++)
			default_str(json_at(ports, k), "protocol", "TCP");
	}
}

static void set_defaults(struct json_object *obj)
{
	struct json_object *spec = json_ensure_object(obj, "spec"), *types;

	json_ensure_object(spec, "podSelector");
	default_rules(json_get(spec, "ingress"));
	default_rules(json_get(spec, "egress"));
	if (json_len(json_get(spec, "policyTypes")) > 0)
		return;
	types = json_ensure_array(spec, "policyTypes");
	json_object_array_add(types, json_object_new_string("Ingress"));
	if (json_len(json_get(spec, "egress")) > 0)
		json_object_array_add(types, json_object_new_string("Egress"));
}

static void validate_numbers(const struct json_object *item, struct field_path *path,
			     struct field_errors *errors)
{
	const struct json_object *port = json_get(item, "port"), *end = json_get(item, "endPort");
	int64_t last = json_int(item, "endPort", 0);
	struct name_faults faults = { .n = 0 };

	if (!port) {
		if (end)
			fault_int(errors, path, "endPort", last,
				  "may not be specified when `port` is not specified");
	} else if (json_object_is_type(port, json_type_string)) {
		if (end)
			fault_int(errors, path, "endPort", last,
				  "may not be specified when `port` is non-numeric");
		name_check_port_name(json_str_or_empty(item, "port"), &faults);
		fault_names(errors, path, "port", json_str_or_empty(item, "port"), &faults);
	} else {
		validate_port_number(json_int(item, "port", 0), "port", path, errors);
		if (end && last < json_int(item, "port", 0))
			fault_int(errors, path, "endPort", last, "must be greater than or equal to `port`");
		if (end)
			validate_port_number(last, "endPort", path, errors);
	}
}

static void validate_port(const struct json_object *item, struct field_path *path,
			  struct field_errors *errors)
{
	static const char *const protocols[] = { "TCP", "UDP", "SCTP", NULL };

	validate_enum(item, "protocol", protocols, false, path, errors);
	validate_numbers(item, path, errors);
}

static void validate_block(const struct json_object *block, struct field_path *path,
			   struct field_errors *errors)
{
	const struct json_object *except = json_get(block, "except");
	const char *cidr = json_str_or_empty(block, "cidr");
	size_t mark;

	if (!*cidr) {
		fault_required(errors, path, "cidr", "");
		return;
	}
	if (!ip_cidr_valid(cidr))
		fault_str(errors, path, "cidr", cidr, IP_CIDR_TEXT);
	mark = field_push(path, "except");
	for (size_t i = 0; i < json_len(except); i++) {
		const char *part = json_object_get_string(json_at(except, i));
		size_t item = field_push_index(path, i);

		if (!ip_cidr_valid(part))
			field_error_invalid_str(errors, path, part, "%s", IP_CIDR_TEXT);
		else if (ip_cidr_valid(cidr) && !ip_cidr_inside(part, cidr))
			field_error_invalid_str(errors, path, part, "must be a strict subset of `cidr`");
		field_pop(path, item);
	}
	field_pop(path, mark);
}

static void validate_peer(const struct json_object *peer, struct field_path *path,
			  struct field_errors *errors)
{
	static const char *const selectors[] = { "podSelector", "namespaceSelector" };
	const struct json_object *block = json_get(peer, "ipBlock");
	size_t n = block != NULL, mark;

	for (size_t i = 0; i < ARRAY_SIZE(selectors); i++) {
		const struct json_object *selector = json_get(peer, selectors[i]);

		n += selector != NULL;
		mark = field_push(path, selectors[i]);
		validate_label_selector(selector, path, errors);
		field_pop(path, mark);
	}
	mark = field_push(path, "ipBlock");
	if (block)
		validate_block(block, path, errors);
	field_pop(path, mark);
	if (n == 0)
		field_error_required(errors, path, "must specify a peer");
	else if (n > 1 && block)
		field_error_forbidden(errors, path, "may not specify both ipBlock and another peer");
}

static void validate_ingress(const struct json_object *rule, struct field_path *path,
			     struct field_errors *errors)
{
	fault_each(rule, "ports", path, errors, validate_port);
	fault_each(rule, "from", path, errors, validate_peer);
}

static void validate_egress(const struct json_object *rule, struct field_path *path,
			    struct field_errors *errors)
{
	fault_each(rule, "ports", path, errors, validate_port);
	fault_each(rule, "to", path, errors, validate_peer);
}

static void validate_types(const struct json_object *types, struct field_path *path,
			   struct field_errors *errors)
{
	static const char *const known[] = { "Ingress", "Egress", NULL };
	size_t mark = field_push(path, "policyTypes");

	if (json_len(types) > 2)
		field_error_add(errors, FIELD_INVALID, path, types,
				"may not specify more than two policyTypes");
	for (size_t i = 0; i < json_len(types) && json_len(types) <= 2; i++) {
		const char *type = json_object_get_string(json_at(types, i));
		size_t item = field_push_index(path, i);

		if (strcmp(type, "Ingress") != 0 && strcmp(type, "Egress") != 0)
			field_error_not_supported(errors, path, type, known);
		field_pop(path, item);
	}
	field_pop(path, mark);
}

static void validate(const struct json_object *obj, struct field_errors *errors)
{
	const struct json_object *spec = json_get(obj, "spec");
	struct field_path path;
	size_t mark;

	field_path_init(&path, "spec");
	mark = field_push(&path, "podSelector");
	validate_label_selector(json_get(spec, "podSelector"), &path, errors);
	field_pop(&path, mark);
	fault_each(spec, "ingress", &path, errors, validate_ingress);
	fault_each(spec, "egress", &path, errors, validate_egress);
	validate_types(json_get(spec, "policyTypes"), &path, errors);
}

static const struct kind_column columns[] = {
	CELL_COLUMN_NAME,
	{ "Pod-Selector", "string", "", "Labels of the pods it is for.", 0 },
	CELL_COLUMN_AGE,
};

static void cells(const struct json_object *obj, int64_t now_us, struct json_object *ret)
{
	cell_name(ret, obj);
	cell_selector(ret, json_path(obj, "spec", "podSelector", NULL));
	cell_age(ret, obj, now_us);
}

const struct kind kind_network_policy = {
	.api_version = "networking.k8s.io/v1",
	.kind = "NetworkPolicy",
	.definition = "networking.v1.NetworkPolicy",
	.has_generation = true,
	.unconditional_update = true,
	.set_defaults = set_defaults,
	.validate = validate,
	.columns = columns,
	.n_columns = ARRAY_SIZE(columns),
	.cells = cells,
};
