/* Pods bound to a node that is no more: marked Failed and removed, a while after the node went, for it may
 * only be registering anew. The server is asked whether it did.
 */
#pragma once

#include "controller/node_pods.h"

struct pod_gc;

struct pod_gc *pod_gc_new(struct loop *loop, struct api_client *client, struct cache *cache,
			  const struct node_pods *node_pods);
void pod_gc_synced(struct pod_gc *gc);
void pod_gc_free(struct pod_gc *gc);
/* For tests. */
void pod_gc_set_quarantine(struct pod_gc *gc, int64_t quarantine_ms);
