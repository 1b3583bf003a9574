/* As many pods as each ReplicaSet says.
 *
 *   sync:  adopt and release ──▶ too few: create, 1, 2, 4... at a time   ──▶ status
 *                            └─▶ too many: delete, worst first (pod_rank) ─┘
 *
 * A key's run lasts until its calls are answered, so that a failing creation backs off and one at a time
 * decides; creations and deletions that the watch has not shown yet are counted (owned_pods), so nothing is
 * made or ended twice.
 */
#pragma once

#include "controller/owned_pods.h"
#include "lib/event_recorder.h"

struct replica_sets;

struct replica_sets *replica_sets_new(struct loop *loop, struct api_client *client, struct cache *cache,
				      struct owned_index *owned);
/* The cache has everything: looks at every set. Before that nothing is done, on half the truth. */
void replica_sets_synced(struct replica_sets *sets);
void replica_sets_free(struct replica_sets *sets);
/* Pods that count: neither ended nor being deleted. */
bool replica_set_pod_active(const struct cached_pod *pod);
