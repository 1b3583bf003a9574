/* Rules for schemas, first part: what a CustomResourceDefinition may say at all. The order is that of
 * Kubernetes: this, then whether the schema is structural, then its defaults.
 * (k8s.io/apiextensions-apiserver pkg/apis/apiextensions/validation)
 */
#include "api/structural_check.h"

#include <string.h>

#include "api/fault.h"
#include "api/structural.h"
#include "lib/mem.h"

#define SCHEMAS_MAX 50000 /* of one version: what they take in memory is bounded by it */

struct checking {
	struct field_path *path;
	struct field_errors *errors;
	size_t n_schemas;
};

static void forbid(struct checking *c, const char *key, const char *detail)
{
	fault_forbidden(c->errors, c->path, key, detail);
}

static void require(struct checking *c, const char *key, const char *detail)
{
	fault_required(c->errors, c->path, key, detail);
}

static void refuse(struct checking *c, const char *key, const struct json_object *value, const char *detail)
{
	fault_json(c->errors, c->path, key, value, detail);
}

/* --- single fields --- */

static const struct {
	const char *field, *detail;
} unsupported[] = {
	{ "id", "id is not supported" },
	{ "additionalItems", "additionalItems is not supported" },
	{ "patternProperties", "patternProperties is not supported" },
	{ "definitions", "definitions is not supported" },
	{ "dependencies", "dependencies is not supported" },
	{ "$ref", "$ref is not supported" },
};

static void check_type(struct checking *c, const struct json_object *schema)
{
	static const char *const types[] = {
		"array", "boolean", "integer", "number", "object", "string", NULL
	};
	const char *type = json_str_or_empty(schema, "type");
	size_t mark = field_push(c->path, "type");
	bool known = !*type;

	for (size_t i = 0; types[i] && !known; i++)
		known = strcmp(types[i], type) == 0;
	if (strcmp(type, "null") == 0)
		field_error_forbidden(c->errors, c->path,
				      "type cannot be set to null, use nullable as an alternative");
	else if (!known)
		field_error_not_supported(c->errors, c->path, type, types);
	field_pop(c->path, mark);
}

static void check_fields(struct checking *c, const struct json_object *schema)
{
	const struct json_object *preserve = json_get(schema, "x-kubernetes-preserve-unknown-fields");

	if (json_boolean(schema, "uniqueItems", false))
		forbid(c, "uniqueItems",
		       "uniqueItems cannot be set to true since the runtime complexity becomes quadratic");
	for (size_t i = 0; i < ARRAY_SIZE(unsupported); i++)
		if (json_get(schema, unsupported[i].field))
			forbid(c, unsupported[i].field, unsupported[i].detail);
	if (json_object_is_type(json_get(schema, "items"), json_type_array))
		forbid(c, "items", "items must be a schema object and not an array");
	check_type(c, schema);
	if (preserve && !json_object_get_boolean(preserve))
		refuse(c, "x-kubernetes-preserve-unknown-fields", preserve, "must be true or undefined");
	structural_check_rule_texts(schema, c->path, c->errors);
}

/* --- lists and maps --- */

/* FIELD goes with TYPE only. False when it does not have it. */
static bool goes_with(struct checking *c, const struct json_object *schema, const char *type,
		      const char *detail)
{
	const char *given = json_str_or_empty(schema, "type");

	if (strcmp(given, type) == 0)
		return true;
	if (!*given)
		require(c, "type", detail);
	else
		refuse(c, "type", json_get(schema, "type"), detail);
	return false;
}

static void check_map_type(struct checking *c, const struct json_object *schema)
{
	static const char *const types[] = { "atomic", "granular", NULL };
	const char *type = json_str(schema, "x-kubernetes-map-type");

	if (!type)
		return;
	goes_with(c, schema, "object", "must be object if x-kubernetes-map-type is specified");
	if (strcmp(type, "atomic") != 0 && strcmp(type, "granular") != 0)
		fault_not_supported(c->errors, c->path, "x-kubernetes-map-type", type, types);
}

static bool has_string(const struct json_object *array, size_t n, const char *text)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(json_object_get_string(json_at(array, i)), text) == 0)
			return true;
	return false;
}

/* One of the keys by which items of a list are told apart. */
static void check_key(struct checking *c, const struct json_object *schema, const char *key)
{
	const struct json_object *items = json_get(schema, "items");
	const struct json_object *required = json_get(items, "required");
	const struct json_object *property = json_get(json_get(items, "properties"), key);
	const char *type = json_str_or_empty(property, "type");
	size_t mark = c->path->len;

	if (!property) {
		refuse(c, "x-kubernetes-list-map-keys", json_get(schema, "x-kubernetes-list-map-keys"),
		       "entries must all be names of item properties");
		return;
	}
	field_push(c->path, "items");
	field_push(c->path, "properties");
	field_push_key(c->path, key);
	if (!strcmp(type, "array") || !strcmp(type, "object"))
		refuse(c, "type", json_get(items, "type"),
		       "must be a scalar type if parent array's x-kubernetes-list-type is map");
	if (!has_string(required, json_len(required), key) && !json_get(property, "default"))
		require(c, "default",
			"this property is in x-kubernetes-list-map-keys, so it must have a default or be a "
			"required property");
	if (json_boolean(property, "nullable", false))
		forbid(c, "nullable",
		       "this property is in x-kubernetes-list-map-keys, so it cannot be nullable");
	field_pop(c->path, mark);
}

static void check_list_map(struct checking *c, const struct json_object *schema)
{
	const struct json_object *items = json_get(schema, "items");
	const struct json_object *keys = json_get(schema, "x-kubernetes-list-map-keys");
	const char *type = json_str_or_empty(items, "type");

	if (!json_len(keys))
		require(c, "x-kubernetes-list-map-keys",
			"must not be empty if x-kubernetes-list-type is map");
	if (!items) {
		require(c, "items", "must have a schema if x-kubernetes-list-type is map");
		return;
	}
	if (strcmp(type, "object") != 0) {
		size_t mark = field_push(c->path, "items");
		CLEANUP(json_putp) struct json_object *given = json_object_new_string(type);
		refuse(c, "type", given, "must be object if parent array's x-kubernetes-list-type is map");
		field_pop(c->path, mark);
		return;
	}
	for (size_t i = 0; i < json_len(keys); i++) {
		const char *key = json_object_get_string(json_at(keys, i));
		check_key(c, schema, key);
		if (has_string(keys, i, key))
			refuse(c, "x-kubernetes-list-map-keys", keys, "must not contain duplicate entries");
	}
}

static void check_list_set(struct checking *c, const struct json_object *schema)
{
	static const struct {
		const char *type, *field;
	} nested[] = { { "object", "x-kubernetes-map-type" }, { "array", "x-kubernetes-list-type" } };
	const struct json_object *items = json_get(schema, "items");
	size_t mark = field_push(c->path, "items");

	for (size_t i = 0; i < ARRAY_SIZE(nested); i++)
		if (!strcmp(json_str_or_empty(items, "type"), nested[i].type) &&
		    strcmp(json_str_or_empty(items, nested[i].field), "atomic") != 0)
			forbid(c, nested[i].field,
			       "must be atomic as item of a list with x-kubernetes-list-type=set");
	field_pop(c->path, mark);
}

static void check_list_type(struct checking *c, const struct json_object *schema)
{
	static const char *const types[] = { "atomic", "map", "set", NULL };
	const char *type = json_str(schema, "x-kubernetes-list-type");
	bool is_map = type && strcmp(type, "map") == 0, is_set = type && strcmp(type, "set") == 0;

	if (type && goes_with(c, schema, "array", "must be array if x-kubernetes-list-type is specified") &&
	    strcmp(type, "atomic") != 0 && !is_map && !is_set)
		fault_not_supported(c->errors, c->path, "x-kubernetes-list-type", type, types);
	if (json_len(json_get(schema, "x-kubernetes-list-map-keys")) && !is_map) {
		if (type)
			refuse(c, "x-kubernetes-list-type", json_get(schema, "x-kubernetes-list-type"),
			       "must be map if x-kubernetes-list-map-keys is non-empty");
		else
			require(c, "x-kubernetes-list-type",
				"must be map if x-kubernetes-list-map-keys is non-empty");
	}
	if (is_map)
		check_list_map(c, schema);
	if (is_set)
		check_list_set(c, schema);
	if ((is_map || is_set) && json_boolean(json_get(schema, "items"), "nullable", false)) {
		size_t mark = field_push(c->path, "items");
		forbid(c, "nullable",
		       is_map ? "cannot be nullable when x-kubernetes-list-type is map"
			      : "cannot be nullable when x-kubernetes-list-type is set");
		field_pop(c->path, mark);
	}
}

/* --- the walk --- */

static void walk(struct checking *c, const struct json_object *schema);

static void walk_at(struct checking *c, const struct json_object *schema, const char *key)
{
	const struct json_object *below = json_get(schema, key);
	size_t mark = field_push(c->path, key);

	if (json_object_is_type(below, json_type_object))
		walk(c, below);
	for (size_t i = 0; i < json_len(below); i++) {
		size_t inner = field_push_index(c->path, i);
		walk(c, json_at(below, i));
		field_pop(c->path, inner);
	}
	field_pop(c->path, mark);
}

static void walk_properties(struct checking *c, const struct json_object *schema)
{
	struct json_object *properties = json_get(schema, "properties");
	size_t mark = field_push(c->path, "properties");

	if (properties) {
		json_object_object_foreach(properties, name, value)
		{
			size_t inner = field_push_key(c->path, name);
			walk(c, value);
			field_pop(c->path, inner);
		}
	}
	field_pop(c->path, mark);
}

static void walk(struct checking *c, const struct json_object *schema)
{
	static const char *const below[] = { "not", "allOf", "anyOf", "oneOf", "items" };
	const struct json_object *additional = json_get(schema, "additionalProperties");
	struct json_object *properties = json_get(schema, "properties");

	if (++c->n_schemas > SCHEMAS_MAX)
		return;
	check_fields(c, schema);
	if (additional && properties && json_object_object_length(properties) &&
	    !(json_object_is_type(additional, json_type_boolean) && json_object_get_boolean(additional)))
		forbid(c, "additionalProperties", "additionalProperties and properties are mutual exclusive");
	if (json_object_is_type(additional, json_type_object))
		walk_at(c, schema, "additionalProperties");
	walk_properties(c, schema);
	for (size_t i = 0; i < ARRAY_SIZE(below); i++)
		walk_at(c, schema, below[i]);
	check_map_type(c, schema);
	check_list_type(c, schema);
}

/* --- the root --- */

/* With a status subresource the schema of status is taken out of the properties: what else stands at the root
 * would not hold for it. */
static void check_root(struct checking *c, const struct json_object *schema)
{
	static const char *const allowed[] = { "description",
					       "type",
					       "format",
					       "title",
					       "maximum",
					       "exclusiveMaximum",
					       "minimum",
					       "exclusiveMinimum",
					       "maxLength",
					       "minLength",
					       "pattern",
					       "maxItems",
					       "minItems",
					       "uniqueItems",
					       "multipleOf",
					       "required",
					       "items",
					       "properties",
					       "externalDocs",
					       "example",
					       "x-kubernetes-preserve-unknown-fields",
					       "x-kubernetes-validations" };

	if (strcmp(json_str_or_empty(schema, "type"), "object") != 0) {
		CLEANUP(json_putp)
		struct json_object *type = json_object_new_string(json_str_or_empty(schema, "type"));
		refuse(c, "type", type,
		       "only \"object\" is allowed as the type at the root of the schema if the status "
		       "subresource is enabled");
	}
	json_object_object_foreach((struct json_object *)schema, name, value)
	{
		bool fine = !value;

		for (size_t i = 0; i < ARRAY_SIZE(allowed) && !fine; i++)
			fine = strcmp(allowed[i], name) == 0;
		if (fine)
			continue;
		field_error_add(c->errors, FIELD_INVALID, c->path, schema,
				"only [Description Type Format Title Maximum ExclusiveMaximum Minimum "
				"ExclusiveMinimum MaxLength MinLength Pattern MaxItems MinItems UniqueItems "
				"MultipleOf Required Items Properties ExternalDocs Example "
				"XPreserveUnknownFields XValidations] fields are allowed at the root of the "
				"schema if the status subresource is enabled");
		break;
	}
}

void structural_check(const struct json_object *schema, bool status, struct field_path *path,
		      struct field_errors *errors)
{
	struct checking checking = { .path = path, .errors = errors };
	size_t before = errors->n;

	if (status)
		check_root(&checking, schema);
	if (json_boolean(schema, "nullable", false))
		forbid(&checking, "nullable", "nullable cannot be true at the root");
	walk(&checking, schema);
	if (checking.n_schemas > SCHEMAS_MAX) {
		field_error_add(errors, FIELD_FORBIDDEN, path, NULL, "must not have more than %d schemas",
				SCHEMAS_MAX);
		return;
	}
	structural_check_shape(schema, path, errors);
	if (errors->n == before)
		structural_check_rules(schema, path, errors);
	if (errors->n == before)
		structural_check_defaults(schema, path, errors);
}
