#include "api/kinds/config_data.h"

#include <stdint.h>

#include "api/fault.h"

#define IMMUTABLE "field is immutable when `immutable` is set"

size_t config_data_validate_keys(const struct json_object *data, struct field_path *path,
				 struct field_errors *errors)
{
	size_t bytes = 0;

	if (!json_object_is_type(data, json_type_object))
		return 0;
	json_object_object_foreach((struct json_object *)(uintptr_t)data, key, value)
	{
		struct name_faults faults = { .n = 0 };
		size_t mark = field_push_key(path, key);

		name_check_config_key(key, &faults);
		fault_names(errors, path, NULL, key, &faults);
		field_pop(path, mark);
		bytes += value ? (size_t)json_object_get_string_len(value) : 0;
	}
	return bytes;
}

void config_data_validate_overlap(const struct json_object *data, const struct json_object *binary,
				  struct field_path *path, struct field_errors *errors)
{
	if (!json_object_is_type(data, json_type_object) || !binary)
		return;
	json_object_object_foreach((struct json_object *)(uintptr_t)data, key, value)
	{
		size_t mark;

		(void)value;
		if (!json_get(binary, key))
			continue;
		mark = field_push_key(path, key);
		field_error_invalid_str(errors, path, key, "duplicate of key present in binaryData");
		field_pop(path, mark);
	}
}

void config_data_validate_update(const struct json_object *obj, const struct json_object *old,
				 const char *const *keys, struct field_errors *errors)
{
	struct field_path path;

	if (!json_boolean(old, "immutable", false))
		return;
	field_path_init(&path, "");
	if (!json_boolean(obj, "immutable", false))
		fault_forbidden(errors, &path, "immutable", IMMUTABLE);
	for (; *keys; keys++)
		if (!json_equal(json_get(obj, *keys), json_get(old, *keys)))
			fault_forbidden(errors, &path, *keys, IMMUTABLE);
}
