/* Objects that the server itself makes: complete, and owned by the manager kube-apiserver.
 */
#pragma once

#include "apiserver/core/object.h"

/* REST holds what is particular to it: members beside kind, apiVersion and metadata, and members of metadata
 * beside those that any new object has. NULL: nothing. */
struct object *own_object(const struct resource *resource, const char *namespace_, const char *name,
			  const struct json_object *rest);
