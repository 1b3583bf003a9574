/* PodDisruptionBudget (policy/v1): how many pods may be taken away at a time. */
#include "api/fault.h"
#include "api/kinds/cells.h"
#include "api/kinds/defaults.h"
#include "api/kinds/kinds.h"
#include "api/kinds/workload.h"

static const char *const counts[] = { "disruptionsAllowed", "currentHealthy", "desiredHealthy",
				      "expectedPods", NULL };

static void default_status(struct json_object *status)
{
	static const char *const times[] = { "lastTransitionTime", NULL };

	for (size_t i = 0; counts[i]; i++)
		default_int(status, counts[i], 0);
	default_null_each(json_get(status, "conditions"), times);
}

static void set_defaults(struct json_object *obj)
{
	json_ensure_object(obj, "spec");
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
	static const char *const policies[] = { "AlwaysAllow", "IfHealthyBudget", NULL };
	static const char *const members[] = { "minAvailable", "selector", "maxUnavailable",
					       "unhealthyPodEvictionPolicy", NULL };
	const struct json_object *spec = json_get(obj, "spec");
	struct field_path path;
	size_t mark;

	field_path_init(&path, "spec");
	if (json_get(spec, "minAvailable") && json_get(spec, "maxUnavailable")) {
		CLEANUP(json_putp) struct json_object *shown = fault_shown(spec, members);

		field_error_add(errors, FIELD_INVALID, &path, shown,
				"minAvailable and maxUnavailable cannot be both set");
	}
	workload_validate_at_most_all(spec, "minAvailable", &path, errors);
	workload_validate_at_most_all(spec, "maxUnavailable", &path, errors);
	mark = field_push(&path, "selector");
	validate_label_selector(json_get(spec, "selector"), &path, errors);
	field_pop(&path, mark);
	validate_enum(spec, "unhealthyPodEvictionPolicy", policies, false, &path, errors);
}

static void validate_status(const struct json_object *obj, const struct json_object *old,
			    struct field_errors *errors)
{
	struct field_path path;

	(void)old;
	field_path_init(&path, "status");
	workload_validate_counts(json_get(obj, "status"), counts, &path, errors);
}

static const struct kind_column columns[] = {
	CELL_COLUMN_NAME,
	{ "Min Available", "string", "", "Pods that must stay, as a number or a part.", 0 },
	{ "Max Unavailable", "string", "", "Pods that may be missing, as a number or a part.", 0 },
	{ "Allowed Disruptions", "integer", "", "Pods that may be evicted now.", 0 },
	CELL_COLUMN_AGE,
};

static void cell_limit(struct json_object *cells, const struct json_object *value)
{
	cell_str(cells, value ? json_object_get_string((struct json_object *)(uintptr_t)value) : "N/A");
}

static void cells(const struct json_object *obj, int64_t now_us, struct json_object *ret)
{
	const struct json_object *spec = json_get(obj, "spec");

	cell_name(ret, obj);
	cell_limit(ret, json_get(spec, "minAvailable"));
	cell_limit(ret, json_get(spec, "maxUnavailable"));
	cell_int(ret, json_int(json_get(obj, "status"), "disruptionsAllowed", 0));
	cell_age(ret, obj, now_us);
}

const struct kind kind_pod_disruption_budget = {
	.api_version = "policy/v1",
	.kind = "PodDisruptionBudget",
	.definition = "policy.v1.PodDisruptionBudget",
	.has_status = true,
	.has_generation = true,
	.set_defaults = set_defaults,
	.prepare_create = prepare_create,
	.validate = validate,
	.validate_status = validate_status,
	.columns = columns,
	.n_columns = ARRAY_SIZE(columns),
	.cells = cells,
};
