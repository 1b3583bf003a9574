/* Resources that are views of what another one stores (struct kind_view of kind.h): requests speak the view,
 * everything between is about the stored object. Custom resources are stored in one version of their
 * definition: requests speak another, and so does everything up to the object that is stored. For all other
 * resources these do nothing.
 */
#pragma once

#include "apiserver/core/object.h"

/* What RESOURCE shows of OBJECT, whose reference is taken. */
struct object *view_show(const struct resource *resource, struct object *object);
/* OBJECT parsed: a custom resource as RESOURCE shows it, anything else as it is stored. ORIGIN, empty before,
 * or NULL: where its values lie in OBJECT's bytes. */
struct json_object *view_json(const struct resource *resource, const struct object *object,
			      struct json_origin *origin);
/* The object that is stored for OBJ, which a view's is already (view_store_json). ORIGIN: object_new_from().
 * One reference. */
struct object *view_store(const struct resource *resource, const struct json_object *obj,
			  const struct json_origin *origin, const char *managed, size_t managed_len);
/* The same as view_show for JSON, of views; OBJ is changed in place. */
void view_show_json(const struct resource *resource, struct json_object *obj);
/* OBJ, decoded as RESOURCE's kind, becomes what is stored. */
void view_store_json(const struct resource *resource, struct json_object *obj);
/* The name under which the stored object has selectable field FIELD of RESOURCE. */
const char *view_stored_field(const struct resource *resource, const char *field);
