/* An object as Kubernetes' Go types write it: members in the order of the structs, maps sorted, quantities in
 * their shortest form, and with the empty members that Go always shows: "creationTimestamp": null,
 * "resources": {}. For people and for the annotation of apply; the server does not care.
 */
#pragma once

#include "api/schema.h"
#include "lib/json.h"

struct json_object *go_shape(struct json_object *obj_taken, const struct schema_def *def);
