/* The scale subresource (autoscaling/v1 Scale): a view of an object's replica count, by the paths of its
 * kind. */
#include <string.h>

#include "api/apply.h"
#include "api/kinds/kinds.h"
#include "apiserver/admit.h"
#include "apiserver/apply_step.h"
#include "apiserver/edge/dispatch.h"
#include "apiserver/edge/respond.h"
#include "apiserver/managed.h"
#include "apiserver/options.h"
#include "apiserver/patch_fault.h"
#include "apiserver/patch_step.h"
#include "apiserver/update.h"
#include "apiserver/view.h"
#include "lib/selector.h"

/* The value at a dotted path of OBJ, or NULL. */
static struct json_object *at_path(const struct json_object *obj, const char *path)
{
	CLEANUP(mem_freep) char *copy = mem_dup(path);
	char *rest = copy;
	struct json_object *value = json_object_get((struct json_object *)(uintptr_t)obj);
	for (char *key; value && (key = strsep(&rest, "."));) {
		struct json_object *next = json_object_get(json_get(value, key));
		json_object_put(value);
		value = next;
	}
	json_object_put(value); /* borrowed: OBJ holds it */
	return value;
}

static void set_path_int(struct json_object *obj, const char *path, int64_t number)
{
	CLEANUP(mem_freep) char *copy = mem_dup(path);
	char *rest = copy, *key = strsep(&rest, ".");
	for (; rest; key = strsep(&rest, "."))
		obj = json_ensure_object(obj, key);
	json_set_int(obj, key, number);
}

/* Labels as a selector: "a=b,c=d", by key. */
static void write_map(struct buf *b, const struct json_object *map)
{
	struct selector selector = { 0 };
	if (!map)
		return;
	json_object_object_foreach((struct json_object *)(uintptr_t)map, key, value)
	{
		const char *text = json_object_get_string(value);
		selector_add_unchecked(&selector, key, SELECTOR_IN, &text, 1);
	}
	selector_sort(&selector);
	selector_write(b, &selector);
	selector_close(&selector);
}

static struct json_object *scale_of(const struct kind *kind, const struct json_object *obj)
{
	static const char *const copied[] = { "name", "namespace", "uid", "resourceVersion",
					      "creationTimestamp" };
	const struct json_object *metadata = json_get(obj, "metadata");
	struct json_object *scale = json_object_new_object();
	json_set_str(scale, "kind", "Scale");
	json_set_str(scale, "apiVersion", "autoscaling/v1");
	struct json_object *to = json_ensure_object(scale, "metadata");
	for (size_t i = 0; i < ARRAY_SIZE(copied); i++)
		json_set_str(to, copied[i], json_str(metadata, copied[i]));
	json_set_int(json_ensure_object(scale, "spec"), "replicas",
		     json_object_get_int64(at_path(obj, kind->scale_replicas)));
	struct json_object *status = json_ensure_object(scale, "status");
	json_set_int(status, "replicas", json_object_get_int64(at_path(obj, kind->scale_status_replicas)));
	struct selector selector = { 0 };
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	const struct json_object *written = kind->scale_selector ? at_path(obj, kind->scale_selector) : NULL;
	if (json_object_is_type(written, json_type_string)) { /* a custom resource has it as text */
		json_set_str(status, "selector", json_object_get_string((struct json_object *)written));
	} else if (kind->scale_selector && kind->scale_selector_is_map) {
		write_map(&text, at_path(obj, kind->scale_selector));
		json_set_str(status, "selector", text.len ? text.data : NULL);
	} else if (kind->scale_selector &&
		   selector_from_json(at_path(obj, kind->scale_selector), &selector, NULL) == 0) {
		selector_write(&text, &selector);
		selector_close(&selector);
		json_set_str(status, "selector", text.len ? text.data : NULL);
	}
	return scale;
}

/* What a Scale is of, where it is shown as a table. */
static const struct resource scale_resource = {
	.group = "autoscaling",
	.version = "v1",
	.group_version = "autoscaling/v1",
	.plural = "scales",
	.kind_name = "Scale",
	.namespaced = true,
	.kind = &kind_scale,
	.stored = &scale_resource,
	.qualified = "scales.autoscaling",
};

static enum step_result respond_scale(struct request *r, struct object *object)
{
	CLEANUP(json_putp) struct json_object *obj = view_json(r->route.resource, object, NULL);
	CLEANUP(json_putp) struct json_object *scale = scale_of(r->route.resource->kind, obj);
	CLEANUP(buf_close) struct buf body = BUF_INIT;
	if (r->accept.form == ACCEPT_TABLE || r->accept.form == ACCEPT_METADATA) {
		struct object *made = object_new(&scale_resource, scale, NULL, 0);
		object_set_revision(made, object_revision(object));
		return respond_object_of(r, 200, &scale_resource, made);
	}
	json_write(&body, scale);
	return respond_json(r, 200, &body);
}

static enum step_result scale_answer(struct request *r)
{
	return respond_scale(r, r->current);
}

static const struct schema_def *scale_def(void)
{
	return schema_def_find("autoscaling.v1.Scale");
}

static enum step_result scale_invalid(struct request *r, const char *field, long long value,
				      const char *detail)
{
	struct field_path path;
	field_path_init(&path, "spec");
	size_t mark = field_push(&path, field);
	field_error_invalid_int(&r->errors, &path, value, "%s", detail);
	field_pop(&path, mark);
	status_invalid(&r->err, r->route.resource, r->name, &r->errors);
	return request_fail_as(r, DETAILS_KIND);
}

/* SCALE's count into the object. A version it names must be the current one. */
static enum step_result apply_scale(struct request *r, const struct json_object *scale)
{
	const char *given = json_str_or_empty(json_get(scale, "metadata"), "resourceVersion");
	const char *stored = json_str_or_empty(json_get(r->old, "metadata"), "resourceVersion");
	int64_t replicas = json_int(json_get(scale, "spec"), "replicas", 0);
	const char *name = json_str_or_empty(json_get(scale, "metadata"), "name");
	if (*name && strcmp(name, r->name) != 0)
		return request_fail(r, DETAILS_NONE, ERR_BAD_REQUEST,
				    "the name of the object (%s) does not match the name on the URL (%s)",
				    name, r->name);
	if (r->route.verb == VERB_UPDATE && *given)
		r->conditional = true;
	if (*given && strcmp(given, stored) != 0) {
		status_conflict(&r->err, r->route.resource, r->name, NULL);
		return request_fail_as(r, DETAILS_OBJECT);
	}
	if (replicas < 0)
		return scale_invalid(r, "replicas", replicas, "must be greater than or equal to 0");
	r->obj = json_copy(r->old);
	set_path_int(r->obj, r->route.resource->kind->scale_replicas, replicas);
	if (json_equal(r->obj, r->old))
		return STEP_NEXT;
	managed_write_path(r, r->route.resource->kind->scale_replicas);
	if (r->route.resource->kind->has_generation) {
		struct json_object *metadata = json_get(r->obj, "metadata");
		json_set_int(metadata, "generation", json_int(metadata, "generation", 0) + 1);
	}
	return STEP_NEXT;
}

static enum step_result scale_put(struct request *r)
{
	CLEANUP(json_putp) struct json_object *scale = NULL;
	if (r->media != MEDIA_JSON && r->media != MEDIA_YAML && r->media != MEDIA_NONE)
		return request_fail(
		    r, DETAILS_NONE, ERR_UNSUPPORTED_MEDIA_TYPE,
		    "the body of the request was in an unknown format - accepted media types include: "
		    "application/json, application/yaml, application/vnd.kubernetes.protobuf");
	if (decode_body(scale_def(), "Scale", r->body.data ? r->body.data : "", r->body.len,
			r->media == MEDIA_YAML, &scale, &r->err) < 0)
		return request_fail_as(r, DETAILS_NONE);
	return apply_scale(r, scale);
}

/* Who applies a scale owns the count, and nothing else of the object. */
static enum step_result scale_apply(struct request *r)
{
	CLEANUP(json_putp) struct json_object *scale = NULL;
	const struct kind *kind = r->route.resource->kind;
	char now[TIMEFMT_SIZE];
	if (apply_decode(r, &scale) == STEP_FAIL ||
	    apply_check_kind(r, scale, "autoscaling/v1", "Scale") == STEP_FAIL)
		return STEP_FAIL;
	if (typed_validate(typed_struct(scale_def()), scale, &r->err) < 0 ||
	    decode_value(scale_def(), NULL, "v1", scale, FIELD_VALIDATION_IGNORE, &r->warnings, &r->err) <
		0) {
		err_wrap(&r->err, "failed to create typed patch object (%s/%s; autoscaling/v1, Kind=Scale)",
			 json_str_or_empty(json_get(scale, "metadata"), "namespace"),
			 json_str_or_empty(json_get(scale, "metadata"), "name"));
		return request_fail_as(r, DETAILS_NONE);
	}
	int64_t current = json_object_get_int64(at_path(r->old, kind->scale_replicas));
	struct json_object *spec = json_ensure_object(scale, "spec");
	struct apply_view view = { .path = kind->scale_replicas,
				   .shown_path = ".spec.replicas",
				   .shown_version = "autoscaling/v1",
				   .says = json_get(spec, "replicas") != NULL,
				   .changes = json_int(spec, "replicas", current) != current,
				   .writer = managed_writer(r, now),
				   .force = r->query.force };
	view.managed = object_managed(r->current, &view.managed_len);
	if (apply_view(&view, &r->managed, &r->errors, &r->err) < 0)
		return request_fail_as(r, DETAILS_CAUSES);
	r->has_managed = true;
	json_set_int(spec, "replicas", json_int(spec, "replicas", current));
	return apply_scale(r, scale);
}

static enum step_result scale_patch(struct request *r)
{
	if (r->media == MEDIA_APPLY_PATCH)
		return scale_apply(r);
	CLEANUP(json_putp) struct json_object *scale = scale_of(r->route.resource->kind, r->old);
	CLEANUP(json_putp) struct json_object *patched = NULL;
	CLEANUP(buf_close) struct buf issues = BUF_INIT;
	/* Strictness is judged when all is known that is wrong. */
	enum field_validation validation =
	    r->validation == FIELD_VALIDATION_IGNORE ? FIELD_VALIDATION_IGNORE : FIELD_VALIDATION_WARN;
	if (patch_apply(r, scale_def(), scale, &issues, &patched) == STEP_FAIL)
		return STEP_FAIL;
	if (decode_value(scale_def(), NULL, "v1", patched, validation, &issues, &r->err) < 0)
		return patch_fault_result(r, scale_def(), scale);
	if (patch_fault_issues(r, scale_def(), scale, &issues) == STEP_FAIL)
		return STEP_FAIL;
	return apply_scale(r, patched);
}

static enum step_result scale_write(struct request *r)
{
	if (json_equal(r->obj, r->old) && managed_unchanged(r))
		return respond_scale(r, r->current);
	return update_write(r);
}

static enum step_result scale_reply(struct request *r)
{
	if (r->command.err.kind == ERR_NONE)
		return respond_scale(r, r->command.ret_object);
	return update_again(r) ? STEP_GOTO : request_fail_command(r);
}

static enum step_result scale_put_begin(struct request *r)
{
	r->again = r->step + 1;
	return options_write(r);
}

const struct request_step scale_get_steps[] = {
	{ "read", update_read },
	{ "answer", scale_answer },
	{ NULL, NULL },
};

const struct request_step scale_update_steps[] = {
	{ "begin", scale_put_begin }, { "read", update_read },  { "apply", scale_put },
	{ "write", scale_write },     { "reply", scale_reply }, { NULL, NULL },
};

const struct request_step scale_patch_steps[] = {
	{ "begin", patch_begin }, { "options", options_write }, { "read", update_read },
	{ "apply", scale_patch }, { "write", scale_write },     { "reply", scale_reply },
	{ NULL, NULL },
};
