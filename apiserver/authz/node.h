/* The Node authoriser: what a node agent may read follows from the pods bound to its node.
 *
 *     node ◀─ spec.nodeName ─ pod ─▶ secrets, config maps, claims (and their volumes), its service account
 *
 * A follower keeps the pods of each node. Which of them uses an object is looked up in the pods themselves
 * when it is asked: a node has some hundred pods, and one that uses an object has its name in its text.
 * https://kubernetes.io/docs/reference/access-authn-authz/node/ (plugin/pkg/auth/authorizer/node)
 */
#pragma once

#include "apiserver/authz/rules.h"
#include "apiserver/core/core.h"

#define NODE_USER_PREFIX "system:node:"
#define GROUP_NODES      "system:nodes"

/* The name of the node that IDENTITY is, borrowed from it; NULL: it is none. */
const char *node_of_identity(const struct identity *identity);

struct node_authz;

/* RULES: of the ClusterRole system:node (JSON), which every node has where nothing narrower is said. */
struct node_authz *node_authz_new(struct core *core, const struct json_object *rules);
void node_authz_free(struct node_authz *node); /* NULL is fine */
/* *ret_allowed by what NODE_NAME may do; REASON gets why not, when there is something to say. */
int node_authz_decide(struct node_authz *node, const char *node_name, const struct authz_attributes *a,
		      bool *ret_allowed, struct buf *reason, struct err *err);
