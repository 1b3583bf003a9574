/* DELETE: options -> read -> decide -> CORE_UPDATE or CORE_DELETE -> answer; of a collection: list -> each of
 * them. */
#include "apiserver/delete_step.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apiserver/admission/admission.h"
#include "apiserver/companions.h"
#include "apiserver/edge/dispatch.h"
#include "apiserver/edge/respond.h"
#include "apiserver/list.h"
#include "apiserver/managed.h"
#include "apiserver/options.h"
#include "apiserver/update.h"
#include "apiserver/view.h"
#include "lib/timefmt.h"

struct deletion {
	struct delete_options options;
	enum delete_action action;
	/* Of a collection. */
	struct list_selection selection;
	struct object **objects;
	size_t n, next;
	uint64_t revision;
};

static void deletion_free(void *state)
{
	struct deletion *deletion = state;
	for (size_t i = 0; i < deletion->n; i++)
		object_unref(deletion->objects[i]);
	free(deletion->objects);
	list_selection_close(&deletion->selection);
	free(deletion);
}

static void read_propagation(struct request *r, struct delete_options *options, const char *given)
{
	static const char *const names[] = { "", "Background", "Foreground", "Orphan" };
	static const char *const supported[] = { "Foreground", "Background", "Orphan", "nil", NULL };
	struct field_path path;
	field_path_init(&path, "propagationPolicy");
	if (!given)
		return;
	if (options->has_orphan_dependents) {
		field_error_invalid_str(&r->errors, &path, given,
					"orphanDependents and deletionPropagation cannot be both set");
		return;
	}
	for (size_t i = 1; i < ARRAY_SIZE(names); i++) {
		if (strcmp(given, names[i]) != 0)
			continue;
		options->propagation = (enum delete_propagation)i;
		return;
	}
	field_error_not_supported(&r->errors, &path, given, supported);
}

void delete_read_options(struct request *r, struct delete_options *options, const struct json_object *body)
{
	const struct json_object *preconditions = json_get(body, "preconditions");
	if (json_get(body, "gracePeriodSeconds")) {
		options->has_grace_period = true;
		options->grace_period_s = json_int(body, "gracePeriodSeconds", 0);
	}
	if (json_get(body, "orphanDependents")) {
		options->has_orphan_dependents = true;
		options->orphan_dependents = json_boolean(body, "orphanDependents", false);
	}
	snprintf(options->uid, sizeof(options->uid), "%s", json_str_or_empty(preconditions, "uid"));
	snprintf(options->resource_version, sizeof(options->resource_version), "%s",
		 json_str_or_empty(preconditions, "resourceVersion"));
	const struct json_object *dry_run = json_get(body, "dryRun");
	options_read_dry_run(r, json_len(dry_run) ? json_object_get_string(json_at(dry_run, 0))
						  : r->query.dry_run);
	const char *policy = json_str(body, "propagationPolicy");
	read_propagation(r, options, policy ? policy : r->query.propagation_policy);
}

/* The options are in the query, or in a body, which then counts. */
static enum step_result delete_options(struct request *r)
{
	struct deletion *deletion = mem_zalloc(sizeof(*deletion));
	struct delete_options *options = &deletion->options;
	r->state = deletion;
	r->state_free = deletion_free;
	options->has_grace_period = r->query.has_grace_period;
	options->grace_period_s = r->query.grace_period_s;
	options->has_orphan_dependents = r->query.has_orphan_dependents;
	options->orphan_dependents = r->query.orphan_dependents;
	CLEANUP(json_putp) struct json_object *body = NULL;
	if (r->body.len) {
		const struct schema_def *def = schema_def_find("meta.v1.DeleteOptions");
		if (decode_body(def, "DeleteOptions", r->body.data, r->body.len, r->media == MEDIA_YAML,
				&body, &r->err) < 0)
			return request_fail_as(r, DETAILS_NONE);
	}
	const char *kind = json_str(body, "kind");
	/* Who sends an object instead did not mean to delete it like this. */
	if (kind && *kind && strcmp(kind, "DeleteOptions") != 0)
		return request_fail(
		    r, DETAILS_NONE, ERR_BAD_REQUEST,
		    "no kind \"%.100s\" is registered for the options of a deletion: DeleteOptions is", kind);
	delete_read_options(r, options, body);
	const char *warning = r->route.resource->stored->kind->orphan_warning;
	if (warning && options->propagation == PROPAGATION_DEFAULT && !options->has_orphan_dependents)
		buf_str(&r->warnings, warning);
	if (r->errors.n)
		return options_invalid(r, "DeleteOptions");
	return STEP_NEXT;
}

static enum step_result fail_precondition(struct request *r, const char *what, const char *wanted,
					  const char *found, const char *guess)
{
	const struct resource *resource = r->route.resource;
	return request_fail(
	    r, DETAILS_KIND, ERR_CONFLICT,
	    "Operation cannot be fulfilled on %s%s%s \"%s\": the %s in the precondition (%s) does not match "
	    "the %s in record (%s). The object might have been %s",
	    resource->kind_name, *resource->group ? "." : "", resource->group, r->name, what, wanted, what,
	    found, guess);
}

enum step_result delete_check(struct request *r, const struct delete_options *options)
{
	const char *uid = object_uid(r->current);
	if (*options->uid && strcmp(options->uid, uid) != 0)
		return fail_precondition(r, "UID", options->uid, uid, "deleted and then recreated");
	CLEANUP(mem_freep)
	char *revision = mem_printf("%llu", (unsigned long long)object_revision(r->current));
	if (*options->resource_version && strcmp(options->resource_version, revision) != 0)
		return fail_precondition(r, "ResourceVersion", options->resource_version, revision,
					 "modified");
	r->conditional = *options->resource_version != '\0';
	return STEP_NEXT;
}

static enum step_result delete_preconditions(struct request *r)
{
	return delete_check(r, &((struct deletion *)r->state)->options);
}

static enum step_result delete_write(struct request *r)
{
	struct deletion *deletion = r->state;
	const struct resource *resource = r->route.resource;
	r->obj = delete_copy(resource, r->old);
	deletion->action = delete_decide(resource, r->obj, &deletion->options, time_now_us());
	if (deletion->action == DELETE_UPDATE && json_equal(r->obj, r->old))
		deletion->action = DELETE_KEEP;
	if (deletion->action == DELETE_KEEP)
		return STEP_NEXT;
	if (deletion->action == DELETE_REMOVE)
		companions_remove(r);
	r->command =
	    (struct core_command){ .op = deletion->action == DELETE_REMOVE ? CORE_DELETE : CORE_UPDATE,
				   .object = managed_object(r),
				   .namespace_ = object_namespace(r->current),
				   .name = object_name(r->current),
				   .revision = object_revision(r->current),
				   .uid = object_uid(r->current),
				   .with = r->companions,
				   .dry_run = r->dry_run };
	return request_submit(r);
}

static enum step_result delete_reply(struct request *r)
{
	struct deletion *deletion = r->state;
	if (deletion->action == DELETE_KEEP)
		return respond_object(r, 200, object_ref(r->current));
	if (r->command.err.kind != ERR_NONE)
		return update_again(r) ? STEP_GOTO : request_fail_command(r);
	if (deletion->action == DELETE_REMOVE && !delete_returns_object(r->route.resource))
		return respond_success(r, 200, object_uid(r->current));
	bool accepted = deletion->action == DELETE_UPDATE && deletion->options.has_orphan_dependents &&
			!deletion->options.orphan_dependents;
	return respond_object(r, accepted ? 202 : 200, TAKE(r->command.ret_object));
}

/* Namespaces that a cluster cannot do without. */
static bool is_immortal(const struct request *r)
{
	static const char *const names[] = { "default", "kube-system", "kube-public" };
	if (r->route.resource->namespaced || strcmp(r->route.resource->plural, "namespaces") != 0)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(r->name, names[i]) == 0)
			return true;
	return false;
}

static enum step_result delete_read(struct request *r)
{
	if (is_immortal(r))
		return request_fail(r, DETAILS_OBJECT, ERR_FORBIDDEN,
				    "namespaces \"%s\" is forbidden: this namespace may not be deleted",
				    r->name);
	r->again = r->step;
	return update_read(r);
}

const struct request_step delete_steps[] = {
	{ "options", delete_options },
	{ "read", delete_read },
	{ "preconditions", delete_preconditions },
	{ "admit", admission_remove },
	{ "write", delete_write },
	{ "reply", delete_reply },
	{ NULL, NULL },
};

static enum step_result collection_list(struct request *r)
{
	struct deletion *deletion = r->state;
	if (list_selection_parse(r, &deletion->selection) == STEP_FAIL)
		return STEP_FAIL;
	r->command = (struct core_command){ .op = CORE_LIST, .filter = deletion->selection.filter };
	return request_submit(r);
}

static enum step_result collection_listed(struct request *r)
{
	struct deletion *deletion = r->state;
	struct core_command *command = &r->command;
	if (command->err.kind != ERR_NONE)
		return request_fail_command(r);
	deletion->objects = TAKE(command->ret_objects);
	deletion->n = command->ret_n;
	command->ret_n = 0;
	deletion->revision = command->ret_revision;
	request_drop_round(r);
	return STEP_NEXT;
}

/* The first try is on the object as listed, another one reads it again. */
static enum step_result collection_next(struct request *r)
{
	struct deletion *deletion = r->state;
	request_drop_round(r);
	if (deletion->next == deletion->n) {
		r->name = "";
		return list_respond(r, deletion->objects, deletion->n, deletion->revision, NULL, 0);
	}
	struct object *object = deletion->objects[deletion->next];
	r->name = object_name(object);
	r->tries = 0;
	update_take(r, object_ref(object));
	return request_goto(r, delete_collection_steps, "write");
}

static enum step_result collection_read(struct request *r)
{
	struct deletion *deletion = r->state;
	enum step_result result = update_read(r);
	if (result != STEP_FAIL || r->err.kind != ERR_NOT_FOUND)
		return result;
	r->err = ERR_INIT; /* somebody else removed it: as good */
	deletion->next++;
	return request_goto(r, delete_collection_steps, "next");
}

static enum step_result collection_reply(struct request *r)
{
	struct deletion *deletion = r->state;
	enum err_kind kind = deletion->action == DELETE_KEEP ? ERR_NONE : r->command.err.kind;
	if (kind == ERR_CONFLICT && ++r->tries < REQUEST_TRIES) {
		request_drop_round(r);
		return request_goto(r, delete_collection_steps, "read");
	}
	if (kind != ERR_NONE && kind != ERR_NOT_FOUND)
		return request_fail_command(r);
	deletion->next++;
	return request_goto(r, delete_collection_steps, "next");
}

const struct request_step delete_collection_steps[] = {
	{ "options", delete_options },   { "list", collection_list },
	{ "listed", collection_listed }, { "next", collection_next },
	{ "read", collection_read },     { "write", delete_write },
	{ "reply", collection_reply },   { NULL, NULL },
};
