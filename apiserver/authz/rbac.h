/* RBAC: the index of roles by subject, kept by a follower of the four kinds, and what it says.
 *
 *     ("jane", default)    ─▶ roles bound to her there ─▶ their rules
 *     (group dev, default) ─▶ ...
 *     ("jane", "")         ─▶ roles bound to her everywhere
 *
 * A decision looks up the user and each of its groups, everywhere and in the namespace, so its cost is that
 * of the asker's own roles, however many bindings there are. A binding to a role that is not there counts
 * once it is.
 */
#pragma once

#include "apiserver/authz/rules.h"
#include "apiserver/core/core.h"

struct rbac;

/* Nothing is read from CORE before the first question: it need not be started yet. */
struct rbac *rbac_new(struct core *core);
void rbac_free(struct rbac *rbac); /* NULL is fine */

/* *ret_allowed by the rules alone (no short cut for system:masters). REASON, when it is not: what is wrong
 * with the asker's bindings, `RBAC: clusterrole.rbac.authorization.k8s.io "x" not found`, or nothing is
 * appended; when it is, and A is to be explained, `RBAC: allowed by ClusterRoleBinding ...`. Any thread but
 * the core's. Fails only when the store is in doubt. */
int rbac_decide(struct rbac *rbac, const struct authz_attributes *a, bool *ret_allowed, struct buf *reason,
		struct err *err);

/* The rules that an identity holds in a namespace (with those that hold everywhere), borrowed until
 * rbac_done. MISSING gets the text of roles that are not there, as in a REASON above. */
struct rbac_held {
	const struct authz_rule **rules;
	size_t n;
	struct buf missing;
};
int rbac_hold(struct rbac *rbac, const struct identity *identity, const char *namespace_,
	      struct rbac_held *ret, struct err *err);
void rbac_done(struct rbac *rbac, struct rbac_held *held);
