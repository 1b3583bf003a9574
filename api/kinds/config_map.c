/* ConfigMap (core/v1). */
#include <string.h>

#include "api/fault.h"
#include "api/kinds/cells.h"
#include "api/kinds/config_data.h"
#include "api/kinds/kinds.h"

static void validate(const struct json_object *obj, struct field_errors *errors)
{
	const struct json_object *data = json_get(obj, "data"), *binary = json_get(obj, "binaryData");
	struct field_path path;
	size_t bytes;

	field_path_init(&path, "data");
	bytes = config_data_validate_keys(data, &path, errors);
	config_data_validate_overlap(data, binary, &path, errors);
	field_path_init(&path, "binaryData");
	bytes += config_data_validate_keys(binary, &path, errors);
	if (bytes > CONFIG_DATA_MAX_BYTES) {
		field_path_init(&path, "");
		field_error_add(errors, FIELD_TOO_LONG, &path, NULL, "may not be more than %d bytes",
				CONFIG_DATA_MAX_BYTES);
	}
}

static void validate_update(const struct json_object *obj, const struct json_object *old,
			    struct field_errors *errors)
{
	static const char *const keys[] = { "data", "binaryData", NULL };

	config_data_validate_update(obj, old, keys, errors);
}

static const struct kind_column columns[] = {
	CELL_COLUMN_NAME,
	{ "Data", "string", "", "How many keys it holds.", 0 },
	CELL_COLUMN_AGE,
};

static int64_t members(const struct json_object *map)
{
	return json_object_is_type(map, json_type_object) ? json_object_object_length(map) : 0;
}

static void cells(const struct json_object *obj, int64_t now_us, struct json_object *ret)
{
	cell_name(ret, obj);
	cell_int(ret, members(json_get(obj, "data")) + members(json_get(obj, "binaryData")));
	cell_age(ret, obj, now_us);
}

const struct kind kind_config_map = {
	.api_version = "v1",
	.kind = "ConfigMap",
	.definition = "core.v1.ConfigMap",
	.unconditional_update = true,
	.validate = validate,
	.validate_update = validate_update,
	.columns = columns,
	.n_columns = ARRAY_SIZE(columns),
	.cells = cells,
};
