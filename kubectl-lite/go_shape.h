/* An object as Kubernetes' Go types write it: members in the order of the structs, maps sorted, and the
 * creation time null that every metadata without one has. For people and for the annotation of apply; the
 * server does not care.
 */
#pragma once

#include "api/schema.h"
#include "lib/json.h"

struct json_object *go_shape(struct json_object *obj_taken, const struct schema_def *def);
