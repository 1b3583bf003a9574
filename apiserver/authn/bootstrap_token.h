/* Bootstrap tokens: what a node that joins shows first. "ID.SECRET", kept in the Secret
 * kube-system/bootstrap-token-ID.
 * https://kubernetes.io/docs/reference/access-authn-authz/bootstrap-tokens/
 */
#pragma once

#include "apiserver/authn/identity.h"
#include "apiserver/core/core.h"

/* A new reference, or NULL: no such token, or one that does not count any more or not for this. */
struct identity *bootstrap_token_identity(struct core *core, const char *token);
