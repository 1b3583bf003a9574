/* Rules for schemas, last part: defaults are values that their schema allows. */
#include <string.h>

#include "api/custom_rules.h"
#include "api/fault.h"
#include "api/structural.h"
#include "api/structural_check.h"
#include "lib/mem.h"

static void note_unknown(const char *path, void *arg)
{
	(void)path;
	*(bool *)arg = true;
}

static void check_default_by_rules(const struct structural *compiled, const struct json_object *schema,
				   const struct json_object *value, struct field_path *path,
				   struct field_errors *errors)
{
	struct custom_rules *rules = custom_rules_new(schema, compiled, false);

	if (rules)
		custom_rules_validate(rules, value, NULL, path, errors);
	custom_rules_free(rules);
}

static void check_default(const struct structural *compiled, const struct json_object *schema,
			  struct field_path *path, struct field_errors *errors)
{
	const struct json_object *value = json_get(schema, "default");
	CLEANUP(json_putp) struct json_object *copy = json_clone(value);
	size_t mark = field_push(path, "default"), before = errors->n;
	bool unknown = false;

	structural_prune(compiled, copy, false, note_unknown, &unknown);
	if (unknown)
		field_error_add(errors, FIELD_INVALID, path, value, "must be pruned");
	structural_default(compiled, copy);
	structural_validate(compiled, copy, NULL, path, errors);
	if (errors->n == before)
		structural_validate_lists(compiled, copy, path, errors);
	if (errors->n == before)
		check_default_by_rules(compiled, schema, copy, path, errors);
	field_pop(path, mark);
}

/* COMPILED is SCHEMA's. */
static void check_defaults(const struct structural *compiled, const struct json_object *schema, bool metadata,
			   struct field_path *path, struct field_errors *errors)
{
	struct json_object *properties = json_get(schema, "properties");
	size_t mark = path->len;

	if (metadata && json_get(schema, "default"))
		fault_forbidden(errors, path, "default", "must not be set inside metadata");
	else if (json_get(schema, "default"))
		check_default(compiled, schema, path, errors);
	if (compiled->items) {
		field_push(path, "items");
		check_defaults(compiled->items, json_get(schema, "items"), metadata, path, errors);
		field_pop(path, mark);
	}
	if (compiled->additional) {
		field_push(path, "additionalProperties");
		check_defaults(compiled->additional, json_get(schema, "additionalProperties"), metadata, path,
			       errors);
		field_pop(path, mark);
	}
	if (!properties)
		return;
	json_object_object_foreach(properties, name, value)
	{
		field_push(path, "properties");
		field_push_key(path, name);
		check_defaults(structural_property(compiled, name), value,
			       metadata || (compiled->embedded && !strcmp(name, "metadata")), path, errors);
		field_pop(path, mark);
	}
}

void structural_check_defaults(const struct json_object *schema, struct field_path *path,
			       struct field_errors *errors)
{
	struct structural *compiled = NULL;
	struct err err = ERR_INIT;

	if (structural_new(schema, &compiled, &err) < 0) {
		field_error_invalid_str(errors, path, "", "%s", err.msg);
		return;
	}
	compiled->embedded = true; /* the root has metadata as embedded objects do */
	if (json_get(schema, "default"))
		fault_forbidden(errors, path, "default", "must not be set at the root");
	else
		check_defaults(compiled, schema, false, path, errors);
	structural_free(compiled);
}
