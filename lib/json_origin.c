#include "lib/json_origin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

/* What is shorter is written as fast as it is found. */
#define SHORT 24

struct json_origin *json_origin_new(void)
{
	struct json_origin *origin = mem_alloc(sizeof(*origin));

	origin->n = 0;
	return origin;
}

void json_origin_free(struct json_origin *origin)
{
	for (size_t i = 0; origin && i < origin->n; i++)
		json_object_put(origin->values[i].value);
	free(origin);
}

void json_origin_add(struct json_origin *origin, struct json_object *value, const char *text, size_t len)
{
	if (len < SHORT || origin->n == JSON_ORIGIN_VALUES)
		return;
	origin->values[origin->n++] = (struct json_origin_value){ json_object_get(value), text, len };
}

void json_origin_move(struct json_origin *origin, const char *text, size_t n, const char *first,
		      const char *second)
{
	size_t kept = 0;

	for (size_t i = 0; i < origin->n; i++) {
		struct json_origin_value value = origin->values[i];
		size_t begin = (size_t)(value.text - text);

		if (begin < n && begin + value.len > n) {
			json_object_put(value.value);
			continue;
		}
		value.text = begin < n ? first + begin : second + (begin - n);
		origin->values[kept++] = value;
	}
	origin->n = kept;
}

static const struct json_origin_value *find(const struct json_origin *origin, const struct json_object *value)
{
	for (size_t i = 0; i < origin->n; i++)
		if (origin->values[i].value == value)
			return &origin->values[i];
	return NULL;
}

static bool checks;

void json_origin_check_copies(void)
{
	checks = true;
}

static void check_copy(const struct json_origin_value *copied)
{
	CLEANUP(buf_close) struct buf b = BUF_INIT;

	json_write(&b, copied->value);
	if (b.len == copied->len && memcmp(b.data, copied->text, b.len) == 0)
		return;
	fprintf(stderr, "a shared value was changed in its place:\n%.*s\n%s\n", (int)copied->len,
		copied->text, b.data);
	abort();
}

static void write_from(struct buf *b, const struct json_object *obj, const struct json_origin *origin,
		       unsigned depth)
{
	bool is_object = json_object_is_type(obj, json_type_object);
	const struct json_origin_value *kept =
	    is_object || json_object_is_type(obj, json_type_array) ? find(origin, obj) : NULL;
	bool first = true;

	if (kept) {
		if (checks)
			check_copy(kept);
		buf_add(b, kept->text, kept->len);
		return;
	}
	if (!is_object || depth == JSON_ORIGIN_DEPTH || json_object_object_length(obj) == 0) {
		json_write(b, obj);
		return;
	}
	json_object_object_foreach((struct json_object *)(uintptr_t)obj, key, member)
	{
		buf_char(b, first ? '{' : ',');
		first = false;
		buf_json_string(b, key);
		buf_char(b, ':');
		write_from(b, member, origin, depth + 1);
	}
	buf_char(b, '}');
}

void json_write_from(struct buf *b, const struct json_object *obj, const struct json_origin *origin)
{
	if (origin)
		write_from(b, obj, origin, 0);
	else
		json_write(b, obj);
}
