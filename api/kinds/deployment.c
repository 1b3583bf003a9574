/* Deployment (apps/v1). */
#include <string.h>

#include "api/fault.h"
#include "api/kinds/cells.h"
#include "api/kinds/defaults.h"
#include "api/kinds/kinds.h"
#include "api/kinds/workload.h"

static void set_defaults(struct json_object *obj)
{
	struct json_object *spec = json_ensure_object(obj, "spec");
	struct json_object *strategy = json_ensure_object(spec, "strategy");
	static const char *const times[] = { "lastUpdateTime", "lastTransitionTime", NULL };

	default_int(spec, "replicas", 1);
	workload_default_template(spec);
	default_str(strategy, "type", "RollingUpdate");
	if (strcmp(json_str(strategy, "type"), "RollingUpdate") == 0) {
		struct json_object *rolling = json_ensure_object(strategy, "rollingUpdate");

		default_int_or_str(rolling, "maxUnavailable", "25%", 0);
		default_int_or_str(rolling, "maxSurge", "25%", 0);
	}
	default_int(spec, "revisionHistoryLimit", 10);
	default_int(spec, "progressDeadlineSeconds", 600);
	default_null_each(json_get(json_ensure_object(obj, "status"), "conditions"), times);
}

static void prepare_create(struct json_object *obj)
{
	json_set(obj, "status", json_object_new_object());
}

static void validate_rolling_update(const struct json_object *rolling, struct field_path *path,
				    struct field_errors *errors)
{
	const struct json_object *unavailable = json_get(rolling, "maxUnavailable"),
				 *surge = json_get(rolling, "maxSurge");
	int64_t n_unavailable, n_surge;
	bool percent;

	workload_validate_int_or_percent(rolling, "maxUnavailable", path, errors);
	workload_validate_int_or_percent(rolling, "maxSurge", path, errors);
	percent = workload_int_or_percent(unavailable, &n_unavailable);
	workload_int_or_percent(surge, &n_surge);
	if (n_unavailable == 0 && n_surge == 0)
		fault_json(errors, path, "maxUnavailable", unavailable, "may not be 0 when `maxSurge` is 0");
	if (percent && n_unavailable > 100)
		fault_json(errors, path, "maxUnavailable", unavailable, "must not be greater than 100%");
}

/* Kubernetes shows the whole strategy here, by its Go names, not the type alone. */
static void add_unsupported_strategy(const struct json_object *strategy, struct field_path *path,
				     struct field_errors *errors)
{
	CLEANUP(json_putp) struct json_object *shown = json_object_new_object();
	const struct json_object *rolling = json_get(strategy, "rollingUpdate");
	struct json_object *shown_rolling = NULL;

	if (rolling) {
		shown_rolling = json_object_new_object();
		json_object_object_add(shown_rolling, "MaxUnavailable",
				       json_clone(json_get(rolling, "maxUnavailable")));
		json_object_object_add(shown_rolling, "MaxSurge", json_clone(json_get(rolling, "maxSurge")));
	}
	json_set_str(shown, "Type", json_str(strategy, "type"));
	json_object_object_add(shown, "RollingUpdate", shown_rolling);
	field_error_add(errors, FIELD_NOT_SUPPORTED, path, shown,
			"supported values: \"Recreate\", \"RollingUpdate\"");
}

static void validate_strategy(const struct json_object *spec, struct field_path *path,
			      struct field_errors *errors)
{
	const struct json_object *strategy = json_get(spec, "strategy"),
				 *rolling = json_get(strategy, "rollingUpdate");
	const char *type = json_str_or_empty(strategy, "type");
	size_t mark = field_push(path, "strategy");

	if (strcmp(type, "Recreate") == 0) {
		if (rolling)
			fault_forbidden(errors, path, "rollingUpdate",
					"may not be specified when strategy `type` is 'Recreate'");
	} else if (strcmp(type, "RollingUpdate") == 0) {
		size_t inner = field_push(path, "rollingUpdate");

		validate_rolling_update(rolling, path, errors);
		field_pop(path, inner);
	} else {
		add_unsupported_strategy(strategy, path, errors);
	}
	field_pop(path, mark);
}

static void validate(const struct json_object *obj, struct field_errors *errors)
{
	const struct json_object *spec = json_get(obj, "spec");
	int64_t deadline = json_int(spec, "progressDeadlineSeconds", 600);
	struct field_path path;

	field_path_init(&path, "spec");
	validate_non_negative(spec, "replicas", &path, errors);
	workload_validate_selector_and_template(spec, "deployment", "ReplicaSet", &path, errors);
	validate_strategy(spec, &path, errors);
	validate_non_negative(spec, "minReadySeconds", &path, errors);
	validate_non_negative(spec, "revisionHistoryLimit", &path, errors);
	validate_non_negative(spec, "progressDeadlineSeconds", &path, errors);
	if (deadline <= json_int(spec, "minReadySeconds", 0))
		fault_int(errors, &path, "progressDeadlineSeconds", deadline,
			  "must be greater than minReadySeconds");
}

static void validate_status(const struct json_object *obj, const struct json_object *old,
			    struct field_errors *errors)
{
	static const char *const counts[] = { "observedGeneration",
					      "replicas",
					      "updatedReplicas",
					      "readyReplicas",
					      "availableReplicas",
					      "unavailableReplicas",
					      "collisionCount",
					      "terminatingReplicas",
					      NULL };
	static const char *const parts[] = { "updatedReplicas", "readyReplicas", "availableReplicas", NULL };
	const struct json_object *status = json_get(obj, "status"), *old_status = json_get(old, "status");
	int64_t collisions = json_int(status, "collisionCount", 0);
	struct field_path path;

	field_path_init(&path, "status");
	workload_validate_counts(status, counts, &path, errors);
	workload_validate_parts(status, parts, &path, errors);
	/* It makes names of replica sets differ: one that went back would give an old name again. */
	if (collisions < json_int(old_status, "collisionCount", 0))
		fault_int(errors, &path, "collisionCount", collisions, "cannot be decremented");
}

static const struct kind_column columns[] = {
	CELL_COLUMN_NAME,
	{ "Ready", "string", "", "Ready pods of those wanted.", 0 },
	{ "Up-to-date", "string", "", "Pods that have the newest template.", 0 },
	{ "Available", "string", "", "Pods ready for at least minReadySeconds.", 0 },
	CELL_COLUMN_AGE,
	WORKLOAD_WIDE_COLUMNS,
};

static void cells(const struct json_object *obj, int64_t now_us, struct json_object *ret)
{
	const struct json_object *status = json_get(obj, "status");
	CLEANUP(buf_close) struct buf ready = BUF_INIT;

	buf_printf(&ready, "%lld/%lld", (long long)json_int(status, "readyReplicas", 0),
		   (long long)json_int(json_get(obj, "spec"), "replicas", 0));
	cell_name(ret, obj);
	cell_buf(ret, &ready);
	cell_int(ret, json_int(status, "updatedReplicas", 0));
	cell_int(ret, json_int(status, "availableReplicas", 0));
	cell_age(ret, obj, now_us);
	workload_wide_cells(obj, ret);
}

const struct kind kind_deployment = {
	.api_version = "apps/v1",
	.kind = "Deployment",
	.definition = "apps.v1.Deployment",
	.has_status = true,
	.status_keeps_labels = true,
	.has_generation = true,
	.generation_of_annotations = true,
	.unconditional_update = true,
	.set_defaults = set_defaults,
	.prepare_create = prepare_create,
	.validate = validate,
	.validate_update = workload_validate_update,
	.validate_status = validate_status,
	.warnings = workload_warn,
	.columns = columns,
	.n_columns = ARRAY_SIZE(columns),
	.cells = cells,
	.scale_replicas = "spec.replicas",
	.scale_status_replicas = "status.replicas",
	.scale_selector = "spec.selector",
};
