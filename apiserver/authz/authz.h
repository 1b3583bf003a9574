/* Authorisation: may this identity do that? By authorisers in order, the first that allows decides:
 *
 *     system:masters ─▶ Node (node agents) ─▶ RBAC ─▶ refused, with what each had to say
 */
#pragma once

#include "apiserver/authz/rbac.h"

struct authz;

/* Nothing is read from CORE before the first decision: it need not be started yet. */
struct authz *authz_new(struct core *core);
void authz_free(struct authz *authz); /* NULL is fine; before the core stops or after */

/* Any thread but the core's. REASON gets why not, "" mostly, and why when A says so. Fails only when the
 * store is in doubt. */
int authz_decide(struct authz *authz, const struct authz_attributes *a, bool *ret_allowed, struct buf *reason,
		 struct err *err);
struct rbac *authz_rbac(struct authz *authz);
