/* The roles and bindings that a cluster has from the start: Kubernetes' own (bootstrap/kubernetes.jsonl) and
 * those of knarr's programs (bootstrap/knarr.jsonl), compiled in, an object a line.
 */
#pragma once

#include "apiserver/core/core.h"

/* bootstrap_rbac_objects: all lines. (build/gen/bootstrap_rbac_objects.c, made from bootstrap/) */
extern const char bootstrap_rbac_objects[];

/* One of them, or NULL. The caller's. */
struct json_object *bootstrap_rbac_find(const char *kind, const char *name);

/* Makes what is not there, and gives back to what is there the rules and subjects that it lacks; what was
 * added to it stays. An object with the annotation rbac.authorization.kubernetes.io/autoupdate "false" is
 * left alone. The rules of a ClusterRole with an aggregationRule are the controller's. Waits for the core;
 * the namespaces must be there.
 * https://kubernetes.io/docs/reference/access-authn-authz/rbac/#auto-reconciliation */
int bootstrap_rbac(struct core *core, struct err *err);

/* What WANTED has and STORED lacks is added to STORED (JSON). True when that changes it. Pure. */
bool bootstrap_rbac_reconcile(struct json_object *stored, const struct json_object *wanted);
