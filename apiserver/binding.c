/* pods/NAME/binding, and the older bindings of a namespace: a pod gets its node, once.
 * (core/v1 Binding; registry/core/pod storage BindingREST.)
 */
#include <string.h>

#include "apiserver/edge/dispatch.h"
#include "apiserver/edge/respond.h"
#include "apiserver/options.h"
#include "apiserver/update.h"
#include "lib/timefmt.h"

static void binding_free(void *state)
{
	json_object_put(state);
}

static void check_target(struct request *r, const struct json_object *binding)
{
	static const char *const supported[] = { "Node", "<empty>", NULL };
	const struct json_object *target = json_get(binding, "target");
	const char *kind = json_str_or_empty(target, "kind");
	struct field_path path;
	field_path_init(&path, "target");
	if (*kind && strcmp(kind, "Node") != 0) {
		size_t mark = field_push(&path, "kind");
		field_error_not_supported(&r->errors, &path, kind, supported);
		field_pop(&path, mark);
	}
	if (!*json_str_or_empty(target, "name")) {
		size_t mark = field_push(&path, "name");
		field_error_required(&r->errors, &path, "");
		field_pop(&path, mark);
	}
}

static enum step_result binding_decode(struct request *r)
{
	struct json_object *binding = NULL;
	if (decode_body(schema_def_find("core.v1.Binding"), "Binding", r->body.data ? r->body.data : "",
			r->body.len, r->media == MEDIA_YAML, &binding, &r->err) < 0)
		return request_fail_as(r, DETAILS_NONE);
	r->state = binding;
	r->state_free = binding_free;
	const char *name = json_str_or_empty(json_get(binding, "metadata"), "name");
	if (!*r->name)
		r->name = name;
	if (*name && strcmp(name, r->name) != 0)
		return request_fail(r, DETAILS_NONE, ERR_BAD_REQUEST,
				    "name in URL does not match name in Binding object");
	check_target(r, binding);
	if (r->errors.n) {
		CLEANUP(buf_close) struct buf text = BUF_INIT;
		field_errors_write(&text, &r->errors);
		return request_fail(r, DETAILS_NONE, ERR_INVALID, "Binding \"%s\" is invalid: %s", r->name,
				    text.data);
	}
	r->again = r->step + 1;
	return STEP_NEXT;
}

static enum step_result binding_refuse(struct request *r, const char *detail)
{
	return request_fail(r, DETAILS_BINDING, ERR_CONFLICT,
			    "Operation cannot be fulfilled on pods/binding \"%s\": %s", r->name, detail);
}

/* The PodScheduled condition becomes True, in a list of STATUS' own; another reason and message went with
 * False. */
static void set_scheduled(struct json_object *status)
{
	struct json_object *conditions = json_copy(json_get(status, "conditions")), *condition = NULL;
	if (!conditions)
		conditions = json_object_new_array();
	json_set(status, "conditions", conditions);
	for (size_t i = 0; i < json_len(conditions) && !condition; i++)
		if (strcmp(json_str_or_empty(json_at(conditions, i), "type"), "PodScheduled") == 0)
			condition = json_at(conditions, i);
	if (!condition) {
		condition = json_object_new_object();
		json_set_str(condition, "type", "PodScheduled");
		json_object_array_add(conditions, condition);
	}
	if (strcmp(json_str_or_empty(condition, "status"), "True") == 0)
		return;
	char now[TIMEFMT_SIZE];
	json_set_str(condition, "status", "True");
	json_set(condition, "lastProbeTime", NULL);
	json_set_str(condition, "lastTransitionTime", time_format(time_now_us(), now));
	json_object_object_del(condition, "reason");
	json_object_object_del(condition, "message");
}

static void copy_strings(struct json_object *to, const struct json_object *from, const char *key)
{
	struct json_object *strings = json_get(from, key), *all;
	if (!strings || json_object_object_length(strings) == 0)
		return;
	json_set(to, key, all = json_share(json_get(to, key)));
	json_object_object_foreach(strings, name, value) json_set(all, name, json_object_get(value));
}

static enum step_result binding_apply(struct request *r)
{
	const struct json_object *binding = r->state;
	const struct json_object *wanted = json_get(binding, "metadata");
	const char *node = json_str_or_empty(json_get(r->old, "spec"), "nodeName");
	const char *uid = json_str_or_empty(wanted, "uid");
	CLEANUP(mem_freep) char *detail = NULL;
	if (*uid && strcmp(uid, object_uid(r->current)) != 0)
		detail = mem_printf("Precondition failed: UID in precondition: %.64s, UID in object meta: %s",
				    uid, object_uid(r->current));
	else if (object_deleting(r->current))
		detail = mem_printf("pod %s is being deleted, cannot be assigned to a host", r->name);
	else if (*node)
		detail = mem_printf("pod %s is already assigned to node \"%s\"", r->name, node);
	else if (json_len(json_path(r->old, "spec", "schedulingGates", NULL)))
		detail = mem_printf("pod %s has non-empty .spec.schedulingGates", r->name);
	if (detail)
		return binding_refuse(r, detail);
	/* Only what changes is made anew. */
	static const char *const changed[] = { "metadata", "spec", "status" };
	r->obj = json_share(r->old);
	for (size_t i = 0; i < ARRAY_SIZE(changed); i++)
		json_set(r->obj, changed[i], json_share(json_get(r->old, changed[i])));
	json_set_str(json_get(r->obj, "spec"), "nodeName",
		     json_str_or_empty(json_get(binding, "target"), "name"));
	copy_strings(json_get(r->obj, "metadata"), wanted, "annotations");
	copy_strings(json_get(r->obj, "metadata"), wanted, "labels");
	set_scheduled(json_get(r->obj, "status"));
	return STEP_NEXT;
}

static enum step_result binding_reply(struct request *r)
{
	if (r->command.err.kind == ERR_NONE)
		return respond_success(r, 201, NULL);
	return update_again(r) ? STEP_GOTO : request_fail_command(r);
}

const struct request_step binding_steps[] = {
	{ "options", options_write },
	{ "decode", binding_decode },
	{ "read", update_read },
	{ "apply", binding_apply },
	{ "write", update_write },
	{ "reply", binding_reply },
	{ NULL, NULL },
};
