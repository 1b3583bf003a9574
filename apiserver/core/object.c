#include "apiserver/core/object.h"

#include <stdlib.h>
#include <string.h>

/* The memory of an object, one allocation:
 *
 *     struct object | pointers to owner uids | strings | room | head | rest | NUL
 *
 * strings  key, namespace, uid; label key and value by turns, sorted by key; values of the selectable fields
 * in the order of kind->selectable_fields; owner uids. Each ends with a NUL; only the first of a group has an
 *          offset, the others are found by walking, which keeps the bookkeeping to a few words.
 * head     {"kind":...,"apiVersion":...,"metadata":{"resourceVersion":"N",   ends where rest begins, so a
 * longer number moves its start to the left, into room rest     what follows in metadata, and the other
 * members
 */
struct object {
	atomic_uint refs; /* first: the rest is copied by object_copy_at */
	uint32_t written_s;
	const struct resource *resource;
	uint64_t revision;
	uint32_t size;                     /* of the allocation */
	uint32_t key, uid, labels, fields; /* offsets from the struct's start */
	uint32_t head, rest, end;
	uint32_t n_labels, n_owners;
	uint32_t namespace_len;
	uint16_t prefix_len; /* from head to the "metadata" member */
	uint8_t n_fields;
	bool deleting, finalizers, rest_empty;
};

struct label {
	const char *key, *value;
};

#define HEAD_METADATA   "\"metadata\":{"
#define HEAD_REVISION   "\"resourceVersion\":\""
#define REVISION_DIGITS 20

static const char *at(const struct object *object, uint32_t offset)
{
	return (const char *)object + offset;
}

static const char *after_nul(const char *s)
{
	return s + strlen(s) + 1;
}

/* --- building --- */

/* Everything of metadata but resourceVersion, then the members after it, up to the last brace. */
static void write_rest(struct buf *b, const struct json_object *obj, struct json_object *metadata)
{
	bool first = true;

	if (metadata) {
		json_object_object_foreach(metadata, key, value)
		{
			if (!strcmp(key, "resourceVersion"))
				continue;
			if (!first)
				buf_char(b, ',');
			first = false;
			buf_json_string(b, key);
			buf_char(b, ':');
			json_write(b, value);
		}
	}
	buf_char(b, '}');
	json_object_object_foreach((struct json_object *)obj, name, member)
	{
		if (!strcmp(name, "kind") || !strcmp(name, "apiVersion") || !strcmp(name, "metadata"))
			continue;
		buf_char(b, ',');
		buf_json_string(b, name);
		buf_char(b, ':');
		json_write(b, member);
	}
	buf_char(b, '}');
}

static void add_string(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s) + 1);
}

static int compare_labels(const void *a, const void *b)
{
	return strcmp(((const struct label *)a)->key, ((const struct label *)b)->key);
}

static uint32_t add_labels(struct buf *b, struct json_object *labels)
{
	size_t n = 0;

	if (!labels || !json_object_is_type(labels, json_type_object))
		return 0;
	CLEANUP(mem_freep)
	struct label *pairs = mem_alloc(sizeof(*pairs) * ((size_t)json_object_object_length(labels) + 1));
	json_object_object_foreach(labels, key, value)
	{
		if (value && json_object_is_type(value, json_type_string))
			pairs[n++] = (struct label){ key, json_object_get_string(value) };
	}
	qsort(pairs, n, sizeof(*pairs), compare_labels);
	for (size_t i = 0; i < n; i++) {
		add_string(b, pairs[i].key);
		add_string(b, pairs[i].value);
	}
	return (uint32_t)n;
}

/* What an absent field selects as: the zero of its type, as Go prints it. */
static const char *zero_of_field(const struct schema_def *def, const char *path)
{
	while (def) {
		const char *dot = strchrnul(path, '.');
		const struct schema_field *field = schema_field_find(def, path, (size_t)(dot - path));

		if (!field)
			break;
		if (*dot == '\0') {
			switch (field->type) {
			case SCHEMA_BOOLEAN:
				return "false";
			case SCHEMA_INT32:
			case SCHEMA_INT64:
				return "0";
			default:
				return "";
			}
		}
		def = field->def;
		path = dot + 1;
	}
	return "";
}

static void add_field(struct buf *b, const struct resource *resource, const struct json_object *obj,
		      const char *path)
{
	const struct json_object *value = obj;
	const char *p = path;

	while (value) {
		char name[64];
		const char *dot = strchrnul(p, '.');
		size_t len = (size_t)(dot - p);

		if (len >= sizeof(name)) {
			value = NULL;
			break;
		}
		memcpy(name, p, len);
		name[len] = '\0';
		value = json_get(value, name);
		if (*dot == '\0')
			break;
		p = dot + 1;
	}
	if (value && !json_object_is_type(value, json_type_object) &&
	    !json_object_is_type(value, json_type_array))
		add_string(b, json_object_get_string((struct json_object *)value));
	else
		add_string(b, zero_of_field(resource->def, path));
}

static uint8_t add_fields(struct buf *b, const struct resource *resource, const struct json_object *obj)
{
	uint8_t n = 0;

	if (!resource->kind || !resource->kind->selectable_fields)
		return 0;
	for (const char *const *path = resource->kind->selectable_fields; *path && n < UINT8_MAX; path++, n++)
		add_field(b, resource, obj, *path);
	return n;
}

static uint32_t add_owners(struct buf *b, const struct json_object *references)
{
	uint32_t n = 0;

	for (size_t i = 0; i < json_len(references); i++) {
		const char *uid = json_str(json_at(references, i), "uid");

		if (uid && *uid) {
			add_string(b, uid);
			n++;
		}
	}
	return n;
}

static uint16_t prefix_len(const struct resource *resource)
{
	return (uint16_t)(strlen("{\"kind\":\"\",\"apiVersion\":\"\",") + strlen(resource->kind_name) +
			  strlen(resource->group_version));
}

static char *put(char *p, const char *s, size_t len)
{
	memcpy(p, s, len);
	return p + len;
}

void object_set_revision(struct object *object, uint64_t revision)
{
	const struct resource *resource = object->resource;
	char digits[REVISION_DIGITS];
	size_t n_digits = 0;
	size_t len = object->prefix_len + strlen(HEAD_METADATA);
	char *p;

	for (uint64_t v = revision; v; v /= 10)
		digits[REVISION_DIGITS - ++n_digits] = (char)('0' + v % 10);
	if (revision)
		len += strlen(HEAD_REVISION) + n_digits + strlen("\"") + !object->rest_empty;
	object->revision = revision;
	object->head = object->rest - (uint32_t)len;
	p = (char *)object + object->head;
	p = put(p, "{\"kind\":\"", 9);
	p = put(p, resource->kind_name, strlen(resource->kind_name));
	p = put(p, "\",\"apiVersion\":\"", 16);
	p = put(p, resource->group_version, strlen(resource->group_version));
	p = put(p, "\",", 2);
	p = put(p, HEAD_METADATA, strlen(HEAD_METADATA));
	if (!revision)
		return;
	p = put(p, HEAD_REVISION, strlen(HEAD_REVISION));
	p = put(p, digits + REVISION_DIGITS - n_digits, n_digits);
	put(p, "\",", object->rest_empty ? 1 : 2);
}

static bool has_finalizers(const struct resource *resource, const struct json_object *obj,
			   const struct json_object *metadata)
{
	if (json_len(json_get(metadata, "finalizers")))
		return true;
	return !strcmp(resource->qualified, "namespaces") &&
	       json_len(json_path(obj, "spec", "finalizers", NULL));
}

/* The owner pointers lie inside the allocation, so they are set anew when it is copied. */
static void set_owner_pointers(struct object *object)
{
	const char **pointers = (const char **)(void *)(object + 1);
	const char *s = at(object, object->fields);

	for (uint8_t i = 0; i < object->n_fields; i++)
		s = after_nul(s);
	for (uint32_t i = 0; i < object->n_owners; i++, s = after_nul(s))
		pointers[i] = s;
}

struct object *object_new(const struct resource *resource, const struct json_object *obj)
{
	CLEANUP(buf_close) struct buf strings = BUF_INIT;
	CLEANUP(buf_close) struct buf rest = BUF_INIT;
	struct json_object *metadata = json_get(obj, "metadata");
	const char *namespace_ = resource->namespaced ? json_str_or_empty(metadata, "namespace") : "";
	struct object head = { .resource = resource, .refs = 1 };

	if (*namespace_) {
		buf_str(&strings, namespace_);
		buf_char(&strings, '/');
	}
	head.namespace_len = (uint32_t)strlen(namespace_);
	add_string(&strings, json_str_or_empty(metadata, "name"));
	add_string(&strings, namespace_);
	head.uid = (uint32_t)strings.len;
	add_string(&strings, json_str_or_empty(metadata, "uid"));
	head.labels = (uint32_t)strings.len;
	head.n_labels = add_labels(&strings, json_get(metadata, "labels"));
	head.fields = (uint32_t)strings.len;
	head.n_fields = add_fields(&strings, resource, obj);
	head.n_owners = add_owners(&strings, json_get(metadata, "ownerReferences"));
	head.deleting = json_get(metadata, "deletionTimestamp") != NULL;
	head.finalizers = has_finalizers(resource, obj, metadata);
	write_rest(&rest, obj, metadata);
	head.rest_empty = rest.data[0] == '}';
	head.prefix_len = prefix_len(resource);

	head.key = (uint32_t)(sizeof(head) + head.n_owners * sizeof(char *));
	head.uid += head.key;
	head.labels += head.key;
	head.fields += head.key;
	head.rest = head.key + (uint32_t)strings.len + head.prefix_len +
		    (uint32_t)(strlen(HEAD_METADATA HEAD_REVISION) + REVISION_DIGITS + strlen("\","));
	head.end = head.rest + (uint32_t)rest.len;
	head.size = head.end + 1;

	struct object *object = mem_alloc(head.size);

	memcpy(object, &head, sizeof(head));
	memcpy((char *)object + object->key, strings.data, strings.len);
	memcpy((char *)object + object->rest, rest.data, rest.len + 1);
	set_owner_pointers(object);
	object_set_revision(object, 0);
	return object;
}

int object_load(const struct resource *resource, const char *stored, size_t len, uint64_t revision,
		struct object **ret, struct err *err)
{
	CLEANUP(json_putp) struct json_object *obj = NULL;
	const char *name;

	if (json_parse(stored, len, &obj, NULL, err) < 0) {
		if (err)
			err->kind = ERR_CORRUPT;
		return -1;
	}
	name = json_str(json_get(obj, "metadata"), "name");
	if (!name || !*name)
		return err_set(err, ERR_CORRUPT, "the stored value has no metadata.name");
	*ret = object_new(resource, obj);
	object_set_revision(*ret, revision);
	return 0;
}

struct object *object_copy_at(const struct object *object, uint64_t revision)
{
	struct object *copy = mem_alloc(object->size);

	atomic_init(&copy->refs, 1);
	memcpy((char *)copy + sizeof(copy->refs), (const char *)object + sizeof(copy->refs),
	       object->size - sizeof(copy->refs));
	set_owner_pointers(copy);
	object_set_revision(copy, revision);
	return copy;
}

/* --- references --- */

struct object *object_ref(struct object *object)
{
	atomic_fetch_add_explicit(&object->refs, 1, memory_order_relaxed);
	return object;
}

void object_unref(struct object *object)
{
	if (object && atomic_fetch_sub_explicit(&object->refs, 1, memory_order_acq_rel) == 1)
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

bool object_same(const struct object *a, const struct object *b)
{
	size_t len = a->end - a->rest;

	return a->resource == b->resource && b->end - b->rest == len &&
	       !memcmp(at(a, a->rest), at(b, b->rest), len);
}

struct json_object *object_json(const struct object *object)
{
	struct json_object *obj = NULL;
	size_t len;
	const char *bytes = object_bytes(object, &len);

	/* It was written by json_write from a value of the same depth: it cannot fail to parse. */
	if (json_parse(bytes, len, &obj, NULL, NULL) < 0)
		abort();
	return obj;
}
