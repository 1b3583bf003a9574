/* Authentication: from what a request and its connection show to an identity, by a table of authenticators
 * tried in order (authn.c); and what the server needs to hand out tokens of its own.
 */
#pragma once

#include "apiserver/authn/identity.h"
#include "apiserver/authn/token_keys.h"
#include "apiserver/core/core.h"
#include "lib/err.h"

#define AUTHN_DEFAULT_ISSUER "https://kubernetes.default.svc.cluster.local"

struct authn_opts {
	const char *token_file;      /* NULL: no tokens from a file */
	struct token_keys_opts keys; /* none at all: no tokens of service accounts */
	const char *const *issuers;  /* the first one issues, all are accepted; none: AUTHN_DEFAULT_ISSUER */
	size_t n_issuers;
	const char *const *audiences; /* the API's own; none: the issuers */
	size_t n_audiences;
	const char *jwks_uri;     /* of the discovery document; NULL: made of the request's Host */
	bool exact_expiration;    /* do not extend the tokens of pods (token_request.c) */
	int64_t max_expiration_s; /* of a TokenRequest; 0: no limit */
};

struct authn {
	struct token_file *token_file;   /* or NULL */
	struct token_keys *keys;         /* or NULL */
	struct token_verifier *verifier; /* NULL without keys */
	char **issuers;                  /* at least one */
	size_t n_issuers;
	struct json_object *audiences; /* array of strings; shared: read only, without taking references */
	char *jwks_uri;
	bool exact_expiration;
	int64_t max_expiration_s;
};

/* OPTS is copied. Fails as token_file_new and token_keys_new do. */
int authn_new(const struct authn_opts *opts, struct authn **ret, struct err *err);
void authn_free(struct authn *authn); /* NULL is fine */

/* What a request shows. */
struct authn_evidence {
	const char *authorization;    /* the header's value, or NULL */
	struct identity *certificate; /* of the connection, borrowed, or NULL */
};
/* Nothing is shown: nobody, to be refused or taken as anonymous. */
bool authn_nothing_shown(const struct authn_evidence *evidence);
/* A new reference, or NULL: nobody we know. Any thread. */
struct identity *authn_identify(struct authn *authn, struct core *core,
				const struct authn_evidence *evidence);
/* Whom a bearer token stands for at one of the AUDIENCES (array of strings); *ret_audiences, when not NULL,
 * gets those it is good for. NULL: ERR_UNAUTHORIZED says why. */
struct identity *authn_token(struct authn *authn, struct core *core, const char *token,
			     const struct json_object *audiences, struct json_object **ret_audiences,
			     struct err *err);
/* The identity of those who show nothing, as a new reference. */
struct identity *authn_anonymous(void);
