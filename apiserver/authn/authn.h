/* Authentication: from what a request and its connection show to an identity, by a table of authenticators
 * tried in order (authn.c).
 */
#pragma once

#include "apiserver/authn/identity.h"
#include "apiserver/core/core.h"
#include "lib/err.h"

struct authn_opts {
	const char *token_file; /* NULL: no tokens from a file */
};

struct authn;
int authn_new(const struct authn_opts *opts, struct authn **ret, struct err *err);
void authn_free(struct authn *authn); /* NULL is fine */

/* What a request shows. */
struct authn_evidence {
	const char *authorization;    /* the header's value, or NULL */
	struct identity *certificate; /* of the connection, borrowed, or NULL */
};
/* A new reference, or NULL: nobody we know. Any thread. */
struct identity *authn_identify(struct authn *authn, struct core *core,
				const struct authn_evidence *evidence);
