/* A pod's cgroup: where it lies and what it is limited to.
 * https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/
 */
#pragma once

#include "lib/err.h"
#include "lib/json.h"
#include "nodeagent/runtime.h"

/* "besteffort/podUID", "burstable/podUID", "guaranteed/podUID". Caller frees. */
char *pod_cgroup_name(const struct json_object *spec, const char *uid);
/* What the pod needs of RESOURCE ("cpu" in millis, "memory" in bytes) in LIST ("requests", "limits"): the sum
 * of its main containers and sidecars, or the largest init container with the sidecars before it. For limits:
 * 0 (none) when any container has none. */
int64_t pod_cgroup_total(const struct json_object *spec, const char *list, const char *resource);
int pod_cgroup_make(struct runtime *runtime, const char *cgroup, const struct json_object *spec,
		    struct err *err);
