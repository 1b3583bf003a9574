/* Who depends on whom, by uid, over all kinds. Holds objects that name an owner, and the owners they name,
 * known or not.
 */
#pragma once

#include "controller/cache.h"

/* One owner reference. */
struct owner_edge {
	struct owner_node *dependant, *owner;
	struct owner_edge *next, *prev; /* of the owner's */
	bool blocks;                    /* blockOwnerDeletion */
};

struct owner_node {
	char *uid;
	struct owner_edge *dependants; /* list */
	struct owner_edge *owners;     /* array */
	size_t n_owners;
	bool gone;   /* seen deleted, or the server said so: a uid never comes back */
	bool asking; /* the server is being asked */
};

struct owner_graph {
	struct map nodes; /* uid -> struct owner_node */
};

void owner_graph_close(struct owner_graph *graph);
/* One change of the cache. LOST is called for each owner that lost the dependant, or its blocking. */
void owner_graph_change(struct owner_graph *graph, const struct meta *old, const struct meta *new_,
			void (*lost)(const char *owner_uid, void *arg), void *arg);
/* The node of UID, or NULL: it has no owners and nobody names it. Good until the next change. */
struct owner_node *owner_graph_get(const struct owner_graph *graph, const char *uid);
