#include "apiserver/admit.h"

#include <stdio.h>
#include <string.h>

#include "api/custom.h"
#include "api/validate.h"
#include "apiserver/admission/admission.h"
#include "apiserver/chance.h"
#include "apiserver/delete.h"
#include "apiserver/managed.h"
#include "apiserver/view.h"
#include "lib/timefmt.h"

#define GENERATED_BASE_MAX 58 /* and five more make 63, a DNS label */

enum step_result admit_decode(struct request *r)
{
	if (r->media != MEDIA_JSON && r->media != MEDIA_YAML && r->media != MEDIA_NONE)
		return request_fail(
		    r, DETAILS_NONE, ERR_UNSUPPORTED_MEDIA_TYPE,
		    "the body of the request was in an unknown format - accepted media types include: "
		    "application/json, application/yaml, application/vnd.kubernetes.protobuf");
	const char *text = r->body.data ? r->body.data : "";
	if (decode_object(r->route.resource, text, r->body.len, r->media == MEDIA_YAML, r->validation,
			  &r->warnings, &r->obj, &r->err) < 0)
		return request_fail_as(r, DETAILS_NONE);
	view_store_json(r->route.resource, r->obj);
	return STEP_NEXT;
}

void admit_generate_name(struct request *r, const char *base)
{
	snprintf(r->generated, sizeof(r->generated), "%.*s", GENERATED_BASE_MAX, base);
	chance_name(r->generated + strlen(r->generated), 5);
	r->name = r->generated;
}

static void set_now(struct json_object *metadata, const char *key)
{
	char now[TIMEFMT_SIZE];
	json_set_str(metadata, key, time_format(time_now_us(), now));
}

void admit_warn(struct request *r, const char *text)
{
	if (r->warnings.len && r->warnings.data[r->warnings.len - 1] != '\n')
		buf_char(&r->warnings, '\n');
	buf_str(&r->warnings, text);
}

static void add_warning(const char *text, void *arg)
{
	admit_warn(arg, text);
}

static enum step_result admit_validate(struct request *r)
{
	const struct resource *resource = r->route.resource;
	CLEANUP(field_errors_close) struct field_errors warnings = FIELD_ERRORS_INIT;
	r->errors.warnings = &warnings;
	validate_object(resource, r->obj, r->old, r->route.subresource ? r->route.subresource->name : NULL,
			&r->errors);
	r->errors.warnings = NULL;
	for (size_t i = 0; i < warnings.n; i++) {
		CLEANUP(mem_freep)
		char *text = mem_printf("%s: %s", warnings.items[i].field, warnings.items[i].message);
		admit_warn(r, text);
	}
	if (!r->errors.n) {
		if (resource->kind->warnings && !r->route.subresource)
			resource->kind->warnings(r->obj, r->old, add_warning, r);
		return admission_check(r);
	}
	status_invalid(&r->err, resource, r->name, &r->errors);
	return request_fail_as(r, DETAILS_KIND);
}

/* The namespace in the object, when there is one, must be the URL's. */
static enum step_result admit_namespace(struct request *r, struct json_object *metadata)
{
	const char *given = json_str(metadata, "namespace");
	const char *wanted = r->route.namespace_;
	if (given && *given && *wanted && strcmp(given, wanted) != 0)
		return request_fail(
		    r, DETAILS_NONE, ERR_BAD_REQUEST,
		    "the namespace of the provided object does not match the namespace sent on the request");
	json_set_str(metadata, "namespace", *wanted ? wanted : NULL);
	return STEP_NEXT;
}

static enum step_result admit_create_name(struct request *r, struct json_object *metadata)
{
	const char *name = json_str_or_empty(metadata, "name");
	const char *base = json_str_or_empty(metadata, "generateName");
	if (*r->route.name && *name && strcmp(name, r->route.name) != 0) /* a PUT that creates */
		return request_fail(r, DETAILS_NONE, ERR_BAD_REQUEST,
				    "the name of the object (%s) does not match the name on the URL (%s)",
				    name, r->route.name);
	if (*r->route.name)
		json_set_str(metadata, "name", r->route.name);
	else if (!*name && *base) {
		admit_generate_name(r, base);
		json_set_str(metadata, "name", r->name);
	}
	r->name = json_str_or_empty(metadata, "name");
	return STEP_NEXT;
}

static void set_defaults(struct request *r)
{
	const struct resource *resource = r->route.resource;
	if (resource->custom)
		custom_default(resource->custom, r->obj);
	else if (resource->stored->kind->set_defaults)
		resource->stored->kind->set_defaults(r->obj);
}

enum step_result admit_create(struct request *r)
{
	const struct kind *kind = r->route.resource->stored->kind;
	if (r->route.resource->custom && r->route.resource->custom->terminating)
		return request_fail(r, DETAILS_KIND, ERR_METHOD_NOT_ALLOWED,
				    "create not allowed while custom resource definition is terminating");
	struct json_object *metadata = json_ensure_object(r->obj, "metadata");
	const char *revision = json_str_or_empty(metadata, "resourceVersion");
	if (*revision && strcmp(revision, "0") != 0)
		return request_fail(r, DETAILS_NONE, ERR_BAD_REQUEST,
				    "resourceVersion should not be set on objects to be created");
	if (admit_namespace(r, metadata) == STEP_FAIL || admit_create_name(r, metadata) == STEP_FAIL)
		return STEP_FAIL;
	static const char *const server_only[] = { "resourceVersion", "deletionTimestamp",
						   "deletionGracePeriodSeconds", "selfLink", "generation" };
	for (size_t i = 0; i < ARRAY_SIZE(server_only); i++)
		json_object_object_del(metadata, server_only[i]);
	char uuid[CHANCE_UUID_SIZE];
	json_set_str(metadata, "uid", chance_uuid(uuid));
	set_now(metadata, "creationTimestamp");
	if (kind->has_generation)
		json_set_int(metadata, "generation", 1);
	if (r->route.resource->custom && kind->has_status)
		json_object_object_del(r->obj, "status");
	set_defaults(r);
	managed_write(r);
	enum step_result changed = admission_change(r);
	if (changed != STEP_NEXT)
		return changed;
	if (kind->prepare_create)
		kind->prepare_create(r->obj);
	return admit_validate(r);
}

enum step_result admit_wrong_uid(struct request *r, const char *given, const char *stored)
{
	const struct resource *resource = r->route.resource;
	const char *namespace_ = r->route.namespace_;
	CLEANUP(mem_freep)
	char *detail =
	    mem_printf("StorageError: invalid object, Code: 4, Key: /registry/%s/%s%s%s, "
		       "ResourceVersion: 0, AdditionalErrorMsg: "
		       "Precondition failed: UID in precondition: %.64s, UID in object meta: %s",
		       resource->plural, namespace_, *namespace_ ? "/" : "", r->name, given, stored);

	status_conflict(&r->err, resource, r->name, detail);
	return request_fail_as(r, DETAILS_OBJECT);
}

/* The revision and uid that the client says it saw. */
static enum step_result admit_preconditions(struct request *r, const struct json_object *metadata)
{
	const struct resource *resource = r->route.resource;
	const char *revision = json_str_or_empty(metadata, "resourceVersion");
	const char *uid = json_str_or_empty(metadata, "uid");
	char current[24];
	if (revision[strspn(revision, "0123456789")])
		return request_fail(r, DETAILS_NONE, ERR_BAD_REQUEST,
				    "strconv.ParseUint: parsing \"%.64s\": invalid syntax", revision);
	snprintf(current, sizeof(current), "%llu", (unsigned long long)object_revision(r->current));
	r->conditional = *revision && strcmp(revision, "0") != 0;
	if (!r->conditional && !resource->stored->kind->unconditional_update &&
	    r->route.verb == VERB_UPDATE) {
		struct field_path path;
		field_path_init(&path, "metadata");
		size_t mark = field_push(&path, "resourceVersion");
		field_error_invalid_int(&r->errors, &path, 0, "must be specified for an update");
		field_pop(&path, mark);
		status_invalid(&r->err, resource, r->name, &r->errors);
		return request_fail_as(r, DETAILS_KIND);
	}
	if (*uid && strcmp(uid, object_uid(r->current)) != 0)
		return admit_wrong_uid(r, uid, object_uid(r->current));
	if (r->conditional && strcmp(revision, current) != 0) {
		status_conflict(&r->err, resource, r->name, NULL);
		return request_fail_as(r, DETAILS_OBJECT);
	}
	return STEP_NEXT;
}

static void copy_member(struct json_object *to, const struct json_object *from, const char *key)
{
	struct json_object *value = json_get(from, key);
	if (value)
		json_set(to, key, json_object_get(value));
	else
		json_object_object_del(to, key);
}

/* A subresource changes its part of the object; metadata comes along, but for what binds the object to
 * others. */
static void merge_subresource(struct request *r, const struct json_object *old_metadata)
{
	const char *name = r->route.subresource->name;
	const struct kind_part *part = kind_part(r->route.resource->stored->kind, name);
	/* Parts set what lies deeper; all else is a member, and the other members stay what they are. */
	struct json_object *merged = part ? json_copy(r->old) : json_share(r->old);
	if (part) {
		part->merge(merged, r->obj);
	} else if (r->route.resource->custom) {
		json_set(merged, "metadata", json_copy(old_metadata));
		copy_member(merged, r->obj, name);
	} else {
		struct json_object *metadata = json_ensure_object(r->obj, "metadata");
		copy_member(metadata, old_metadata, "ownerReferences");
		if (r->route.resource->stored->kind->status_keeps_labels)
			copy_member(metadata, old_metadata, "labels");
		json_set(merged, "metadata", json_object_get(metadata));
		copy_member(merged, r->obj, name);
	}
	json_object_put(r->obj);
	r->obj = merged;
}

/* What a client cannot change, or may leave out. */
static void keep_metadata(struct json_object *metadata, const struct json_object *old)
{
	static const char *const kept[] = { "deletionTimestamp", "deletionGracePeriodSeconds", "generation",
					    "resourceVersion" };
	static const char *const filled[] = { "uid", "creationTimestamp", "name" };
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		copy_member(metadata, old, kept[i]);
	for (size_t i = 0; i < ARRAY_SIZE(filled); i++)
		if (!*json_str_or_empty(metadata, filled[i]))
			copy_member(metadata, old, filled[i]);
	json_object_object_del(metadata, "selfLink");
}

/* generation counts changes of what is wanted. */
static void count_generation(struct request *r, struct json_object *metadata,
			     const struct json_object *old_metadata)
{
	const struct kind *kind = r->route.resource->stored->kind;
	const struct kind_part *part =
	    r->route.subresource ? kind_part(kind, r->route.subresource->name) : NULL;
	if (!kind->has_generation || (r->route.subresource && !(part && part->counts)))
		return;
	bool changed = r->route.resource->custom
			   ? custom_changed(r->route.resource, r->obj, r->old)
			   : !json_equal(json_get(r->obj, "spec"), json_get(r->old, "spec"));
	if (kind->generation_of_annotations)
		changed |=
		    !json_equal(json_get(metadata, "annotations"), json_get(old_metadata, "annotations"));
	if (changed)
		json_set_int(metadata, "generation", json_int(old_metadata, "generation", 0) + 1);
}

enum step_result admit_update(struct request *r)
{
	const struct kind *kind = r->route.resource->stored->kind;
	const struct json_object *old_metadata = json_get(r->old, "metadata");
	struct json_object *metadata = json_ensure_object(r->obj, "metadata");
	const char *name = json_str_or_empty(metadata, "name");
	if (!*name && r->route.verb == VERB_UPDATE)
		return request_fail(
		    r, DETAILS_NONE, ERR_BAD_REQUEST,
		    "the name of the object (%s based on URL) was undeterminable: name must be provided",
		    r->route.name);
	if (strcmp(name, r->route.name) != 0 && r->route.verb == VERB_UPDATE)
		return request_fail(r, DETAILS_NONE, ERR_BAD_REQUEST,
				    "the name of the object (%s) does not match the name on the URL (%s)",
				    name, r->route.name);
	if (admit_namespace(r, metadata) == STEP_FAIL || admit_preconditions(r, metadata) == STEP_FAIL)
		return STEP_FAIL;
	if (r->route.subresource)
		merge_subresource(r, old_metadata);
	else if (kind->has_status)
		copy_member(r->obj, r->old, "status");
	metadata = json_ensure_object(r->obj, "metadata");
	keep_metadata(metadata, old_metadata);
	set_defaults(r);
	managed_write(r);
	enum step_result changed = admission_change(r);
	if (changed != STEP_NEXT)
		return changed;
	if (kind->prepare_update && !r->route.subresource)
		kind->prepare_update(r->obj, r->old);
	count_generation(r, metadata, old_metadata);
	return admit_validate(r);
}

bool admit_releases(const struct resource *resource, const struct json_object *obj,
		    const struct json_object *old)
{
	const struct json_object *metadata = json_get(obj, "metadata");
	const struct json_object *old_metadata = json_get(old, "metadata");
	if (!json_get(old_metadata, "deletionTimestamp") || json_len(json_get(metadata, "finalizers")))
		return false;
	/* Namespaces wait for their content, by finalizers in their spec, and have no grace period. */
	if (!resource->namespaced && strcmp(resource->plural, "namespaces") == 0)
		return json_len(json_path(obj, "spec", "finalizers", NULL)) == 0;
	if (delete_is_of_definition(resource))
		return true;
	return json_int(old_metadata, "deletionGracePeriodSeconds", -1) == 0;
}
