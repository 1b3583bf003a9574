/* Nodes that live, and those that no longer renew their lease.
 *
 *   renewed ──▶ GRACE_MS of our own monotonic clock without another ──▶ conditions Unknown ──▶ taints, pods
 * not ready
 *
 * Neither the nodes' clocks nor jumps of ours count: a renewal is worth what we see change. A controller that
 * just started has seen nothing yet, and an API server that is away lets nobody renew: both give every node
 * its whole time again.
 */
#pragma once

#include "controller/node_pods.h"

#define NODE_GRACE_MS 40000 /* unless told otherwise; an agent renews every 10 s */

struct node_lifecycle;

struct node_lifecycle *node_lifecycle_new(struct loop *loop, struct api_client *client, struct cache *cache,
					  const struct node_pods *node_pods, int64_t grace_ms);
void node_lifecycle_synced(struct node_lifecycle *lifecycle);
void node_lifecycle_free(struct node_lifecycle *lifecycle);
