/* Service account tokens: is this one ours, for this audience, and is all that it is bound to still there?
 *
 *     token ─▶ seen before? ─no▶ take apart, issuer, signature, claims ─▶ remembered
 *                     └─yes────────────────────────────────────────────▶ times, audiences, bound objects
 *
 * A signature costs some hundred microseconds and is checked once per token: what it says is remembered, in a
 * bounded table. What can change, time and objects, is looked at each time. Thread-safe.
 */
#pragma once

#include "apiserver/authn/token_claims.h"
#include "apiserver/authn/token_keys.h"
#include "apiserver/core/core.h"

struct token_verifier_opts {
	struct token_keys *keys;    /* borrowed */
	const char *const *issuers; /* borrowed; any of them */
	size_t n_issuers;
};

struct token_verifier;
/* OPTS is copied; what it points to must outlive the verifier. */
struct token_verifier *token_verifier_new(const struct token_verifier_opts *opts);
void token_verifier_free(struct token_verifier *verifier); /* NULL is fine */

/* The identity of TOKEN for one of the AUDIENCES (array of strings); *ret_audiences, when not NULL, gets
 * those that are also the token's. A token without audiences is one for IMPLICIT. NULL and ERR_NONE: no token
 * of ours; NULL and ERR_UNAUTHORIZED: one that does not hold, and why, in Kubernetes' words. */
struct identity *token_verifier_verify(struct token_verifier *verifier, struct core *core, const char *token,
				       const struct json_object *audiences,
				       const struct json_object *implicit, struct json_object **ret_audiences,
				       struct err *err);
