/* ReplicationController (core/v1): what ReplicaSets were made from; its selector is a map. */
#include "api/fault.h"
#include "api/kinds/cells.h"
#include "api/kinds/defaults.h"
#include "api/kinds/kinds.h"
#include "api/kinds/workload.h"

static bool is_empty(const struct json_object *map)
{
	return !map || json_object_object_length(map) == 0;
}

static void set_defaults(struct json_object *obj)
{
	static const char *const times[] = { "lastTransitionTime", NULL };
	struct json_object *spec = json_ensure_object(obj, "spec"),
			   *metadata = json_ensure_object(obj, "metadata"),
			   *status = json_ensure_object(obj, "status");
	const struct json_object *labels = json_path(spec, "template", "metadata", "labels", NULL);

	if (!is_empty(labels) && is_empty(json_get(spec, "selector")))
		json_set(spec, "selector", json_clone(labels));
	if (!is_empty(labels) && is_empty(json_get(metadata, "labels")))
		json_set(metadata, "labels", json_clone(labels));
	default_int(spec, "replicas", 1);
	workload_default_template(spec);
	default_int(status, "replicas", 0);
	default_null_each(json_get(status, "conditions"), times);
}

static void prepare_create(struct json_object *obj)
{
	struct json_object *status = json_object_new_object();

	json_set_int(status, "replicas", 0);
	json_set(obj, "status", status);
}

/* The map as the selector it is. */
static void selector_of(const struct json_object *map, struct selector *ret)
{
	json_object_object_foreach((struct json_object *)(uintptr_t)map, key, value)
	{
		const char *text = json_object_get_string(value);

		selector_add_unchecked(ret, key, SELECTOR_IN, &text, 1);
	}
}

static void validate(const struct json_object *obj, struct field_errors *errors)
{
	const struct json_object *spec = json_get(obj, "spec"), *map = json_get(spec, "selector");
	CLEANUP(selector_close) struct selector selector = { 0 };
	struct field_path path;
	size_t mark;

	field_path_init(&path, "spec");
	validate_non_negative(spec, "minReadySeconds", &path, errors);
	if (is_empty(map))
		fault_required(errors, &path, "selector", "");
	else
		selector_of(map, &selector);
	validate_non_negative(spec, "replicas", &path, errors);
	mark = field_push(&path, "template");
	workload_validate_template(json_get(spec, "template"), &selector, "ReplicationController", &path,
				   errors);
	field_pop(&path, mark);
}

static const struct kind_column columns[] = {
	CELL_COLUMN_NAME,
	{ "Desired", "integer", "", "Pods wanted.", 0 },
	{ "Current", "integer", "", "Pods there are.", 0 },
	{ "Ready", "integer", "", "Pods that are ready.", 0 },
	CELL_COLUMN_AGE,
	WORKLOAD_WIDE_COLUMNS,
};

static void cells(const struct json_object *obj, int64_t now_us, struct json_object *ret)
{
	const struct json_object *spec = json_get(obj, "spec"), *status = json_get(obj, "status");

	cell_name(ret, obj);
	cell_int(ret, json_int(spec, "replicas", 0));
	cell_int(ret, json_int(status, "replicas", 0));
	cell_int(ret, json_int(status, "readyReplicas", 0));
	cell_age(ret, obj, now_us);
	workload_template_cells(json_get(spec, "template"), ret);
	cell_labels(ret, json_get(spec, "selector"));
}

static const char *const selectable_fields[] = { "status.replicas", NULL };

const struct kind kind_replication_controller = {
	.api_version = "v1",
	.kind = "ReplicationController",
	.definition = "core.v1.ReplicationController",
	.has_status = true,
	.has_generation = true,
	.unconditional_update = true,
	.orphans_by_default = true,
	.set_defaults = set_defaults,
	.prepare_create = prepare_create,
	.validate = validate,
	.validate_status = workload_validate_replicas_status,
	.warnings = workload_warn,
	.selectable_fields = selectable_fields,
	.columns = columns,
	.n_columns = ARRAY_SIZE(columns),
	.cells = cells,
	.scale_replicas = "spec.replicas",
	.scale_status_replicas = "status.replicas",
	.scale_selector = "spec.selector",
	.scale_selector_is_map = true,
};
