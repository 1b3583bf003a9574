/* What the status of a CustomResourceDefinition must say: which of its names are free in its group, and
 * whether it is served. Pure. (apiextensions-apiserver pkg/controller/status, establish)
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/json.h"

#define DEFINITION_FINALIZER "customresourcecleanup.apiextensions.k8s.io"

/* Sets status.acceptedNames and the conditions NamesAccepted and Established of DEFINITION. OTHERS are the
 * accepted names (status.acceptedNames) of the other definitions of its group. A condition that stays as it
 * is keeps its time. */
void definition_status_set(struct json_object *definition, const struct json_object *const *others, size_t n,
			   const char *now);
/* Its deletion has been asked for: the finalizer that holds it until its objects are gone, and the condition
 * Terminating. */
void definition_status_terminate(struct json_object *definition, const char *now);
bool definition_status_is_held(const struct json_object *definition); /* by that finalizer */
void definition_status_release(struct json_object *definition);       /* takes it away */
