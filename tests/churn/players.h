/* Nodes without machines: each registers, renews its lease, shows pods bound to it as running and ready, and
 * ends those that are deleted. A node can die: it falls silent, and its pods with it, until it is revived.
 */
#pragma once

#include "lib/json.h"
#include "tests/churn/churn.h"

/* What the controller must be told of how long a node may be silent. */
#define PLAYERS_GRACE "3s"

enum {
	PLAYERS_MILLICPU = 4000,
	PLAYERS_PODS = 14,
	PLAYERS_MEMORY_MI = 8192,
};

struct players;
struct players *players_new(struct churn *churn, size_t n);
void players_free(struct players *players); /* NULL is fine */

/* What the watches of nodes and pods tell. */
void players_node(struct players *players, const struct json_object *node, bool deleted);
void players_pod(struct players *players, const struct json_object *pod, bool deleted);

/* The node of that name dies for DOWN_MS; false when it is dead. */
bool players_kill(struct players *players, const char *name, int64_t down_ms);
void players_revive_all(struct players *players);
size_t players_kills(const struct players *players);
/* Name ("fake-3") of node I; a static buffer. */
const char *players_name(size_t i);
