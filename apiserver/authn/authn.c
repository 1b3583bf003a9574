#include "apiserver/authn/authn.h"

#include <stdlib.h>
#include <string.h>

#include "apiserver/authn/token_file.h"

#define BEARER "Bearer "

struct authn {
	struct token_file *token_file; /* or NULL */
};

static struct identity *by_token_file(struct authn *authn, struct core *core, const char *token)
{
	(void)core;
	return authn->token_file ? token_file_find(authn->token_file, token) : NULL;
}

/* Who a bearer token is, tried in this order. */
static const struct {
	const char *name;
	struct identity *(*find)(struct authn *authn, struct core *core, const char *token);
} bearers[] = {
	{ "token file", by_token_file },
};

struct identity *authn_identify(struct authn *authn, struct core *core, const struct authn_evidence *evidence)
{
	const char *header = evidence->authorization;
	/* A wrong token is not saved by a good certificate. */
	if (header && strncasecmp(header, BEARER, strlen(BEARER)) == 0) {
		struct identity *identity = NULL;
		for (size_t i = 0; i < ARRAY_SIZE(bearers) && !identity; i++)
			identity = bearers[i].find(authn, core, header + strlen(BEARER));
		return identity;
	}
	return evidence->certificate ? identity_ref(evidence->certificate) : NULL;
}

int authn_new(const struct authn_opts *opts, struct authn **ret, struct err *err)
{
	struct authn *authn = mem_zalloc(sizeof(*authn));
	if (opts->token_file && token_file_new(opts->token_file, &authn->token_file, err) < 0) {
		authn_free(authn);
		return -1;
	}
	*ret = authn;
	return 0;
}

void authn_free(struct authn *authn)
{
	if (!authn)
		return;
	token_file_free(authn->token_file);
	free(authn);
}
