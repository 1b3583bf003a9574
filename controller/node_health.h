/* What a node's conditions and taints should be: pure functions.
 * https://kubernetes.io/docs/concepts/architecture/nodes/#node-status
 * https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/#taint-based-evictions
 */
#pragma once

#include "lib/json.h"

/* The conditions of a node that does not renew its lease: those that its agent posts become Unknown. A new
 * array for the caller; NULL when they are already. CONDITIONS may be NULL; CREATED_US is the node's. */
struct json_object *node_health_unknown(const struct json_object *conditions, int64_t created_us,
					int64_t now_us);
/* The taints that follow from CONDITIONS and UNSCHEDULABLE, and those of TAINTS that are others' business. A
 * new array for the caller; NULL when TAINTS are right. */
struct json_object *node_health_taints(const struct json_object *taints, const struct json_object *conditions,
				       bool unschedulable, int64_t now_us);
