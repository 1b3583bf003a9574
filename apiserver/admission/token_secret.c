/* Secrets of type kubernetes.io/service-account-token: whoever writes one that names its account and that
 * account's uid, and has no token, gets one put into it. In Kubernetes the controller that puts uid and
 * certificate authority there signs the token as well; here the signing key does not leave the API server,
 * and there is no request that would hand out tokens without an end: a token is good only while its Secret
 * holds it.
 */
#include <string.h>

#include "apiserver/admission/admission.h"
#include "apiserver/authn/authn.h"
#include "apiserver/authn/token_claims.h"
#include "apiserver/edge/server.h"

#define TYPE "kubernetes.io/service-account-token"
#define NAME "kubernetes.io/service-account.name"
#define UID  "kubernetes.io/service-account.uid"

/* The account that OBJ names, or NULL: none, or another one by now. */
static struct object *find_account(const struct request *r)
{
	const struct json_object *annotations = json_path(r->obj, "metadata", "annotations", NULL);
	const char *name = json_str_or_empty(annotations, NAME), *uid = json_str_or_empty(annotations, UID);
	struct object *account = NULL;
	if (!*name || !*uid ||
	    core_get(r->server->core, resource_find("", "v1", "serviceaccounts"), r->route.namespace_, name,
		     &account, NULL) < 0)
		return NULL;
	if (strcmp(object_uid(account), uid) == 0 && !object_deleting(account))
		return account;
	object_unref(account);
	return NULL;
}

static enum step_result change(struct request *r)
{
	struct token_keys *keys = r->server->authn->keys;
	/* A name that chance made may be another one in the end, and a token names its Secret. */
	if (r->generated[0] || strcmp(json_str_or_empty(r->obj, "type"), TYPE) != 0 ||
	    *json_str_or_empty(json_get(r->obj, "data"), "token") || r->dry_run || !keys ||
	    !token_keys_can_sign(keys))
		return STEP_NEXT;
	CLEANUP(object_unrefp) struct object *account = find_account(r);
	CLEANUP(buf_close) struct buf token = BUF_INIT, encoded = BUF_INIT;
	if (!account)
		return STEP_NEXT;
	CLEANUP(json_putp)
	struct json_object *claims = token_claims_write_secret(r->route.namespace_, r->name,
							       object_name(account), object_uid(account));
	if (token_keys_sign(keys, claims, &token, &r->err) < 0)
		return request_fail_as(r, DETAILS_NONE);
	buf_base64(&encoded, token.data, token.len);
	json_set_str(json_ensure_object(r->obj, "data"), "token", encoded.data);
	return STEP_NEXT;
}

static const char *const resources[] = { "secrets", NULL };
const struct admission_plugin admission_token_secret = { .name = "TokenSecret",
							 .resources = resources,
							 .change = change };
