/* The controllers as a table: each starts before the cache has anything, registers for the changes it wants,
 * and begins to act when it is told that the cache has everything.
 */
#pragma once

#include <stddef.h>

#include "controller/node_pods.h"
#include "controller/owned_pods.h"

/* What each is given; all of it outlives the controllers. */
struct controller_context {
	struct loop *loop;
	struct api_client *client;
	struct cache *cache;
	struct owned_index *owned;
	struct node_pods *node_pods;
	const char *cluster_cidr; /* checked: pod_cidr_check() */
	const char *root_ca;      /* PEM, or NULL */
	int64_t node_grace_ms;    /* see node_lifecycle.h */
};

struct controller {
	const char *name;
	void *(*start)(const struct controller_context *context); /* never NULL */
	void (*synced)(void *state);
	void (*stop)(void *state); /* the loop no longer runs; answers under way never come */
};

/* In the order they start and are told of changes. */
const struct controller *controllers_all(size_t *ret_n);
