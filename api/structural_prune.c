/* What a schema does not know goes, and what is absent gets its default. */
#include <string.h>

#include "api/structural.h"
#include "lib/mem.h"

struct pruning {
	void (*unknown)(const char *path, void *arg);
	void *arg;
	struct field_path path;
};

static bool is_meta_name(const char *name)
{
	return strcmp(name, "apiVersion") == 0 || strcmp(name, "kind") == 0 || strcmp(name, "metadata") == 0;
}

/* SCHEMA NULL: nothing is known. */
static void prune(struct pruning *p, const struct structural *schema, struct json_object *value, bool whole);

static void prune_items(struct pruning *p, const struct structural *items, struct json_object *array)
{
	for (size_t i = 0; i < json_len(array); i++) {
		size_t mark = field_push_index(&p->path, i);

		prune(p, items, json_at(array, i), false);
		field_pop(&p->path, mark);
	}
}

/* True when the member is to go. */
static bool prune_member(struct pruning *p, const struct structural *schema, const char *name,
			 struct json_object *value, bool whole)
{
	const struct structural *property = schema ? structural_property(schema, name) : NULL;

	if (whole && is_meta_name(name))
		return false;
	if (property)
		prune(p, property, value, false);
	else if (schema && schema->additional)
		prune(p, schema->additional, value, false);
	else
		return !schema || !(schema->additional_allowed || schema->preserve_unknown);
	return false;
}

static void prune(struct pruning *p, const struct structural *schema, struct json_object *value, bool whole)
{
	whole |= schema && schema->embedded;
	if (json_object_is_type(value, json_type_array)) {
		/* What is kept whole has nothing below that is known. */
		if (!schema || schema->items || !schema->preserve_unknown)
			prune_items(p, schema ? schema->items : NULL, value);
		return;
	}
	if (!json_object_is_type(value, json_type_object))
		return;
	json_object_object_foreach(value, name, member)
	{
		size_t mark = field_push(&p->path, name);

		if (prune_member(p, schema, name, member, whole)) {
			if (p->unknown)
				p->unknown(p->path.text, p->arg);
			json_object_object_del(value, name);
		}
		field_pop(&p->path, mark);
	}
}

void structural_prune(const struct structural *schema, struct json_object *obj, bool root,
		      void (*unknown)(const char *path, void *arg), void *arg)
{
	struct pruning pruning = { .unknown = unknown, .arg = arg };

	field_path_init(&pruning.path, "");
	prune(&pruning, schema, obj, root);
}

/* --- defaults --- */

static void default_property(struct json_object *obj, const struct structural_property *property)
{
	const struct structural *schema = property->schema;
	struct json_object *value = NULL;
	bool there = json_object_object_get_ex(obj, property->name, &value);

	if (value) {
		structural_default(schema, value);
		return;
	}
	if (there && schema->nullable)
		return;
	if (schema->default_)
		json_set(obj, property->name, json_clone(schema->default_));
	else if (there)
		json_object_object_del(obj, property->name);
	/* A default may leave room for those below it. */
	structural_default(schema, json_get(obj, property->name));
}

static void default_additional(const struct structural *schema, struct json_object *obj)
{
	const struct structural *additional = schema->additional;

	json_object_object_foreach(obj, name, value)
	{
		if (structural_property(schema, name))
			continue;
		if (value)
			structural_default(additional, value);
		else if (additional->default_ && !additional->nullable)
			json_set(obj, name, json_clone(additional->default_));
		else if (!additional->nullable)
			json_object_object_del(obj, name);
	}
}

void structural_default(const struct structural *schema, struct json_object *obj)
{
	if (json_object_is_type(obj, json_type_object)) {
		for (size_t i = 0; i < schema->n_properties; i++)
			default_property(obj, &schema->properties[i]);
		if (schema->additional)
			default_additional(schema, obj);
	} else if (json_object_is_type(obj, json_type_array) && schema->items) {
		for (size_t i = 0; i < json_len(obj); i++)
			if (json_at(obj, i))
				structural_default(schema->items, json_at(obj, i));
			else if (schema->items->default_ && !schema->items->nullable)
				json_object_array_put_idx(obj, i, json_clone(schema->items->default_));
	}
}
