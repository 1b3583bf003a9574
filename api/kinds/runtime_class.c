/* RuntimeClass (node.k8s.io/v1). */
#include "api/fault.h"
#include "api/kinds/cells.h"
#include "api/kinds/kinds.h"
#include "api/kinds/pod_spec.h"

static void validate_scheduling(const struct json_object *scheduling, struct field_path *path,
				struct field_errors *errors)
{
	const struct json_object *tolerations = json_get(scheduling, "tolerations");
	size_t mark = field_push(path, "nodeSelector");

	validate_labels(json_get(scheduling, "nodeSelector"), path, errors);
	field_pop(path, mark);
	fault_each(scheduling, "tolerations", path, errors, pod_spec_validate_toleration);
	mark = field_push(path, "tolerations");
	for (size_t i = 1; fault_list_fits(errors, path, tolerations) && i < json_len(tolerations); i++) {
		size_t item = field_push_index(path, i), k = 0;

		while (k < i && !json_equal(json_at(tolerations, k), json_at(tolerations, i)))
			k++;
		if (k < i)
			field_error_add(errors, FIELD_DUPLICATE, path, json_at(tolerations, i), "%s", "");
		field_pop(path, item);
	}
	field_pop(path, mark);
}

static void validate(const struct json_object *obj, struct field_errors *errors)
{
	const char *handler = json_str_or_empty(obj, "handler");
	struct name_faults faults = { .n = 0 };
	struct field_path path;

	name_check_dns_label(handler, false, &faults);
	field_path_init(&path, "");
	fault_names(errors, &path, "handler", handler, &faults);
	field_path_init(&path, "overhead.podFixed");
	pod_spec_validate_amounts(json_path(obj, "overhead", "podFixed", NULL), &path, errors);
	field_path_init(&path, "scheduling");
	validate_scheduling(json_get(obj, "scheduling"), &path, errors);
}

static void validate_update(const struct json_object *obj, const struct json_object *old,
			    struct field_errors *errors)
{
	struct field_path path;

	field_path_init(&path, "");
	validate_immutable(obj, old, "handler", &path, errors);
}

static const struct kind_column columns[] = {
	CELL_COLUMN_NAME,
	{ "Handler", "string", "", "The runtime's name on the nodes.", 0 },
	CELL_COLUMN_AGE,
};

static void cells(const struct json_object *obj, int64_t now_us, struct json_object *ret)
{
	cell_name(ret, obj);
	cell_str(ret, json_str(obj, "handler"));
	cell_age(ret, obj, now_us);
}

const struct kind kind_runtime_class = {
	.api_version = "node.k8s.io/v1",
	.kind = "RuntimeClass",
	.definition = "node.v1.RuntimeClass",
	.validate = validate,
	.validate_update = validate_update,
	.columns = columns,
	.n_columns = ARRAY_SIZE(columns),
	.cells = cells,
};
