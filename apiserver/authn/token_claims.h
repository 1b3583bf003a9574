/* What a service account token claims, as Kubernetes writes it:
 *
 *     {"aud": [...], "exp": 1, "iat": 1, "iss": "https://...", "jti": "...", "nbf": 1,
 *      "sub": "system:serviceaccount:NS:NAME",
 *      "kubernetes.io": {"namespace": NS, "serviceaccount": {"name", "uid"}, "pod": {...}, "node": {...},
 *                        "secret": {...}, "warnafter": 1}}
 *
 * Tokens in Secrets of type kubernetes.io/service-account-token are of another form, and have neither end nor
 * audiences:
 *
 *     {"iss": "kubernetes/serviceaccount", "kubernetes.io/serviceaccount/namespace": NS,
 *      "kubernetes.io/serviceaccount/secret.name": SECRET,
 *      "kubernetes.io/serviceaccount/service-account.name": NAME,
 *      "kubernetes.io/serviceaccount/service-account.uid": UID, "sub": "system:serviceaccount:NS:NAME"}
 *
 * Pure: whether a claim is true is token_verifier.h's to find out.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "apiserver/authn/identity.h"
#include "lib/err.h"

#define TOKEN_SECRET_ISSUER "kubernetes/serviceaccount"

/* The type claim of TokenRequests that the token is bound to. */
struct token_object {
	char *name, *uid; /* name NULL: not bound to one; uid may be "" */
};

/* Shared by reference count, immutable. */
struct token_claims {
	_Atomic unsigned refs;
	struct identity *identity; /* whom the token stands for, if all is true */
	char *namespace_;
	struct token_object account, pod, node, secret;
	int64_t expires_s, not_before_s; /* seconds since 1970; 0: no limit */
	struct json_object *audiences;   /* array of strings; NULL: none named */
	bool of_secret; /* the one that `secret`, without a uid, holds: good while it holds it */
	/* The revision of the Secret at which that was so: it need not be looked into again. */
	_Atomic uint64_t found_at;
};

/* From a token's JSON; ERR_PARSE when it is not a service account's. */
int token_claims_read(const struct json_object *json, struct token_claims **ret, struct err *err);
struct token_claims *token_claims_ref(struct token_claims *claims);
void token_claims_unref(struct token_claims *claims); /* NULL is fine */
void token_claims_unrefp(struct token_claims **claims);

/* What a new token shall claim. Objects' names NULL: not bound. */
struct token_grant {
	const char *issuer, *id, *namespace_;
	struct {
		const char *name, *uid;
	} account, pod, node, secret;
	struct json_object *audiences;             /* borrowed */
	int64_t issued_s, expires_s, warn_after_s; /* warn_after_s 0: none */
};
struct json_object *token_claims_write(const struct token_grant *grant);
/* What the token that SECRET is to hold claims. */
struct json_object *token_claims_write_secret(const char *namespace_, const char *secret, const char *account,
					      const char *account_uid);
