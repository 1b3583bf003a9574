/* The order in which an object is validated, and the checks of single fields that kinds share. */
#include "api/validate.h"

#include <string.h>

#include "api/custom.h"
#include "api/fault.h"
#include "api/validate_meta.h"

static void validate_kind(const struct kind *kind, const struct json_object *obj,
			  const struct json_object *old, const char *subresource, struct field_errors *errors)
{
	const struct kind_part *part = subresource ? kind_part(kind, subresource) : NULL;

	if (subresource && strcmp(subresource, "status") == 0) {
		if (kind->validate_status && old)
			kind->validate_status(obj, old, errors);
		return;
	}
	if (part && part->validate && old) {
		part->validate(obj, old, errors);
		return;
	}
	if (kind->validate)
		kind->validate(obj, errors);
	if (!old && kind->validate_create)
		kind->validate_create(obj, errors);
	if (old && kind->validate_update)
		kind->validate_update(obj, old, errors);
}

void validate_object(const struct resource *resource, const struct json_object *obj,
		     const struct json_object *old, const char *subresource, struct field_errors *errors)
{
	const struct kind *kind = resource->stored->kind;

	if (resource->custom && !custom_validate_type(resource, obj, errors))
		return;
	if (old)
		validate_meta_update(obj, old, errors);
	else
		validate_meta(obj, resource->namespaced, kind->name_check, errors);
	if (!resource->custom && !kind->any_finalizer)
		validate_finalizer_domains(obj, errors);
	if (resource->custom) {
		custom_validate(resource, obj, old, errors);
		return;
	}
	validate_kind(kind, obj, old, subresource, errors);
	if (resource->kind->view)
		validate_kind(resource->kind, obj, old, subresource, errors);
}

void validate_non_negative(const struct json_object *obj, const char *field, struct field_path *path,
			   struct field_errors *errors)
{
	int64_t value = json_int(obj, field, 0);

	if (value < 0)
		fault_int(errors, path, field, value, "must be greater than or equal to 0");
}

void validate_enum(const struct json_object *obj, const char *field, const char *const *values, bool required,
		   struct field_path *path, struct field_errors *errors)
{
	const char *value = json_str_or_empty(obj, field);

	if (!*value) {
		if (required)
			fault_required(errors, path, field, "");
		return;
	}
	for (const char *const *v = values; *v; v++)
		if (strcmp(value, *v) == 0)
			return;
	fault_not_supported(errors, path, field, value, values);
}

void validate_port_number(int64_t port, const char *key, struct field_path *path, struct field_errors *errors)
{
	size_t mark = key ? field_push(path, key) : path->len;

	if (port < 1 || port > 65535)
		field_error_invalid_int(errors, path, port, "must be between 1 and 65535, inclusive");
	field_pop(path, mark);
}

void validate_immutable(const struct json_object *obj, const struct json_object *old, const char *key,
			struct field_path *path, struct field_errors *errors)
{
	const struct json_object *value = json_get(obj, key);

	if (!json_equal(value, json_get(old, key)))
		fault_json(errors, path, key, value, "field is immutable");
}
