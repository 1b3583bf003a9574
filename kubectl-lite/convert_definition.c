#include <string.h>

#include "kubectl-lite/convert_rules.h"

/* The only version was named, not listed. */
static struct json_object *list_versions(struct json_object *spec, struct buf *notes)
{
	const char *version = json_str(spec, "version");
	struct json_object *versions = json_ensure_array(spec, "versions");

	if (json_len(versions) == 0 && version && json_object_is_type(versions, json_type_array)) {
		struct json_object *one = json_object_new_object();
		json_set_str(one, "name", version);
		json_set_bool(one, "served", true);
		json_set_bool(one, "storage", true);
		json_object_array_add(versions, one);
	}
	if (version)
		buf_str(notes, "spec.version: is in the list spec.versions\n");
	json_object_object_del(spec, "version");
	return versions;
}

/* What all versions shared, each has by itself today. */
static void hand_down(struct json_object *version, const char *member, struct json_object *shared)
{
	if (shared && !json_get(version, member))
		json_set(version, member, json_clone(shared));
}

static void convert_columns(struct json_object *version)
{
	const struct json_object *columns = json_get(version, "additionalPrinterColumns");

	for (size_t i = 0; i < json_len(columns); i++) {
		struct json_object *column = convert_item(columns, i), *path = json_get(column, "JSONPath");
		if (!path)
			continue;
		json_set(column, "jsonPath", json_object_get(path));
		json_object_object_del(column, "JSONPath");
	}
}

static void convert_version(struct json_object *version, struct json_object *spec, bool prunes,
			    struct buf *notes)
{
	hand_down(version, "schema", json_get(spec, "validation"));
	hand_down(version, "subresources", json_get(spec, "subresources"));
	hand_down(version, "additionalPrinterColumns", json_get(spec, "additionalPrinterColumns"));
	convert_columns(version);
	struct json_object *schema =
	    json_ensure_object(json_ensure_object(version, "schema"), "openAPIV3Schema");
	if (!json_get(schema, "type"))
		json_set_str(schema, "type", "object");
	if (prunes || json_get(schema, "x-kubernetes-preserve-unknown-fields"))
		return;
	json_set_bool(schema, "x-kubernetes-preserve-unknown-fields", true);
	buf_printf(notes, "spec.versions[%s].schema: keeps fields it does not know, as was the default\n",
		   json_str_or_empty(version, "name"));
}

void convert_definition(struct json_object *obj, struct buf *notes)
{
	static const char *const shared[] = { "validation", "subresources", "additionalPrinterColumns",
					      "preserveUnknownFields" };
	struct json_object *spec = json_ensure_object(obj, "spec");
	const struct json_object *versions = list_versions(spec, notes);
	bool prunes = !json_boolean(spec, "preserveUnknownFields", true);

	for (size_t i = 0; i < json_len(versions); i++)
		if (convert_item(versions, i))
			convert_version(json_at(versions, i), spec, prunes, notes);
	for (size_t i = 0; i < ARRAY_SIZE(shared); i++) {
		if (json_get(spec, shared[i]))
			buf_printf(notes, "spec.%s: is said for each version\n", shared[i]);
		json_object_object_del(spec, shared[i]);
	}
	if (!json_get(spec, "scope")) {
		json_set_str(spec, "scope", "Namespaced");
		buf_str(notes, "spec.scope: set to Namespaced, which was the default\n");
	}
}
