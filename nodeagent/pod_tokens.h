/* The service account tokens of one pod's projected volumes: asked of the API, bound to the pod, kept in
 * memory, and renewed when four fifths of their life are over, or a day.
 *
 *     ASKED ─▶ HELD ──(80 % of its life)──▶ ASKED, the old one still good
 *       └────▶ FAILED ──(back-off)──▶ ASKED
 *
 * https://kubernetes.io/docs/concepts/storage/projected-volumes/#serviceaccounttoken
 */
#pragma once

#include "lib/api_client.h"
#include "lib/json.h"
#include "lib/loop.h"

struct pod_tokens;

/* Asks for what POD's volumes want. CHANGED is called from the loop when a token has come, was renewed or was
 * refused. NULL when the pod wants none. POD is not used afterwards. */
struct pod_tokens *pod_tokens_new(struct loop *loop, struct api_client *api, const struct json_object *pod,
				  void (*changed)(void *arg), void *arg);
void pod_tokens_free(struct pod_tokens *tokens); /* NULL is fine */
/* Each was answered at least once, one way or the other. True for NULL. */
bool pod_tokens_settled(const struct pod_tokens *tokens);
/* The token that SOURCE, a volume's serviceAccountToken, asks for; borrowed until the next change. NULL: why
 * in *err. */
const char *pod_tokens_get(const struct pod_tokens *tokens, const struct json_object *source,
			   struct err *err);
