/* HorizontalPodAutoscaler as autoscaling/v1 shows it: one field for the CPU, and annotations, in the older
 * form, for all metrics besides, their state, the conditions and the behavior.
 * (pkg/apis/autoscaling/v1/conversion.go)
 */
#include <string.h>

#include "api/decode.h"
#include "api/kinds/cells.h"
#include "api/kinds/defaults.h"
#include "api/kinds/horizontal_pod_autoscaler.h"
#include "api/kinds/kinds.h"

#define PREFIX          "autoscaling.alpha.kubernetes.io/"
#define METRICS         PREFIX "metrics"
#define CURRENT_METRICS PREFIX "current-metrics"
#define CONDITIONS      PREFIX "conditions"
#define BEHAVIOR        PREFIX "behavior"

/* Moves a value from a path of v2's source (NULL INNER: of the source itself) to a member of v1's. */
struct move {
	const char *member;        /* "pods" */
	const char *outer, *inner; /* v2: source.outer.inner */
	const char *flat;          /* v1 */
};

/* Of spec.metrics. */
static const struct move spec_moves[] = {
	{ "resource", NULL, "name", "name" },
	{ "resource", "target", "averageUtilization", "targetAverageUtilization" },
	{ "resource", "target", "averageValue", "targetAverageValue" },
	{ "containerResource", NULL, "name", "name" },
	{ "containerResource", NULL, "container", "container" },
	{ "containerResource", "target", "averageUtilization", "targetAverageUtilization" },
	{ "containerResource", "target", "averageValue", "targetAverageValue" },
	{ "pods", "metric", "name", "metricName" },
	{ "pods", "metric", "selector", "selector" },
	{ "pods", "target", "averageValue", "targetAverageValue" },
	{ "object", NULL, "describedObject", "target" },
	{ "object", "metric", "name", "metricName" },
	{ "object", "metric", "selector", "selector" },
	{ "object", "target", "value", "targetValue" },
	{ "object", "target", "averageValue", "averageValue" },
	{ "external", "metric", "name", "metricName" },
	{ "external", "metric", "selector", "metricSelector" },
	{ "external", "target", "value", "targetValue" },
	{ "external", "target", "averageValue", "targetAverageValue" },
};

/* Of status.currentMetrics. */
static const struct move status_moves[] = {
	{ "resource", NULL, "name", "name" },
	{ "resource", "current", "averageUtilization", "currentAverageUtilization" },
	{ "resource", "current", "averageValue", "currentAverageValue" },
	{ "containerResource", NULL, "name", "name" },
	{ "containerResource", NULL, "container", "container" },
	{ "containerResource", "current", "averageUtilization", "currentAverageUtilization" },
	{ "containerResource", "current", "averageValue", "currentAverageValue" },
	{ "pods", "metric", "name", "metricName" },
	{ "pods", "metric", "selector", "selector" },
	{ "pods", "current", "averageValue", "currentAverageValue" },
	{ "object", NULL, "describedObject", "target" },
	{ "object", "metric", "name", "metricName" },
	{ "object", "metric", "selector", "selector" },
	{ "object", "current", "value", "currentValue" },
	{ "object", "current", "averageValue", "averageValue" },
	{ "external", "metric", "name", "metricName" },
	{ "external", "metric", "selector", "metricSelector" },
	{ "external", "current", "value", "currentValue" },
	{ "external", "current", "averageValue", "currentAverageValue" },
};

static struct json_object *flatten(const struct json_object *metric, const struct move *moves, size_t n)
{
	struct json_object *flat = json_object_new_object();

	json_set_str(flat, "type", json_str_or_empty(metric, "type"));
	for (size_t i = 0; i < n; i++) {
		const struct json_object *source = json_get(metric, moves[i].member);
		const struct json_object *from = moves[i].outer ? json_get(source, moves[i].outer) : source;
		const struct json_object *value = json_get(from, moves[i].inner);

		if (value)
			json_set(json_ensure_object(flat, moves[i].member), moves[i].flat, json_clone(value));
	}
	return flat;
}

/* What v1 leaves unsaid of a target: its type follows from what it has. */
static void name_target(struct json_object *source)
{
	struct json_object *target = json_get(source, "target");

	if (target)
		json_set_str(target, "type",
			     json_get(target, "averageUtilization") ? "Utilization"
			     : json_get(target, "averageValue")     ? "AverageValue"
								    : "Value");
}

static struct json_object *unflatten(const struct json_object *flat, const struct move *moves, size_t n)
{
	struct json_object *metric = json_object_new_object();

	json_set_str(metric, "type", json_str_or_empty(flat, "type"));
	for (size_t i = 0; i < n; i++) {
		const struct json_object *value = json_get(json_get(flat, moves[i].member), moves[i].flat);
		struct json_object *source;

		if (!value)
			continue;
		source = json_ensure_object(metric, moves[i].member);
		if (moves[i].outer)
			source = json_ensure_object(source, moves[i].outer);
		json_set(source, moves[i].inner, json_clone(value));
	}
	if (moves == spec_moves)
		for (size_t i = 0; i < n; i++)
			name_target(json_get(metric, moves[i].member));
	return metric;
}

static bool is_cpu_utilization(const struct json_object *metric)
{
	const struct json_object *resource = json_get(metric, "resource");

	return strcmp(json_str_or_empty(metric, "type"), "Resource") == 0 &&
	       strcmp(json_str_or_empty(resource, "name"), "cpu") == 0;
}

static void annotate(struct json_object *obj, const char *key, const struct json_object *value)
{
	CLEANUP(buf_close) struct buf b = BUF_INIT;

	json_write(&b, value);
	json_set_str(json_ensure_object(json_ensure_object(obj, "metadata"), "annotations"), key, b.data);
}

static void annotate_list(struct json_object *obj, const char *key, const struct json_object *list)
{
	if (json_len(list) > 0)
		annotate(obj, key, list);
}

void autoscaler_to_v1(struct json_object *obj)
{
	struct json_object *spec = json_ensure_object(obj, "spec"),
			   *status = json_ensure_object(obj, "status");
	const struct json_object *metrics = json_get(spec, "metrics"),
				 *current = json_get(status, "currentMetrics");
	CLEANUP(json_putp) struct json_object *others = json_object_new_array();
	CLEANUP(json_putp) struct json_object *measured = json_object_new_array();

	for (size_t i = 0; i < json_len(metrics); i++) {
		const struct json_object *metric = json_at(metrics, i);
		const struct json_object *target = json_path(metric, "resource", "target", NULL);

		if (is_cpu_utilization(metric) && json_get(target, "averageUtilization"))
			json_set_int(spec, "targetCPUUtilizationPercentage",
				     json_int(target, "averageUtilization", 0));
		else
			json_object_array_add(others, flatten(metric, spec_moves, ARRAY_SIZE(spec_moves)));
	}
	for (size_t i = 0; i < json_len(current); i++) {
		const struct json_object *metric = json_at(current, i);
		const struct json_object *value = json_path(metric, "resource", "current", NULL);

		if (is_cpu_utilization(metric) && json_get(value, "averageUtilization"))
			json_set_int(status, "currentCPUUtilizationPercentage",
				     json_int(value, "averageUtilization", 0));
		json_object_array_add(measured, flatten(metric, status_moves, ARRAY_SIZE(status_moves)));
	}
	annotate_list(obj, METRICS, others);
	annotate_list(obj, CURRENT_METRICS, measured);
	annotate_list(obj, CONDITIONS, json_get(status, "conditions"));
	if (json_get(spec, "behavior"))
		annotate(obj, BEHAVIOR, json_get(spec, "behavior"));
	json_object_object_del(spec, "metrics");
	json_object_object_del(spec, "behavior");
	json_object_object_del(status, "currentMetrics");
	json_object_object_del(status, "conditions");
	default_int(status, "currentReplicas", 0);
	default_int(status, "desiredReplicas", 0);
}

/* The annotation's value, taken out; NULL when there is none of TYPE. The caller's. */
static struct json_object *take_annotation(struct json_object *obj, const char *key, enum json_type type)
{
	struct json_object *metadata = json_get(obj, "metadata"),
			   *annotations = json_get(metadata, "annotations"), *value = NULL;
	const char *text = json_str(annotations, key);

	if (!text)
		return NULL;
	if (json_parse(text, strlen(text), &value, NULL, NULL) < 0)
		value = NULL;
	json_object_object_del(annotations, key);
	if (json_object_object_length(annotations) == 0)
		json_object_object_del(metadata, "annotations");
	if (value && json_object_is_type(value, type))
		return value;
	json_object_put(value);
	return NULL;
}

/* True when VALUE, which a client may have written as it liked, is what DEFINITION says. */
static bool is_a(struct json_object *value, const char *definition)
{
	CLEANUP(buf_close) struct buf warnings = BUF_INIT;

	return json_object_is_type(value, json_type_object) &&
	       decode_value(schema_def_find(definition), NULL, "v2", value, FIELD_VALIDATION_IGNORE,
			    &warnings, NULL) == 0;
}

static void take_metrics(struct json_object *obj, const char *annotation, struct json_object *to,
			 const struct move *moves, size_t n)
{
	CLEANUP(json_putp) struct json_object *list = take_annotation(obj, annotation, json_type_array);
	const char *definition =
	    moves == spec_moves ? "autoscaling.v2.MetricSpec" : "autoscaling.v2.MetricStatus";

	for (size_t i = 0; i < json_len(list); i++) {
		CLEANUP(json_putp) struct json_object *metric = unflatten(json_at(list, i), moves, n);

		if (is_a(metric, definition))
			json_object_array_add(to, TAKE(metric));
	}
}

static void take_conditions(struct json_object *obj, struct json_object *to)
{
	CLEANUP(json_putp) struct json_object *list = take_annotation(obj, CONDITIONS, json_type_array);

	for (size_t i = 0; i < json_len(list); i++)
		if (is_a(json_at(list, i), "autoscaling.v2.HorizontalPodAutoscalerCondition"))
			json_object_array_add(to, json_object_get(json_at(list, i)));
}

static struct json_object *cpu_metric(int64_t percent)
{
	struct json_object *metric = json_object_new_object(), *resource, *target;

	json_set_str(metric, "type", "Resource");
	resource = json_ensure_object(metric, "resource");
	json_set_str(resource, "name", "cpu");
	target = json_ensure_object(resource, "target");
	json_set_str(target, "type", "Utilization");
	json_set_int(target, "averageUtilization", percent);
	return metric;
}

void autoscaler_from_v1(struct json_object *obj)
{
	struct json_object *spec = json_ensure_object(obj, "spec"),
			   *status = json_ensure_object(obj, "status");
	struct json_object *metrics = json_object_new_array(), *current = json_object_new_array();
	struct json_object *conditions = json_object_new_array(), *behavior;

	take_metrics(obj, METRICS, metrics, spec_moves, ARRAY_SIZE(spec_moves));
	if (json_get(spec, "targetCPUUtilizationPercentage"))
		json_object_array_add(metrics,
				      cpu_metric(json_int(spec, "targetCPUUtilizationPercentage", 0)));
	take_metrics(obj, CURRENT_METRICS, current, status_moves, ARRAY_SIZE(status_moves));
	take_conditions(obj, conditions);
	behavior = take_annotation(obj, BEHAVIOR, json_type_object);
	json_object_object_del(spec, "targetCPUUtilizationPercentage");
	json_object_object_del(status, "currentCPUUtilizationPercentage");
	if (json_len(metrics) > 0)
		json_set(spec, "metrics", json_object_get(metrics));
	if (json_len(current) > 0)
		json_set(status, "currentMetrics", json_object_get(current));
	if (json_len(conditions) > 0)
		json_set(status, "conditions", json_object_get(conditions));
	json_object_put(metrics);
	json_object_put(current);
	json_object_put(conditions);
	if (is_a(behavior, "autoscaling.v2.HorizontalPodAutoscalerBehavior"))
		json_set(spec, "behavior", json_object_get(behavior));
	json_object_put(behavior);
}

static void set_defaults(struct json_object *obj)
{
	default_int(json_ensure_object(obj, "spec"), "minReplicas", 1);
}

static void cells(const struct json_object *obj, int64_t now_us, struct json_object *ret)
{
	CLEANUP(json_putp) struct json_object *stored = json_clone(obj);

	autoscaler_from_v1(stored);
	autoscaler_cells(stored, now_us, ret);
}

static const struct kind_view view = {
	.api_version = "autoscaling/v2",
	.to_stored = autoscaler_from_v1,
	.from_stored = autoscaler_to_v1,
};

const struct kind kind_horizontal_pod_autoscaler_v1 = {
	.api_version = "autoscaling/v1",
	.kind = "HorizontalPodAutoscaler",
	.definition = "autoscaling.v1.HorizontalPodAutoscaler",
	.view = &view,
	.set_defaults = set_defaults,
	.columns = autoscaler_columns,
	.n_columns = AUTOSCALER_COLUMNS,
	.cells = cells,
};
