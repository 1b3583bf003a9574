/* What a pod asks for as a whole: pure.
 * https://kubernetes.io/docs/concepts/workloads/pods/init-containers/#resource-sharing-within-containers
 */
#pragma once

#include <stdbool.h>

#include "lib/json.h"
#include "lib/quantity.h"

/* The pod's amount of resource NAME in LIST ("requests", "limits") of a pod's SPEC: containers run side by
 * side, init containers before them one by one, except those that restart always and stay beside all that
 * follow. What the pod sets for itself (spec.resources) stands for all of them; overhead comes on top. False
 * when nobody names it. */
bool pod_resources_sum(const struct json_object *spec, const char *list, const char *name,
		       struct quantity *ret);
/* As a resource list ("cpu" -> "100m"): every resource that anybody names. For the caller. */
struct json_object *pod_resources_list(const struct json_object *spec, const char *list);
