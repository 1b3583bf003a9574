/* Who is asking: a client certificate (CN is the user, each O a group) or a bearer token from the token file.
 * https://kubernetes.io/docs/reference/access-authn-authz/authentication/
 */
#pragma once

#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/err.h"

struct identity {
	_Atomic unsigned refs;
	char *user;
	char *uid;     /* "" when there is none */
	char **groups; /* with system:authenticated */
	size_t n_groups;
};

struct identity *identity_ref(struct identity *identity);
void identity_unref(struct identity *identity); /* NULL is fine */

/* Of the certificate that the peer of SESSION showed; NULL when there was none, or it is not signed by what
 * the session's credentials trust for clients, or has no common name. A new reference. */
struct identity *identity_of_certificate(gnutls_session_t session);

/* The token file: lines of token,user,uid,"group1,group2"; uid and groups may be left out, # begins a
 * comment. It is read again when it has changed (looked at when a token is used, ten times a second at most).
 * Thread-safe. */
struct tokens;
int tokens_new(const char *path, struct tokens **ret, struct err *err);
void tokens_free(struct tokens *tokens);
/* The identity of TOKEN as a new reference, or NULL. */
struct identity *tokens_find(struct tokens *tokens, const char *token);
