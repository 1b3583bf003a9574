/* DaemonSet (apps/v1). */
#include <stdlib.h>
#include <string.h>

#include "api/fault.h"
#include "api/kinds/cells.h"
#include "api/kinds/defaults.h"
#include "api/kinds/kinds.h"
#include "api/kinds/workload.h"

/* How often the template changed: from before there was a generation. */
#define TEMPLATE_GENERATION "deprecated.daemonset.template.generation"

static const char *const required_counts[] = { "currentNumberScheduled", "numberMisscheduled",
					       "desiredNumberScheduled", "numberReady" };

static void default_status(struct json_object *status)
{
	static const char *const times[] = { "lastTransitionTime", NULL };

	for (size_t i = 0; i < ARRAY_SIZE(required_counts); i++)
		default_int(status, required_counts[i], 0);
	default_null_each(json_get(status, "conditions"), times);
}

static void set_template_generation(struct json_object *obj, int64_t n)
{
	CLEANUP(mem_freep) char *text = mem_printf("%lld", (long long)n);

	json_set_str(json_ensure_object(json_ensure_object(obj, "metadata"), "annotations"),
		     TEMPLATE_GENERATION, text);
}

static int64_t template_generation(const struct json_object *obj)
{
	const char *text = json_str(json_path(obj, "metadata", "annotations", NULL), TEMPLATE_GENERATION);

	return text ? strtoll(text, NULL, 10) : 0;
}

static void set_defaults(struct json_object *obj)
{
	struct json_object *spec = json_ensure_object(obj, "spec"), *strategy, *rolling;

	workload_default_template(spec);
	strategy = json_ensure_object(spec, "updateStrategy");
	default_str(strategy, "type", "RollingUpdate");
	if (strcmp(json_str(strategy, "type"), "RollingUpdate") == 0) {
		rolling = json_ensure_object(strategy, "rollingUpdate");
		default_int_or_str(rolling, "maxUnavailable", NULL, 1);
		default_int_or_str(rolling, "maxSurge", NULL, 0);
	}
	default_int(spec, "revisionHistoryLimit", 10);
	default_status(json_ensure_object(obj, "status"));
	/* Kubernetes' conversion shows the generation, 0 until it counts: whoever writes owns it. */
	if (!json_get(json_path(obj, "metadata", "annotations", NULL), TEMPLATE_GENERATION))
		set_template_generation(obj, 0);
}

static void prepare_create(struct json_object *obj)
{
	struct json_object *status = json_object_new_object();
	int64_t n = template_generation(obj);

	default_status(status);
	json_set(obj, "status", status);
	set_template_generation(obj, n < 1 ? 1 : n);
}

static void prepare_update(struct json_object *obj, const struct json_object *old)
{
	bool changed =
	    !json_equal(json_path(obj, "spec", "template", NULL), json_path(old, "spec", "template", NULL));

	set_template_generation(obj, template_generation(old) + changed);
}

static void validate_rolling(const struct json_object *rolling, struct field_path *path,
			     struct field_errors *errors)
{
	const struct json_object *surge = json_get(rolling, "maxSurge");
	int64_t n_unavailable, n_surge;

	workload_validate_at_most_all(rolling, "maxUnavailable", path, errors);
	workload_validate_at_most_all(rolling, "maxSurge", path, errors);
	workload_int_or_percent(json_get(rolling, "maxUnavailable"), &n_unavailable);
	workload_int_or_percent(surge, &n_surge);
	if (n_unavailable != 0 && n_surge != 0)
		fault_json(errors, path, "maxSurge", surge, "may not be set when maxUnavailable is non-zero");
	else if (n_unavailable == 0 && n_surge == 0)
		fault_required(errors, path, "maxUnavailable", "cannot be 0 when maxSurge is 0");
}

static void validate_strategy(const struct json_object *spec, struct field_path *path,
			      struct field_errors *errors)
{
	static const char *const members[] = { "type", "rollingUpdate", NULL };
	const struct json_object *strategy = json_get(spec, "updateStrategy");
	const char *type = json_str_or_empty(strategy, "type");
	size_t mark;

	if (strcmp(type, "RollingUpdate") == 0) {
		mark = field_push(path, "updateStrategy.rollingUpdate");
		validate_rolling(json_get(strategy, "rollingUpdate"), path, errors);
		field_pop(path, mark);
	} else if (strcmp(type, "OnDelete") != 0) {
		CLEANUP(json_putp) struct json_object *shown = fault_shown(strategy, members);

		mark = field_push(path, "updateStrategy");
		field_error_add(errors, FIELD_NOT_SUPPORTED, path, shown,
				"supported values: \"RollingUpdate\", \"OnDelete\"");
		field_pop(path, mark);
	}
}

static void validate(const struct json_object *obj, struct field_errors *errors)
{
	static const char *const counts[] = { "minReadySeconds", NULL };
	static const char *const later[] = { "revisionHistoryLimit", NULL };
	const struct json_object *spec = json_get(obj, "spec"), *selector = json_get(spec, "selector");
	CLEANUP(selector_close) struct selector parsed = { 0 };
	struct field_path path;
	size_t mark;

	field_path_init(&path, "spec");
	mark = field_push(&path, "selector");
	validate_label_selector(selector, &path, errors);
	if (selector && selector_from_json(selector, &parsed, NULL) == 0 && parsed.n == 0)
		field_error_add(errors, FIELD_INVALID, &path, selector,
				"empty selector is invalid for daemonset");
	selector_close(&parsed);
	field_pop(&path, mark);
	mark = field_push(&path, "template");
	if (selector_from_json(selector, &parsed, NULL) == 0)
		workload_validate_template(json_get(spec, "template"), &parsed, "DaemonSet", &path, errors);
	field_pop(&path, mark);
	workload_validate_counts(spec, counts, &path, errors);
	validate_strategy(spec, &path, errors);
	workload_validate_counts(spec, later, &path, errors);
}

static void validate_status(const struct json_object *obj, const struct json_object *old,
			    struct field_errors *errors)
{
	static const char *const counts[] = { "currentNumberScheduled", "numberMisscheduled",
					      "desiredNumberScheduled", "numberReady",
					      "observedGeneration",     "updatedNumberScheduled",
					      "numberAvailable",        "numberUnavailable",
					      "collisionCount",         NULL };
	const struct json_object *status = json_get(obj, "status");
	int64_t collisions = json_int(status, "collisionCount", 0);
	struct field_path path;

	field_path_init(&path, "status");
	workload_validate_counts(status, counts, &path, errors);
	if (collisions < json_int(json_get(old, "status"), "collisionCount", 0))
		fault_int(errors, &path, "collisionCount", collisions, "cannot be decremented");
}

static const struct kind_column columns[] = {
	CELL_COLUMN_NAME,
	{ "Desired", "integer", "", "Nodes that should have a pod of it.", 0 },
	{ "Current", "integer", "", "Nodes that have one.", 0 },
	{ "Ready", "integer", "", "Nodes whose pod is ready.", 0 },
	{ "Up-to-date", "integer", "", "Nodes whose pod has the newest template.", 0 },
	{ "Available", "integer", "", "Nodes whose pod is ready for at least minReadySeconds.", 0 },
	{ "Node Selector", "string", "", "Labels of the nodes it is for.", 0 },
	CELL_COLUMN_AGE,
	WORKLOAD_WIDE_COLUMNS,
};

static void cells(const struct json_object *obj, int64_t now_us, struct json_object *ret)
{
	static const char *const counts[] = { "desiredNumberScheduled", "currentNumberScheduled",
					      "numberReady", "updatedNumberScheduled", "numberAvailable" };
	const struct json_object *status = json_get(obj, "status");

	cell_name(ret, obj);
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++)
		cell_int(ret, json_int(status, counts[i], 0));
	cell_labels(ret, json_path(obj, "spec", "template", "spec", "nodeSelector", NULL));
	cell_age(ret, obj, now_us);
	workload_wide_cells(obj, ret);
}

const struct kind kind_daemon_set = {
	.api_version = "apps/v1",
	.kind = "DaemonSet",
	.definition = "apps.v1.DaemonSet",
	.has_status = true,
	.has_generation = true,
	.unconditional_update = true,
	.set_defaults = set_defaults,
	.prepare_create = prepare_create,
	.prepare_update = prepare_update,
	.validate = validate,
	.validate_update = workload_validate_update,
	.validate_status = validate_status,
	.warnings = workload_warn,
	.columns = columns,
	.n_columns = ARRAY_SIZE(columns),
	.cells = cells,
};
