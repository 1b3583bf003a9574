/* Pods by their controller, and those without one by namespace: kept up to date with the cache, with our own
 * creations that the watch has not shown yet (what Kubernetes calls expectations).
 */
#pragma once

#include "controller/cache.h"

/* The pods of one controller, by its uid. Made when first asked for or when a pod names it. */
struct owned_pods {
	char *uid;
	struct cached_pod *pods; /* list by next_owned */
	size_t n;
	unsigned creating; /* creations under way */
	struct map unseen; /* uid -> struct unseen_pod: created, not in the cache yet */
};

struct owned_index {
	struct cache *cache;
	const struct resource *pod_resource;
	struct map by_owner; /* uid -> struct owned_pods */
	struct map orphans;  /* namespace -> struct owned_pods (uid is the namespace) */
};

/* Registers with CACHE: before those who read it. */
void owned_index_init(struct owned_index *index, struct cache *cache);
void owned_index_close(struct owned_index *index);
/* Never NULL; good until the next change of the cache. */
struct owned_pods *owned_pods_of(struct owned_index *index, const char *owner_uid);
/* First of the pods in NAMESPACE that have no controller. */
struct cached_pod *owned_orphans(const struct owned_index *index, const char *namespace_);
/* A creation was answered: the pod counts until the cache shows it, or shows that it is gone again (its
 * revision passed). */
void owned_pods_created(struct owned_index *index, struct owned_pods *owned, const char *uid,
			uint64_t revision);
/* Pods created by us that the cache does not show yet. */
size_t owned_pods_unseen(struct owned_index *index, struct owned_pods *owned);
/* No longer needed: its controller is gone, and it has no pods. */
void owned_pods_drop(struct owned_index *index, const char *owner_uid);
