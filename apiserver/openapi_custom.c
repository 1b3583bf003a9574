#include "apiserver/openapi_custom.h"

#include <string.h>

#include "api/custom.h"
#include "api/description.h"
#include "lib/json.h"

/* Keywords that version 2 has, besides extensions. */
static bool known_to_v2(const char *key)
{
	static const char *const keys[] = { "type",
					    "format",
					    "description",
					    "default",
					    "required",
					    "properties",
					    "items",
					    "enum",
					    "pattern",
					    "minimum",
					    "maximum",
					    "minLength",
					    "maxLength",
					    "minItems",
					    "maxItems",
					    "title",
					    "additionalProperties" };
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (strcmp(keys[i], key) == 0)
			return true;
	return strncmp(key, "x-", 2) == 0;
}

static struct json_object *copy_for(enum openapi_version version, const struct json_object *schema);

static struct json_object *copy_each(enum openapi_version version, const struct json_object *schemas)
{
	struct json_object *copy = json_object_new_object();
	json_object_object_foreach((struct json_object *)(uintptr_t)schemas, name, schema)
	{
		json_set(copy, name, copy_for(version, schema));
	}
	return copy;
}

/* Definitions are checked when they are stored: schemas lie in each other no deeper than JSON may. */
static struct json_object *copy_for(enum openapi_version version, const struct json_object *schema)
{
	if (version == OPENAPI_V3 || !json_object_is_type(schema, json_type_object))
		return json_clone(schema);
	struct json_object *copy = json_object_new_object();
	/* Version 2 knows neither null nor one of two types; and what it is told of it takes for all there
	 * is. */
	bool typeless = json_boolean(schema, "x-kubernetes-int-or-string", false) ||
			json_boolean(schema, "nullable", false);
	bool open = typeless || json_boolean(schema, "x-kubernetes-preserve-unknown-fields", false);
	json_object_object_foreach((struct json_object *)(uintptr_t)schema, key, value)
	{
		bool nested = strcmp(key, "items") == 0 || strcmp(key, "additionalProperties") == 0;
		bool properties = strcmp(key, "properties") == 0;
		if (!known_to_v2(key) || (open && (nested || properties)) ||
		    (typeless && strcmp(key, "type") == 0))
			continue;
		json_set(copy, key,
			 properties ? copy_each(version, value)
			 : nested   ? copy_for(version, value)
				    : json_clone(value));
	}
	return copy;
}

/* What descriptions say of a field that all kinds have. */
static void describe(struct json_object *schema, const char *field)
{
	size_t len;
	const char *text = description_find(schema_def_find("core.v1.Pod"), field, &len);
	CLEANUP(mem_freep) char *copy = text ? mem_dupn(text, len) : NULL;
	json_set_str(schema, "description", copy);
}

static void set_string_type(struct json_object *properties, const char *name)
{
	struct json_object *type = json_object_new_object();
	describe(type, name);
	json_set_str(type, "type", "string");
	json_set(properties, name, type);
}

/* apiVersion, kind and a metadata of META, which definitions leave out or say little of. */
static void set_common(struct json_object *schema, enum openapi_version version, const char *meta)
{
	struct json_object *properties = json_ensure_object(schema, "properties"), *ref = NULL;
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	set_string_type(properties, "apiVersion");
	set_string_type(properties, "kind");
	if (version == OPENAPI_V3)
		buf_str(&text, "{\"allOf\":[");
	openapi_write_ref(&text, version, schema_def_find(meta));
	if (version == OPENAPI_V3)
		buf_str(&text, "]}");
	if (json_parse(text.data, text.len, &ref, NULL, NULL) == 0) {
		describe(ref, "metadata");
		json_set(properties, "metadata", ref);
	}
	json_set_str(schema, "type", "object");
}

static void emit(const struct resource *resource, struct json_object *schema, bool is_list,
		 void (*fn)(const char *name, const struct buf *json, void *arg), void *arg)
{
	CLEANUP(buf_close) struct buf name = BUF_INIT;
	CLEANUP(buf_close) struct buf json = BUF_INIT;
	struct json_object *kind = json_object_new_object(), *kinds = json_object_new_array();
	json_set_str(kind, "group", resource->group);
	json_set_str(kind, "kind", is_list ? resource->list_kind : resource->kind_name);
	json_set_str(kind, "version", resource->version);
	json_object_array_add(kinds, kind);
	json_set(schema, "x-kubernetes-group-version-kind", kinds);
	openapi_write_custom_name(&name, resource, is_list);
	json_write(&json, schema);
	fn(name.data, &json, arg);
}

static struct json_object *list_schema(const struct resource *resource, enum openapi_version version)
{
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	struct openapi_body object = openapi_object_body(resource);
	struct json_object *schema = NULL;
	buf_str(&text, "{\"required\":[\"items\"],\"properties\":{\"items\":{\"type\":\"array\",\"items\":");
	openapi_write_body(&text, version, &object);
	buf_str(&text, "}}}");
	if (json_parse(text.data, text.len, &schema, NULL, NULL) < 0)
		return NULL;
	set_common(schema, version, "meta.v1.ListMeta");
	return schema;
}

void openapi_each_custom(const struct resource *resource, enum openapi_version version,
			 void (*fn)(const char *name, const struct buf *json, void *arg), void *arg)
{
	const struct json_object *definition = resource->custom->definition;
	CLEANUP(json_putp)
	struct json_object *object = definition ? copy_for(version, definition) : json_object_new_object();
	CLEANUP(json_putp) struct json_object *list = list_schema(resource, version);
	set_common(object, version, "meta.v1.ObjectMeta");
	emit(resource, object, false, fn, arg);
	emit(resource, list, true, fn, arg);
}
