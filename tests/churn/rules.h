/* What must be true of a control plane at every moment, whoever was killed: told one change after the other,
 * in the order of their revisions, it says which change broke which rule. No I/O: it can be shown false
 * histories.
 *
 *   binding    a pod gets its node once and keeps it; the node exists
 *   room       what is bound to a node fits it: requests, and number of pods
 *   loss       no bound pod disappears that nobody deleted
 *   surplus    a ReplicaSet makes no pod beyond its replicas
 *   surge      a Deployment raises no ReplicaSet beyond replicas + maxSurge of all of them together
 *   floor      a Deployment that was complete keeps replicas - maxUnavailable pods ready while it rolls
 *
 * Controllers act on what they have seen: they are held to any generation between the last that the object's
 * status says was observed and the newest. Calls of a controller or API server that is killed may take effect
 * late or twice, so after a kill surplus, surge and floor are held against an object only once it has been
 * settled again. Floor is also let go while the fault is another's: pods that we delete, nodes that are lost;
 * and for a Deployment that is scaled amid a rollout, which Kubernetes does in proportion to its ReplicaSets,
 * ready or not.
 * https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#rolling-update-deployment
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/json.h"

enum rules_kind { RULES_NODE, RULES_POD, RULES_SET, RULES_DEPLOYMENT, RULES_KINDS };

struct rules_counts {
	uint64_t created, bound, ended; /* pods */
	uint64_t surplus;               /* made beyond replicas after a kill: allowed */
	uint64_t rollouts;              /* rises of a ReplicaSet held against surge */
	uint64_t floors;                /* deletions held against floor */
};

struct rules;
/* BROKEN is called with what happened and which rule it broke. */
struct rules *rules_new(void (*broken)(const char *what, void *arg), void *arg);
void rules_free(struct rules *rules);

/* OBJ was added or changed; DELETED: is gone, and OBJ is its last state. */
void rules_change(struct rules *rules, enum rules_kind kind, const struct json_object *obj, bool deleted);
/* A controller or the API server was killed. */
void rules_killed(struct rules *rules);
/* Whatever the killed had under way has taken effect by REVISION. */
void rules_calm_since(struct rules *rules, uint64_t revision);
/* We ask for this pod's deletion ourselves. */
void rules_we_delete(struct rules *rules, const char *uid);

const struct rules_counts *rules_counts(const struct rules *rules);
size_t rules_pods(const struct rules *rules);
