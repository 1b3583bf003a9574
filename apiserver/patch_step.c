/* PATCH: options -> read -> patch -> admit -> write. */
#include "apiserver/patch_step.h"

#include <string.h>

#include "api/decode_syntax.h"
#include "api/patch.h"
#include "apiserver/admission/pod_security_namespace.h"
#include "apiserver/admission/resource_quota.h"
#include "apiserver/admit.h"
#include "apiserver/edge/dispatch.h"
#include "apiserver/managed.h"
#include "apiserver/options.h"
#include "apiserver/patch_fault.h"
#include "apiserver/service/allocate.h"
#include "apiserver/update.h"
#include "apiserver/view.h"

/* The body is a Scale, whatever the resource. */
static bool scales(const struct request *r)
{
	return r->route.subresource && strcmp(r->route.subresource->name, "scale") == 0;
}

enum step_result patch_begin(struct request *r)
{
	if (r->media != MEDIA_JSON_PATCH && r->media != MEDIA_MERGE_PATCH &&
	    r->media != MEDIA_STRATEGIC_PATCH && r->media != MEDIA_APPLY_PATCH)
		return request_fail(r, DETAILS_EMPTY, ERR_UNSUPPORTED_MEDIA_TYPE,
				    "415: Unsupported Media Type");
	if (r->media == MEDIA_STRATEGIC_PATCH && r->route.resource->custom && !scales(r))
		return request_fail(
		    r, DETAILS_NONE, ERR_UNSUPPORTED_MEDIA_TYPE,
		    "the body of the request was in an unknown format - accepted media types include: "
		    "application/json-patch+json, application/merge-patch+json, "
		    "application/apply-patch+yaml");
	r->again = r->step + 1;
	return STEP_NEXT;
}

static int parse_patch(struct request *r, struct buf *issues, struct json_object **ret)
{
	size_t duplicates = 0;
	struct err err = ERR_INIT;
	const char *text = r->body.data ? r->body.data : "";
	if (json_parse(text, r->body.len, ret, &duplicates, &err) < 0) {
		CLEANUP(buf_close) struct buf why = BUF_INIT;
		bool known = decode_syntax_fault(text, r->body.len, &why);
		return err_set(&r->err, ERR_BAD_REQUEST, "error decoding patch: %s",
			       known ? why.data : err.msg);
	}
	if (issues)
		patch_fault_text(r, *ret, duplicates, issues);
	bool list = r->media == MEDIA_JSON_PATCH;
	const char *shape = json_object_is_type(*ret, json_type_object)   ? "object"
			    : json_object_is_type(*ret, json_type_array)  ? "array"
			    : json_object_is_type(*ret, json_type_string) ? "string"
									  : "number";
	if (json_object_is_type(*ret, list ? json_type_array : json_type_object))
		return 0;
	return err_set(&r->err, ERR_BAD_REQUEST,
		       "error decoding patch: json: cannot unmarshal %s into Go value of type %s", shape,
		       list ? "[]handlers.jsonPatchOp" : "map[string]interface {}");
}

enum step_result patch_apply(struct request *r, const struct schema_def *def, const struct json_object *doc,
			     struct buf *issues, struct json_object **ret)
{
	CLEANUP(json_putp) struct json_object *patch = NULL;
	if (parse_patch(r, issues, &patch) < 0)
		return request_fail_as(r, DETAILS_NONE);
	int failed;
	switch (r->media) {
	case MEDIA_JSON_PATCH:
		failed = patch_json(doc, patch, ret, &r->err);
		break;
	case MEDIA_MERGE_PATCH:
		failed = patch_merge(doc, patch, ret, &r->err);
		break;
	default:
		failed = patch_strategic(def, doc, patch, ret, &r->err);
		break;
	}
	if (failed < 0) {
		if (r->err.kind == ERR_INVALID)
			return request_fail(r, DETAILS_EMPTY, ERR_INVALID,
					    "the server rejected our request due to an error in our request");
		return request_fail_as(r, DETAILS_NONE);
	}
	if (!json_object_is_type(*ret, json_type_object)) /* a JSON patch may replace the whole by anything */
		return request_fail(r, DETAILS_EMPTY, ERR_INVALID,
				    "the server rejected our request due to an error in our request");
	return STEP_NEXT;
}

/* Patches of managedFields are rare: only such a patch is made on an object that has them. */
static bool mentions_managed(const struct request *r)
{
	static const char *const signs[] = { "managedFields", "\"/metadata\"", "\"\"" };
	size_t n = r->media == MEDIA_JSON_PATCH ? ARRAY_SIZE(signs) : 1;
	for (size_t i = 0; i < n; i++)
		if (r->body.len && memmem(r->body.data, r->body.len, signs[i], strlen(signs[i])))
			return true;
	return false;
}

static bool of_status(const struct request *r)
{
	return r->route.subresource && strcmp(r->route.subresource->name, "status") == 0;
}

/* What the patch is made against. The caller's. */
static struct json_object *shown_old(struct request *r)
{
	const struct resource *resource = r->route.resource;
	bool whole = mentions_managed(r);
	/* What a patch does not touch is shared: but a JSON patch makes all of it anew. Of what is patched
	 * through status only status and metadata are taken; elsewhere all of it is, and changed on its way.
	 */
	bool changed = r->media != MEDIA_JSON_PATCH && !of_status(r);
	if (resource->stored == resource && !whole && !changed)
		return json_object_get(r->old);
	struct json_object *shown = whole ? managed_document(r) : json_copy(r->old);
	view_show_json(resource, shown);
	return shown;
}

static enum step_result patch_object(struct request *r)
{
	const struct resource *resource = r->route.resource;
	CLEANUP(json_putp) struct json_object *shown = shown_old(r);
	CLEANUP(buf_close) struct buf issues = BUF_INIT;
	/* Strictness is judged when all is known that is wrong. */
	enum field_validation validation =
	    r->validation == FIELD_VALIDATION_IGNORE ? FIELD_VALIDATION_IGNORE : FIELD_VALIDATION_WARN;
	if (patch_apply(r, resource->def, shown, &issues, &r->obj) == STEP_FAIL)
		return STEP_FAIL;
	struct json_object *metadata = json_get(shown, "metadata");
	if (metadata && json_get(r->obj, "metadata") == metadata)
		json_set(r->obj, "metadata", json_copy(metadata));
	/* In Kubernetes a strategic patch is made on a struct, whose type it cannot change. */
	if (r->media == MEDIA_STRATEGIC_PATCH) {
		json_set_str(r->obj, "kind", resource->kind_name);
		json_set_str(r->obj, "apiVersion", resource->group_version);
	}
	/* A view shows what nobody has decoded. */
	const struct json_object *known = resource->stored == resource ? shown : NULL;
	if (decode_check_kind(resource, r->obj, &r->err) < 0 ||
	    decode_patched(resource, known, r->obj, validation, &issues, &r->err) < 0)
		return patch_fault_result(r, resource->def, shown);
	if (patch_fault_issues(r, resource->def, shown, &issues) == STEP_FAIL)
		return STEP_FAIL;
	/* The patch was made against r->old: a version that differs from it can only be the client's. */
	const char *given = json_str_or_empty(json_get(r->obj, "metadata"), "resourceVersion");
	const char *stored = json_str_or_empty(json_get(r->old, "metadata"), "resourceVersion");
	if (strcmp(given, stored) == 0)
		json_object_object_del(json_get(r->obj, "metadata"), "resourceVersion");
	view_store_json(resource, r->obj);
	return STEP_NEXT;
}

static enum step_result object_begin(struct request *r)
{
	enum step_result result = patch_begin(r);
	if (result == STEP_NEXT && r->media == MEDIA_APPLY_PATCH)
		return request_goto(r, apply_steps, "begin");
	return result;
}

const struct request_step patch_steps[] = {
	{ "begin", object_begin },
	{ "options", options_write },
	{ "read", update_read },
	{ "patch", patch_object },
	{ "admit", admit_update },
	{ "pods of a namespace", pod_security_namespace_pods },
	{ "charge", quota_charge },
	{ "allocate", service_allocate },
	{ "write", update_write },
	{ "reply", update_reply },
	{ NULL, NULL },
};
