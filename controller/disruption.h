/* PodDisruptionBudget: says in its status how many of the pods it covers may be evicted, as pods and their
 * controllers change. Evictions (apiserver) take from that number and note the pod; a status that overlaps
 * with one is refused for its older version, and made again.
 * https://kubernetes.io/docs/concepts/workloads/pods/disruptions/
 */
#pragma once

#include "controller/cache.h"

struct disruptions;
struct disruptions *disruptions_new(struct loop *loop, struct api_client *client, struct cache *cache);
/* The cache knows everything: begin. */
void disruptions_synced(struct disruptions *disruptions);
void disruptions_free(struct disruptions *disruptions); /* NULL is fine */
