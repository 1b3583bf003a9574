/* PodTemplate (core/v1). */
#include "api/fault.h"
#include "api/kinds/cells.h"
#include "api/kinds/kinds.h"
#include "api/kinds/pod_spec.h"
#include "api/kinds/workload.h"

static void set_defaults(struct json_object *obj)
{
	struct json_object *template = json_ensure_object(obj, "template");

	json_ensure_object(template, "metadata");
	default_pod_spec(json_ensure_object(template, "spec"));
}

static void prepare_update(struct json_object *obj, const struct json_object *old)
{
	if (!json_equal(json_get(obj, "template"), json_get(old, "template")))
		workload_count_generation(obj, old);
}

static void validate(const struct json_object *obj, struct field_errors *errors)
{
	struct field_path path;

	field_path_init(&path, "template");
	validate_pod_template(json_get(obj, "template"), &path, NULL, errors);
}

static void warnings(const struct json_object *obj, const struct json_object *old, warning_fn call, void *arg)
{
	if (!old || !json_equal(json_get(obj, "template"), json_get(old, "template")))
		pod_spec_warn(json_get(obj, "template"), "template", call, arg);
}

static const struct kind_column columns[] = {
	CELL_COLUMN_NAME,
	{ "Containers", "string", "", "Names of the containers in the template.", 0 },
	{ "Images", "string", "", "Images of the containers in the template.", 0 },
	{ "Pod Labels", "string", "", "Labels that pods made of it get.", 0 },
};

static void cells(const struct json_object *obj, int64_t now_us, struct json_object *ret)
{
	const struct json_object *template = json_get(obj, "template");

	(void)now_us;
	cell_name(ret, obj);
	workload_template_cells(template, ret);
	cell_labels(ret, json_path(template, "metadata", "labels", NULL));
}

const struct kind kind_pod_template = {
	.api_version = "v1",
	.kind = "PodTemplate",
	.definition = "core.v1.PodTemplate",
	.has_generation = true,
	.unconditional_update = true,
	.set_defaults = set_defaults,
	.prepare_update = prepare_update,
	.validate = validate,
	.warnings = warnings,
	.columns = columns,
	.n_columns = ARRAY_SIZE(columns),
	.cells = cells,
};
