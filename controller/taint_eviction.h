/* Pods on nodes with NoExecute taints are deleted once their toleration has run out, unless the node recovers
 * before. The time runs from when we first see the pod under a taint.
 */
#pragma once

#include "controller/node_pods.h"

struct taint_eviction;

struct taint_eviction *taint_eviction_new(struct loop *loop, struct api_client *client, struct cache *cache,
					  const struct node_pods *node_pods);
void taint_eviction_synced(struct taint_eviction *eviction);
void taint_eviction_free(struct taint_eviction *eviction);
