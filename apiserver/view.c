#include "apiserver/view.h"

#include <string.h>

#include "api/custom.h"

static void set_version(struct json_object *obj, const struct resource *resource)
{
	if (json_get(obj, "apiVersion"))
		json_set_str(obj, "apiVersion", resource->group_version);
}

void view_show_json(const struct resource *resource, struct json_object *obj)
{
	const struct kind_view *view = resource->kind->view;

	if (resource->stored == resource)
		return;
	if (view && view->from_stored)
		view->from_stored(obj);
	set_version(obj, resource);
}

void view_store_json(const struct resource *resource, struct json_object *obj)
{
	const struct kind_view *view = resource->kind->view;

	if (resource->stored == resource)
		return;
	if (resource->kind->set_defaults)
		resource->kind->set_defaults(obj);
	if (view && view->to_stored)
		view->to_stored(obj);
	set_version(obj, resource->stored);
}

/* A custom object was stored while another schema held. */
static bool is_stale(const struct resource *resource, const struct object *object)
{
	return object_revision(object) && object_revision(object) < resource->since;
}

/* What is held is what a client sees: but of views, and of custom objects in another version than the held
 * one.
 */
static bool shows_as_held(const struct resource *resource, const struct object *object)
{
	const struct resource *row = object_resource(object);

	if (row == resource || !resource->custom)
		return row == resource || resource->stored == resource;
	return !is_stale(resource, object) && !strcmp(row->group_version, resource->group_version) &&
	       !strcmp(row->kind_name, resource->kind_name);
}

struct json_object *view_json(const struct resource *resource, const struct object *object,
			      struct json_origin *origin)
{
	if (!resource->custom || shows_as_held(resource, object))
		return object_json_with_origin(object, origin);
	struct json_object *obj = object_json(object);
	if (is_stale(resource, object))
		custom_store(resource->custom, obj);
	json_set_str(obj, "apiVersion", resource->group_version);
	json_set_str(obj, "kind", resource->kind_name);
	return obj;
}

struct object *view_store(const struct resource *resource, const struct json_object *obj,
			  const struct json_origin *origin, const char *managed, size_t managed_len)
{
	if (!resource->holder)
		return object_new_from(resource->stored, obj, origin, managed, managed_len);
	if (!strcmp(resource->version, resource->holder->version))
		return object_new_from(resource->holder, obj, origin, managed, managed_len);

	CLEANUP(json_putp) struct json_object *stored = json_clone(obj);

	custom_store(resource->custom, stored);
	return object_new(resource->holder, stored, managed, managed_len);
}

struct object *view_show(const struct resource *resource, struct object *object)
{
	if (!object || shows_as_held(resource, object))
		return object;
	CLEANUP(object_unrefp) struct object *stored = object;
	CLEANUP(json_putp) struct json_object *obj = view_json(resource, stored, NULL);
	view_show_json(resource, obj);
	size_t managed_len;
	const char *managed = object_managed(stored, &managed_len);
	struct object *shown = object_new(resource, obj, managed, managed_len);
	if (object_revision(stored))
		object_set_revision(shown, object_revision(stored));
	return shown;
}

const char *view_stored_field(const struct resource *resource, const char *field)
{
	const struct kind *kind = resource->kind;
	const char *const *names = kind->view ? kind->field_paths : NULL;

	for (size_t i = 0; names && names[i]; i++)
		if (strcmp(kind->selectable_fields[i], field) == 0)
			return names[i];
	return field;
}
