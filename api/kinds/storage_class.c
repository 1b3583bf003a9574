/* StorageClass (storage.k8s.io/v1). */
#include <string.h>

#include "api/fault.h"
#include "api/kinds/cells.h"
#include "api/kinds/defaults.h"
#include "api/kinds/kinds.h"
#include "api/kinds/storage.h"

static void set_defaults(struct json_object *obj)
{
	default_str(obj, "reclaimPolicy", "Delete");
	default_str(obj, "volumeBindingMode", "Immediate");
}

static void validate_requirement(const struct json_object *requirement, struct field_path *path,
				 struct field_errors *errors)
{
	const struct json_object *values = json_get(requirement, "values");
	const char *key = json_str_or_empty(requirement, "key");
	struct name_faults faults = { .n = 0 };
	size_t mark;

	if (json_len(values) == 0)
		fault_required(errors, path, "values", "");
	mark = field_push(path, "values");
	for (size_t i = 1; i < json_len(values) && i < FAULT_LIST_MAX; i++) {
		const char *value = json_object_get_string(json_at(values, i));
		size_t item = field_push_index(path, i), k = 0;

		while (k < i && strcmp(json_object_get_string(json_at(values, k)), value) != 0)
			k++;
		if (k < i)
			field_error_duplicate(errors, path, value);
		field_pop(path, item);
	}
	field_pop(path, mark);
	name_check_qualified(key, &faults);
	fault_names(errors, path, "key", key, &faults);
}

static void validate_term(const struct json_object *term, struct field_path *path,
			  struct field_errors *errors)
{
	if (json_len(json_get(term, "matchLabelExpressions")) == 0)
		fault_required(errors, path, "matchLabelExpressions", "");
	fault_each(term, "matchLabelExpressions", path, errors, validate_requirement);
}

static void validate(const struct json_object *obj, struct field_errors *errors)
{
	static const char *const policies[] = { "Delete", "Retain", NULL };
	static const char *const modes[] = { "Immediate", "WaitForFirstConsumer", NULL };
	struct field_path path;

	field_path_init(&path, "");
	storage_validate_provisioner(obj, "provisioner", &path, errors);
	storage_validate_parameters(obj, false, &path, errors);
	validate_enum(obj, "reclaimPolicy", policies, false, &path, errors);
	validate_enum(obj, "volumeBindingMode", modes, true, &path, errors);
	fault_each(obj, "allowedTopologies", &path, errors, validate_term);
}

static void validate_update(const struct json_object *obj, const struct json_object *old,
			    struct field_errors *errors)
{
	static const char *const fixed[] = { "parameters", "provisioner", "reclaimPolicy" };
	struct field_path path;

	for (size_t i = 0; i < ARRAY_SIZE(fixed); i++)
		storage_validate_fixed(obj, old, fixed[i], errors);
	field_path_init(&path, "");
	validate_immutable(obj, old, "volumeBindingMode", &path, errors);
}

static const struct kind_column columns[] = {
	CELL_COLUMN_NAME,
	{ "Provisioner", "string", "", "What makes its volumes.", 0 },
	{ "ReclaimPolicy", "string", "", "What becomes of a volume when its claim is gone.", 0 },
	{ "VolumeBindingMode", "string", "", "When claims get their volume.", 0 },
	{ "AllowVolumeExpansion", "string", "", "Whether volumes may grow.", 0 },
	CELL_COLUMN_AGE,
};

static void cells(const struct json_object *obj, int64_t now_us, struct json_object *ret)
{
	const struct json_object *annotations = json_path(obj, "metadata", "annotations", NULL);
	bool is_default =
	    strcmp(json_str_or_empty(annotations, "storageclass.kubernetes.io/is-default-class"), "true") ==
		0 ||
	    strcmp(json_str_or_empty(annotations, "storageclass.beta.kubernetes.io/is-default-class"),
		   "true") == 0;
	CLEANUP(buf_close) struct buf b = BUF_INIT;

	buf_printf(&b, "%s%s", json_str_or_empty(json_get(obj, "metadata"), "name"),
		   is_default ? " (default)" : "");
	cell_buf(ret, &b);
	cell_str(ret, json_str(obj, "provisioner"));
	cell_str_or(ret, json_str(obj, "reclaimPolicy"), "Delete");
	cell_str_or(ret, json_str(obj, "volumeBindingMode"), "<unset>");
	cell_bool(ret, json_boolean(obj, "allowVolumeExpansion", false));
	cell_age(ret, obj, now_us);
}

const struct kind kind_storage_class = {
	.api_version = "storage.k8s.io/v1",
	.kind = "StorageClass",
	.definition = "storage.v1.StorageClass",
	.unconditional_update = true,
	.set_defaults = set_defaults,
	.validate = validate,
	.validate_update = validate_update,
	.columns = columns,
	.n_columns = ARRAY_SIZE(columns),
	.cells = cells,
};
