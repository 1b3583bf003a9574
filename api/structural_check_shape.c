/* Rules for schemas, second part: whether one is structural. Every field has a type outside of the logic of
 * allOf, anyOf, oneOf and not, which then only limits values.
 * (k8s.io/apiextensions-apiserver pkg/apiserver/schema)
 */
#include <string.h>

#include "api/fault.h"
#include "api/structural.h"
#include "api/structural_check.h"
#include "lib/mem.h"

enum level { LEVEL_ROOT, LEVEL_FIELD, LEVEL_ITEM };

struct shaping {
	struct field_path *path;
	struct field_errors *errors;
};

static bool flag(const struct json_object *schema, const char *key)
{
	return json_boolean(schema, key, false);
}

/* --- under a logic junctor --- */

/* anyOf: [{type: integer}, {type: string}] */
static bool is_int_or_string_pattern(const struct json_object *any_of)
{
	static const char *const types[] = { "integer", "string" };

	if (json_len(any_of) != 2)
		return false;
	for (size_t i = 0; i < 2; i++) {
		const struct json_object *one = json_at(any_of, i);
		if (json_object_object_length(one) != 1 ||
		    strcmp(json_str_or_empty(one, "type"), types[i]) != 0)
			return false;
	}
	return true;
}

static void check_nested(const struct shaping *s, const struct json_object *nested, bool rules);

static void check_nested_list(const struct shaping *s, const struct json_object *schema, const char *key,
			      bool skip_first_any_of, bool rules)
{
	const struct json_object *list = json_get(schema, key);
	size_t mark = field_push(s->path, key);

	for (size_t i = 0; i < json_len(list); i++) {
		const struct json_object *one = json_at(list, i);
		size_t inner = field_push_index(s->path, i);

		/* That of an int-or-string may stand in the first of an allOf as well. */
		if (!(i == 0 && skip_first_any_of && is_int_or_string_pattern(json_get(one, "anyOf")) &&
		      json_object_object_length(one) == 1))
			check_nested(s, one, rules);
		field_pop(s->path, inner);
	}
	field_pop(s->path, mark);
}

static void check_pattern(const struct shaping *s, const struct json_object *schema)
{
	const char *text = json_str_or_empty(schema, "pattern");
	struct pattern *pattern = NULL;
	struct err err = ERR_INIT;

	if (*text && pattern_parse(text, &pattern, &err) < 0) {
		CLEANUP(mem_freep)
		char *detail = mem_printf("must be a valid regular expression, but isn't: %s", err.msg);
		fault_json(s->errors, s->path, "pattern", json_get(schema, "pattern"), detail);
	}
	pattern_free(pattern);
}

/* What limits values, in a schema or under a junctor. RULES in CEL may stand in a schema and under allOf. */
static void check_limits(const struct shaping *s, const struct json_object *schema, bool rules)
{
	bool int_or_string = flag(schema, "x-kubernetes-int-or-string");
	const struct json_object *not_ = json_get(schema, "not");

	if (!(int_or_string && is_int_or_string_pattern(json_get(schema, "anyOf"))))
		check_nested_list(s, schema, "anyOf", false, false);
	check_nested_list(s, schema, "allOf", int_or_string, rules);
	check_nested_list(s, schema, "oneOf", false, false);
	if (not_) {
		size_t mark = field_push(s->path, "not");
		check_nested(s, not_, false);
		field_pop(s->path, mark);
	}
	check_pattern(s, schema);
}

static const struct {
	const char *field, *detail;
} nested_forbidden[] = {
	{ "type", "must be empty to be structural" },
	{ "additionalProperties", "must be undefined to be structural" },
	{ "default", "must be undefined to be structural" },
	{ "title", "must be empty to be structural" },
	{ "description", "must be empty to be structural" },
	{ "nullable", "must be false to be structural" },
	{ "x-kubernetes-preserve-unknown-fields", "must be false to be structural" },
	{ "x-kubernetes-embedded-resource", "must be false to be structural" },
	{ "x-kubernetes-int-or-string", "must be false to be structural" },
	{ "x-kubernetes-list-map-keys", "must be empty to be structural" },
	{ "x-kubernetes-list-type", "must be undefined to be structural" },
	{ "x-kubernetes-map-type", "must be undefined to be structural" },
};

static bool is_false(const struct json_object *value)
{
	return json_object_is_type(value, json_type_boolean) && !json_object_get_boolean(value);
}

static void check_nested(const struct shaping *s, const struct json_object *nested, bool rules)
{
	struct json_object *properties = json_get(nested, "properties");
	const struct json_object *items = json_get(nested, "items");
	size_t mark;

	check_limits(s, nested, rules);
	if (items) {
		mark = field_push(s->path, "items");
		check_nested(s, items, rules);
		field_pop(s->path, mark);
	}
	mark = field_push(s->path, "properties");
	if (properties) {
		json_object_object_foreach(properties, name, value)
		{
			size_t inner = field_push_key(s->path, name);

			check_nested(s, value, rules);
			if (strcmp(name, "metadata") == 0)
				field_error_forbidden(s->errors, s->path,
						      "must not be specified in a nested context");
			field_pop(s->path, inner);
		}
	}
	field_pop(s->path, mark);
	if (!rules && json_len(json_get(nested, "x-kubernetes-validations")))
		fault_forbidden(s->errors, s->path, "x-kubernetes-validations",
				"must be empty to be structural");
	for (size_t i = 0; i < ARRAY_SIZE(nested_forbidden); i++) {
		const struct json_object *value = json_get(nested, nested_forbidden[i].field);
		if (value && !is_false(value))
			fault_forbidden(s->errors, s->path, nested_forbidden[i].field,
					nested_forbidden[i].detail);
	}
}

/* --- what a junctor limits must be there outside of it --- */

struct completing {
	struct field_path *path, *limit; /* of the schema, of what limits it */
	struct field_errors *errors;
};

static void complete_limits(const struct completing *c, const struct json_object *limits,
			    const struct json_object *schema);

/* LIMIT is a schema under a junctor, SCHEMA (or NULL) what stands at its place outside. */
static void complete(const struct completing *c, const struct json_object *limit,
		     const struct json_object *schema)
{
	struct json_object *properties = json_get(limit, "properties");
	const struct json_object *items = json_get(limit, "items");
	size_t mark = c->path->len, limit_mark = c->limit->len;

	if (!schema) {
		CLEANUP(mem_freep) char *detail = mem_printf("because it is defined in %s", c->limit->text);
		field_error_required(c->errors, c->path, detail);
		return;
	}
	complete_limits(c, limit, schema);
	if (items) {
		field_push(c->path, "items");
		field_push(c->limit, "items");
		complete(c, items, json_get(schema, "items"));
		field_pop(c->path, mark);
		field_pop(c->limit, limit_mark);
	}
	if (!properties)
		return;
	json_object_object_foreach(properties, name, value)
	{
		field_push(c->path, "properties");
		field_push_key(c->path, name);
		field_push(c->limit, "properties");
		field_push_key(c->limit, name);
		complete(c, value, json_get(json_get(schema, "properties"), name));
		field_pop(c->path, mark);
		field_pop(c->limit, limit_mark);
	}
}

static void complete_limits(const struct completing *c, const struct json_object *limits,
			    const struct json_object *schema)
{
	static const char *const lists[] = { "allOf", "anyOf", "oneOf" };
	const struct json_object *not_ = json_get(limits, "not");
	size_t mark = c->limit->len;

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		const struct json_object *list = json_get(limits, lists[i]);

		for (size_t k = 0; k < json_len(list); k++) {
			field_push(c->limit, lists[i]);
			field_push_index(c->limit, k);
			complete(c, json_at(list, k), schema);
			field_pop(c->limit, mark);
		}
	}
	if (!not_)
		return;
	field_push(c->limit, "not");
	complete(c, not_, schema);
	field_pop(c->limit, mark);
}

/* --- schemas --- */

static void check_typed(const struct shaping *s, const struct json_object *schema, enum level level)
{
	static const char *const missing[] = {
		[LEVEL_ROOT] = "must not be empty at the root",
		[LEVEL_FIELD] = "must not be empty for specified object fields",
		[LEVEL_ITEM] = "must not be empty for specified array items",
	};
	const char *type = json_str_or_empty(schema, "type");
	bool embedded = flag(schema, "x-kubernetes-embedded-resource");
	bool preserves = flag(schema, "x-kubernetes-preserve-unknown-fields");

	if (embedded && strcmp(type, "object") != 0) {
		static const char detail[] = "must be object if x-kubernetes-embedded-resource is true";
		if (*type)
			fault_json(s->errors, s->path, "type", json_get(schema, "type"), detail);
		else
			fault_required(s->errors, s->path, "type", detail);
	} else if (!*type && !flag(schema, "x-kubernetes-int-or-string") && !preserves) {
		fault_required(s->errors, s->path, "type", missing[level]);
	}
	if (embedded && !preserves && !json_get(schema, "properties"))
		fault_required(s->errors, s->path, "properties",
			       "must not be empty if x-kubernetes-embedded-resource is true without "
			       "x-kubernetes-preserve-unknown-fields");
}

static void check_extensions(const struct shaping *s, const struct json_object *schema)
{
	static const char *const others[] = { "x-kubernetes-preserve-unknown-fields",
					      "x-kubernetes-embedded-resource" };

	if (!flag(schema, "x-kubernetes-int-or-string"))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (flag(schema, others[i]))
			fault_json(s->errors, s->path, others[i], json_get(schema, others[i]),
				   "must be false if x-kubernetes-int-or-string is true");
}

/* Of a whole or embedded object's metadata only its names can be limited. */
static bool limits_names_only(const struct json_object *metadata)
{
	bool only = true;

	json_object_object_foreach((struct json_object *)metadata, key, value)
	{
		if (!strcmp(key, "type") || !strcmp(key, "default"))
			continue;
		if (strcmp(key, "properties") != 0) {
			only = false;
			continue;
		}
		json_object_object_foreach(value, name, property)
		{
			(void)property;
			only &= !strcmp(name, "name") || !strcmp(name, "generateName");
		}
	}
	return only;
}

static void check_meta_fields(const struct shaping *s, const struct json_object *schema)
{
	static const char *const names[] = { "apiVersion", "kind", "metadata" };
	const struct json_object *properties = json_get(schema, "properties");
	size_t mark = field_push(s->path, "properties");

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const struct json_object *property = json_get(properties, names[i]);
		bool metadata = !strcmp(names[i], "metadata");
		size_t inner;

		if (!property)
			continue;
		inner = field_push_key(s->path, names[i]);
		if (strcmp(json_str_or_empty(property, "type"), metadata ? "object" : "string") != 0) {
			CLEANUP(json_putp)
			struct json_object *type =
			    json_object_new_string(json_str_or_empty(property, "type"));
			fault_json(s->errors, s->path, "type", type,
				   metadata ? "must be object" : "must be string");
		}
		if (metadata && !limits_names_only(property))
			field_error_forbidden(s->errors, s->path,
					      "must not specify anything other than name and generateName, "
					      "but metadata is implicitly specified");
		field_pop(s->path, inner);
	}
	field_pop(s->path, mark);
}

static void check_schema(const struct shaping *s, const struct json_object *schema, enum level level);

static void check_schema_at(const struct shaping *s, const struct json_object *schema, const char *key,
			    enum level level)
{
	size_t mark = field_push(s->path, key);

	check_schema(s, json_get(schema, key), level);
	field_pop(s->path, mark);
}

static void check_properties(const struct shaping *s, const struct json_object *schema)
{
	struct json_object *properties = json_get(schema, "properties");
	size_t mark = field_push(s->path, "properties");

	if (properties) {
		json_object_object_foreach(properties, name, value)
		{
			size_t inner = field_push_key(s->path, name);

			check_schema(s, value, LEVEL_FIELD);
			field_pop(s->path, inner);
		}
	}
	field_pop(s->path, mark);
}

static void check_schema(const struct shaping *s, const struct json_object *schema, enum level level)
{
	const struct json_object *additional = json_get(schema, "additionalProperties");
	struct field_path limit = *s->path;
	struct completing completing = { s->path, &limit, s->errors };

	if (json_get(schema, "items"))
		check_schema_at(s, schema, "items", LEVEL_ITEM);
	else if (!strcmp(json_str_or_empty(schema, "type"), "array"))
		fault_required(s->errors, s->path, "items", "must be specified");
	check_properties(s, schema);
	if (additional && level == LEVEL_ROOT)
		fault_forbidden(s->errors, s->path, "additionalProperties", "must not be used at the root");
	if (json_object_is_type(additional, json_type_object))
		check_schema_at(s, schema, "additionalProperties", LEVEL_FIELD);
	check_extensions(s, schema);
	check_limits(s, schema, true);
	check_typed(s, schema, level);
	if (level == LEVEL_ROOT || flag(schema, "x-kubernetes-embedded-resource"))
		check_meta_fields(s, schema);
	complete_limits(&completing, schema, schema);
}

void structural_check_shape(const struct json_object *schema, struct field_path *path,
			    struct field_errors *errors)
{
	struct shaping shaping = { path, errors };

	check_schema(&shaping, schema, LEVEL_ROOT);
}
