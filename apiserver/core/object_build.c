/* The making of objects: from JSON, from the store, from one another. */
#include <stdlib.h>

#include "api/resource_set.h"
#include "apiserver/core/object_layout.h"
#include "lib/json_skip.h"

struct label {
	const char *key, *value;
};

#define HEAD_REVISION   "\"resourceVersion\":\""
#define REVISION_DIGITS 20
#define HEAD_MAX        512 /* kind, group and version, which are ours */
/* Few objects have more: room for them is made once. */
#define USUAL_SIZE 4096

/* What follows the head, and where managedFields are in it. */
struct rest {
	struct buf text;
	size_t managed, managed_len;
};

/* Everything of metadata but resourceVersion, then the members after it, up to the last brace. */
static void write_rest(struct rest *rest, const struct json_object *obj, struct json_object *metadata,
		       const struct json_origin *origin, const char *managed, size_t managed_len)
{
	struct buf *b = &rest->text;
	bool first = true;

	if (metadata) {
		json_object_object_foreach(metadata, key, value)
		{
			if (!strcmp(key, "resourceVersion") || !strcmp(key, "managedFields"))
				continue;
			if (!first)
				buf_char(b, ',');
			first = false;
			buf_json_string(b, key);
			buf_char(b, ':');
			json_write_from(b, value, origin);
		}
	}
	if (managed_len && !first) {
		buf_str(b, MANAGED_MEMBER);
		rest->managed = b->len;
		rest->managed_len = managed_len;
		buf_add(b, managed, managed_len);
	}
	buf_char(b, '}');
	json_object_object_foreach((struct json_object *)obj, name, member)
	{
		if (!strcmp(name, "kind") || !strcmp(name, "apiVersion") || !strcmp(name, "metadata"))
			continue;
		buf_char(b, ',');
		buf_json_string(b, name);
		buf_char(b, ':');
		json_write_from(b, member, origin);
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

/* The value at PATH, unless it is an object or a list. */
static const struct json_object *value_at(const struct json_object *obj, const char *path)
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
	return json_object_is_type(value, json_type_object) || json_object_is_type(value, json_type_array)
		   ? NULL
		   : value;
}

static void add_field(struct buf *b, const struct resource *resource, const struct json_object *obj,
		      const char *path)
{
	const char *const *other = resource->kind->field_else;
	const struct json_object *value = value_at(obj, path);

	if (!value && other[0] && strcmp(other[0], path) == 0)
		value = value_at(obj, other[1]);
	if (value)
		add_string(b, json_object_get_string((struct json_object *)value));
	else
		add_string(b, zero_of_field(resource->def, path));
}

static const char *const *field_paths(const struct kind *kind)
{
	return kind->field_paths ? kind->field_paths : kind->selectable_fields;
}

static uint8_t add_fields(struct buf *b, const struct resource *resource, const struct json_object *obj)
{
	uint8_t n = 0;

	if (!resource->kind || !resource->kind->selectable_fields)
		return 0;
	for (const char *const *path = field_paths(resource->kind); *path && n < UINT8_MAX; path++, n++)
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

/* What every object of RESOURCE begins with, up to HEAD_METADATA. */
static char *put_head(char *p, const struct resource *resource)
{
	p = put(p, "{\"kind\":\"", 9);
	p = put(p, resource->kind_name, strlen(resource->kind_name));
	p = put(p, "\",\"apiVersion\":\"", 16);
	p = put(p, resource->group_version, strlen(resource->group_version));
	p = put(p, "\",", 2);
	return put(p, HEAD_METADATA, strlen(HEAD_METADATA));
}

void object_set_revision(struct object *object, uint64_t revision)
{
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
	p = put_head((char *)object + object->head, object->resource);
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

/* OBJ needs to hold what lookups need; REST is what follows in metadata and after it, as it is sent. */
static struct object *assemble(const struct resource *resource, const struct json_object *obj,
			       const char *rest, size_t rest_len, size_t managed, size_t managed_len)
{
	CLEANUP(buf_close) struct buf strings = BUF_INIT;
	struct json_object *metadata = json_get(obj, "metadata");
	const char *namespace_ = resource->namespaced ? json_str_or_empty(metadata, "namespace") : "";
	struct object head = { .resource = resource_ref(resource), .refs = 1 };

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
	head.rest_empty = rest[0] == '}';
	head.prefix_len = prefix_len(resource);

	head.key = (uint32_t)(sizeof(head) + head.n_owners * sizeof(char *));
	head.uid += head.key;
	head.labels += head.key;
	head.fields += head.key;
	head.rest = head.key + (uint32_t)strings.len + head.prefix_len +
		    (uint32_t)(strlen(HEAD_METADATA HEAD_REVISION) + REVISION_DIGITS + strlen("\","));
	head.end = head.rest + (uint32_t)rest_len;
	head.managed = head.rest + (uint32_t)managed;
	head.managed_len = (uint32_t)managed_len;
	head.size = head.end + 1;

	struct object *object = mem_alloc(head.size);

	memcpy(object, &head, sizeof(head));
	memcpy((char *)object + object->key, strings.data, strings.len);
	memcpy((char *)object + object->rest, rest, rest_len);
	((char *)object)[object->end] = '\0';
	set_owner_pointers(object);
	object_set_revision(object, 0);
	return object;
}

struct object *object_new(const struct resource *resource, const struct json_object *obj, const char *managed,
			  size_t managed_len)
{
	return object_new_from(resource, obj, NULL, managed, managed_len);
}

struct object *object_new_from(const struct resource *resource, const struct json_object *obj,
			       const struct json_origin *origin, const char *managed, size_t managed_len)
{
	struct rest rest = { 0 };

	buf_reserve(&rest.text, USUAL_SIZE);
	write_rest(&rest, obj, json_get(obj, "metadata"), origin, managed, managed_len);
	struct object *object =
	    assemble(resource, obj, rest.text.data, rest.text.len, rest.managed, rest.managed_len);
	buf_close(&rest.text);
	return object;
}

/* --- from the store --- */

static void paths_of(const struct resource *resource, const char *paths[JSON_PICK_MAX + 1])
{
	static const char *const always[] = {
		"metadata.name",       "metadata.namespace",       "metadata.uid",
		"metadata.labels",     "metadata.ownerReferences", "metadata.deletionTimestamp",
		"metadata.finalizers", "spec.finalizers",
	};
	const char *const *field = resource->kind ? field_paths(resource->kind) : NULL;
	size_t n = ARRAY_SIZE(always);

	memcpy(paths, always, sizeof(always));
	for (; field && *field && n < JSON_PICK_MAX; field++)
		paths[n++] = *field;
	paths[n] = NULL;
}

/* Where managedFields are in REST, which begins with the first member of metadata. */
static void find_managed(const char *rest, size_t rest_len, size_t *ret, size_t *ret_len)
{
	struct json_cursor c = { rest, rest + rest_len };

	*ret = *ret_len = 0;
	do {
		const char *value;

		if (!json_skip_char(&c, '"') || !json_skip_string(&c) || !json_skip_char(&c, ':'))
			return;
		value = c.p;
		if (!json_skip_value(&c))
			return;
		if (value - rest >= (ptrdiff_t)strlen(MANAGED_MEMBER) &&
		    !memcmp(value - strlen(MANAGED_MEMBER), MANAGED_MEMBER, strlen(MANAGED_MEMBER))) {
			*ret = (size_t)(value - rest);
			*ret_len = (size_t)(c.p - value);
			return;
		}
	} while (json_skip_char(&c, ','));
}

/* Its bytes are what object_write_stored wrote, and are taken as they are; of what is in them only what
 * lookups need is parsed: a start with many objects takes a third of the time that parsing them all would. */
int object_load(const struct resource *resource, const char *stored, size_t len, uint64_t revision,
		struct object **ret, struct err *err)
{
	CLEANUP(json_putp) struct json_object *obj = NULL;
	const char *paths[JSON_PICK_MAX + 1], *name;
	size_t managed, managed_len;
	char head[HEAD_MAX];
	size_t head_len = (size_t)(put_head(head, resource) - head);

	if (len <= head_len || memcmp(stored, head, head_len) != 0)
		return err_set(err, ERR_CORRUPT, "the stored value does not begin as a %s does",
			       resource->kind_name);
	paths_of(resource, paths);
	if (json_pick(stored, len, paths, &obj, err) < 0) {
		if (err)
			err->kind = ERR_CORRUPT;
		return -1;
	}
	name = json_str(json_get(obj, "metadata"), "name");
	if (!name || !*name)
		return err_set(err, ERR_CORRUPT, "the stored value has no metadata.name");
	find_managed(stored + head_len, len - head_len, &managed, &managed_len);
	*ret = assemble(resource, obj, stored + head_len, len - head_len, managed, managed_len);
	object_set_revision(*ret, revision);
	return 0;
}

struct object *object_copy_at(const struct object *object, uint64_t revision)
{
	struct object *copy = mem_alloc(object->size);

	atomic_init(&copy->refs, 1);
	memcpy((char *)copy + sizeof(copy->refs), (const char *)object + sizeof(copy->refs),
	       object->size - sizeof(copy->refs));
	resource_ref(copy->resource);
	set_owner_pointers(copy);
	object_set_revision(copy, revision);
	return copy;
}
