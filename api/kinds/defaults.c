#include "api/kinds/defaults.h"

bool default_has_str(const struct json_object *obj, const char *key)
{
	const char *s = json_str(obj, key);
	return s && *s;
}

bool default_str(struct json_object *obj, const char *key, const char *value)
{
	if (default_has_str(obj, key))
		return false;
	json_set_str(obj, key, value);
	return true;
}

bool default_int(struct json_object *obj, const char *key, int64_t value)
{
	if (json_get(obj, key))
		return false;
	json_set_int(obj, key, value);
	return true;
}

bool default_bool(struct json_object *obj, const char *key, bool value)
{
	if (json_get(obj, key))
		return false;
	json_set_bool(obj, key, value);
	return true;
}

bool default_int_or_str(struct json_object *obj, const char *key, const char *text, int64_t value)
{
	if (json_get(obj, key))
		return false;
	if (text)
		json_set_str(obj, key, text);
	else
		json_set_int(obj, key, value);
	return true;
}

void default_empty_str(struct json_object *obj, const char *key)
{
	if (!json_get(obj, key))
		json_set_str(obj, key, "");
}

void default_null(struct json_object *obj, const char *key)
{
	struct json_object *value;

	if (!json_object_object_get_ex(obj, key, &value))
		json_object_object_add(obj, key, NULL);
}

void default_null_each(struct json_object *array, const char *const *keys)
{
	for (size_t i = 0; i < json_len(array); i++) {
		struct json_object *item = json_at(array, i);

		if (!json_object_is_type(item, json_type_object))
			continue;
		for (const char *const *key = keys; *key; key++)
			default_null(item, *key);
	}
}
