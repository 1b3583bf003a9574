#include "api/cel/cel_value.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "api/cel/cel_eval.h"
#include "api/cel/cel_functions.h"
#include "api/cel/cel_time.h"
#include "api/cel/cel_type.h"
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
	struct cel_list *list;

	if (!cel_reserve(e, (n + 1) * sizeof(*list->items)))
		return cel_exhausted();
	list = cel_alloc(&e->arena, sizeof(*list));
	list->n = n;
	list->items = cel_alloc(&e->arena, (n + 1) * sizeof(*list->items));
	*ret_items = list->items;
	return (struct cel_value){ .kind = CEL_LIST, .list = list };
}

struct cel_value cel_new_map(struct cel_eval *e, size_t n, struct cel_map **ret_map)
{
	struct cel_map *map;

	if (!cel_reserve(e, 2 * (n + 1) * sizeof(*map->keys)))
		return cel_exhausted();
	map = cel_alloc(&e->arena, sizeof(*map));
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

/* Entries of an object that its schema does not know are not seen; there can be many of them. */
static bool next_of_json(struct cel_eval *e, const struct cel_value *map, const void **cursor,
			 struct cel_value *ret_key, struct cel_value *ret_value)
{
	const struct lh_entry *entry =
	    *cursor ? ((const struct lh_entry *)*cursor)->next : json_object_get_object(map->json)->head;

	for (; entry && cel_charge(e, 1); entry = entry->next) {
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

/* --- shown --- */

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
