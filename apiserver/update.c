/* PUT: options -> decode -> read -> admit -> write. */
#include "apiserver/update.h"

#include <string.h>

#include "apiserver/admission/pod_security_namespace.h"
#include "apiserver/admission/resource_quota.h"
#include "apiserver/admit.h"
#include "apiserver/authz/authorize.h"
#include "apiserver/companions.h"
#include "apiserver/edge/dispatch.h"
#include "apiserver/edge/respond.h"
#include "apiserver/edge/server.h"
#include "apiserver/managed.h"
#include "apiserver/options.h"
#include "apiserver/service/allocate.h"
#include "apiserver/view.h"

void update_take(struct request *r, struct object *current)
{
	r->current = current;
	r->origin = json_origin_new();
	r->old = view_json(r->route.resource, current, r->origin);
}

enum step_result update_read(struct request *r)
{
	struct object *current = NULL;
	if (core_get(r->server->core, r->route.resource, r->route.namespace_, r->name, &current, &r->err) < 0)
		return request_fail_as(r, DETAILS_OBJECT);
	update_take(r, current);
	return STEP_NEXT;
}

bool update_again(struct request *r)
{
	bool tries_again = r->command.with_failed || (!r->conditional && ++r->tries < REQUEST_TRIES);
	if (r->command.err.kind != ERR_CONFLICT || !tries_again)
		return false;
	request_drop_round(r);
	r->step = r->again;
	return true;
}

enum step_result update_write(struct request *r)
{
	/* Nothing changed: nothing is written, the version stays. */
	if (json_equal(r->obj, r->old) && managed_unchanged(r))
		return respond_object(r, 200, object_ref(r->current));
	bool released = admit_releases(r->route.resource, r->obj, r->old);
	if (released)
		companions_remove(r);
	r->command = (struct core_command){ .op = released ? CORE_DELETE : CORE_UPDATE,
					    .object = managed_object(r),
					    .revision = object_revision(r->current),
					    .uid = object_uid(r->current),
					    .with = r->companions,
					    .dry_run = r->dry_run };
	return request_submit(r);
}

enum step_result update_reply(struct request *r)
{
	if (r->command.err.kind == ERR_NONE)
		return respond_object(r, 200, TAKE(r->command.ret_object));
	return update_again(r) ? STEP_GOTO : request_fail_command(r);
}

static enum step_result put_decode(struct request *r)
{
	r->again = r->step;
	return admit_decode(r);
}

static enum step_result put_read(struct request *r)
{
	bool creates = r->route.resource->stored->kind->create_on_update && !r->route.subresource;
	enum step_result result = update_read(r);
	if (result != STEP_FAIL || r->err.kind != ERR_NOT_FOUND || !creates)
		return result;
	r->err = ERR_INIT;
	/* Whoever names a uid means an object that was there. */
	const char *uid = json_str_or_empty(json_get(r->obj, "metadata"), "uid");
	if (*uid)
		return admit_wrong_uid(r, uid, "");
	if (authorize_creation(r) == STEP_FAIL)
		return STEP_FAIL;
	return request_goto(r, create_steps, "admit");
}

const struct request_step update_steps[] = {
	{ "options", options_write },
	{ "decode", put_decode },
	{ "read", put_read },
	{ "admit", admit_update },
	{ "pods of a namespace", pod_security_namespace_pods },
	{ "charge", quota_charge },
	{ "allocate", service_allocate },
	{ "write", update_write },
	{ "reply", update_reply },
	{ NULL, NULL },
};
