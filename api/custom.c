#include "api/custom.h"

#include <limits.h>
#include <string.h>

#include "api/kinds/cells.h"
#include "lib/mem.h"
#include "lib/timefmt.h"

void custom_prune(const struct custom *custom, struct json_object *obj,
		  void (*unknown)(const char *path, void *arg), void *arg)
{
	structural_prune(custom->schema, obj, true, unknown, arg);
}

void custom_default(const struct custom *custom, struct json_object *obj)
{
	structural_default(custom->schema, obj);
}

void custom_store(const struct custom *custom, struct json_object *obj)
{
	structural_prune(custom->stored, obj, true, NULL, NULL);
	structural_default(custom->stored, obj);
}

/* --- validation --- */

static const struct json_object *at_path(const struct json_object *obj, const char *path)
{
	while (obj && *path) {
		size_t len = strcspn(path, ".");
		CLEANUP(mem_freep) char *name = mem_dupn(path, len);

		obj = json_get(obj, name);
		path += len + (path[len] == '.');
	}
	return obj;
}

/* What the scale subresource reads must be a count. */
static void validate_count(const struct json_object *obj, const char *at, struct field_errors *errors)
{
	const struct json_object *value = at ? at_path(obj, at) : NULL;
	CLEANUP(mem_freep) char *place = at ? mem_printf(".%s", at) : NULL;
	struct field_path path;
	int64_t count;

	if (!value)
		return;
	field_path_init(&path, place);
	if (!json_object_is_type(value, json_type_int)) {
		CLEANUP(buf_close) struct buf text = BUF_INIT;
		bool is_text = json_object_is_type(value, json_type_string);

		if (is_text)
			buf_str(&text, json_object_get_string((struct json_object *)value));
		else
			json_write(&text, value);
		field_error_invalid_int(
		    errors, &path, 0, "%s accessor error: %s is of the type %s, expected int64", place,
		    text.data,
		    is_text                                         ? "string"
		    : json_object_is_type(value, json_type_double)  ? "float64"
		    : json_object_is_type(value, json_type_boolean) ? "bool"
		    : json_object_is_type(value, json_type_array)   ? "[]interface {}"
								    : "map[string]interface {}");
		return;
	}
	count = json_object_get_int64(value);
	if (count < 0)
		field_error_invalid_int(errors, &path, count, "should be a non-negative integer");
	else if (count > INT_MAX)
		field_error_invalid_int(errors, &path, count, "should be less than or equal to %d", INT_MAX);
}

/* Threads that come at the same time may both compile; one of the results stays. */
static const struct custom_rules *rules_of(const struct custom *custom)
{
	struct custom_rules *made, *none = NULL;

	if (atomic_load(&custom->rules->known))
		return atomic_load(&custom->rules->rules);
	made = custom_rules_new(custom->definition, custom->schema, true);
	if (!atomic_compare_exchange_strong(&custom->rules->rules, &none, made)) {
		custom_rules_free(made);
		made = none;
	}
	atomic_store(&custom->rules->known, true);
	return made;
}

/* Rules take for granted that the object is of its schema's shape. */
static bool is_blocked(struct field_errors *errors)
{
	static const enum field_error_type blocking[] = { FIELD_NOT_SUPPORTED, FIELD_REQUIRED, FIELD_TOO_LONG,
							  FIELD_TOO_MANY, FIELD_TYPE_INVALID };
	struct field_path nowhere;

	for (size_t i = 0; i < errors->n; i++)
		for (size_t k = 0; k < ARRAY_SIZE(blocking); k++) {
			if (errors->items[i].type != blocking[k])
				continue;
			field_path_init(&nowhere, "<nil>");
			field_error_add(errors, FIELD_INVALID, &nowhere, NULL,
					"some validation rules were not checked because the object was "
					"invalid; correct the existing errors to complete validation");
			return true;
		}
	return false;
}

bool custom_validate_type(const struct resource *resource, const struct json_object *obj,
			  struct field_errors *errors)
{
	const struct {
		const char *key, *wanted;
	} members[] = {
		{ "kind", resource->kind_name },
		{ "apiVersion", resource->group_version },
	};
	struct field_path path;

	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		const char *given = json_str_or_empty(obj, members[i].key);

		if (strcmp(given, members[i].wanted) == 0)
			continue;
		field_path_init(&path, members[i].key);
		field_error_invalid_str(errors, &path, given, "must be %s", members[i].wanted);
		return false;
	}
	return true;
}

void custom_validate(const struct resource *resource, const struct json_object *obj,
		     const struct json_object *old, struct field_errors *errors)
{
	const struct structural *schema = resource->custom->schema;
	const struct custom_rules *rules = rules_of(resource->custom);
	struct field_errors own = { .warnings = errors->warnings };
	struct field_path path;

	field_path_init(&path, "");
	structural_validate(schema, obj, old, &path, &own);
	validate_count(obj, resource->kind->scale_replicas, &own);
	validate_count(obj, resource->kind->scale_status_replicas, &own);
	structural_validate_embedded(schema, obj, &path, &own);
	structural_validate_lists(schema, obj, &path, &own);
	if (rules && !is_blocked(&own))
		custom_rules_validate(rules, obj, old, &path, &own);
	field_errors_move(errors, &own);
}

/* --- changes --- */

static bool counts(const struct resource *resource, const char *name)
{
	return strcmp(name, "metadata") != 0 && (strcmp(name, "status") != 0 || !resource->kind->has_status);
}

/* A member of FROM that OTHER does not have alike. */
static bool differs(const struct resource *resource, const struct json_object *from,
		    const struct json_object *other)
{
	json_object_object_foreach((struct json_object *)from, name, value)
	{
		if (counts(resource, name) && !json_equal(value, json_get(other, name)))
			return true;
	}
	return false;
}

bool custom_changed(const struct resource *resource, const struct json_object *obj,
		    const struct json_object *old)
{
	return differs(resource, obj, old) || differs(resource, old, obj);
}

/* --- cells --- */

static struct json_object *age_cell(const struct json_object *value, int64_t now_us)
{
	char age[32];
	int64_t us;
	const char *text = json_object_get_string((struct json_object *)value);

	if (!time_parse(text, &us))
		return json_object_new_string("<invalid>");
	return json_object_new_string(cell_since(text, now_us, age, sizeof(age)));
}

/* A value as a cell of TYPE; NULL where it is of another. */
static struct json_object *cell_of(const char *type, const struct json_object *value, int64_t now_us)
{
	bool text = json_object_is_type(value, json_type_string),
	     truth = json_object_is_type(value, json_type_boolean);
	bool whole = json_object_is_type(value, json_type_int),
	     real = json_object_is_type(value, json_type_double);

	if (!value)
		return NULL;
	if (!strcmp(type, "integer"))
		return whole || real ? json_object_new_int64(json_object_get_int64(value)) : NULL;
	if (!strcmp(type, "number"))
		return whole || real ? json_clone(value) : NULL;
	if (!strcmp(type, "boolean"))
		return truth ? json_clone(value) : NULL;
	if (!strcmp(type, "date"))
		return text ? age_cell(value, now_us) : NULL;
	if (text)
		return json_clone(value);

	CLEANUP(buf_close) struct buf json = BUF_INIT;

	json_write(&json, value);
	return json_object_new_string(json.data);
}

void custom_cells(const struct custom *custom, const struct json_object *obj, int64_t now_us,
		  struct json_object *cells)
{
	cell_name(cells, obj);
	for (size_t i = 0; i < custom->n_paths; i++) {
		const struct json_object *value =
		    custom->paths[i] ? jsonpath_first(custom->paths[i], obj) : NULL;

		json_object_array_add(cells, cell_of(custom->columns[i + 1].type, value, now_us));
	}
}
