/* HorizontalPodAutoscaler (autoscaling/v2). */
#include "api/kinds/horizontal_pod_autoscaler.h"

#include <string.h>

#include "api/fault.h"
#include "api/kinds/cells.h"
#include "api/kinds/defaults.h"
#include "api/kinds/kinds.h"
#include "api/kinds/workload.h"

static void default_metrics(struct json_object *spec)
{
	struct json_object *metric, *resource, *target;

	if (json_len(json_get(spec, "metrics")) > 0)
		return;
	metric = json_object_new_object();
	json_set_str(metric, "type", "Resource");
	resource = json_ensure_object(metric, "resource");
	json_set_str(resource, "name", "cpu");
	target = json_ensure_object(resource, "target");
	json_set_str(target, "type", "Utilization");
	json_set_int(target, "averageUtilization", 80);
	json_object_array_add(json_ensure_array(spec, "metrics"), metric);
}

static void default_status(struct json_object *status)
{
	static const char *const times[] = { "lastTransitionTime", NULL };

	default_int(status, "desiredReplicas", 0);
	default_null(status, "currentMetrics");
	default_null_each(json_get(status, "conditions"), times);
}

static void set_defaults(struct json_object *obj)
{
	struct json_object *spec = json_ensure_object(obj, "spec");

	json_ensure_object(spec, "scaleTargetRef");
	default_int(spec, "minReplicas", 1);
	default_metrics(spec);
	if (json_get(spec, "behavior"))
		autoscaler_default_behavior(json_get(spec, "behavior"));
	default_status(json_ensure_object(obj, "status"));
}

static void prepare_create(struct json_object *obj)
{
	struct json_object *status = json_object_new_object();

	default_status(status);
	json_set(obj, "status", status);
}

static void validate(const struct json_object *obj, struct field_errors *errors)
{
	const struct json_object *spec = json_get(obj, "spec");
	int64_t min = json_int(spec, "minReplicas", 1), max = json_int(spec, "maxReplicas", 0);
	struct field_path path;
	size_t mark;

	field_path_init(&path, "spec");
	if (min < 1)
		fault_int(errors, &path, "minReplicas", min, "must be greater than or equal to 1");
	if (max < 1)
		fault_int(errors, &path, "maxReplicas", max, "must be greater than 0");
	if (max < min)
		fault_int(errors, &path, "maxReplicas", max,
			  "must be greater than or equal to `minReplicas`");
	mark = field_push(&path, "scaleTargetRef");
	autoscaler_validate_reference(json_get(spec, "scaleTargetRef"), &path, errors);
	field_pop(&path, mark);
	autoscaler_validate_metrics(spec, &path, errors);
	mark = field_push(&path, "behavior");
	autoscaler_validate_behavior(json_get(spec, "behavior"), &path, errors);
	field_pop(&path, mark);
}

static void validate_status(const struct json_object *obj, const struct json_object *old,
			    struct field_errors *errors)
{
	static const char *const counts[] = { "currentReplicas", "desiredReplicas", NULL };
	struct field_path path;

	(void)old;
	field_path_init(&path, "status");
	workload_validate_counts(json_get(obj, "status"), counts, &path, errors);
}

const struct kind_column autoscaler_columns[AUTOSCALER_COLUMNS] = {
	CELL_COLUMN_NAME,
	{ "Reference", "string", "", "What it scales.", 0 },
	{ "Targets", "string", "", "What is measured, and what is aimed at.", 0 },
	{ "MinPods", "string", "", "Fewest pods.", 0 },
	{ "MaxPods", "string", "", "Most pods.", 0 },
	{ "Replicas", "string", "", "Pods there are.", 0 },
	CELL_COLUMN_AGE,
};

/* "30%/80%": of a Resource or ContainerResource metric, behind its name. */
static void write_resource(struct buf *b, const struct json_object *source, const struct json_object *current)
{
	const struct json_object *target = json_get(source, "target");
	const char *average = json_str(target, "averageValue"), *now = json_str(current, "averageValue");

	buf_printf(b, "%s: ", json_str_or_empty(source, "name"));
	if (average) {
		buf_printf(b, "%s/%s", now ? now : "<unknown>", average);
		return;
	}
	if (json_get(current, "averageUtilization"))
		buf_printf(b, "%lld%%/", (long long)json_int(current, "averageUtilization", 0));
	else
		buf_str(b, "<unknown>/");
	if (json_get(target, "averageUtilization"))
		buf_printf(b, "%lld%%", (long long)json_int(target, "averageUtilization", 0));
	else
		buf_str(b, "<auto>");
}

/* "10/20" of any other metric; " (avg)" where it could be either. */
static void write_value(struct buf *b, const struct json_object *source, const struct json_object *current,
			bool pods)
{
	const struct json_object *target = json_get(source, "target");
	bool average = pods || json_str(target, "averageValue");
	const char *key = average ? "averageValue" : "value";
	const char *now = json_str(current, key), *wanted = json_str(target, key);

	buf_printf(b, "%s/%s%s", now ? now : "<unknown>", wanted ? wanted : "0",
		   average && !pods ? " (avg)" : "");
}

static void write_metric(struct buf *b, const struct json_object *metric, const struct json_object *status)
{
	static const struct {
		const char *type, *member;
	} types[] = {
		{ "Resource", "resource" }, { "ContainerResource", "containerResource" },
		{ "Pods", "pods" },         { "Object", "object" },
		{ "External", "external" },
	};
	const char *type = json_str_or_empty(metric, "type");
	size_t i = 0;

	while (i < ARRAY_SIZE(types) && strcmp(types[i].type, type) != 0)
		i++;
	if (i == ARRAY_SIZE(types)) {
		buf_str(b, "<unknown type>");
		return;
	}
	const struct json_object *source = json_get(metric, types[i].member);
	const struct json_object *current = json_path(status, types[i].member, "current", NULL);
	if (i < 2)
		write_resource(b, source, current);
	else
		write_value(b, source, current, i == 2);
}

#define SHOWN 2

static void cell_targets(struct json_object *cells, const struct json_object *obj)
{
	const struct json_object *metrics = json_path(obj, "spec", "metrics", NULL);
	const struct json_object *statuses = json_path(obj, "status", "currentMetrics", NULL);
	size_t n = json_len(metrics);
	CLEANUP(buf_close) struct buf b = BUF_INIT;

	for (size_t i = 0; i < n && i < SHOWN; i++) {
		buf_str(&b, i > 0 ? ", " : "");
		write_metric(&b, json_at(metrics, i), i < json_len(statuses) ? json_at(statuses, i) : NULL);
	}
	if (n > SHOWN)
		buf_printf(&b, " + %zu more...", n - SHOWN);
	cell_str_or(cells, b.data, "<none>");
}

void autoscaler_cells(const struct json_object *obj, int64_t now_us, struct json_object *cells)
{
	const struct json_object *spec = json_get(obj, "spec"), *target = json_get(spec, "scaleTargetRef");
	CLEANUP(buf_close) struct buf b = BUF_INIT;

	cell_name(cells, obj);
	buf_printf(&b, "%s/%s", json_str_or_empty(target, "kind"), json_str_or_empty(target, "name"));
	cell_buf(cells, &b);
	cell_targets(cells, obj);
	buf_reset(&b);
	if (json_get(spec, "minReplicas"))
		buf_printf(&b, "%lld", (long long)json_int(spec, "minReplicas", 0));
	cell_str_or(cells, b.data, "<unset>");
	cell_int(cells, json_int(spec, "maxReplicas", 0));
	cell_int(cells, json_int(json_get(obj, "status"), "currentReplicas", 0));
	cell_age(cells, obj, now_us);
}

const struct kind kind_horizontal_pod_autoscaler = {
	.api_version = "autoscaling/v2",
	.kind = "HorizontalPodAutoscaler",
	.definition = "autoscaling.v2.HorizontalPodAutoscaler",
	.has_status = true,
	.unconditional_update = true,
	.set_defaults = set_defaults,
	.prepare_create = prepare_create,
	.validate = validate,
	.validate_status = validate_status,
	.columns = autoscaler_columns,
	.n_columns = AUTOSCALER_COLUMNS,
	.cells = autoscaler_cells,
};
