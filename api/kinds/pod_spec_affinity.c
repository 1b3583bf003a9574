/* Affinity to nodes and to other pods. */
#include <string.h>

#include "api/fault.h"
#include "api/kinds/pod_spec.h"

#define REQUIRED  "requiredDuringSchedulingIgnoredDuringExecution"
#define PREFERRED "preferredDuringSchedulingIgnoredDuringExecution"

typedef void (*validate_fn)(const struct json_object *item, struct field_path *path,
			    struct field_errors *errors);

static void validate_each(const struct json_object *obj, const char *key, validate_fn fn,
			  struct field_path *path, struct field_errors *errors)
{
	const struct json_object *list = json_get(obj, key);
	size_t mark = field_push(path, key);

	for (size_t i = 0; i < json_len(list); i++) {
		size_t item = field_push_index(path, i);

		fn(json_at(list, i), path, errors);
		field_pop(path, item);
	}
	field_pop(path, mark);
}

static void validate_label_values(const struct json_object *values, struct field_path *path,
				  struct field_errors *errors)
{
	size_t mark = field_push(path, "values");

	for (size_t i = 0; i < json_len(values); i++) {
		const char *value = json_object_get_string(json_at(values, i));
		struct name_faults faults = { .n = 0 };
		size_t item = field_push_index(path, i);

		name_check_label_value(value, &faults);
		fault_names(errors, path, NULL, value, &faults);
		field_pop(path, item);
	}
	field_pop(path, mark);
}

static void validate_expression(const struct json_object *expression, struct field_path *path,
				struct field_errors *errors)
{
	const char *key = json_str_or_empty(expression, "key"),
		   *op = json_str_or_empty(expression, "operator");
	const struct json_object *values = json_get(expression, "values");
	struct name_faults faults = { .n = 0 };

	if (strcmp(op, "In") == 0 || strcmp(op, "NotIn") == 0) {
		if (json_len(values) == 0)
			fault_required(errors, path, "values",
				       "must be specified when `operator` is 'In' or 'NotIn'");
		validate_label_values(values, path, errors);
	} else if (strcmp(op, "Exists") == 0 || strcmp(op, "DoesNotExist") == 0) {
		if (json_len(values) > 0)
			fault_forbidden(errors, path, "values",
					"may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
	} else if (strcmp(op, "Gt") == 0 || strcmp(op, "Lt") == 0) {
		if (json_len(values) != 1)
			fault_required(errors, path, "values",
				       "must be specified single value when `operator` is 'Lt' or 'Gt'");
	} else {
		fault_str(errors, path, "operator", op, "not a valid selector operator");
	}
	name_check_qualified(key, &faults);
	fault_names(errors, path, "key", key, &faults);
}

static void validate_field(const struct json_object *field, struct field_path *path,
			   struct field_errors *errors)
{
	const char *key = json_str_or_empty(field, "key"), *op = json_str_or_empty(field, "operator");
	const struct json_object *values = json_get(field, "values");
	struct name_faults faults = { .n = 0 };

	if (strcmp(op, "In") != 0 && strcmp(op, "NotIn") != 0)
		fault_str(errors, path, "operator", op, "not a valid selector operator");
	else if (json_len(values) != 1)
		fault_required(
		    errors, path, "values",
		    "must be only one value when `operator` is 'In' or 'NotIn' for node field selector");
	if (strcmp(key, "metadata.name") != 0) {
		fault_str(errors, path, "key", key, "not a valid field selector key");
	} else if (json_len(values) > 0) {
		const char *name = json_object_get_string(json_at(values, 0));

		name_check_dns_subdomain(name, false, &faults);
		fault_names(errors, path, "values[0]", name, &faults);
	}
}

static void validate_node_term(const struct json_object *term, struct field_path *path,
			       struct field_errors *errors)
{
	validate_each(term, "matchExpressions", validate_expression, path, errors);
	validate_each(term, "matchFields", validate_field, path, errors);
}

static void validate_weight(const struct json_object *item, struct field_path *path,
			    struct field_errors *errors)
{
	int64_t weight = json_int(item, "weight", 0);

	if (weight < 1 || weight > 100)
		fault_int(errors, path, "weight", weight, "must be in the range 1-100");
}

static void validate_preferred_node(const struct json_object *item, struct field_path *path,
				    struct field_errors *errors)
{
	size_t mark;

	validate_weight(item, path, errors);
	mark = field_push(path, "preference");
	validate_node_term(json_get(item, "preference"), path, errors);
	field_pop(path, mark);
}

void pod_spec_validate_node_selector(const struct json_object *selector, struct field_path *path,
				     struct field_errors *errors)
{
	if (json_len(json_get(selector, "nodeSelectorTerms")) == 0)
		fault_required(errors, path, "nodeSelectorTerms",
			       "must have at least one node selector term");
	validate_each(selector, "nodeSelectorTerms", validate_node_term, path, errors);
}

static void validate_node_affinity(const struct json_object *affinity, struct field_path *path,
				   struct field_errors *errors)
{
	const struct json_object *required = json_get(affinity, REQUIRED);

	if (required) {
		size_t mark = field_push(path, REQUIRED);

		pod_spec_validate_node_selector(required, path, errors);
		field_pop(path, mark);
	}
	validate_each(affinity, PREFERRED, validate_preferred_node, path, errors);
}

static void validate_selector_at(const struct json_object *term, const char *key, struct field_path *path,
				 struct field_errors *errors)
{
	size_t mark = field_push(path, key);

	validate_label_selector(json_get(term, key), path, errors);
	field_pop(path, mark);
}

static void validate_pod_term(const struct json_object *term, struct field_path *path,
			      struct field_errors *errors)
{
	static const char *const key_lists[] = { "matchLabelKeys", "mismatchLabelKeys" };
	const struct json_object *namespaces = json_get(term, "namespaces");
	const char *topology = json_str_or_empty(term, "topologyKey");
	struct name_faults faults = { .n = 0 };

	validate_selector_at(term, "labelSelector", path, errors);
	validate_selector_at(term, "namespaceSelector", path, errors);
	for (size_t i = 0; i < json_len(namespaces); i++) {
		const char *name = json_object_get_string(json_at(namespaces, i));
		struct name_faults name_faults = { .n = 0 };

		name_check_dns_label(name, false, &name_faults);
		fault_names(errors, path, "namespace", name, &name_faults);
	}
	for (size_t i = 0; i < ARRAY_SIZE(key_lists); i++)
		if (json_len(json_get(term, key_lists[i])) > 0 && !json_get(term, "labelSelector"))
			fault_forbidden(errors, path, key_lists[i],
					"must not be specified when labelSelector is not set");
	if (!*topology) {
		fault_required(errors, path, "topologyKey", "can not be empty");
		return;
	}
	name_check_qualified(topology, &faults);
	fault_names(errors, path, "topologyKey", topology, &faults);
}

static void validate_preferred_pod(const struct json_object *item, struct field_path *path,
				   struct field_errors *errors)
{
	size_t mark;

	validate_weight(item, path, errors);
	mark = field_push(path, "podAffinityTerm");
	validate_pod_term(json_get(item, "podAffinityTerm"), path, errors);
	field_pop(path, mark);
}

void pod_spec_validate_affinity(const struct json_object *affinity, struct field_path *path,
				struct field_errors *errors)
{
	static const char *const of_pods[] = { "podAffinity", "podAntiAffinity" };
	size_t mark;

	if (!affinity)
		return;
	if (json_get(affinity, "nodeAffinity")) {
		mark = field_push(path, "nodeAffinity");
		validate_node_affinity(json_get(affinity, "nodeAffinity"), path, errors);
		field_pop(path, mark);
	}
	for (size_t i = 0; i < ARRAY_SIZE(of_pods); i++) {
		const struct json_object *rules = json_get(affinity, of_pods[i]);

		mark = field_push(path, of_pods[i]);
		validate_each(rules, REQUIRED, validate_pod_term, path, errors);
		validate_each(rules, PREFERRED, validate_preferred_pod, path, errors);
		field_pop(path, mark);
	}
}
