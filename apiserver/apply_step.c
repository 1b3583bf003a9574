/* PATCH with an apply: options -> read -> apply -> admit -> write, or create's admit where nothing is. */
#include "apiserver/apply_step.h"

#include <string.h>

#include "api/apply.h"
#include "api/custom.h"
#include "api/status.h"
#include "apiserver/admission/pod_security_namespace.h"
#include "apiserver/admission/resource_quota.h"
#include "apiserver/admit.h"
#include "apiserver/authz/authorize.h"
#include "apiserver/edge/dispatch.h"
#include "apiserver/edge/server.h"
#include "apiserver/managed.h"
#include "apiserver/options.h"
#include "apiserver/service/allocate.h"
#include "apiserver/update.h"
#include "apiserver/view.h"
#include "lib/yaml.h"

/* A key that stands there twice is what strict validation is about; unknown fields are never taken. */
static enum step_result check_duplicates(struct request *r, const struct yaml_doc *doc)
{
	CLEANUP(buf_close) struct buf text = BUF_INIT;

	if (!doc->duplicates || r->validation == FIELD_VALIDATION_IGNORE)
		return STEP_NEXT;
	buf_printf(&text, "key \"%s\" already set in map", doc->first_duplicate ? doc->first_duplicate : "");
	if (r->validation == FIELD_VALIDATION_STRICT)
		return request_fail(r, DETAILS_NONE, ERR_BAD_REQUEST, "error strict decoding YAML: %s",
				    text.data);
	buf_str(&r->warnings, r->warnings.len ? "\n" : "");
	buf_str(&r->warnings, text.data);
	return STEP_NEXT;
}

enum step_result apply_decode(struct request *r, struct json_object **ret)
{
	struct err err = ERR_INIT;
	struct yaml_doc *docs = NULL;
	size_t n = 0;
	enum step_result result;

	if (yaml_parse("yaml", r->body.data ? r->body.data : "", r->body.len, &docs, &n, &err) < 0)
		return request_fail(r, DETAILS_NONE, ERR_BAD_REQUEST, "error decoding YAML: %s", err.msg);
	if (n == 1 && json_object_is_type(docs[0].value, json_type_object)) {
		result = check_duplicates(r, &docs[0]);
		if (result == STEP_NEXT)
			*ret = TAKE(docs[0].value);
	} else {
		result = request_fail(r, DETAILS_NONE, ERR_BAD_REQUEST,
				      "error decoding YAML: the body must be one object");
	}
	yaml_docs_free(docs, n);
	return result;
}

static enum step_result apply_begin(struct request *r)
{
	r->again = r->step + 1;
	return options_write(r);
}

/* What is not there is made, by who may do that. */
static enum step_result apply_read(struct request *r)
{
	enum step_result result = update_read(r);
	struct authz_attributes a = { .is_resource = true,
				      .group = r->route.resource->group,
				      .version = r->route.resource->version,
				      .resource = r->route.resource->plural,
				      .subresource = "",
				      .namespace_ = r->route.namespace_,
				      .name = r->name };

	if (result != STEP_FAIL || r->err.kind != ERR_NOT_FOUND || r->route.subresource)
		return result;
	r->err = ERR_INIT;
	a.identity = r->identity;
	attributes_set_verb(&a, "create");
	return authorize_attributes(r, &a);
}

enum step_result apply_check_kind(struct request *r, const struct json_object *config,
				  const char *group_version, const char *kind_name)
{
	const char *version = json_str_or_empty(config, "apiVersion"),
		   *kind = json_str_or_empty(config, "kind");

	if (strcmp(version, group_version) == 0 && strcmp(kind, kind_name) == 0)
		return STEP_NEXT;
	return request_fail(r, DETAILS_NONE, ERR_BAD_REQUEST, "invalid object type: %s%s, Kind=%s",
			    strchr(version, '/') ? "" : "/", version, kind);
}

/* The configuration must be of this kind, and have nothing that only the server may say. */
static enum step_result check_config(struct request *r, const struct json_object *config)
{
	const struct resource *resource = r->route.resource;
	const struct json_object *metadata = json_get(config, "metadata");
	const char *name = json_str_or_empty(metadata, "name");

	if (apply_check_kind(r, config, resource->group_version, resource->kind_name) == STEP_FAIL)
		return STEP_FAIL;
	if (json_get(metadata, "managedFields"))
		return request_fail(r, DETAILS_NONE, ERR_BAD_REQUEST, "metadata.managedFields must be nil");
	if (*name && strcmp(name, r->name) != 0)
		return request_fail(r, DETAILS_NONE, ERR_BAD_REQUEST,
				    "the name of the object (%s) does not match the name on the URL (%s)",
				    name, r->name);
	if (!r->current && *json_str_or_empty(metadata, "uid")) {
		CLEANUP(mem_freep)
		char *detail = mem_printf("uid mismatch: the provided object specified uid %s, and no "
					  "existing object was found",
					  json_str_or_empty(metadata, "uid"));
		status_conflict(&r->err, resource, r->name, detail);
		return request_fail_as(r, DETAILS_OBJECT);
	}
	return STEP_NEXT;
}

/* r->err with what was to be done in front of it. */
static enum step_result fail_typed(struct request *r, const char *what, const char *then,
				   const struct json_object *config)
{
	const struct resource *resource = r->route.resource;
	const struct json_object *metadata = json_get(config, "metadata");

	return request_fail(r, DETAILS_NONE, ERR_BAD_REQUEST, "%s (%s/%s; %s%s, Kind=%s)%s: %s", what,
			    json_str_or_empty(metadata, "namespace"), json_str_or_empty(metadata, "name"),
			    *resource->group ? "" : "/", resource->group_version, resource->kind_name, then,
			    r->err.msg);
}

static enum step_result apply_config(struct request *r, const struct json_object *config)
{
	const struct resource *resource = r->route.resource;
	CLEANUP(json_putp) struct json_object *shown = NULL;
	char now[TIMEFMT_SIZE];
	struct apply apply = { .def = resource->def,
			       .managed = "",
			       .config = config,
			       .writer = managed_writer(r, now),
			       .force = r->query.force };

	apply.writer.api_version = resource->group_version;
	if (r->current) {
		shown = resource->stored == resource ? json_object_get(r->old) : json_copy(r->old);
		view_show_json(resource, shown);
		apply.live = shown;
		apply.managed = object_managed(r->current, &apply.managed_len);
	}
	if (apply_object(&apply, &r->obj, &r->managed, &r->errors, &r->err) == 0) {
		r->has_managed = true;
		return STEP_NEXT;
	}
	if (r->err.kind == ERR_CONFLICT)
		return request_fail_as(r, DETAILS_CAUSES);
	return fail_typed(r, "failed to create typed patch object", "", config);
}

static enum step_result apply_apply(struct request *r)
{
	const struct resource *resource = r->route.resource;
	CLEANUP(json_putp) struct json_object *config = NULL;

	if (apply_decode(r, &config) == STEP_FAIL || check_config(r, config) == STEP_FAIL ||
	    apply_config(r, config) == STEP_FAIL)
		return STEP_FAIL;
	if (!r->obj) {
		r->obj = json_copy(r->old);
		json_object_object_del(json_get(r->obj, "metadata"), "resourceVersion");
		return STEP_NEXT;
	}
	if (resource->custom) /* what of it is wrong its schema says */
		custom_prune(resource->custom, r->obj, NULL, NULL);
	else if (decode_value(resource->def, NULL, resource->version, r->obj, FIELD_VALIDATION_IGNORE,
			      &r->warnings, &r->err) < 0)
		return fail_typed(r, "failed to convert new typed object", " to object", config);
	view_store_json(resource, r->obj);
	if (!r->current)
		return authorize_creation(r) == STEP_FAIL ? STEP_FAIL
							  : request_goto(r, create_steps, "admit");
	/* A version that differs from the stored one can only be the client's. */
	struct json_object *metadata = json_get(r->obj, "metadata");
	if (strcmp(json_str_or_empty(metadata, "resourceVersion"),
		   json_str_or_empty(json_get(r->old, "metadata"), "resourceVersion")) == 0)
		json_object_object_del(metadata, "resourceVersion");
	return STEP_NEXT;
}

const struct request_step apply_steps[] = {
	{ "begin", apply_begin },
	{ "read", apply_read },
	{ "apply", apply_apply },
	{ "admit", admit_update },
	{ "pods of a namespace", pod_security_namespace_pods },
	{ "charge", quota_charge },
	{ "allocate", service_allocate },
	{ "write", update_write },
	{ "reply", update_reply },
	{ NULL, NULL },
};
