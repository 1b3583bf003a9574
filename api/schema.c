#include "api/schema.h"

#include <stdio.h>
#include <string.h>

#include "lib/json_key.h"

const struct schema_texts schema_no_texts;

const struct schema_def *schema_def_find(const char *name)
{
	size_t low = 0, high = schema_n_defs;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(name, schema_defs[middle].name);
		if (order == 0)
			return &schema_defs[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

const struct schema_field *schema_field_find(const struct schema_def *def, const char *name, size_t len)
{
	size_t low = 0, high = def->n_fields;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct schema_field *field = &def->fields[middle];
		int order = strncmp(name, field->name, len);
		if (order == 0)
			order = field->name[len] == '\0' ? 0 : -1;
		if (order == 0)
			return field;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

void schema_learn_names(void)
{
	for (size_t i = 0; i < schema_n_defs; i++)
		for (size_t k = 0; k < schema_defs[i].n_fields; k++)
			json_key_learn(schema_defs[i].fields[k].name);
}

const char *schema_def_short_name(const struct schema_def *def)
{
	const char *dot = strrchr(def->name, '.');

	return dot == NULL ? def->name : dot + 1;
}

const char *schema_def_go_name(const struct schema_def *def)
{
	const char *name = schema_def_short_name(def);

	if (name > def->name)
		name--; /* the dot */
	while (name > def->name && name[-1] != '.')
		name--;
	return name;
}

const char *schema_explain_type(const struct schema_field *field, char *buf, size_t size)
{
	static const char *const names[] = {
		[SCHEMA_STRING] = "string",     [SCHEMA_BYTES] = "string",
		[SCHEMA_BOOLEAN] = "boolean",   [SCHEMA_INT32] = "integer",
		[SCHEMA_INT64] = "integer",     [SCHEMA_DOUBLE] = "number",
		[SCHEMA_TIME] = "string",       [SCHEMA_MICRO_TIME] = "string",
		[SCHEMA_QUANTITY] = "Quantity", [SCHEMA_INT_OR_STRING] = "IntOrString",
		[SCHEMA_OBJECT] = "Object",     [SCHEMA_ANY] = "Object",
	};
	static const char *const containers[] = {
		[SCHEMA_SINGLE] = "",
		[SCHEMA_ARRAY] = "[]",
		[SCHEMA_MAP] = "map[string]",
		[SCHEMA_MAP_OF_ARRAY] = "map[string][]",
	};

	snprintf(buf, size, "<%s%s>", containers[field->container],
		 field->def ? schema_def_short_name(field->def) : names[field->type]);
	return buf;
}
