/* What must be true of a node's pods at every moment, whoever was killed: told each change of each pod and
 * each container that we hit, it says which change broke which rule. No I/O.
 *
 *   flicker   a ready pod stays ready unless one of its containers was hit, or it is deleted or completes
 *   restart   a container's ID changes, and its restartCount grows, once for each attempt that was hit
 *
 * An attempt that was hit before its process ran may or may not be counted: it was never seen to start.
 */
#pragma once

#include <stdbool.h>

#include "lib/buf.h"
#include "lib/json.h"

struct node_rules;
struct node_rules *node_rules_new(void (*broken)(const char *what, void *arg), void *arg);
void node_rules_free(struct node_rules *rules);

/* A pod changed. */
void node_rules_pod(struct node_rules *rules, const struct json_object *pod, bool deleted);
/* This attempt is about to be killed; RUNS: it has been started. Called once for each. */
void node_rules_hit(struct node_rules *rules, const char *uid, const char *container, unsigned attempt,
		    bool runs);
/* How many attempts of it were hit. */
unsigned node_rules_hits(const struct node_rules *rules, const char *uid, const char *container);
/* Whether POD, which should run for good, shows as many restarts as it was hit; else WHY says. */
bool node_rules_restarts_right(const struct node_rules *rules, const struct json_object *pod,
			       struct buf *why);
