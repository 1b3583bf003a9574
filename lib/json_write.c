/* The writing half of json.h: one walk for the compact, the indented and the canonical form. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json.h"
#include "lib/mem.h"

enum style { COMPACT, INDENTED, PRETTY, SORTED };

struct member {
	const char *key;
	struct json_object *value;
};

static void write_value(struct buf *b, const struct json_object *obj, enum style style, unsigned depth);

/* The shortest digits that read back as the same double. */
static void write_double(struct buf *b, const struct json_object *obj)
{
	/* The parser keeps a double's own text there. Nothing else in knarr sets user data. */
	const char *text = json_object_get_userdata((struct json_object *)(uintptr_t)obj);
	double value = json_object_get_double(obj);
	char digits[32];

	if (!isfinite(value)) {
		buf_str(b, "null");
		return;
	}
	if (text) {
		buf_str(b, text);
		return;
	}
	for (int precision = 15; precision <= 17; precision++) {
		snprintf(digits, sizeof(digits), "%.*g", precision, value);
		if (!(strtod(digits, NULL) < value) && !(strtod(digits, NULL) > value))
			break;
	}
	buf_str(b, digits);
}

static void write_int(struct buf *b, const struct json_object *obj)
{
	int64_t value = json_object_get_int64(obj);

	/* json-c holds what is larger as unsigned, and saturates the signed reading. */
	if (value == INT64_MAX)
		buf_uint(b, json_object_get_uint64(obj));
	else
		buf_int(b, value);
}

static void new_line(struct buf *b, enum style style, unsigned depth)
{
	if (style != PRETTY && style != INDENTED)
		return;
	buf_char(b, '\n');
	for (unsigned i = 0; i < depth; i++)
		buf_add(b, "    ", style == PRETTY ? 4 : 2);
}

static void write_member(struct buf *b, const char *key, const struct json_object *value, bool first,
			 enum style style, unsigned depth)
{
	if (!first)
		buf_char(b, ',');
	new_line(b, style, depth);
	buf_json_string(b, key);
	buf_char(b, ':');
	if (style == PRETTY || style == INDENTED)
		buf_char(b, ' ');
	write_value(b, value, style, depth);
}

static int compare_members(const void *a, const void *b)
{
	return strcmp(((const struct member *)a)->key, ((const struct member *)b)->key);
}

static void write_members_sorted(struct buf *b, const struct json_object *obj, unsigned depth)
{
	size_t n = 0, count = (size_t)json_object_object_length(obj);
	CLEANUP(mem_freep) struct member *members = mem_realloc_array(NULL, count, sizeof(*members));

	json_object_object_foreach((struct json_object *)(uintptr_t)obj, key, value) members[n++] =
	    (struct member){ .key = key, .value = value };
	qsort(members, n, sizeof(*members), compare_members);
	for (size_t i = 0; i < n; i++)
		write_member(b, members[i].key, members[i].value, i == 0, SORTED, depth);
}

static void write_object(struct buf *b, const struct json_object *obj, enum style style, unsigned depth)
{
	bool first = true;

	if (json_object_object_length(obj) == 0) {
		buf_add(b, "{}", 2);
		return;
	}
	buf_char(b, '{');
	if (style == SORTED) {
		write_members_sorted(b, obj, depth + 1);
	} else {
		json_object_object_foreach((struct json_object *)(uintptr_t)obj, key, value)
		{
			write_member(b, key, value, first, style, depth + 1);
			first = false;
		}
	}
	new_line(b, style, depth);
	buf_char(b, '}');
}

static void write_array(struct buf *b, const struct json_object *array, enum style style, unsigned depth)
{
	size_t len = json_object_array_length(array);

	if (len == 0) {
		buf_add(b, "[]", 2);
		return;
	}
	buf_char(b, '[');
	for (size_t i = 0; i < len; i++) {
		if (i > 0)
			buf_char(b, ',');
		new_line(b, style, depth + 1);
		write_value(b, json_object_array_get_idx(array, i), style, depth + 1);
	}
	new_line(b, style, depth);
	buf_char(b, ']');
}

static void write_value(struct buf *b, const struct json_object *obj, enum style style, unsigned depth)
{
	switch (json_object_get_type(obj)) {
	case json_type_null:
		buf_add(b, "null", 4);
		break;
	case json_type_boolean:
		buf_str(b, json_object_get_boolean(obj) ? "true" : "false");
		break;
	case json_type_int:
		write_int(b, obj);
		break;
	case json_type_double:
		write_double(b, obj);
		break;
	case json_type_string:
		buf_json_stringn(b, json_object_get_string((struct json_object *)(uintptr_t)obj),
				 (size_t)json_object_get_string_len(obj));
		break;
	case json_type_object:
		write_object(b, obj, style, depth);
		break;
	case json_type_array:
		write_array(b, obj, style, depth);
		break;
	}
}

void json_write(struct buf *b, const struct json_object *obj)
{
	write_value(b, obj, COMPACT, 0);
}

void json_write_indented(struct buf *b, const struct json_object *obj)
{
	write_value(b, obj, INDENTED, 0);
}

void json_write_pretty(struct buf *b, const struct json_object *obj)
{
	write_value(b, obj, PRETTY, 0);
}

void json_write_sorted(struct buf *b, const struct json_object *obj)
{
	write_value(b, obj, SORTED, 0);
}
