/* Where a pod may run: tolerations, spreading, gates, node selector. */
#include <stdlib.h>
#include <string.h>

#include "api/fault.h"
#include "api/kinds/pod_spec.h"
#include "api/kinds/taint.h"

#define EMPTY_KEY "operator must be Exists when `key` is empty, which means \"match all values and all keys\""

static bool is_integer(const char *s)
{
	char *end;

	strtoll(s, &end, 10);
	return *s && !*end;
}

static void validate_operator(const struct json_object *toleration, struct field_path *path,
			      struct field_errors *errors)
{
	static const char *const operators[] = { "Equal", "Exists", NULL };
	const char *op = json_str_or_empty(toleration, "operator"),
		   *value = json_str_or_empty(toleration, "value");
	struct name_faults faults = { .n = 0 };

	if (!*op || strcmp(op, "Equal") == 0) {
		name_check_label_value(value, &faults);
		fault_names(errors, path, "operator", value, &faults);
	} else if (strcmp(op, "Exists") == 0) {
		if (*value)
			fault_str(errors, path, "operator", value,
				  "value must be empty when `operator` is 'Exists'");
	} else if (strcmp(op, "Lt") == 0 || strcmp(op, "Gt") == 0) {
		if (!is_integer(value))
			fault_str(errors, path, "value", value,
				  "value must be a valid integer for numeric operators");
	} else {
		fault_not_supported(errors, path, "operator", op, operators);
	}
}

void pod_spec_validate_toleration(const struct json_object *toleration, struct field_path *path,
				  struct field_errors *errors)
{
	const char *key = json_str_or_empty(toleration, "key"),
		   *op = json_str_or_empty(toleration, "operator");
	const char *effect = json_str_or_empty(toleration, "effect");
	struct name_faults faults = { .n = 0 };

	if (*key)
		name_check_qualified(key, &faults);
	fault_names(errors, path, "key", key, &faults);
	if (!*key && strcmp(op, "Exists") != 0)
		fault_str(errors, path, "operator", op, EMPTY_KEY);
	if (json_get(toleration, "tolerationSeconds") && strcmp(effect, "NoExecute") != 0)
		fault_str(errors, path, "effect", effect,
			  "effect must be 'NoExecute' when `tolerationSeconds` is set");
	validate_operator(toleration, path, errors);
	taint_validate_effect(toleration, true, path, errors);
}

static void validate_spread(const struct json_object *constraints, size_t i, struct field_path *path,
			    struct field_errors *errors)
{
	static const char *const actions[] = { "DoNotSchedule", "ScheduleAnyway", NULL };
	static const char *const policies[] = { "Honor", "Ignore", NULL };
	const struct json_object *constraint = json_at(constraints, i);
	const char *key = json_str_or_empty(constraint, "topologyKey");
	const char *action = json_str_or_empty(constraint, "whenUnsatisfiable");
	int64_t skew = json_int(constraint, "maxSkew", 0), domains = json_int(constraint, "minDomains", 1);
	struct name_faults faults = { .n = 0 };

	if (skew <= 0)
		fault_int(errors, path, "maxSkew", skew, "must be greater than zero");
	if (!*key)
		fault_required(errors, path, "topologyKey", "can not be empty");
	else
		name_check_qualified(key, &faults);
	fault_names(errors, path, "topologyKey", key, &faults);
	if (!*action)
		fault_not_supported(errors, path, "whenUnsatisfiable", action, actions);
	validate_enum(constraint, "whenUnsatisfiable", actions, false, path, errors);
	for (size_t j = 0; j < i; j++) {
		const struct json_object *other = json_at(constraints, j);

		if (strcmp(json_str_or_empty(other, "topologyKey"), key) != 0 ||
		    strcmp(json_str_or_empty(other, "whenUnsatisfiable"), action) != 0)
			continue;
		CLEANUP(mem_freep) char *shown = mem_printf("{%s, %s}", key, action);
		fault_duplicate(errors, path, "{topologyKey, whenUnsatisfiable}", shown);
		break;
	}
	if (domains <= 0)
		fault_int(errors, path, "minDomains", domains, "must be greater than 0");
	if (json_get(constraint, "minDomains") && *action && strcmp(action, "DoNotSchedule") != 0)
		fault_int(errors, path, "minDomains", domains,
			  "can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ScheduleAnyway");
	validate_enum(constraint, "nodeAffinityPolicy", policies, false, path, errors);
	validate_enum(constraint, "nodeTaintsPolicy", policies, false, path, errors);
	if (json_len(json_get(constraint, "matchLabelKeys")) > 0 && !json_get(constraint, "labelSelector"))
		fault_forbidden(errors, path, "matchLabelKeys",
				"must not be specified when labelSelector is not set");
	size_t mark = field_push(path, "labelSelector");
	validate_label_selector(json_get(constraint, "labelSelector"), path, errors);
	field_pop(path, mark);
}

static void validate_gates(const struct json_object *gates, struct field_path *path,
			   struct field_errors *errors)
{
	if (!fault_list_fits(errors, path, gates))
		return;
	for (size_t i = 0; i < json_len(gates); i++) {
		const char *name = json_str_or_empty(json_at(gates, i), "name");
		struct name_faults faults = { .n = 0 };
		size_t item = field_push_index(path, i);

		name_check_qualified(name, &faults);
		fault_names(errors, path, NULL, name, &faults);
		for (size_t j = 0; j < i; j++)
			if (strcmp(json_str_or_empty(json_at(gates, j), "name"), name) == 0) {
				fault_duplicate(errors, path, "name", name);
				break;
			}
		field_pop(path, item);
	}
}

void pod_spec_validate_placement(const struct json_object *spec, struct field_path *path,
				 struct field_errors *errors)
{
	const struct json_object *constraints = json_get(spec, "topologySpreadConstraints");
	const struct json_object *tolerations = json_get(spec, "tolerations");
	size_t mark = field_push(path, "nodeSelector"), n;

	validate_labels(json_get(spec, "nodeSelector"), path, errors);
	field_pop(path, mark);
	mark = field_push(path, "affinity");
	pod_spec_validate_affinity(json_get(spec, "affinity"), path, errors);
	field_pop(path, mark);
	mark = field_push(path, "schedulingGates");
	validate_gates(json_get(spec, "schedulingGates"), path, errors);
	field_pop(path, mark);
	mark = field_push(path, "topologySpreadConstraints");
	n = fault_list_fits(errors, path, constraints) ? json_len(constraints) : 0;
	for (size_t i = 0; i < n; i++) {
		size_t item = field_push_index(path, i);

		validate_spread(constraints, i, path, errors);
		field_pop(path, item);
	}
	field_pop(path, mark);
	mark = field_push(path, "tolerations");
	n = fault_list_fits(errors, path, tolerations) ? json_len(tolerations) : 0;
	for (size_t i = 0; i < n; i++) {
		size_t item = field_push_index(path, i);

		pod_spec_validate_toleration(json_at(tolerations, i), path, errors);
		field_pop(path, item);
	}
	field_pop(path, mark);
}
