/* What a HorizontalPodAutoscaler measures, and how fast it acts. (pkg/apis/autoscaling/validation) */
#include <stdio.h>
#include <string.h>

#include "api/fault.h"
#include "api/kinds/defaults.h"
#include "api/kinds/horizontal_pod_autoscaler.h"
#include "lib/quantity.h"

#define WINDOW_MAX_S 3600
#define PERIOD_MAX_S 1800

static void add_policy(struct json_object *policies, const char *type, int64_t value)
{
	struct json_object *policy = json_object_new_object();

	json_set_str(policy, "type", type);
	json_set_int(policy, "value", value);
	json_set_int(policy, "periodSeconds", 15);
	json_object_array_add(policies, policy);
}

static void default_rules(struct json_object *behavior, const char *key, bool up)
{
	struct json_object *rules = json_ensure_object(behavior, key);

	if (up)
		default_int(rules, "stabilizationWindowSeconds", 0);
	default_str(rules, "selectPolicy", "Max");
	if (json_get(rules, "policies"))
		return;
	if (up)
		add_policy(json_ensure_array(rules, "policies"), "Pods", 4);
	add_policy(json_ensure_array(rules, "policies"), "Percent", 100);
}

void autoscaler_default_behavior(struct json_object *behavior)
{
	default_rules(behavior, "scaleUp", true);
	default_rules(behavior, "scaleDown", false);
}

/* A required name that is part of paths. */
static void validate_path_name(const struct json_object *obj, const char *key, const char *if_absent,
			       struct field_path *path, struct field_errors *errors)
{
	if (!default_has_str(obj, key))
		fault_required(errors, path, key, if_absent);
	else
		fault_name(obj, key, false, name_check_path_segment, path, errors);
}

void autoscaler_validate_reference(const struct json_object *ref, struct field_path *path,
				   struct field_errors *errors)
{
	validate_path_name(ref, "kind", "", path, errors);
	validate_path_name(ref, "name", "", path, errors);
}

/* --- metrics --- */

static bool is_positive(const struct json_object *target, const char *key)
{
	struct quantity q;
	const char *text = json_str(target, key);

	return text && quantity_parse(text, &q) && q.nano > 0;
}

static void validate_target(const struct json_object *target, struct field_path *path,
			    struct field_errors *errors)
{
	static const char *const types[] = { "Utilization", "Value", "AverageValue" };
	static const char *const amounts[] = { "value", "averageValue" };
	const char *type = json_str_or_empty(target, "type");
	size_t i = 0;

	if (!*type)
		fault_required(errors, path, "type", "must specify a metric target type");
	while (i < ARRAY_SIZE(types) && strcmp(types[i], type) != 0)
		i++;
	if (i == ARRAY_SIZE(types))
		fault_str(errors, path, "type", type, "must be either Utilization, Value, or AverageValue");
	for (i = 0; i < ARRAY_SIZE(amounts); i++)
		if (json_get(target, amounts[i]) && !is_positive(target, amounts[i]))
			fault_str(errors, path, amounts[i], json_str_or_empty(target, amounts[i]),
				  "must be positive");
	if (json_int(target, "averageUtilization", 1) < 1)
		fault_int(errors, path, "averageUtilization", json_int(target, "averageUtilization", 1),
			  "must be greater than 0");
}

/* Of Resource and ContainerResource: of what, then how much. */
static void validate_resource_target(const struct json_object *source, struct field_path *path,
				     struct field_errors *errors)
{
	const struct json_object *target = json_get(source, "target");
	bool utilization = json_get(target, "averageUtilization"), value = json_get(target, "averageValue");
	size_t mark = field_push(path, "target");

	validate_target(target, path, errors);
	if (!utilization && !value)
		fault_required(errors, path, "averageUtilization",
			       "must set either a target raw value or a target utilization");
	if (utilization && value)
		fault_forbidden(errors, path, "averageValue",
				"may not set both a target raw value and a target utilization");
	field_pop(path, mark);
}

static void validate_resource(const struct json_object *source, struct field_path *path,
			      struct field_errors *errors)
{
	if (!default_has_str(source, "name"))
		fault_required(errors, path, "name", "must specify a resource name");
	validate_resource_target(source, path, errors);
}

static void validate_container_resource(const struct json_object *source, struct field_path *path,
					struct field_errors *errors)
{
	if (!default_has_str(source, "name"))
		fault_required(errors, path, "name", "must specify a resource name");
	if (!default_has_str(source, "container"))
		fault_required(errors, path, "container", "must specify a container");
	validate_resource_target(source, path, errors);
}

static void validate_identifier_and_target(const struct json_object *source, struct field_path *path,
					   struct field_errors *errors)
{
	size_t mark = field_push(path, "metric");

	validate_path_name(json_get(source, "metric"), "name", "must specify a metric name", path, errors);
	field_pop(path, mark);
	mark = field_push(path, "target");
	validate_target(json_get(source, "target"), path, errors);
	field_pop(path, mark);
}

static void validate_pods(const struct json_object *source, struct field_path *path,
			  struct field_errors *errors)
{
	validate_identifier_and_target(source, path, errors);
	if (!is_positive(json_get(source, "target"), "averageValue"))
		fault_required(errors, path, "target.averageValue",
			       "must specify a positive target averageValue");
}

static void validate_object_metric(const struct json_object *source, struct field_path *path,
				   struct field_errors *errors)
{
	const struct json_object *target = json_get(source, "target");
	size_t mark = field_push(path, "describedObject");

	autoscaler_validate_reference(json_get(source, "describedObject"), path, errors);
	field_pop(path, mark);
	validate_identifier_and_target(source, path, errors);
	if (!json_get(target, "value") && !json_get(target, "averageValue"))
		fault_required(errors, path, "target.averageValue",
			       "must set either a target value or averageValue");
}

static void validate_external(const struct json_object *source, struct field_path *path,
			      struct field_errors *errors)
{
	const struct json_object *target = json_get(source, "target");
	bool value = json_get(target, "value"), average = json_get(target, "averageValue");

	validate_identifier_and_target(source, path, errors);
	if (!value && !average)
		fault_required(errors, path, "target.averageValue",
			       "must set either a target value for metric or a per-pod target");
	if (value && average)
		fault_forbidden(errors, path, "target.value",
				"may not set both a target value for metric and a per-pod target");
}

/* In the order in which the first one found is looked at. */
static const struct {
	const char *type, *member;
	fault_item_fn validate;
} sources[] = {
	{ "Object", "object", validate_object_metric },
	{ "External", "external", validate_external },
	{ "Pods", "pods", validate_pods },
	{ "Resource", "resource", validate_resource },
	{ "ContainerResource", "containerResource", validate_container_resource },
};

static void validate_metric(const struct json_object *metric, struct field_path *path,
			    struct field_errors *errors)
{
	static const char *const types[] = { "ContainerResource", "External", "Object", "Pods",
					     "Resource",          NULL };
	const char *type = json_str_or_empty(metric, "type");
	size_t n = 0;

	if (!*type)
		fault_required(errors, path, "type", "must specify a metric source type");
	else
		validate_enum(metric, "type", types, true, path, errors);
	for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
		const struct json_object *source = json_get(metric, sources[i].member);
		size_t mark = field_push(path, sources[i].member);

		if (source && n++ == 0)
			sources[i].validate(source, path, errors);
		field_pop(path, mark);
	}
	for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
		bool expected = strcmp(sources[i].type, type) == 0;
		const struct json_object *source = json_get(metric, sources[i].member);

		if (expected && !source)
			fault_required(errors, path, sources[i].member,
				       "must populate information for the given metric source");
		else if (!expected && source && n != 1)
			fault_forbidden(errors, path, sources[i].member,
					"must populate the given metric source only");
	}
}

void autoscaler_validate_metrics(const struct json_object *spec, struct field_path *path,
				 struct field_errors *errors)
{
	fault_each(spec, "metrics", path, errors, validate_metric);
}

/* --- behavior --- */

static void validate_policy(const struct json_object *policy, struct field_path *path,
			    struct field_errors *errors)
{
	static const char *const types[] = { "Percent", "Pods", NULL };
	int64_t value = json_int(policy, "value", 0), period_s = json_int(policy, "periodSeconds", 0);

	validate_enum(policy, "type", types, false, path, errors);
	if (!default_has_str(policy, "type"))
		fault_not_supported(errors, path, "type", "", types);
	if (value <= 0)
		fault_int(errors, path, "value", value, "must be greater than zero");
	if (period_s <= 0)
		fault_int(errors, path, "periodSeconds", period_s, "must be greater than zero");
	if (period_s > PERIOD_MAX_S)
		fault_int(errors, path, "periodSeconds", period_s, "must be less than or equal to 1800");
}

static void validate_rules(const struct json_object *rules, struct field_path *path,
			   struct field_errors *errors)
{
	static const char *const select[] = { "Disabled", "Max", "Min", NULL };
	int64_t window_s = json_int(rules, "stabilizationWindowSeconds", 0);
	const char *tolerance = json_str(rules, "tolerance");
	struct quantity q;

	if (window_s < 0)
		fault_int(errors, path, "stabilizationWindowSeconds", window_s,
			  "must be greater than or equal to zero");
	if (window_s > WINDOW_MAX_S)
		fault_int(errors, path, "stabilizationWindowSeconds", window_s,
			  "must be less than or equal to 3600");
	validate_enum(rules, "selectPolicy", select, false, path, errors);
	if (json_len(json_get(rules, "policies")) == 0)
		fault_required(errors, path, "policies", "must specify at least one Policy");
	else
		fault_each(rules, "policies", path, errors, validate_policy);
	if (tolerance && quantity_parse(tolerance, &q) && q.nano < 0)
		fault_str(errors, path, "tolerance", tolerance, "must be greater than or equal to 0");
}

void autoscaler_validate_behavior(const struct json_object *behavior, struct field_path *path,
				  struct field_errors *errors)
{
	static const char *const keys[] = { "scaleUp", "scaleDown" };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const struct json_object *rules = json_get(behavior, keys[i]);
		size_t mark = field_push(path, keys[i]);

		if (rules)
			validate_rules(rules, path, errors);
		field_pop(path, mark);
	}
}
