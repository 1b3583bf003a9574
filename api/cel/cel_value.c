#include "api/cel/cel_value.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "api/cel/cel_eval.h"
#include "api/cel/cel_functions.h"
#include "api/cel/cel_time.h"
#include "api/cel/cel_type.h"
#include "api/structural_items.h"
#include "lib/json.h"

const char *cel_kind_name(enum cel_kind kind)
{
	static const char *const names[] = {
		[CEL_ERROR] = "error",
		[CEL_NULL] = "null_type",
		[CEL_BOOL] = "bool",
		[CEL_INT] = "int",
		[CEL_UINT] = "uint",
		[CEL_DOUBLE] = "double",
		[CEL_STRING] = "string",
		[CEL_BYTES] = "bytes",
		[CEL_DURATION] = "google.protobuf.Duration",
		[CEL_TIMESTAMP] = "google.protobuf.Timestamp",
		[CEL_TYPE] = "type",
		[CEL_LIST] = "list",
		[CEL_MAP] = "map",
		[CEL_OBJECT] = "object",
		[CEL_OPTIONAL] = "optional_type",
		[CEL_QUANTITY] = "kubernetes.Quantity",
		[CEL_URL] = "kubernetes.URL",
		[CEL_IP] = "net.IP",
		[CEL_CIDR] = "net.CIDR",
		[CEL_SEMVER] = "kubernetes.Semver",
		[CEL_FORMAT] = "kubernetes.NamedFormat",
		[CEL_OPAQUE] = "unknown",
	};

	return names[kind];
}

/* --- making --- */

struct cel_value cel_errorf(struct cel_eval *e, const char *format, ...)
{
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	va_list ap;

	va_start(ap, format);
	buf_vprintf(&text, format, ap);
	va_end(ap);
	return cel_error(cel_copy(&e->arena, text.data, text.len));
}

struct cel_value cel_new_text(struct cel_eval *e, const char *text, size_t len)
{
	return cel_text(cel_copy(&e->arena, text, len), len);
}

struct cel_value cel_new_list(struct cel_eval *e, size_t n, struct cel_value **ret_items)
{
	struct cel_list *list = cel_alloc(&e->arena, sizeof(*list));

	list->n = n;
	list->items = cel_alloc(&e->arena, (n + 1) * sizeof(*list->items));
	*ret_items = list->items;
	return (struct cel_value){ .kind = CEL_LIST, .list = list };
}

struct cel_value cel_new_map(struct cel_eval *e, size_t n, struct cel_map **ret_map)
{
	struct cel_map *map = cel_alloc(&e->arena, sizeof(*map));

	map->keys = cel_alloc(&e->arena, (n + 1) * sizeof(*map->keys));
	map->values = cel_alloc(&e->arena, (n + 1) * sizeof(*map->values));
	*ret_map = map;
	return (struct cel_value){ .kind = CEL_MAP, .map = map };
}

struct cel_value cel_optional(struct cel_eval *e, struct cel_value inner)
{
	struct cel_value *kept = cel_alloc(&e->arena, sizeof(*kept));

	*kept = inner;
	return (struct cel_value){ .kind = CEL_OPTIONAL, .inner = kept };
}

struct cel_value cel_none(void)
{
	return (struct cel_value){ .kind = CEL_OPTIONAL };
}

/* --- out of JSON --- */

static struct cel_value from_bytes(struct cel_eval *e, const char *text, size_t len)
{
	CLEANUP(buf_close) struct buf bytes = BUF_INIT;
	struct cel_value value;

	if (!cel_charge(e, len))
		return cel_exhausted();
	if (buf_base64_decode(text, len, &bytes, NULL) < 0)
		return cel_errorf(e, "Invalid byte formatted string %.100s", text);
	value = cel_new_text(e, bytes.data ? bytes.data : "", bytes.len);
	value.kind = CEL_BYTES;
	return value;
}

static struct cel_value from_string(struct cel_eval *e, const struct json_object *json,
				    const struct structural *schema)
{
	const char *format = schema->rules && schema->rules->format ? schema->rules->format : "";
	const char *text = json_object_get_string((struct json_object *)(uintptr_t)json);
	size_t len = (size_t)json_object_get_string_len(json);
	struct cel_value value;

	if (!strcmp(format, "byte"))
		return from_bytes(e, text, len);
	if (!strcmp(format, "duration"))
		return cel_parse_long_duration(text, len, &value)
			   ? value
			   : cel_errorf(e, "Invalid duration %.100s", text);
	if (!strcmp(format, "date"))
		return cel_parse_date(text, len, &value)
			   ? value
			   : cel_errorf(e, "Invalid date formatted string %.100s", text);
	if (!strcmp(format, "date-time"))
		return cel_parse_timestamp(text, len, &value)
			   ? value
			   : cel_errorf(e, "Invalid date-time formatted string %.100s", text);
	return cel_text(text, len);
}

static struct cel_value from_tree(const struct json_object *json, const struct structural *schema, bool root)
{
	struct cel_value value = { .borrowed = true, .json = json, .schema = schema };

	value.kind = CEL_OBJECT;
	value.root = root;
	if (schema->type == STRUCTURAL_ARRAY)
		value.kind = CEL_LIST;
	else if (schema->additional)
		value.kind = CEL_MAP;
	return value;
}

static bool is_whole(const struct json_object *json)
{
	double d;

	if (json_object_is_type(json, json_type_int))
		return true;
	d = json_object_get_double(json);
	return json_object_is_type(json, json_type_double) && fabs(d) < 9e18 && !(floor(d) < d);
}

struct cel_value cel_from_json(struct cel_eval *e, const struct json_object *json,
			       const struct structural *schema, bool root)
{
	enum json_type type = json_object_get_type(json);

	if (!json && schema->nullable)
		return (struct cel_value){ .kind = CEL_NULL };
	if (!json)
		return cel_error("invalid data, got null for schema with nullable=false");
	if (schema->int_or_string) {
		if (type == json_type_string)
			return cel_text(json_object_get_string((struct json_object *)(uintptr_t)json),
					(size_t)json_object_get_string_len(json));
		return is_whole(json) ? cel_int(json_object_get_int64(json))
				      : cel_error("invalid data, expected XIntOrString value to be either a "
						  "string or integer");
	}
	switch (schema->type) {
	case STRUCTURAL_OBJECT:
		return type == json_type_object ? from_tree(json, schema, root)
						: cel_error("invalid data, expected a map for the provided "
							    "schema with type=object");
	case STRUCTURAL_ARRAY:
		return type == json_type_array ? from_tree(json, schema, false)
					       : cel_error("invalid data, expected an array for the provided "
							   "schema with type=array");
	case STRUCTURAL_STRING:
		return type == json_type_string ? from_string(e, json, schema)
						: cel_error("invalid data, expected string");
	case STRUCTURAL_INTEGER:
		return is_whole(json) ? cel_int(json_object_get_int64(json))
				      : cel_error("invalid data, expected int");
	case STRUCTURAL_NUMBER:
		return type == json_type_int || type == json_type_double
			   ? cel_double(json_object_get_double(json))
			   : cel_error("invalid data, expected float");
	case STRUCTURAL_BOOLEAN:
		return type == json_type_boolean ? cel_bool(json_object_get_boolean(json))
						 : cel_error("invalid data, expected bool");
	case STRUCTURAL_ANY:
		break;
	}
	return (struct cel_value){ .kind = CEL_OPAQUE, .json = json, .schema = schema };
}

/* --- lists and maps --- */

size_t cel_list_len(const struct cel_value *list)
{
	return list->borrowed ? json_len(list->json) : list->list->n;
}

struct cel_value cel_list_at(struct cel_eval *e, const struct cel_value *list, size_t i)
{
	if (!list->borrowed)
		return list->list->items[i];
	return cel_from_json(e, json_at(list->json, i), list->schema->items, false);
}

size_t cel_map_len(const struct cel_value *map)
{
	return map->borrowed ? (size_t)json_object_object_length(map->json) : map->map->n;
}

static bool find_in_json(struct cel_eval *e, const struct cel_value *map, const struct cel_value *key,
			 struct cel_value *ret)
{
	const struct structural *schema;
	struct json_object *found = NULL;
	char small[256], *name = small;

	if (key->kind != CEL_STRING || memchr(key->text, '\0', key->len))
		return false;
	if (key->len >= sizeof(small))
		name = cel_copy(&e->arena, key->text, key->len);
	else
		*(char *)mempcpy(small, key->text, key->len) = '\0';
	if (!json_object_object_get_ex(map->json, name, &found))
		return false;
	schema = map->kind == CEL_MAP ? map->schema->additional : cel_property(map->schema, map->root, name);
	if (!schema)
		return false;
	*ret = cel_from_json(e, found, schema, false);
	return true;
}

bool cel_map_find(struct cel_eval *e, const struct cel_value *map, const struct cel_value *key,
		  struct cel_value *ret)
{
	if (map->borrowed)
		return find_in_json(e, map, key, ret);
	for (size_t i = 0; i < map->map->n && cel_charge(e, 1); i++)
		if (cel_equal(e, &map->map->keys[i], key)) {
			*ret = map->map->values[i];
			return true;
		}
	return false;
}

/* Entries of an object that its schema does not know are not seen. */
static bool next_of_json(struct cel_eval *e, const struct cel_value *map, const void **cursor,
			 struct cel_value *ret_key, struct cel_value *ret_value)
{
	const struct lh_entry *entry =
	    *cursor ? ((const struct lh_entry *)*cursor)->next : json_object_get_object(map->json)->head;

	for (; entry; entry = entry->next) {
		const char *key = lh_entry_k(entry);
		const struct structural *schema = map->kind == CEL_MAP
						      ? map->schema->additional
						      : cel_property(map->schema, map->root, key);

		if (!schema)
			continue;
		*cursor = entry;
		*ret_key = cel_text(key, strlen(key));
		*ret_value = cel_from_json(e, lh_entry_v(entry), schema, false);
		return true;
	}
	return false;
}

bool cel_map_next(struct cel_eval *e, const struct cel_value *map, const void **cursor,
		  struct cel_value *ret_key, struct cel_value *ret_value)
{
	const struct cel_value *key;

	if (map->borrowed)
		return next_of_json(e, map, cursor, ret_key, ret_value);
	key = *cursor ? (const struct cel_value *)*cursor + 1 : map->map->keys;
	if (key == map->map->keys + map->map->n)
		return false;
	*cursor = key;
	*ret_key = *key;
	*ret_value = map->map->values[key - map->map->keys];
	return true;
}

/* --- order --- */

static int sign(bool below, bool above)
{
	return above - below;
}

/* An int against a double, exactly: doubles beyond the ints are told first. */
static int compare_int_double(int64_t i, double d)
{
	if (d >= 9223372036854775808.0)
		return -1;
	if (d < -9223372036854775808.0)
		return 1;
	if (i != (int64_t)d)
		return sign(i<(int64_t)d, i>(int64_t) d);
	return sign(0 < d - trunc(d), 0 > d - trunc(d));
}

static int compare_uint_double(uint64_t u, double d)
{
	if (d >= 18446744073709551616.0)
		return -1;
	if (d < 0)
		return 1;
	if (u != (uint64_t)d)
		return sign(u<(uint64_t)d, u>(uint64_t) d);
	return sign(0 < d - trunc(d), false);
}

static bool compare_numbers(const struct cel_value *a, const struct cel_value *b, int *ret)
{
	if ((a->kind == CEL_DOUBLE && isnan(a->d)) || (b->kind == CEL_DOUBLE && isnan(b->d)))
		return false;
	if (a->kind == b->kind)
		*ret = a->kind == CEL_INT    ? sign(a->i<b->i, a->i> b->i)
		       : a->kind == CEL_UINT ? sign(a->u<b->u, a->u> b->u)
					     : sign(a->d<b->d, a->d> b->d);
	else if (a->kind == CEL_INT && b->kind == CEL_UINT)
		*ret = a->i < 0 ? -1 : sign((uint64_t)a->i<b->u, (uint64_t)a->i> b->u);
	else if (a->kind == CEL_INT)
		*ret = compare_int_double(a->i, b->d);
	else if (a->kind == CEL_UINT && b->kind == CEL_DOUBLE)
		*ret = compare_uint_double(a->u, b->d);
	else if (compare_numbers(b, a, ret))
		*ret = -*ret;
	return true;
}

static bool is_number(const struct cel_value *v)
{
	return v->kind == CEL_INT || v->kind == CEL_UINT || v->kind == CEL_DOUBLE;
}

static int compare_bytes(const struct cel_value *a, const struct cel_value *b)
{
	size_t len = a->len < b->len ? a->len : b->len;
	int order = len ? memcmp(a->text, b->text, len) : 0;

	return order ? order : sign(a->len<b->len, a->len> b->len);
}

bool cel_compare(const struct cel_value *a, const struct cel_value *b, int *ret)
{
	if (is_number(a) && is_number(b))
		return compare_numbers(a, b, ret);
	if (a->kind != b->kind)
		return false;
	switch ((enum cel_kind)a->kind) {
	case CEL_BOOL:
		*ret = sign(a->b<b->b, a->b> b->b);
		return true;
	case CEL_STRING:
	case CEL_BYTES:
		*ret = compare_bytes(a, b);
		return true;
	case CEL_DURATION:
		*ret = sign(a->i<b->i, a->i> b->i);
		return true;
	case CEL_TIMESTAMP:
		*ret = a->i != b->i ? sign(a->i<b->i, a->i> b->i) : sign(a->len<b->len, a->len> b->len);
		return true;
	default:
		return false;
	}
}

/* --- equality --- */

static const struct structural *list_schema(const struct cel_value *list)
{
	return list->borrowed ? list->schema : list->list->schema;
}

/* Items of a list that is a map are the same one when their keys are equal. */
static bool same_item(struct cel_eval *e, const struct structural *schema, const struct cel_value *a,
		      const struct cel_value *b)
{
	if (schema->list == STRUCTURAL_SET || a->kind != CEL_OBJECT || b->kind != CEL_OBJECT)
		return cel_equal(e, a, b);
	return structural_same_item(schema, a->json, b->json);
}

bool cel_list_has_item(struct cel_eval *e, const struct cel_value *list, const struct cel_value *item,
		       size_t guess, size_t *ret)
{
	size_t n = cel_list_len(list);

	for (size_t k = 0; k <= n; k++) {
		size_t i = k ? k - 1 : guess;
		struct cel_value one;

		if (i >= n)
			continue;
		if (!cel_charge(e, 1))
			return false;
		one = cel_list_at(e, list, i);
		if (same_item(e, list_schema(list), &one, item)) {
			*ret = i;
			return true;
		}
	}
	return false;
}

static bool equal_lists(struct cel_eval *e, const struct cel_value *a, const struct cel_value *b)
{
	const struct structural *schema = list_schema(a);
	bool ordered = !schema || schema->list == STRUCTURAL_ATOMIC;
	size_t n = cel_list_len(a), at;

	if (n != cel_list_len(b))
		return false;
	for (size_t i = 0; i < n; i++) {
		struct cel_value x, y = cel_list_at(e, b, i);

		at = i;
		if (!cel_charge(e, 1) || (!ordered && !cel_list_has_item(e, a, &y, i, &at)))
			return false;
		x = cel_list_at(e, a, at);
		if (!cel_equal(e, &x, &y))
			return false;
	}
	return true;
}

static bool equal_maps(struct cel_eval *e, const struct cel_value *a, const struct cel_value *b)
{
	struct cel_value key, value, other;
	size_t n = 0, m = 0;

	for (const void *at = NULL; cel_map_next(e, a, &at, &key, &value); n++)
		if (!cel_charge(e, 1) || !cel_map_find(e, b, &key, &other) || !cel_equal(e, &value, &other))
			return false;
	for (const void *at = NULL; cel_map_next(e, b, &at, &key, &value); m++)
		if (!cel_charge(e, 1))
			return false;
	return n == m;
}

bool cel_equal(struct cel_eval *e, const struct cel_value *a, const struct cel_value *b)
{
	bool maps =
	    (a->kind == CEL_MAP || a->kind == CEL_OBJECT) && (b->kind == CEL_MAP || b->kind == CEL_OBJECT);
	int order;

	if (maps)
		return equal_maps(e, a, b);
	if (cel_compare(a, b, &order)) {
		if (a->kind == CEL_STRING || a->kind == CEL_BYTES)
			cel_charge(e, (a->len < b->len ? a->len : b->len));
		return order == 0;
	}
	if (a->kind != b->kind)
		return false;
	switch ((enum cel_kind)a->kind) {
	case CEL_NULL:
		return true;
	case CEL_TYPE:
		return a->i == b->i;
	case CEL_LIST:
		return equal_lists(e, a, b);
	case CEL_OPTIONAL:
		return a->inner && b->inner ? cel_equal(e, a->inner, b->inner) : a->inner == b->inner;
	case CEL_OPAQUE:
		return json_equal(a->json, b->json);
	case CEL_QUANTITY:
	case CEL_URL:
	case CEL_IP:
	case CEL_CIDR:
	case CEL_SEMVER:
	case CEL_FORMAT:
		return cel_equal_of_library(a, b);
	default:
		return false;
	}
}

void cel_show(struct buf *b, const struct cel_value *value)
{
	switch ((enum cel_kind)value->kind) {
	case CEL_BOOL:
		buf_str(b, value->b ? "true" : "false");
		break;
	case CEL_INT:
		buf_int(b, value->i);
		break;
	case CEL_UINT:
		buf_uint(b, value->u);
		break;
	case CEL_DOUBLE:
		cel_write_double(b, value->d, false);
		break;
	case CEL_STRING:
	case CEL_BYTES:
		buf_add(b, value->text, value->len < 200 ? value->len : 200);
		break;
	default:
		buf_str(b, cel_kind_name(value->kind));
	}
}
