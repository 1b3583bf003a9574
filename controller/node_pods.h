/* Pods by the node they are bound to: kept up to date with the cache.
 */
#pragma once

#include "controller/cache.h"

struct node_pod_list {
	struct cached_pod *pods; /* list by next_on_node */
	char name[];
};

struct node_pods {
	struct map by_node; /* name -> struct node_pod_list, never empty */
};

/* Registers with CACHE: before those who read it. */
void node_pods_init(struct node_pods *index, struct cache *cache);
void node_pods_close(struct node_pods *index);
/* First of the pods bound to NODE, or NULL. Good until the next change of the cache. */
struct cached_pod *node_pods_of(const struct node_pods *index, const char *node);
