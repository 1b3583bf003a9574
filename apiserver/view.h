/* Resources that are views of what another one stores (struct kind_view of kind.h): requests speak the view,
 * everything between is about the stored object. For all other resources these do nothing.
 */
#pragma once

#include "apiserver/core/object.h"

/* What RESOURCE shows of OBJECT, whose reference is taken. */
struct object *view_show(const struct resource *resource, struct object *object);
/* The same for JSON; OBJ is changed in place. */
void view_show_json(const struct resource *resource, struct json_object *obj);
/* OBJ, decoded as RESOURCE's kind, becomes what is stored. */
void view_store_json(const struct resource *resource, struct json_object *obj);
/* The name under which the stored object has selectable field FIELD of RESOURCE. */
const char *view_stored_field(const struct resource *resource, const char *field);
