/* `set env --list`: a container's environment for people.
 */
#pragma once

#include "kubectl-lite/objects.h"

/* Prints ENV, of OBJECT's container, a line each: NAME=VALUE, or where the value comes from. With RESOLVE
 * references to ConfigMaps, Secrets and the object itself are looked up; what cannot be is told on stderr. */
void env_list_print(const struct json_object *env, const struct object *object, bool resolve);
