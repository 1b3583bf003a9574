/* VolumeAttributesClass (storage.k8s.io/v1). */
#include "api/fault.h"
#include "api/kinds/cells.h"
#include "api/kinds/kinds.h"
#include "api/kinds/storage.h"

static void validate(const struct json_object *obj, struct field_errors *errors)
{
	struct field_path path;

	field_path_init(&path, "");
	storage_validate_provisioner(obj, "driverName", &path, errors);
	storage_validate_parameters(obj, true, &path, errors);
}

static void validate_update(const struct json_object *obj, const struct json_object *old,
			    struct field_errors *errors)
{
	storage_validate_fixed(obj, old, "driverName", errors);
	storage_validate_fixed(obj, old, "parameters", errors);
}

static const struct kind_column columns[] = {
	CELL_COLUMN_NAME,
	{ "DriverName", "string", "", "The driver that it is for.", 0 },
	CELL_COLUMN_AGE,
};

static void cells(const struct json_object *obj, int64_t now_us, struct json_object *ret)
{
	cell_name(ret, obj);
	cell_str(ret, json_str(obj, "driverName"));
	cell_age(ret, obj, now_us);
}

const struct kind kind_volume_attributes_class = {
	.api_version = "storage.k8s.io/v1",
	.kind = "VolumeAttributesClass",
	.definition = "storage.v1.VolumeAttributesClass",
	.unconditional_update = true,
	.validate = validate,
	.validate_update = validate_update,
	.columns = columns,
	.n_columns = ARRAY_SIZE(columns),
	.cells = cells,
};
