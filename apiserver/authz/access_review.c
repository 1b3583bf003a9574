/* What somebody may do, as a question: SubjectAccessReview, LocalSubjectAccessReview, SelfSubjectAccessReview
 * and SelfSubjectRulesReview. (authorization.k8s.io/v1; kubectl auth can-i.)
 */
#include <string.h>

#include "api/status.h"
#include "apiserver/admit.h"
#include "apiserver/authz/authz.h"
#include "apiserver/authz/node.h"
#include "apiserver/edge/dispatch.h"
#include "apiserver/edge/respond.h"
#include "apiserver/edge/server.h"
#include "apiserver/managed.h"
#include "apiserver/options.h"
#include "lib/selector.h"

static enum step_result validate(struct request *r)
{
	const struct kind *kind = r->route.resource->kind;
	struct json_object *metadata = json_ensure_object(r->obj, "metadata");

	if (*r->route.namespace_ && !json_get(metadata, "namespace"))
		json_set_str(metadata, "namespace", r->route.namespace_);
	if (kind->validate)
		kind->validate(r->obj, &r->errors);
	if (!r->errors.n)
		return STEP_NEXT;
	status_invalid(&r->err, r->route.resource, r->name, &r->errors);
	return request_fail_as(r, DETAILS_KIND);
}

/* What was asked, with STATUS, which is taken. */
static enum step_result respond_review(struct request *r, struct json_object *status)
{
	const struct resource *resource = r->route.resource;
	CLEANUP(json_putp) struct json_object *review = json_object_new_object();
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	const struct json_object *metadata = json_get(r->obj, "metadata");

	json_set_str(review, "kind", resource->kind_name);
	json_set_str(review, "apiVersion", resource->group_version);
	json_set(review, "metadata", metadata ? json_clone(metadata) : json_object_new_object());
	managed_show(r, json_get(review, "metadata"));
	json_set(review, "spec", json_clone(json_get(r->obj, "spec")));
	json_set(review, "status", status);
	json_write(&text, review);
	return respond_json(r, 201, &text);
}

/* The node that spec.resourceAttributes.fieldSelector pins, in RAW's memory or the object's. */
static const char *node_name_of(const struct json_object *attributes, struct selector *raw)
{
	const struct json_object *fields = json_get(attributes, "fieldSelector");
	const struct json_object *requirements = json_get(fields, "requirements");
	const char *text = json_str(fields, "rawSelector");

	if (text && selector_parse_fields(text, raw, NULL) == 0)
		return selector_exact(raw, "spec.nodeName");
	for (size_t i = 0; i < json_len(requirements); i++) {
		const struct json_object *one = json_at(requirements, i), *values = json_get(one, "values");

		if (strcmp(json_str_or_empty(one, "key"), "spec.nodeName") == 0 &&
		    strcmp(json_str_or_empty(one, "operator"), "In") == 0 && json_len(values) == 1)
			return json_object_get_string(json_at(values, 0));
	}
	return NULL;
}

/* STEP_FAIL, or the status to answer with. */
static enum step_result decide(struct request *r, const struct identity *identity, struct json_object **ret)
{
	const struct json_object *spec = json_get(r->obj, "spec"),
				 *resource = json_get(spec, "resourceAttributes"),
				 *path = json_get(spec, "nonResourceAttributes");
	CLEANUP(selector_close) struct selector fields = { 0 };
	CLEANUP(buf_close) struct buf reason = BUF_INIT;
	bool allowed;
	struct authz_attributes a = {
		.identity = identity,
		.is_resource = resource != NULL,
		.path = json_str_or_empty(path, "path"),
		.group = json_str_or_empty(resource, "group"),
		.version = json_str_or_empty(resource, "version"),
		.resource = json_str_or_empty(resource, "resource"),
		.subresource = json_str_or_empty(resource, "subresource"),
		.namespace_ = json_str_or_empty(resource, "namespace"),
		.name = json_str_or_empty(resource, "name"),
		.node_name = node_name_of(resource, &fields),
		.explain = true,
	};

	attributes_set_verb(&a, json_str_or_empty(resource ? resource : path, "verb"));
	if (authz_decide(r->server->authz, &a, &allowed, &reason, &r->err) < 0)
		return request_fail_as(r, DETAILS_NONE);
	*ret = json_object_new_object();
	json_set_bool(*ret, "allowed", allowed);
	if (reason.len)
		json_set_str(*ret, "reason", reason.data);
	return STEP_NEXT;
}

static enum step_result answer_self(struct request *r)
{
	struct json_object *status = NULL;

	return decide(r, r->identity, &status) == STEP_FAIL ? STEP_FAIL : respond_review(r, status);
}

static enum step_result answer_subject(struct request *r)
{
	const struct json_object *spec = json_get(r->obj, "spec"), *groups = json_get(spec, "groups");
	CLEANUP(identity_unrefp)
	struct identity *identity =
	    identity_new(json_str_or_empty(spec, "user"), json_str_or_empty(spec, "uid"));
	struct json_object *status = NULL;

	for (size_t i = 0; i < json_len(groups); i++) {
		const char *group = json_object_get_string(json_at(groups, i));

		if (group)
			identity_add_group(identity, group, strlen(group));
	}
	return decide(r, identity, &status) == STEP_FAIL ? STEP_FAIL : respond_review(r, status);
}

static enum step_result answer_rules(struct request *r)
{
	const char *namespace_ = json_str_or_empty(json_get(r->obj, "spec"), "namespace");
	struct rbac *rbac = authz_rbac(r->server->authz);
	struct rbac_held held;

	if (!*namespace_)
		return request_fail(r, DETAILS_NONE, ERR_BAD_REQUEST, "no namespace on request");
	if (rbac_hold(rbac, r->identity, namespace_, &held, &r->err) < 0)
		return request_fail_as(r, DETAILS_NONE);

	struct json_object *status = json_object_new_object();
	struct json_object *resources = json_ensure_array(status, "resourceRules");
	struct json_object *paths = json_ensure_array(status, "nonResourceRules");

	for (size_t i = 0; i < held.n; i++)
		rule_append_json(held.rules[i], held.rules[i]->urls.n ? paths : resources);
	/* What a node agent may do besides hangs on its pods. */
	bool incomplete = node_of_identity(r->identity) != NULL;
	const char *why =
	    incomplete ? "node authorizer does not support user rule resolution" : held.missing.data;

	json_set_bool(status, "incomplete", incomplete);
	json_set_str(status, "evaluationError", why);
	rbac_done(rbac, &held);
	return respond_review(r, status);
}

const struct request_step subject_access_review_steps[] = {
	{ "options", options_write },
	{ "decode", admit_decode },
	{ "validate", validate },
	{ "answer", answer_subject },
	{ NULL, NULL },
};

const struct request_step self_subject_access_review_steps[] = {
	{ "options", options_write },
	{ "decode", admit_decode },
	{ "validate", validate },
	{ "answer", answer_self },
	{ NULL, NULL },
};

const struct request_step self_subject_rules_review_steps[] = {
	{ "options", options_write },
	{ "decode", admit_decode },
	{ "answer", answer_rules },
	{ NULL, NULL },
};
