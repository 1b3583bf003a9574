/* Secrets of type kubernetes.io/service-account-token get what belongs into them, and go with their account.
 * The token itself the API server puts in when they are written: its key stays there.
 */
#pragma once

#include "controller/cache.h"

struct token_secrets;

/* ROOT_CA: the PEM for ca.crt, borrowed; NULL: none is put in. */
struct token_secrets *token_secrets_new(struct loop *loop, struct api_client *client, struct cache *cache,
					const char *root_ca);
void token_secrets_synced(struct token_secrets *tokens);
void token_secrets_free(struct token_secrets *tokens);
