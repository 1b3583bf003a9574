#include "api/fault.h"

#include <ctype.h>

void fault_required(struct field_errors *errors, struct field_path *path, const char *key, const char *detail)
{
	size_t mark = field_push(path, key);

	field_error_required(errors, path, detail);
	field_pop(path, mark);
}

void fault_str(struct field_errors *errors, struct field_path *path, const char *key, const char *value,
	       const char *detail)
{
	size_t mark = field_push(path, key);

	field_error_invalid_str(errors, path, value, "%s", detail);
	field_pop(path, mark);
}

void fault_int(struct field_errors *errors, struct field_path *path, const char *key, long long value,
	       const char *detail)
{
	size_t mark = field_push(path, key);

	field_error_invalid_int(errors, path, value, "%s", detail);
	field_pop(path, mark);
}

void fault_json(struct field_errors *errors, struct field_path *path, const char *key,
		const struct json_object *value, const char *detail)
{
	size_t mark = field_push(path, key);

	field_error_add(errors, FIELD_INVALID, path, value, "%s", detail);
	field_pop(path, mark);
}

void fault_forbidden(struct field_errors *errors, struct field_path *path, const char *key,
		     const char *detail)
{
	size_t mark = field_push(path, key);

	field_error_forbidden(errors, path, detail);
	field_pop(path, mark);
}

void fault_duplicate(struct field_errors *errors, struct field_path *path, const char *key, const char *value)
{
	size_t mark = field_push(path, key);

	field_error_duplicate(errors, path, value);
	field_pop(path, mark);
}

void fault_not_supported(struct field_errors *errors, struct field_path *path, const char *key,
			 const char *value, const char *const *supported)
{
	size_t mark = field_push(path, key);

	field_error_not_supported(errors, path, value, supported);
	field_pop(path, mark);
}

void fault_not_found(struct field_errors *errors, struct field_path *path, const char *key, const char *value)
{
	size_t mark = field_push(path, key);
	struct json_object *text = json_object_new_string(value);

	field_error_add(errors, FIELD_NOT_FOUND, path, text, "%s", "");
	json_object_put(text);
	field_pop(path, mark);
}

bool fault_list_fits(struct field_errors *errors, struct field_path *path, const struct json_object *list)
{
	CLEANUP(json_putp) struct json_object *n = NULL;

	if (json_len(list) <= FAULT_LIST_MAX)
		return true;
	n = json_object_new_int64((int64_t)json_len(list));
	field_error_add(errors, FIELD_TOO_MANY, path, n, "must have at most %d items", FAULT_LIST_MAX);
	return false;
}

void fault_names(struct field_errors *errors, struct field_path *path, const char *key, const char *value,
		 const struct name_faults *faults)
{
	size_t mark = key ? field_push(path, key) : path->len;

	for (size_t i = 0; i < faults->n; i++)
		field_error_invalid_str(errors, path, value, "%s", faults->text[i]);
	field_pop(path, mark);
}

void fault_too_many(struct field_errors *errors, struct field_path *path, const char *key, size_t n,
		    size_t max)
{
	CLEANUP(json_putp) struct json_object *count = json_object_new_int64((int64_t)n);
	size_t mark = field_push(path, key);

	field_error_add(errors, FIELD_TOO_MANY, path, count, "must have at most %zu items", max);
	field_pop(path, mark);
}

void fault_too_long(struct field_errors *errors, struct field_path *path, const char *key, size_t max)
{
	size_t mark = field_push(path, key);

	field_error_add(errors, FIELD_TOO_LONG, path, NULL, "may not be more than %zu bytes", max);
	field_pop(path, mark);
}

void fault_each(const struct json_object *obj, const char *key, struct field_path *path,
		struct field_errors *errors, fault_item_fn fn)
{
	const struct json_object *list = json_get(obj, key);
	size_t mark = field_push(path, key);

	for (size_t i = 0; i < json_len(list); i++) {
		size_t item = field_push_index(path, i);

		fn(json_at(list, i), path, errors);
		field_pop(path, item);
	}
	field_pop(path, mark);
}

void fault_name(const struct json_object *obj, const char *key, bool required, fault_name_fn check,
		struct field_path *path, struct field_errors *errors)
{
	const char *name = json_str_or_empty(obj, key);
	struct name_faults faults = { .n = 0 };

	if (!*name) {
		if (required)
			fault_required(errors, path, key, "");
		return;
	}
	check(name, false, &faults);
	fault_names(errors, path, key, name, &faults);
}

struct json_object *fault_shown(const struct json_object *obj, const char *const *keys)
{
	struct json_object *shown = json_object_new_object();

	for (; *keys; keys++) {
		CLEANUP(mem_freep) char *name = mem_dup(*keys);

		name[0] = (char)toupper((unsigned char)name[0]);
		json_object_object_add(shown, name, json_clone(json_get(obj, *keys)));
	}
	return shown;
}
