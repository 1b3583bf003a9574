/* Admission: what the cluster's policies make of an object that a client wants stored. A plugin is a row with
 * up to two functions:
 *
 *     decode ─▶ defaults ─▶ change ─▶ the kind's preparation ─▶ validation ─▶ check ─▶ charge (quotas) ─▶
 * store
 *
 * `change` may fill in and alter r->obj; `check` sees it as it would be stored and may refuse it. Both run on
 * the edge thread, for creations (r->old is NULL) and updates, in the order of the table. A plugin looks up
 * other objects by core_get, or in followers (policies.h); a policy that is there when a request comes is
 * obeyed by it. https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/
 */
#pragma once

#include "apiserver/edge/request.h"

struct admission_plugin {
	const char *name;
	const char *const
	    *resources;    /* qualified names ("pods", "deployments.apps"), NULL-terminated; NULL: all */
	bool subresources; /* is asked for writes of subresources, too */
	/* STEP_NEXT, STEP_FAIL, or STEP_WAIT_HERE: the step that asks runs again then, from its beginning.
	 * May be NULL. */
	enum step_result (*change)(struct request *r);
	enum step_result (*check)(struct request *r);  /* STEP_NEXT or STEP_FAIL; may be NULL */
	enum step_result (*remove)(struct request *r); /* the same, of a deletion: r->old is to go */
};

extern const struct admission_plugin admission_namespace_lifecycle, admission_service_account,
    admission_priority, admission_limit_ranger, admission_pod_security, admission_runtime_class,
    admission_node_restriction, admission_escalation, admission_token_secret, admission_mountable_secrets;

/* All plugins' `change`, and all their `check`, for what R wants. */
enum step_result admission_change(struct request *r);
enum step_result admission_check(struct request *r);

/* A step: all plugins' `remove`. */
enum step_result admission_remove(struct request *r);

/* Refuses as plugins do: `pods "web" is forbidden: REASON`. */
enum step_result admission_forbid(struct request *r, const char *format, ...) PRINTF_LIKE(2, 3);
