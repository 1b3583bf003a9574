#include "api/schema.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "api/schema_seed.h"
#include "lib/json_key.h"
#include "lib/mem.h"

/* Of definitions with no more fields all are looked at before they are searched. */
#define SCANNED_FIELDS 12

const struct schema_texts schema_no_texts;

/* Of all definitions; made once, lives as long as the process. */
static const struct schema_field *_Atomic all_fields;

static struct schema_field field_of(const struct schema_seed *seed)
{
	return (struct schema_field){
		.name = schema_names + seed->name,
		.def = seed->def ? &schema_defs[seed->def - 1] : NULL,
		.texts = seed->texts ? &schema_seed_texts[seed->texts - 1] : NULL,
		.type = seed->type,
		.container = seed->container,
		.list = seed->list,
		.required = seed->required,
		.patch_merge = seed->patch_merge,
		.patch_replace = seed->patch_replace,
		.retain_keys = seed->retain_keys,
		.or_boolean = seed->or_boolean,
		.map_atomic = seed->map_atomic,
		.map_granular = seed->map_granular,
		.zero = seed->zero,
		.wire = seed->wire,
		.wire_outer = seed->wire_outer,
		.wire_zero = seed->wire_zero,
	};
}

static void make_fields(void)
{
	struct schema_field *fields = mem_zalloc(schema_n_seeds * sizeof(*fields));

	for (size_t i = 0; i < schema_n_seeds; i++)
		fields[i] = field_of(&schema_seeds[i]);
	atomic_store_explicit(&all_fields, fields, memory_order_release);
}

const struct schema_field *schema_fields(const struct schema_def *def)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	if (def->own_fields)
		return def->own_fields;
	const struct schema_field *all = atomic_load_explicit(&all_fields, memory_order_acquire);
	if (!all) {
		pthread_once(&once, make_fields);
		all = atomic_load_explicit(&all_fields, memory_order_acquire);
	}
	return all + def->first;
}

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
	const struct schema_field *fields = schema_fields(def);
	size_t low = 0, high = def->n_fields;

	/* Keys of parsed objects mostly are these very names: schema_learn_names(). */
	for (size_t i = 0; high <= SCANNED_FIELDS && i < high; i++)
		if (fields[i].name == name && name[len] == '\0')
			return &fields[i];
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct schema_field *field = &fields[middle];
		/* Mostly the first character tells. */
		int order = len ? (unsigned char)name[0] - (unsigned char)field->name[0] : -1;
		if (order == 0)
			order = strncmp(name, field->name, len);
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
	for (size_t i = 0; i < schema_n_defs; i++) {
		const struct schema_field *fields = schema_fields(&schema_defs[i]);
		for (size_t k = 0; k < schema_defs[i].n_fields; k++)
			json_key_learn(fields[k].name);
	}
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
