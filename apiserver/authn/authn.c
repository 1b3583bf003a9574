#include "apiserver/authn/authn.h"

#include <stdlib.h>
#include <string.h>

#include "apiserver/authn/bootstrap_token.h"
#include "apiserver/authn/token_file.h"
#include "apiserver/authn/token_verifier.h"

#define BEARER "Bearer "

/* What an authenticator is asked, and may tell beside the identity. */
struct question {
	struct core *core;
	const char *token;
	const struct json_object *audiences;
	struct json_object **ret_audiences;
	struct err *err;        /* a token of its kind, and why it does not hold */
	struct identity *found; /* a new reference, or NULL */
};

static void by_token_file(struct authn *authn, struct question *q)
{
	if (authn->token_file)
		q->found = token_file_find(authn->token_file, q->token);
}

static void by_service_account(struct authn *authn, struct question *q)
{
	if (authn->verifier)
		q->found = token_verifier_verify(authn->verifier, q->core, q->token, q->audiences,
						 authn->audiences, q->ret_audiences, q->err);
}

static void by_bootstrap_token(struct authn *authn, struct question *q)
{
	(void)authn;
	q->found = bootstrap_token_identity(q->core, q->token);
}

/* Who a bearer token is, tried in this order. */
static const struct {
	const char *name;
	bool own_audiences; /* else its tokens are for the API's own */
	void (*ask)(struct authn *authn, struct question *question);
} bearers[] = {
	{ "token file", false, by_token_file },
	{ "service account token", true, by_service_account },
	{ "bootstrap token", false, by_bootstrap_token },
};

/* Those of A that are in B; NULL when none is. */
static struct json_object *in_both(const struct json_object *a, const struct json_object *b)
{
	struct json_object *both = NULL;
	for (size_t i = 0; i < json_len(a); i++)
		for (size_t k = 0; k < json_len(b); k++) {
			const char *text = json_object_get_string(json_at(a, i));
			if (strcmp(text, json_object_get_string(json_at(b, k))) != 0)
				continue;
			both = both ? both : json_object_new_array();
			json_object_array_add(both, json_object_new_string(text));
		}
	return both;
}

struct identity *authn_token(struct authn *authn, struct core *core, const char *token,
			     const struct json_object *audiences, struct json_object **ret_audiences,
			     struct err *err)
{
	struct err why = ERR_INIT;
	struct question question = { core, token, audiences, ret_audiences, &why, NULL };
	struct json_object *own = NULL;
	/* What most ask for is what the API is for: then nothing is compared. */
	bool for_api = audiences == authn->audiences && !ret_audiences;
	if (!for_api)
		own = in_both(authn->audiences, audiences);
	for (size_t i = 0; i < ARRAY_SIZE(bearers); i++) {
		if (!bearers[i].own_audiences && !for_api && !own)
			continue;
		bearers[i].ask(authn, &question);
		if (!question.found)
			continue;
		if (!bearers[i].own_audiences && ret_audiences)
			*ret_audiences = TAKE(own);
		json_object_put(own);
		return question.found;
	}
	json_object_put(own);
	err_set(err, ERR_UNAUTHORIZED,
		why.kind == ERR_NONE ? "invalid bearer token%s" : "[invalid bearer token, %s]", why.msg);
	return NULL;
}

/* What follows "Bearer " in the header; NULL when that is another scheme's, or not there. */
static const char *bearer_token(const char *header)
{
	return header && strncasecmp(header, BEARER, strlen(BEARER)) == 0 ? header + strlen(BEARER) : NULL;
}

bool authn_nothing_shown(const struct authn_evidence *evidence)
{
	return !bearer_token(evidence->authorization) && !evidence->certificate;
}

struct identity *authn_identify(struct authn *authn, struct core *core, const struct authn_evidence *evidence)
{
	const char *token = bearer_token(evidence->authorization);
	/* A wrong token is not saved by a good certificate. */
	if (token)
		return authn_token(authn, core, token, authn->audiences, NULL, NULL);
	return evidence->certificate ? identity_ref(evidence->certificate) : NULL;
}

struct identity *authn_anonymous(void)
{
	struct identity *identity = identity_new(USER_ANONYMOUS, "");
	identity_add_group(identity, GROUP_UNAUTHENTICATED, strlen(GROUP_UNAUTHENTICATED));
	return identity;
}

/* --- start and end --- */

static void set_issuers(struct authn *authn, const struct authn_opts *opts)
{
	static const char *const usual[] = { AUTHN_DEFAULT_ISSUER };
	const char *const *issuers = opts->n_issuers ? opts->issuers : usual;
	size_t n = opts->n_issuers ? opts->n_issuers : 1;
	authn->issuers = mem_zalloc(n * sizeof(char *));
	for (size_t i = 0; i < n; i++)
		authn->issuers[authn->n_issuers++] = mem_dup(issuers[i]);
	authn->audiences = json_object_new_array();
	for (size_t i = 0; i < (opts->n_audiences ? opts->n_audiences : n); i++)
		json_object_array_add(
		    authn->audiences,
		    json_object_new_string(opts->n_audiences ? opts->audiences[i] : issuers[i]));
}

int authn_new(const struct authn_opts *opts, struct authn **ret, struct err *err)
{
	struct authn *authn = mem_zalloc(sizeof(*authn));
	bool has_keys = opts->keys.signing_file || opts->keys.n_files;
	set_issuers(authn, opts);
	authn->jwks_uri = mem_dup(opts->jwks_uri);
	authn->exact_expiration = opts->exact_expiration;
	authn->max_expiration_s = opts->max_expiration_s;
	if ((opts->token_file && token_file_new(opts->token_file, &authn->token_file, err) < 0) ||
	    (has_keys && token_keys_new(&opts->keys, &authn->keys, err) < 0)) {
		authn_free(authn);
		return -1;
	}
	if (has_keys) {
		struct token_verifier_opts verifier = { authn->keys, (const char *const *)authn->issuers,
							authn->n_issuers };
		authn->verifier = token_verifier_new(&verifier);
	}
	*ret = authn;
	return 0;
}

void authn_free(struct authn *authn)
{
	if (!authn)
		return;
	token_verifier_free(authn->verifier);
	token_keys_free(authn->keys);
	token_file_free(authn->token_file);
	for (size_t i = 0; i < authn->n_issuers; i++)
		free(authn->issuers[i]);
	free(authn->issuers);
	json_object_put(authn->audiences);
	free(authn->jwks_uri);
	free(authn);
}
