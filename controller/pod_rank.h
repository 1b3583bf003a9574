/* Which pods of a replica set go first when there are too many.
 * https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/#scaling-a-replicaset
 */
#pragma once

#include "controller/cache.h"

/* Sorts PODS so that those to delete come first: without a node; pending; not ready; low deletion cost; where
 * more of them share the node; ready for less time; more restarts; younger. */
void pod_rank_sort(struct cached_pod **pods, size_t n, int64_t now_us);
