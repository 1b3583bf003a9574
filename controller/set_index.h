/* Replica sets by their Deployment, and those without a controller by namespace, kept up to date with the
 * cache.
 */
#pragma once

#include "controller/cache.h"

struct set_list {
	char *key;                        /* the Deployment's uid, or the namespace */
	struct cached_replica_set **sets; /* in no order */
	size_t n, cap;
	/* Revisions of our last writes: until the cache has them, a sync would decide on the past. */
	uint64_t wait_sets, wait_deployment;
};

struct set_index {
	struct map by_deployment; /* uid -> struct set_list */
	struct map orphans;       /* namespace -> struct set_list */
};

/* Follows one change of the cache; OLD or NEW may be NULL. */
void set_index_change(struct set_index *index, struct cached_replica_set *old,
		      struct cached_replica_set *new_);
/* Never NULL; made when first asked for. */
struct set_list *set_index_of(struct set_index *index, const char *deployment_uid);
/* Sets in NAMESPACE without a controller; NULL: none ever. */
const struct set_list *set_index_orphans(const struct set_index *index, const char *namespace_);
/* The Deployment is gone: its list goes, unless sets are left in it. */
void set_index_drop(struct set_index *index, const char *deployment_uid);
void set_index_close(struct set_index *index);
