/* serviceaccounts/NAME/token: a token for a service account, on request.
 * (authentication/v1 TokenRequest; registry/core/serviceaccount storage TokenREST.)
 */
#include <string.h>

#include "apiserver/authn/authn.h"
#include "apiserver/authn/token_claims.h"
#include "apiserver/authz/node_restriction.h"
#include "apiserver/chance.h"
#include "apiserver/edge/dispatch.h"
#include "apiserver/edge/respond.h"
#include "apiserver/edge/server.h"
#include "apiserver/options.h"
#include "lib/timefmt.h"

#define GROUP     "authentication.k8s.io"
#define DEFAULT_S 3600
#define MIN_S     600
#define MAX_S     (INT64_C(1) << 32)
/* What kubelets ask for pods that did not choose: such a token works for a year, as programs that read their
 * token only once need, and says when it ought to have been renewed. */
#define POD_DEFAULT_S  3607
#define POD_EXTENDED_S (INT64_C(365) * 24 * 3600)

/* What a request is about, found by then. */
struct bound {
	struct object *account, *object, *node;
	struct json_object *parsed; /* of a pod */
	const char *node_name;      /* of a pod */
};

static void bound_close(struct bound *bound)
{
	object_unref(bound->account);
	object_unref(bound->object);
	object_unref(bound->node);
	json_object_put(bound->parsed);
}

static void token_request_free(void *state)
{
	json_object_put(state);
}

static enum step_result token_request_decode(struct request *r)
{
	struct json_object *body = NULL;
	if (decode_body(schema_def_find("authentication.v1.TokenRequest"), "TokenRequest",
			r->body.data ? r->body.data : "", r->body.len, r->media == MEDIA_YAML, &body,
			&r->err) < 0)
		return request_fail_as(r, DETAILS_NONE);
	r->state = body;
	r->state_free = token_request_free;
	return r->server->authn->keys && token_keys_can_sign(r->server->authn->keys)
		   ? STEP_NEXT
		   : request_fail(r, DETAILS_EMPTY, ERR_NOT_FOUND,
				  "the server could not find the requested resource");
}

static enum step_result invalid(struct request *r, const char *name)
{
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	field_errors_write(&text, &r->errors);
	r->options_kind = "TokenRequest";
	r->options_group = GROUP;
	r->options_name = name;
	return request_fail(r, DETAILS_OPTIONS, ERR_INVALID, "TokenRequest." GROUP " \"%s\" is invalid: %s",
			    name, text.data);
}

/* Name and namespace of the body, when it has them, are the URL's. */
static enum step_result check_metadata(struct request *r, const struct json_object *metadata)
{
	const struct {
		const char *field, *wanted, *detail;
	} rows[] = {
		{ "name", r->name, "must match the service account name if specified" },
		{ "namespace", r->route.namespace_, "must match the service account namespace if specified" },
	};
	struct field_path path;
	field_path_init(&path, "metadata");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *given = json_str_or_empty(metadata, rows[i].field);
		if (!*given || strcmp(given, rows[i].wanted) == 0)
			continue;
		field_push(&path, rows[i].field);
		field_error_invalid_str(&r->errors, &path, given, "%s", rows[i].detail);
		return invalid(r, r->name);
	}
	return STEP_NEXT;
}

static enum step_result check_duration(struct request *r, int64_t seconds)
{
	struct field_path path;
	field_path_init(&path, "spec");
	field_push(&path, "expirationSeconds");
	if (seconds < MIN_S)
		field_error_invalid_int(&r->errors, &path, seconds,
					"may not specify a duration less than 10 minutes");
	if (seconds > MAX_S)
		field_error_invalid_int(&r->errors, &path, seconds,
					"may not specify a duration larger than 2^32 seconds");
	return r->errors.n ? invalid(r, "") : STEP_NEXT;
}

/* --- what the token is to be bound to --- */

/* r is about PLURAL from here on: a failure names it. */
static int find_object(struct request *r, const char *plural, const char *name, struct object **ret)
{
	const struct resource *resource = resource_find("", "v1", plural);
	const char *namespace_ = resource->namespaced ? r->route.namespace_ : "";
	if (core_get(r->server->core, resource, namespace_, name, ret, &r->err) == 0)
		return 0;
	r->route.resource = resource;
	r->name = name;
	request_fail_as(r, DETAILS_OBJECT);
	return -1;
}

static enum step_result bind_pod(struct request *r, struct bound *bound)
{
	bound->parsed = object_json(bound->object);
	const struct json_object *spec = json_get(bound->parsed, "spec");
	if (strcmp(json_str_or_empty(spec, "serviceAccountName"), r->name) != 0)
		return request_fail(
		    r, DETAILS_NONE, ERR_BAD_REQUEST,
		    "cannot bind token for serviceaccount \"%s\" to pod running with different "
		    "serviceaccount name.",
		    r->name);
	bound->node_name = json_str(spec, "nodeName");
	/* A node that is gone is named all the same. */
	if (bound->node_name)
		core_get(r->server->core, resource_find("", "v1", "nodes"), "", bound->node_name,
			 &bound->node, NULL);
	return STEP_NEXT;
}

static const char *kind_of(const struct json_object *ref)
{
	const char *version = json_str_or_empty(ref, "apiVersion");
	return strchr(version, '/') ? "" : json_str_or_empty(ref, "kind");
}

static enum step_result bind_object(struct request *r, const struct json_object *ref, struct bound *bound)
{
	static const struct {
		const char *kind, *plural;
	} rows[] = { { "Pod", "pods" }, { "Node", "nodes" }, { "Secret", "secrets" } };
	const char *name = json_str_or_empty(ref, "name"), *uid = json_str_or_empty(ref, "uid");
	const char *kind = kind_of(ref), *plural = NULL, *version = json_str_or_empty(ref, "apiVersion");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (strcmp(kind, rows[i].kind) == 0)
			plural = rows[i].plural;
	if (!plural)
		return request_fail(r, DETAILS_NONE, ERR_BAD_REQUEST,
				    "cannot bind token to object of type %s%.100s, Kind=%.100s",
				    strchr(version, '/') ? "" : "/", version, json_str_or_empty(ref, "kind"));
	if (find_object(r, plural, name, &bound->object) < 0)
		return STEP_FAIL;
	if (strcmp(kind, "Pod") == 0 && bind_pod(r, bound) == STEP_FAIL)
		return STEP_FAIL;
	if (!*uid || strcmp(uid, object_uid(bound->object)) == 0)
		return STEP_NEXT;
	r->route.resource = object_resource(bound->object);
	r->name = name;
	return request_fail(
	    r, DETAILS_OBJECT, ERR_CONFLICT,
	    "Operation cannot be fulfilled on %s \"%s\": the UID in the bound object reference (%.64s) "
	    "does not match the UID in record. The object might have been deleted and then recreated",
	    kind, name, uid);
}

/* --- the token --- */

static struct token_grant grant_of(const struct request *r, const struct bound *bound)
{
	struct token_grant grant = { .issuer = r->server->authn->issuers[0],
				     .namespace_ = r->route.namespace_,
				     .account = { object_name(bound->account), object_uid(bound->account) } };
	if (!bound->object)
		return grant;
	const char *name = object_name(bound->object), *uid = object_uid(bound->object);
	const char *plural = object_resource(bound->object)->plural;
	if (strcmp(plural, "pods") == 0) {
		grant.pod.name = name;
		grant.pod.uid = uid;
		grant.node.name = bound->node_name;
		grant.node.uid = bound->node ? object_uid(bound->node) : NULL;
	} else if (strcmp(plural, "nodes") == 0) {
		grant.node.name = name;
		grant.node.uid = uid;
	} else {
		grant.secret.name = name;
		grant.secret.uid = uid;
	}
	return grant;
}

/* All AUDIENCES are the API's own. */
static bool for_api(const struct authn *authn, const struct json_object *audiences)
{
	for (size_t i = 0; i < json_len(audiences); i++) {
		bool own = false;
		for (size_t k = 0; k < json_len(authn->audiences) && !own; k++)
			own = json_equal(json_at(audiences, i), json_at(authn->audiences, k));
		if (!own)
			return false;
	}
	return true;
}

static enum step_result sign(struct request *r, const struct bound *bound, struct json_object *body,
			     int64_t seconds)
{
	const struct authn *authn = r->server->authn;
	struct token_grant grant = grant_of(r, bound);
	CLEANUP(buf_close) struct buf token = BUF_INIT;
	int64_t now_s = time_now_us() / 1000000;
	char id[CHANCE_UUID_SIZE], time[TIMEFMT_SIZE];
	grant.audiences = json_path(body, "spec", "audiences", NULL);
	grant.id = chance_uuid(id);
	grant.issued_s = now_s;
	grant.expires_s = now_s + seconds;
	if (!authn->exact_expiration && grant.pod.name && seconds == POD_DEFAULT_S &&
	    for_api(authn, grant.audiences)) {
		grant.warn_after_s = now_s + seconds;
		grant.expires_s = now_s + POD_EXTENDED_S;
	}
	CLEANUP(json_putp) struct json_object *claims = token_claims_write(&grant);
	if (token_keys_sign(authn->keys, claims, &token, &r->err) < 0)
		return request_fail_as(r, DETAILS_NONE);
	struct json_object *status = json_object_new_object();
	json_set_str(status, "token", token.data);
	json_set_str(status, "expirationTimestamp", time_format((now_s + seconds) * 1000000, time));
	json_set(body, "status", status);
	return STEP_NEXT;
}

static void warn_shortened(struct request *r, int64_t from, int64_t to)
{
	buf_printf(&r->warnings, "requested expiration of %lld seconds shortened to %lld seconds",
		   (long long)from, (long long)to);
}

/* The answer, complete but for its status. */
static struct json_object *answer_of(const struct request *r, const struct json_object *asked,
				     int64_t seconds)
{
	struct json_object *body = json_object_new_object();
	const struct json_object *spec = json_get(asked, "spec");
	char now[TIMEFMT_SIZE];
	json_set_str(body, "kind", "TokenRequest");
	json_set_str(body, "apiVersion", GROUP "/v1");
	struct json_object *metadata = json_ensure_object(body, "metadata");
	json_set_str(metadata, "name", r->name);
	json_set_str(metadata, "namespace", r->route.namespace_);
	json_set_str(metadata, "creationTimestamp", time_format(time_now_us(), now));
	struct json_object *to = json_ensure_object(body, "spec");
	const struct json_object *audiences = json_get(spec, "audiences");
	json_set(to, "audiences", json_clone(json_len(audiences) ? audiences : r->server->authn->audiences));
	json_set_int(to, "expirationSeconds", seconds);
	json_set(to, "boundObjectRef", json_clone(json_get(spec, "boundObjectRef")));
	return body;
}

static enum step_result token_request_answer(struct request *r)
{
	const struct json_object *asked = r->state, *spec = json_get(asked, "spec");
	const struct json_object *ref = json_get(spec, "boundObjectRef");
	int64_t seconds = json_int(spec, "expirationSeconds", DEFAULT_S),
		max = r->server->authn->max_expiration_s;
	CLEANUP(bound_close) struct bound bound = { 0 };
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	if (check_metadata(r, json_get(asked, "metadata")) == STEP_FAIL ||
	    find_object(r, "serviceaccounts", r->name, &bound.account) < 0 ||
	    check_duration(r, seconds) == STEP_FAIL || (ref && bind_object(r, ref, &bound) == STEP_FAIL) ||
	    node_restriction_token(r, ref, bound.parsed) == STEP_FAIL)
		return STEP_FAIL;
	if (max && seconds > max) {
		warn_shortened(r, seconds, max);
		seconds = max;
	}
	CLEANUP(json_putp) struct json_object *body = answer_of(r, asked, seconds);
	if (sign(r, &bound, body, seconds) == STEP_FAIL)
		return STEP_FAIL;
	json_write(&text, body);
	return respond_json(r, 201, &text);
}

const struct request_step token_request_steps[] = {
	{ "options", options_write },
	{ "decode", token_request_decode },
	{ "answer", token_request_answer },
	{ NULL, NULL },
};
