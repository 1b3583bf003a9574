#include "api/typed.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_LIST_KEYS = 8 };

static const struct schema_field any = { .name = "", .type = SCHEMA_ANY };

struct typed typed_struct(const struct schema_def *def)
{
	return (struct typed){ .def = def };
}

bool typed_is_any(struct typed type)
{
	return type.field && type.container == SCHEMA_SINGLE && type.field->type == SCHEMA_ANY;
}

const struct schema_def *typed_def(struct typed type)
{
	if (!type.field)
		return type.def;
	return type.container == SCHEMA_SINGLE && type.field->type == SCHEMA_OBJECT ? type.field->def : NULL;
}

struct typed_atom typed_atom(struct typed type, const struct json_object *value)
{
	const struct schema_field *field = type.field;
	struct typed_atom atom = { TYPED_SCALAR, false, false };

	if (!field) {
		atom.shape = TYPED_MAP;
		atom.atomic = type.def->atomic;
	} else if (type.container == SCHEMA_ARRAY) {
		atom.shape = TYPED_LIST;
		atom.atomic =
		    type.inner || (field->list != SCHEMA_LIST_MAP && field->list != SCHEMA_LIST_SET);
	} else if (type.container != SCHEMA_SINGLE) {
		atom.shape = TYPED_MAP;
		atom.atomic = field->map_atomic && !type.inner;
	} else if (field->type == SCHEMA_OBJECT) {
		atom.shape = TYPED_MAP;
		atom.atomic = type.inner ? field->def->atomic
					 : field->map_atomic || (field->def->atomic && !field->map_granular);
	} else if (field->type == SCHEMA_ANY) {
		bool list = json_object_is_type(value, json_type_array);
		atom.deduced = true;
		atom.shape = list                                           ? TYPED_LIST
			     : json_object_is_type(value, json_type_object) ? TYPED_MAP
									    : TYPED_SCALAR;
		atom.atomic = list || (field->map_atomic && !type.inner);
	}
	return atom;
}

struct typed typed_item(struct typed type)
{
	if (typed_is_any(type))
		return (struct typed){ .field = &any };
	return (struct typed){ .field = type.field, .container = SCHEMA_SINGLE, .inner = true };
}

struct typed typed_member(struct typed type, const char *key, size_t len, bool *ret_declared)
{
	const struct schema_def *def = typed_def(type);

	*ret_declared = false;
	if (def) {
		const struct schema_field *field = schema_field_find(def, key, len);
		*ret_declared = field != NULL || def->keeps_unknown;
		return field ? (struct typed){ .field = field, .container = field->container }
			     : (struct typed){ .field = &any };
	}
	if (typed_is_any(type))
		return (struct typed){ .field = &any };
	return (struct typed){ .field = type.field,
			       .container =
				   type.container == SCHEMA_MAP_OF_ARRAY ? SCHEMA_ARRAY : SCHEMA_SINGLE,
			       .inner = true };
}

/* --- items of lists --- */

static void keep(struct field_arena *arena, const struct buf *text, enum field_element_kind kind,
		 struct field_element *ret)
{
	char *copy = field_alloc(arena, text->len + 1);
	memcpy(copy, text->data, text->len + 1);
	*ret = (struct field_element){ copy, (uint32_t)text->len, (uint8_t)kind };
}

static int set_element(struct field_arena *arena, const struct json_object *item, struct field_element *ret,
		       struct err *err)
{
	CLEANUP(buf_close) struct buf text = BUF_INIT;

	switch (json_object_get_type(item)) {
	case json_type_object:
		return err_set(err, ERR_INVALID,
			       "associative list without keys has an element that's a map type");
	case json_type_array:
		return err_set(err, ERR_INVALID, "not supported: associative list with lists as elements");
	case json_type_null:
		return err_set(err, ERR_INVALID,
			       "associative list without keys has an element that's an explicit null");
	default:
		json_write(&text, item);
		keep(arena, &text, FIELD_ELEMENT_VALUE, ret);
		return 0;
	}
}

struct list_key {
	const char *name;
	size_t len;
};

static int compare_keys(const void *a, const void *b)
{
	const struct list_key *x = a, *y = b;
	int order = memcmp(x->name, y->name, x->len < y->len ? x->len : y->len);
	return order ? order : (x->len > y->len) - (x->len < y->len);
}

/* "driver,device" as keys, sorted. */
static size_t list_keys(const char *text, struct list_key keys[MAX_LIST_KEYS])
{
	size_t n = 0;

	for (const char *p = text; *p && n < MAX_LIST_KEYS;) {
		struct list_key key = { p, strcspn(p, ",") };
		keys[n++] = key;
		p += key.len + (p[key.len] == ',');
	}
	if (n > 1)
		qsort(keys, n, sizeof(*keys), compare_keys);
	return n;
}

static int no_keys(const char *keys, struct err *err)
{
	CLEANUP(buf_close) struct buf shown = BUF_INIT;

	for (const char *p = keys; *p;) {
		size_t len = strcspn(p, ",");
		buf_str(&shown, shown.len ? " " : "");
		buf_json_stringn(&shown, p, len);
		p += len + (p[len] == ',');
	}
	return err_set(err, ERR_INVALID,
		       "associative list with keys has an element that omits all key fields [%s] (and "
		       "doesn't have default values for any key fields)",
		       shown.data ? shown.data : "");
}

/* One key and a plain string, as nearly all lists have: {"name":"c"}. */
static bool plain_element(struct field_arena *arena, const char *key, size_t key_len,
			  const struct json_object *item, struct field_element *ret)
{
	struct json_object *value = json_get(item, key);
	if (!json_object_is_type(value, json_type_string))
		return false;
	const char *s = json_object_get_string(value);
	size_t len = (size_t)json_object_get_string_len(value);
	if (buf_json_plain(s, len) != len)
		return false;
	char *text = field_alloc(arena, key_len + len + sizeof("{\"\":\"\"}")), *p = text;
	p = mempcpy(p, "{\"", 2);
	p = mempcpy(p, key, key_len);
	p = mempcpy(p, "\":\"", 3);
	p = mempcpy(p, s, len);
	p = mempcpy(p, "\"}", 3);
	*ret = (struct field_element){ text, (uint32_t)(p - text - 1), FIELD_ELEMENT_KEY };
	return true;
}

static int keyed_element(struct field_arena *arena, const struct schema_field *list,
			 const struct json_object *item, struct field_element *ret, struct err *err)
{
	if (!item)
		return err_set(err, ERR_INVALID, "associative list with keys may not have a null element");
	if (!json_object_is_type(item, json_type_object))
		return err_set(err, ERR_INVALID, "associative list with keys may not have non-map elements");

	CLEANUP(buf_close) struct buf text = BUF_INIT;
	struct list_key keys[MAX_LIST_KEYS];
	size_t n = list_keys(schema_texts(list)->list_map_keys, keys);
	if (n == 1 && plain_element(arena, schema_texts(list)->list_map_keys, keys[0].len, item, ret))
		return 0;
	for (size_t i = 0; i < n; i++) {
		const struct schema_field *field =
		    list->def ? schema_field_find(list->def, keys[i].name, keys[i].len) : NULL;
		char name[64];
		struct json_object *value = NULL;
		if (keys[i].len >= sizeof(name))
			continue;
		memcpy(name, keys[i].name, keys[i].len);
		name[keys[i].len] = '\0';
		bool given = json_object_object_get_ex(item, name, &value);
		if (!given && (!field || !schema_texts(field)->default_value))
			continue;
		buf_char(&text, text.len ? ',' : '{');
		buf_json_stringn(&text, keys[i].name, keys[i].len);
		buf_char(&text, ':');
		if (given)
			json_write(&text, value);
		else
			buf_str(&text, schema_texts(field)->default_value);
	}
	if (!text.len)
		return no_keys(schema_texts(list)->list_map_keys, err);
	buf_char(&text, '}');
	keep(arena, &text, FIELD_ELEMENT_KEY, ret);
	return 0;
}

int typed_element(struct field_arena *arena, struct typed type, const struct json_object *item,
		  struct field_element *ret, struct err *err)
{
	if (type.field->list == SCHEMA_LIST_MAP)
		return keyed_element(arena, type.field, item, ret, err);
	return set_element(arena, item, ret, err);
}
