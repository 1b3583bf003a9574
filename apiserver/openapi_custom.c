#include "apiserver/openapi_custom.h"

#include <string.h>

#include "api/custom.h"
#include "lib/mem.h"

#define API_VERSION "Version of the API that the object is given in: group and version."
#define KIND        "Kind of the object, as its API version names it."
#define METADATA    "What every object has: its name, labels, owners and history."

static void put_text(struct json_object *properties, const char *name, const char *description)
{
	struct json_object *property = json_ensure_object(properties, name);

	json_set_str(property, "description", description);
	json_set_str(property, "type", "string");
}

/* OBJ refers to DEF. */
static void put_ref(struct json_object *obj, const char *key, const char *def)
{
	CLEANUP(buf_close) struct buf ref = BUF_INIT;
	struct json_object *parsed = NULL;

	openapi_write_ref(&ref, OPENAPI_V3, schema_def_find(def));
	if (json_parse(ref.data, ref.len, &parsed, NULL, NULL) == 0)
		json_set(obj, key, parsed);
}

static void put_metadata(struct json_object *properties, const char *def)
{
	struct json_object *property = json_object_new_object(), *all = json_object_new_array();
	struct json_object *one = json_object_new_object();

	put_ref(one, "ref", def);
	json_object_array_add(all, json_object_get(json_get(one, "ref")));
	json_object_put(one);
	json_set_str(property, "description", METADATA);
	json_set(property, "allOf", all);
	json_set(properties, "metadata", property);
}

static void mark_kind(struct json_object *schema, const struct resource *resource, const char *kind)
{
	struct json_object *mark = json_object_new_object(), *marks = json_object_new_array();

	json_set_str(mark, "group", resource->group);
	json_set_str(mark, "kind", kind);
	json_set_str(mark, "version", resource->version);
	json_object_array_add(marks, mark);
	json_set(schema, "x-kubernetes-group-version-kind", marks);
}

/* An object's schema, with its own fields in PROPERTIES already. */
static struct json_object *schema_of(const struct resource *resource, enum openapi_version version)
{
	struct json_object *schema = json_object_new_object(), *properties;

	if (version == OPENAPI_V3 && resource->custom->definition) {
		json_object_put(schema);
		schema = json_clone(resource->custom->definition);
	}
	json_set_str(schema, "type", "object");
	mark_kind(schema, resource, resource->kind_name);
	if (version == OPENAPI_V2) {
		json_set_bool(schema, "x-kubernetes-preserve-unknown-fields", true);
		return schema;
	}
	properties = json_ensure_object(schema, "properties");
	put_text(properties, "apiVersion", API_VERSION);
	put_text(properties, "kind", KIND);
	put_metadata(properties, "meta.v1.ObjectMeta");
	return schema;
}

static struct json_object *list_schema(const struct resource *resource)
{
	struct json_object *schema = json_object_new_object(),
			   *properties = json_ensure_object(schema, "properties");
	struct json_object *items = json_ensure_object(properties, "items");
	struct json_object *required = json_object_new_array();
	CLEANUP(buf_close) struct buf ref = BUF_INIT;

	json_set_str(schema, "type", "object");
	json_object_array_add(required, json_object_new_string("items"));
	json_set(schema, "required", required);
	put_text(properties, "apiVersion", API_VERSION);
	put_text(properties, "kind", KIND);
	put_metadata(properties, "meta.v1.ListMeta");
	json_set_str(items, "type", "array");
	buf_str(&ref, "#/components/schemas/");
	openapi_write_custom_name(&ref, resource, false);
	json_set_str(json_ensure_object(items, "items"), "$ref", ref.data);
	mark_kind(schema, resource, resource->list_kind);
	return schema;
}

static void tell(const char *name, struct json_object *schema,
		 void (*fn)(const char *name, const struct buf *json, void *arg), void *arg)
{
	CLEANUP(buf_close) struct buf json = BUF_INIT;

	json_write(&json, schema);
	fn(name, &json, arg);
	json_object_put(schema);
}

void openapi_each_custom(const struct resource *resource, enum openapi_version version,
			 void (*fn)(const char *name, const struct buf *json, void *arg), void *arg)
{
	CLEANUP(buf_close) struct buf name = BUF_INIT, list = BUF_INIT;

	openapi_write_custom_name(&name, resource, false);
	openapi_write_custom_name(&list, resource, true);
	tell(name.data, schema_of(resource, version), fn, arg);
	if (version == OPENAPI_V3)
		tell(list.data, list_schema(resource), fn, arg);
}
