#include "apiserver/core/object_layout.h"

#include <stdlib.h>

#include "api/resource_set.h"

/* --- references --- */

struct object *object_ref(struct object *object)
{
	atomic_fetch_add_explicit(&object->refs, 1, memory_order_relaxed);
	return object;
}

void object_unref(struct object *object)
{
	if (!object || atomic_fetch_sub_explicit(&object->refs, 1, memory_order_acq_rel) != 1)
		return;
	resource_unref(object->resource);
	free(object);
}

void object_unrefp(struct object **object)
{
	object_unref(*object);
	*object = NULL;
}

/* --- reading --- */

const struct resource *object_resource(const struct object *object)
{
	return object->resource;
}

uint64_t object_revision(const struct object *object)
{
	return object->revision;
}

void object_set_written(struct object *object, uint32_t seconds)
{
	object->written_s = seconds;
}

uint32_t object_written(const struct object *object)
{
	return object->written_s;
}

const char *object_key(const struct object *object)
{
	return at(object, object->key);
}

const char *object_name(const struct object *object)
{
	return at(object, object->key) + (object->namespace_len ? object->namespace_len + 1 : 0);
}

const char *object_namespace(const struct object *object)
{
	return at(object, object->uid) - object->namespace_len - 1;
}

const char *object_uid(const struct object *object)
{
	return at(object, object->uid);
}

const char *object_label(const void *set, const char *key)
{
	const struct object *object = set;
	const char *s = at(object, object->labels);

	for (uint32_t i = 0; i < object->n_labels; i++) {
		const char *value = after_nul(s);
		int order = strcmp(s, key);

		if (order == 0)
			return value;
		if (order > 0)
			break;
		s = after_nul(value);
	}
	return NULL;
}

const char *object_field(const void *set, const char *path)
{
	const struct object *object = set;
	const char *s = at(object, object->fields);

	if (!strcmp(path, "metadata.name"))
		return object_name(object);
	if (!strcmp(path, "metadata.namespace"))
		return object_namespace(object);
	for (uint8_t i = 0; i < object->n_fields; i++, s = after_nul(s)) {
		if (!strcmp(object->resource->kind->selectable_fields[i], path))
			return s;
	}
	return NULL;
}

const char *const *object_owner_uids(const struct object *object, size_t *ret_n)
{
	*ret_n = object->n_owners;
	return (const char *const *)(const void *)(object + 1);
}

bool object_deleting(const struct object *object)
{
	return object->deleting;
}

bool object_has_finalizers(const struct object *object)
{
	return object->finalizers;
}

size_t object_size(const struct object *object)
{
	return object->size;
}

const char *object_bytes(const struct object *object, size_t *ret_len)
{
	*ret_len = object->end - object->head;
	return at(object, object->head);
}

const char *object_item_bytes(const struct object *object, size_t *ret_len)
{
	*ret_len = object->end - object->head - object->prefix_len;
	return at(object, object->head + object->prefix_len);
}

void object_write_stored(struct buf *b, const struct object *object)
{
	buf_reserve(b, (size_t)object->prefix_len + strlen(HEAD_METADATA) + object->end - object->rest);
	buf_add(b, at(object, object->head), object->prefix_len);
	buf_add(b, HEAD_METADATA, strlen(HEAD_METADATA));
	buf_add(b, at(object, object->rest), object->end - object->rest);
}

const char *object_listed_bytes(const struct object *object, size_t *ret_len)
{
	uint32_t skip = object->resource->slot ? 1 : object->prefix_len;

	*ret_len = object->end - object->head - skip;
	return at(object, object->head + skip);
}

bool object_same(const struct object *a, const struct object *b)
{
	size_t len = a->end - a->rest;

	return a->resource == b->resource && b->end - b->rest == len &&
	       !memcmp(at(a, a->rest), at(b, b->rest), len);
}

const char *object_managed(const struct object *object, size_t *ret_len)
{
	*ret_len = object->managed_len;
	return at(object, object->managed);
}

static struct json_object *parse(const struct object *object, struct json_origin *origin)
{
	struct json_object *obj = NULL;
	CLEANUP(buf_close) struct buf without = BUF_INIT;
	const char *rest = NULL;
	size_t len, before = 0;
	const char *bytes = object_bytes(object, &len), *text = bytes;

	if (object->managed_len) {
		/* Its member, and the comma before it: metadata has a name at least. */
		before = (size_t)(at(object, object->managed) - strlen(MANAGED_MEMBER) - bytes);
		rest = at(object, object->managed) + object->managed_len;
		buf_reserve(&without, len);
		buf_add(&without, bytes, before);
		buf_add(&without, rest, len - (size_t)(rest - bytes));
		text = without.data;
		len = without.len;
	}
	/* It was written by json_write from a value of the same depth: it cannot fail to parse. */
	if (json_parse_with_origin(text, len, &obj, origin, NULL) < 0)
		abort();
	if (rest && origin)
		json_origin_move(origin, text, before, bytes, rest);
	return obj;
}

struct json_object *object_json(const struct object *object)
{
	return parse(object, NULL);
}

struct json_object *object_json_with_origin(const struct object *object, struct json_origin *origin)
{
	return parse(object, origin);
}
