/* The making of structural schemas. */
#include "api/structural.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

static const char *const type_names[] = {
	[STRUCTURAL_ANY] = "",
	[STRUCTURAL_OBJECT] = "object",
	[STRUCTURAL_ARRAY] = "array",
	[STRUCTURAL_STRING] = "string",
	[STRUCTURAL_INTEGER] = "integer",
	[STRUCTURAL_NUMBER] = "number",
	[STRUCTURAL_BOOLEAN] = "boolean",
};

const char *structural_type_name(enum structural_type type)
{
	return type_names[type];
}

static enum structural_type parse_type(const char *name)
{
	for (size_t i = 1; i < ARRAY_SIZE(type_names); i++)
		if (strcmp(type_names[i], name) == 0)
			return (enum structural_type)i;
	return STRUCTURAL_ANY;
}

/* --- rules --- */

static void free_list(struct structural_list_of *list)
{
	for (size_t i = 0; i < list->n; i++)
		structural_free(list->items[i]);
	free(list->items);
}

static void free_rules(struct structural_rules *rules)
{
	if (!rules)
		return;
	pattern_free(rules->pattern);
	free(rules->pattern_text);
	free(rules->format);
	json_object_put(rules->values);
	json_object_put(rules->required);
	free_list(&rules->all_of);
	free_list(&rules->any_of);
	free_list(&rules->one_of);
	structural_free(rules->not_);
	free(rules);
}

static int add_list(const struct json_object *schema, const char *key, struct structural_list_of *ret,
		    struct err *err)
{
	const struct json_object *array = json_get(schema, key);
	size_t n = json_len(array);

	if (!n)
		return 0;
	ret->items = mem_zalloc(n * sizeof(*ret->items));
	for (; ret->n < n; ret->n++)
		if (structural_new(json_at(array, ret->n), &ret->items[ret->n], err) < 0)
			return -1;
	return 0;
}

static bool add_number(const struct json_object *schema, const char *key, double *ret)
{
	const struct json_object *value = json_get(schema, key);

	if (value)
		*ret = json_object_get_double(value);
	return value != NULL;
}

static int fill_rules(struct structural_rules *rules, const struct json_object *schema, struct err *err)
{
	const char *pattern = json_str(schema, "pattern");
	const char *format = json_str_or_empty(schema, "format");
	const struct json_object *not_ = json_get(schema, "not");

	rules->has_minimum = add_number(schema, "minimum", &rules->minimum);
	rules->has_maximum = add_number(schema, "maximum", &rules->maximum);
	rules->has_multiple = add_number(schema, "multipleOf", &rules->multiple_of);
	rules->exclusive_minimum = json_boolean(schema, "exclusiveMinimum", false);
	rules->exclusive_maximum = json_boolean(schema, "exclusiveMaximum", false);
	rules->min_length = json_int(schema, "minLength", -1);
	rules->max_length = json_int(schema, "maxLength", -1);
	rules->min_items = json_int(schema, "minItems", -1);
	rules->max_items = json_int(schema, "maxItems", -1);
	rules->min_properties = json_int(schema, "minProperties", -1);
	rules->max_properties = json_int(schema, "maxProperties", -1);
	rules->values = json_clone(json_get(schema, "enum"));
	rules->required = json_clone(json_get(schema, "required"));
	rules->format = *format ? mem_dup(format) : NULL;
	if (pattern && *pattern) {
		rules->pattern_text = mem_dup(pattern);
		if (pattern_parse(pattern, &rules->pattern, err) < 0)
			return -1;
	}
	if (add_list(schema, "allOf", &rules->all_of, err) < 0 ||
	    add_list(schema, "anyOf", &rules->any_of, err) < 0 ||
	    add_list(schema, "oneOf", &rules->one_of, err) < 0)
		return -1;
	return not_ ? structural_new(not_, &rules->not_, err) : 0;
}

static bool has_rules(const struct json_object *schema)
{
	static const char *const keys[] = { "minimum",   "maximum",  "multipleOf",    "minLength",
					    "maxLength", "minItems", "maxItems",      "pattern",
					    "enum",      "required", "minProperties", "maxProperties",
					    "format",    "allOf",    "anyOf",         "oneOf",
					    "not" };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (json_get(schema, keys[i]))
			return true;
	return false;
}

/* --- schemas --- */

void structural_free(struct structural *schema)
{
	if (!schema)
		return;
	for (size_t i = 0; i < schema->n_properties; i++) {
		free(schema->properties[i].name);
		structural_free(schema->properties[i].schema);
	}
	free(schema->properties);
	structural_free(schema->additional);
	structural_free(schema->items);
	json_object_put(schema->list_keys);
	json_object_put(schema->default_);
	free_rules(schema->rules);
	free(schema);
}

static int compare_properties(const void *a, const void *b)
{
	const struct structural_property *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int fill_properties(struct structural *to, const struct json_object *schema, struct err *err)
{
	struct json_object *properties = json_get(schema, "properties");

	if (!properties)
		return 0;
	to->properties =
	    mem_zalloc(((size_t)json_object_object_length(properties) + 1) * sizeof(*to->properties));
	json_object_object_foreach(properties, name, value)
	{
		struct structural_property *property = &to->properties[to->n_properties++];

		property->name = mem_dup(name);
		if (structural_new(value, &property->schema, err) < 0)
			return err_wrap(err, "%s", name);
	}
	if (to->n_properties)
		qsort(to->properties, to->n_properties, sizeof(*to->properties), compare_properties);
	return 0;
}

static int fill_additional(struct structural *to, const struct json_object *schema, struct err *err)
{
	const struct json_object *additional = json_get(schema, "additionalProperties");

	if (!additional)
		return 0;
	if (json_object_is_type(additional, json_type_boolean)) {
		to->additional_allowed = json_object_get_boolean(additional);
		return 0;
	}
	to->additional_allowed = true;
	return structural_new(additional, &to->additional, err);
}

static int fill(struct structural *to, const struct json_object *schema, struct err *err)
{
	const char *list = json_str_or_empty(schema, "x-kubernetes-list-type");
	const struct json_object *items = json_get(schema, "items");

	to->type = parse_type(json_str_or_empty(schema, "type"));
	to->nullable = json_boolean(schema, "nullable", false);
	to->preserve_unknown = json_boolean(schema, "x-kubernetes-preserve-unknown-fields", false);
	to->embedded = json_boolean(schema, "x-kubernetes-embedded-resource", false);
	to->int_or_string = json_boolean(schema, "x-kubernetes-int-or-string", false);
	to->map_atomic = strcmp(json_str_or_empty(schema, "x-kubernetes-map-type"), "atomic") == 0;
	to->list = !strcmp(list, "set")   ? STRUCTURAL_SET
		   : !strcmp(list, "map") ? STRUCTURAL_MAP
					  : STRUCTURAL_ATOMIC;
	to->list_keys = json_clone(json_get(schema, "x-kubernetes-list-map-keys"));
	to->default_ = json_clone(json_get(schema, "default"));
	if (fill_properties(to, schema, err) < 0 || fill_additional(to, schema, err) < 0)
		return -1;
	if (items && structural_new(items, &to->items, err) < 0)
		return -1;
	if (!has_rules(schema))
		return 0;
	to->rules = mem_zalloc(sizeof(*to->rules));
	return fill_rules(to->rules, schema, err);
}

int structural_new(const struct json_object *schema, struct structural **ret, struct err *err)
{
	struct structural *made = mem_zalloc(sizeof(*made));

	if (!schema) {
		made->type = STRUCTURAL_OBJECT;
		made->preserve_unknown = true;
	} else if (fill(made, schema, err) < 0) {
		structural_free(made);
		return -1;
	}
	*ret = made;
	return 0;
}

/* --- looking things up --- */

static const struct structural *find(const struct structural *schema, const char *name, size_t len)
{
	size_t low = 0, high = schema->n_properties;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const char *other = schema->properties[middle].name;
		int order = strncmp(name, other, len);

		if (order == 0 && other[len] == '\0')
			return schema->properties[middle].schema;
		if (order > 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

const struct structural *structural_property(const struct structural *schema, const char *name)
{
	return find(schema, name, strlen(name));
}

const struct structural *structural_at(const struct structural *schema, const char *path)
{
	while (schema && *path) {
		size_t len;

		path += *path == '.';
		len = strcspn(path, ".");
		schema = find(schema, path, len);
		path += len;
	}
	return schema;
}
