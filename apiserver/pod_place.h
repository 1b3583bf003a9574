/* Where a pod's containers are: what logs, exec, attach and port-forward ask for. (registry/core/pod
 * strategy.go, in its words.)
 */
#pragma once

#include "apiserver/edge/request.h"

/* The container that the query names, or the only one. STEP_FAIL: there is no such, or which one is not said.
 */
enum step_result pod_place_container(struct request *r, const struct json_object *spec, const char **ret);
/* Appends "https://ADDRESS:PORT" of the agent of NODE. STEP_FAIL: no such node, or it has no address. */
enum step_result pod_place_agent(struct request *r, const char *node, struct buf *url);
