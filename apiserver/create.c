/* POST: options -> decode -> admit -> CORE_CREATE -> 201. */
#include "apiserver/admission/resource_quota.h"
#include "apiserver/admit.h"
#include "apiserver/edge/dispatch.h"
#include "apiserver/edge/respond.h"
#include "apiserver/managed.h"
#include "apiserver/options.h"
#include "apiserver/service/allocate.h"

#define GENERATED_TRIES 8

static enum step_result create_submit(struct request *r)
{
	r->command = (struct core_command){ .op = CORE_CREATE,
					    .object = managed_object(r),
					    .check_namespace = r->route.resource->namespaced,
					    .with = r->companions,
					    .dry_run = r->dry_run };
	return request_submit(r);
}

static enum step_result create_reply(struct request *r)
{
	struct core_command *command = &r->command;
	if (command->err.kind == ERR_NONE)
		return respond_object(r, 201, TAKE(command->ret_object));
	/* Somebody was faster than an apply: it goes on with what is there. */
	if (command->err.kind == ERR_ALREADY_EXISTS && r->media == MEDIA_APPLY_PATCH &&
	    ++r->tries < REQUEST_TRIES) {
		request_drop_round(r);
		r->step = r->again;
		return STEP_GOTO;
	}
	/* A name that chance made can be taken; another one is not. */
	if (command->err.kind == ERR_ALREADY_EXISTS && r->generated[0] && ++r->tries < GENERATED_TRIES) {
		struct json_object *metadata = json_get(r->obj, "metadata");
		core_command_close(command);
		admit_generate_name(r, json_str_or_empty(metadata, "generateName"));
		json_set_str(metadata, "name", r->name);
		return request_goto(r, create_steps, "charge");
	}
	if (command->with_failed) {
		core_command_close(command);
		return request_goto(r, create_steps, "charge");
	}
	return request_fail_command(r);
}

const struct request_step create_steps[] = {
	{ "options", options_write },     { "decode", admit_decode },
	{ "admit", admit_create },        { "charge", quota_charge },
	{ "allocate", service_allocate }, { "submit", create_submit },
	{ "reply", create_reply },        { NULL, NULL },
};
