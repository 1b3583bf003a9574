/* ReplicaSet (apps/v1). */
#include "api/fault.h"
#include "api/kinds/cells.h"
#include "api/kinds/defaults.h"
#include "api/kinds/kinds.h"
#include "api/kinds/workload.h"

static void set_defaults(struct json_object *obj)
{
	struct json_object *spec = json_ensure_object(obj, "spec"),
			   *status = json_ensure_object(obj, "status");
	static const char *const times[] = { "lastTransitionTime", NULL };

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

static void validate(const struct json_object *obj, struct field_errors *errors)
{
	const struct json_object *spec = json_get(obj, "spec");
	struct field_path path;

	field_path_init(&path, "spec");
	validate_non_negative(spec, "replicas", &path, errors);
	validate_non_negative(spec, "minReadySeconds", &path, errors);
	workload_validate_selector_and_template(spec, "deployment", "ReplicaSet", &path, errors);
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
	const struct json_object *status = json_get(obj, "status");

	cell_name(ret, obj);
	cell_int(ret, json_int(json_get(obj, "spec"), "replicas", 0));
	cell_int(ret, json_int(status, "replicas", 0));
	cell_int(ret, json_int(status, "readyReplicas", 0));
	cell_age(ret, obj, now_us);
	workload_wide_cells(obj, ret);
}

static const char *const selectable_fields[] = { "status.replicas", NULL };

const struct kind kind_replica_set = {
	.api_version = "apps/v1",
	.kind = "ReplicaSet",
	.definition = "apps.v1.ReplicaSet",
	.has_status = true,
	.has_generation = true,
	.unconditional_update = true,
	.set_defaults = set_defaults,
	.prepare_create = prepare_create,
	.validate = validate,
	.validate_update = workload_validate_update,
	.validate_status = workload_validate_replicas_status,
	.selectable_fields = selectable_fields,
	.warnings = workload_warn,
	.columns = columns,
	.n_columns = ARRAY_SIZE(columns),
	.cells = cells,
	.scale_replicas = "spec.replicas",
	.scale_status_replicas = "status.replicas",
	.scale_selector = "spec.selector",
};
