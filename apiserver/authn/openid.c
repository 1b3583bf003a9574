/* What others need to verify our service account tokens by themselves: the issuer's discovery document and
 * its keys. https://openid.net/specs/openid-connect-discovery-1_0.html, RFC 7517.
 */
#include "apiserver/authn/authn.h"
#include "apiserver/edge/dispatch.h"
#include "apiserver/edge/respond.h"
#include "apiserver/edge/server.h"

static enum step_result respond_document(struct request *r, const char *content_type,
					 const struct json_object *document)
{
	struct buf text = BUF_INIT;
	json_write(&text, document);
	return respond_buf(r, 200, content_type, &text);
}

static void add_string(struct json_object *document, const char *key, const char *value)
{
	json_object_array_add(json_ensure_array(document, key), json_object_new_string(value));
}

static enum step_result configuration_answer(struct request *r)
{
	const struct authn *authn = r->server->authn;
	if (!authn->keys)
		return respond_page_not_found(r);
	CLEANUP(json_putp) struct json_object *document = json_object_new_object();
	const char *host = request_header(r, "Host");
	CLEANUP(mem_freep) char *own = mem_printf("https://%s/openid/v1/jwks", host ? host : "");
	json_set_str(document, "issuer", authn->issuers[0]);
	json_set_str(document, "jwks_uri", authn->jwks_uri ? authn->jwks_uri : own);
	add_string(document, "response_types_supported", "id_token");
	add_string(document, "subject_types_supported", "public");
	json_set(document, "id_token_signing_alg_values_supported", token_keys_algorithms(authn->keys));
	return respond_document(r, "application/json", document);
}

static enum step_result keys_answer(struct request *r)
{
	const struct authn *authn = r->server->authn;
	if (!authn->keys)
		return respond_page_not_found(r);
	CLEANUP(json_putp) struct json_object *keys = token_keys_jwks(authn->keys);
	return respond_document(r, "application/jwk-set+json", keys);
}

const struct request_step openid_configuration_steps[] = { { "answer", configuration_answer },
							   { NULL, NULL } };
const struct request_step openid_keys_steps[] = { { "answer", keys_answer }, { NULL, NULL } };
