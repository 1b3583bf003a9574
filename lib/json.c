#include "lib/json.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json_key.h"
#include "lib/mem.h"

/* json-c's accessors take pointers to non-const for what they only read. */
static struct json_object *unconst(const struct json_object *obj)
{
	return (struct json_object *)(uintptr_t)obj;
}

void json_putp(struct json_object **obj)
{
	json_object_put(*obj);
}

static inline struct lh_entry *find_entry(const struct json_object *obj, const char *key)
{
	struct lh_table *table = json_object_get_object(obj);
	struct lh_entry *entry;

	if (!table)
		return NULL;
	if (lh_table_length(table) > JSON_KEYS_SCANNED)
		return lh_table_lookup_entry(table, key);
	lh_foreach(table, entry)
	{
		const char *k = lh_entry_k(entry);

		if (k == key || (k[0] == key[0] && strcmp(k, key) == 0))
			return entry;
	}
	return NULL;
}

struct json_object *json_get(const struct json_object *obj, const char *key)
{
	const struct lh_entry *entry = find_entry(obj, key);

	return entry ? lh_entry_v(entry) : NULL;
}

bool json_member(const struct json_object *obj, const char *key, struct json_object **ret)
{
	const struct lh_entry *entry = find_entry(obj, key);

	*ret = entry ? lh_entry_v(entry) : NULL;
	return entry != NULL;
}

struct json_object *json_path(const struct json_object *obj, ...)
{
	struct json_object *value = unconst(obj);
	const char *key;
	va_list ap;

	va_start(ap, obj);
	while (value && (key = va_arg(ap, const char *)))
		value = json_get(value, key);
	va_end(ap);
	return value;
}

const char *json_str(const struct json_object *obj, const char *key)
{
	struct json_object *value = json_get(obj, key);

	return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;
}

const char *json_str_or_empty(const struct json_object *obj, const char *key)
{
	const char *s = json_str(obj, key);

	return s ? s : "";
}

int64_t json_int(const struct json_object *obj, const char *key, int64_t if_absent)
{
	struct json_object *value = json_get(obj, key);

	if (!json_object_is_type(value, json_type_int) && !json_object_is_type(value, json_type_double))
		return if_absent;
	return json_object_get_int64(value);
}

bool json_boolean(const struct json_object *obj, const char *key, bool if_absent)
{
	struct json_object *value = json_get(obj, key);

	return json_object_is_type(value, json_type_boolean) ? json_object_get_boolean(value) : if_absent;
}

size_t json_len(const struct json_object *obj)
{
	return json_object_is_type(obj, json_type_array) ? json_object_array_length(obj) : 0;
}

struct json_object *json_at(const struct json_object *array, size_t i)
{
	return i < json_len(array) ? json_object_array_get_idx(array, i) : NULL;
}

struct json_object *json_ensure_object(struct json_object *obj, const char *key)
{
	struct json_object *value = json_get(obj, key);

	if (!value)
		json_set(obj, key, value = json_object_new_object());
	return value;
}

struct json_object *json_ensure_array(struct json_object *obj, const char *key)
{
	struct json_object *value = json_get(obj, key);

	if (!value)
		json_set(obj, key, value = json_object_new_array());
	return value;
}

int json_checked(int result)
{
	if (result < 0)
		mem_checked(NULL);
	return result;
}

void json_set(struct json_object *obj, const char *key, struct json_object *value_taken)
{
	json_key_add(obj, key, value_taken);
}

void json_set_str(struct json_object *obj, const char *key, const char *value)
{
	if (value)
		json_set(obj, key, json_object_new_string(value));
	else
		json_object_object_del(obj, key);
}

void json_set_int(struct json_object *obj, const char *key, int64_t value)
{
	json_set(obj, key, json_object_new_int64(value));
}

void json_set_bool(struct json_object *obj, const char *key, bool value)
{
	json_set(obj, key, json_object_new_boolean(value));
}

static struct json_object *clone_scalar(const struct json_object *obj)
{
	struct json_object *copy = NULL;

	switch (json_object_get_type(obj)) {
	case json_type_boolean:
		return json_object_new_boolean(json_object_get_boolean(obj));
	case json_type_string:
		return json_object_new_string_len(json_object_get_string(unconst(obj)),
						  json_object_get_string_len(obj));
	case json_type_int:
		if (json_object_get_int64(obj) != INT64_MAX)
			return json_object_new_int64(json_object_get_int64(obj));
		break;
	default:
		break;
	}
	/* null, integers beyond 63 bits, and doubles with the text they were parsed from. */
	if (obj)
		json_checked(json_object_deep_copy(unconst(obj), &copy, NULL));
	return copy;
}

/* ALL: scalars as well. */
static struct json_object *copy_of(const struct json_object *obj, bool all)
{
	struct json_object *copy = NULL;
	enum json_type type = json_object_get_type(obj);

	if (type == json_type_object) {
		copy = json_object_new_object();
		json_object_object_foreach(unconst(obj), key, value)
		    json_key_add_new(copy, key, copy_of(value, all));
		return copy;
	}
	if (type == json_type_array) {
		copy = json_object_new_array_ext((int)json_len(obj) + 1);
		for (size_t i = 0; i < json_len(obj); i++)
			json_object_array_add(copy, copy_of(json_at(obj, i), all));
		return copy;
	}
	return all ? clone_scalar(obj) : json_object_get(unconst(obj));
}

struct json_object *json_clone(const struct json_object *obj)
{
	return copy_of(obj, true);
}

struct json_object *json_copy(const struct json_object *obj)
{
	return copy_of(obj, false);
}

struct json_object *json_share(const struct json_object *obj)
{
	struct json_object *shared = json_object_new_object();

	if (obj) {
		json_object_object_foreach(unconst(obj), key, value)
		    json_key_add_new(shared, key, json_object_get(value));
	}
	return shared;
}

static bool equal_numbers(const struct json_object *a, const struct json_object *b)
{
	if (json_object_is_type(a, json_type_int) && json_object_is_type(b, json_type_int))
		return json_object_get_int64(a) == json_object_get_int64(b) &&
		       json_object_get_uint64(a) == json_object_get_uint64(b);
	return !(json_object_get_double(a) < json_object_get_double(b)) &&
	       !(json_object_get_double(a) > json_object_get_double(b));
}

/* Members of A that are not null are in B with equal values; their number to *RET_N. */
static bool members_in(const struct json_object *a, const struct json_object *b, size_t *ret_n)
{
	size_t n = 0;

	json_object_object_foreach(unconst(a), key, value)
	{
		if (!value)
			continue;
		if (!json_equal(value, json_get(b, key)))
			return false;
		n++;
	}
	*ret_n = n;
	return true;
}

static bool equal_objects(const struct json_object *a, const struct json_object *b)
{
	size_t in_a, in_b = 0;

	if (!members_in(a, b, &in_a))
		return false;
	json_object_object_foreach(unconst(b), key, value)
	{
		(void)key;
		in_b += value != NULL;
	}
	return in_a == in_b;
}

static bool equal_arrays(const struct json_object *a, const struct json_object *b)
{
	size_t len = json_len(a);

	if (len != json_len(b))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!json_equal(json_at(a, i), json_at(b, i)))
			return false;
	return true;
}

static bool is_number(enum json_type type)
{
	return type == json_type_int || type == json_type_double;
}

bool json_equal(const struct json_object *a, const struct json_object *b)
{
	enum json_type type = json_object_get_type(a), other = json_object_get_type(b);

	if (a == b)
		return true;
	if (is_number(type) && is_number(other))
		return equal_numbers(a, b);
	if (type != other)
		return false;
	switch (type) {
	case json_type_object:
		return equal_objects(a, b);
	case json_type_array:
		return equal_arrays(a, b);
	case json_type_string:
		return json_object_get_string_len(a) == json_object_get_string_len(b) &&
		       memcmp(json_object_get_string(unconst(a)), json_object_get_string(unconst(b)),
			      (size_t)json_object_get_string_len(a)) == 0;
	case json_type_boolean:
		return json_object_get_boolean(a) == json_object_get_boolean(b);
	default:
		return true;
	}
}
