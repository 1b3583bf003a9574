/* TokenReview: whom a token stands for; SelfSubjectReview: whom the request's own sender stands for.
 * (authentication.k8s.io/v1; kubectl auth whoami.)
 */
#include "apiserver/admit.h"
#include "apiserver/authn/authn.h"
#include "apiserver/edge/dispatch.h"
#include "apiserver/edge/respond.h"
#include "apiserver/edge/server.h"
#include "apiserver/options.h"
#include "lib/timefmt.h"

static struct json_object *review_new(const char *kind)
{
	struct json_object *review = json_object_new_object();
	json_set_str(review, "kind", kind);
	json_set_str(review, "apiVersion", "authentication.k8s.io/v1");
	json_ensure_object(review, "metadata");
	return review;
}

static enum step_result respond_review(struct request *r, const struct json_object *review)
{
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	json_write(&text, review);
	return respond_json(r, 201, &text);
}

static struct json_object *review_token(struct request *r, const char *token,
					const struct json_object *audiences)
{
	struct authn *authn = r->server->authn;
	struct json_object *status = json_object_new_object(), *good_for = NULL;
	struct err err = ERR_INIT;
	CLEANUP(identity_unrefp)
	struct identity *identity =
	    authn_token(authn, r->server->core, token, json_len(audiences) ? audiences : authn->audiences,
			&good_for, &err);
	if (identity)
		json_set_bool(status, "authenticated", true);
	json_set(status, "user", identity ? identity_user_info(identity) : json_object_new_object());
	if (good_for)
		json_set(status, "audiences", good_for);
	if (!identity)
		json_set_str(status, "error", err.msg);
	return status;
}

static enum step_result token_review_answer(struct request *r)
{
	const struct json_object *spec = json_get(r->obj, "spec");
	const char *token = json_str_or_empty(spec, "token");
	if (!*token)
		return request_fail(r, DETAILS_NONE, ERR_BAD_REQUEST,
				    "token is required for TokenReview in authentication");
	CLEANUP(json_putp) struct json_object *review = review_new("TokenReview");
	struct json_object *metadata = json_get(r->obj, "metadata");
	if (metadata)
		json_set(review, "metadata", json_object_get(metadata));
	json_set(review, "spec", json_object_get(json_get(r->obj, "spec")));
	json_set(review, "status", review_token(r, token, json_get(spec, "audiences")));
	return respond_review(r, review);
}

static enum step_result self_subject_review_answer(struct request *r)
{
	CLEANUP(json_putp) struct json_object *review = review_new("SelfSubjectReview");
	char now[TIMEFMT_SIZE];
	json_set_str(json_get(review, "metadata"), "creationTimestamp", time_format(time_now_us(), now));
	json_set(json_ensure_object(review, "status"), "userInfo", identity_user_info(r->identity));
	return respond_review(r, review);
}

const struct request_step token_review_steps[] = {
	{ "options", options_write },
	{ "decode", admit_decode },
	{ "answer", token_review_answer },
	{ NULL, NULL },
};

const struct request_step self_subject_review_steps[] = {
	{ "options", options_write },
	{ "decode", admit_decode },
	{ "answer", self_subject_review_answer },
	{ NULL, NULL },
};
