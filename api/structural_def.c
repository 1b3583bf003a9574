#include "api/structural_def.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

static const struct schema_def *object_meta(void)
{
	return schema_def_find("meta.v1.ObjectMeta");
}

void structural_def_free(struct schema_def *def)
{
	if (!def)
		return;
	for (size_t i = 0; i < def->n_fields; i++) {
		const struct schema_field *field = &def->own_fields[i];

		free((char *)field->name);
		free((char *)schema_texts(field)->list_map_keys);
		free((char *)schema_texts(field)->default_value);
		free((void *)(uintptr_t)field->texts);
		if (field->def != object_meta())
			structural_def_free((struct schema_def *)(uintptr_t)field->def);
	}
	free((char *)def->name);
	free((void *)(uintptr_t)def->own_fields);
	free(def);
}

static bool is_struct(const struct structural *schema)
{
	return schema->type == STRUCTURAL_OBJECT && schema->n_properties > 0;
}

static bool is_map(const struct structural *schema)
{
	return schema->type == STRUCTURAL_OBJECT && !schema->n_properties && schema->additional;
}

/* Of a single value, or of the elements of a container. What has no place in the tables is any value. */
static void set_type(struct schema_field *field, const struct structural *schema, const char *name)
{
	static const uint8_t types[] = {
		[STRUCTURAL_ANY] = SCHEMA_ANY,         [STRUCTURAL_OBJECT] = SCHEMA_ANY,
		[STRUCTURAL_ARRAY] = SCHEMA_ANY,       [STRUCTURAL_STRING] = SCHEMA_STRING,
		[STRUCTURAL_INTEGER] = SCHEMA_INT64,   [STRUCTURAL_NUMBER] = SCHEMA_DOUBLE,
		[STRUCTURAL_BOOLEAN] = SCHEMA_BOOLEAN,
	};

	field->type = schema->int_or_string ? SCHEMA_INT_OR_STRING : types[schema->type];
	if (!is_struct(schema))
		return;
	field->type = SCHEMA_OBJECT;
	field->def = structural_def_new(schema, name);
}

static char *join_keys(const struct json_object *keys)
{
	struct buf text = BUF_INIT;

	for (size_t i = 0; i < json_len(keys); i++) {
		buf_str(&text, i ? "," : "");
		buf_str(&text, json_object_get_string(json_at(keys, i)));
	}
	return buf_take(&text);
}

static struct schema_texts *own_texts(struct schema_field *field)
{
	if (!field->texts)
		field->texts = mem_zalloc(sizeof(*field->texts));
	return (struct schema_texts *)(uintptr_t)field->texts;
}

static void set_list(struct schema_field *field, const struct structural *schema, const char *name)
{
	static const uint8_t lists[] = {
		[STRUCTURAL_ATOMIC] = SCHEMA_LIST_ATOMIC,
		[STRUCTURAL_SET] = SCHEMA_LIST_SET,
		[STRUCTURAL_MAP] = SCHEMA_LIST_MAP,
	};

	field->container = SCHEMA_ARRAY;
	field->list = lists[schema->list];
	if (schema->list == STRUCTURAL_MAP)
		own_texts(field)->list_map_keys = join_keys(schema->list_keys);
	set_type(field, schema->items, name);
}

static void set_field(struct schema_field *field, const struct structural *schema, const char *name)
{
	field->map_atomic = schema->map_atomic;
	if (schema->type == STRUCTURAL_ARRAY && schema->items) {
		set_list(field, schema, name);
	} else if (is_map(schema) && schema->additional->type == STRUCTURAL_ARRAY &&
		   schema->additional->items) {
		field->container = SCHEMA_MAP_OF_ARRAY;
		set_type(field, schema->additional->items, name);
	} else if (is_map(schema)) {
		field->container = SCHEMA_MAP;
		set_type(field, schema->additional, name);
	} else {
		set_type(field, schema, name);
	}
}

static int compare_fields(const void *a, const void *b)
{
	const struct schema_field *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static bool is_required(const struct structural *schema, const char *name)
{
	const struct json_object *required = schema->rules ? schema->rules->required : NULL;

	for (size_t i = 0; i < json_len(required); i++)
		if (strcmp(json_object_get_string(json_at(required, i)), name) == 0)
			return true;
	return false;
}

static char *default_text(const struct structural *schema)
{
	struct buf text = BUF_INIT;

	json_write(&text, schema->default_);
	return buf_take(&text);
}

struct schema_def *structural_def_new(const struct structural *schema, const char *name)
{
	struct schema_def *def = mem_zalloc(sizeof(*def));
	struct schema_field *fields = mem_zalloc((schema->n_properties + 1) * sizeof(*fields));

	def->name = mem_dup(name);
	def->atomic = schema->map_atomic;
	def->keeps_unknown = schema->preserve_unknown || schema->additional_allowed;
	for (size_t i = 0; i < schema->n_properties; i++) {
		const struct structural_property *property = &schema->properties[i];
		struct schema_field *field = &fields[def->n_fields++];
		CLEANUP(mem_freep) char *below = mem_printf("%s.%s", name, property->name);

		field->name = mem_dup(property->name);
		field->required = is_required(schema, property->name);
		if (property->schema->default_)
			own_texts(field)->default_value = default_text(property->schema);
		set_field(field, property->schema, below);
	}
	qsort(fields, def->n_fields, sizeof(*fields), compare_fields);
	def->own_fields = fields;
	return def;
}

struct schema_def *structural_def_of_object(const struct structural *schema, const char *name)
{
	static const char *const meta[] = { "apiVersion", "kind", "metadata" };
	struct schema_def *def = structural_def_new(schema, name);
	struct schema_field *fields = (struct schema_field *)(uintptr_t)def->own_fields;

	fields = mem_realloc_array(fields, def->n_fields + ARRAY_SIZE(meta), sizeof(*fields));
	for (size_t i = 0; i < ARRAY_SIZE(meta); i++) {
		struct schema_field *field = NULL;

		for (size_t k = 0; k < def->n_fields && !field; k++)
			if (strcmp(fields[k].name, meta[i]) == 0)
				field = &fields[k];
		if (!field) {
			field = &fields[def->n_fields++];
			*field = (struct schema_field){ .name = mem_dup(meta[i]) };
		}
		if (strcmp(meta[i], "metadata") != 0)
			continue;
		structural_def_free((struct schema_def *)(uintptr_t)field->def);
		field->type = SCHEMA_OBJECT;
		field->def = object_meta();
	}
	qsort(fields, def->n_fields, sizeof(*fields), compare_fields);
	def->own_fields = fields;
	return def;
}
