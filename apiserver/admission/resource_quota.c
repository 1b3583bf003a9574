#include "apiserver/admission/resource_quota.h"

#include <stdlib.h>
#include <string.h>

#include "api/quota.h"
#include "apiserver/admission/admission.h"
#include "apiserver/admission/policies.h"
#include "apiserver/companions.h"
#include "apiserver/edge/server.h"
#include "lib/quantity.h"

/* Writes that change what an object uses. */
static bool is_measured(const struct request *r)
{
	const char *name = r->route.resource->qualified;

	if (!*r->route.namespace_)
		return false;
	if (!r->old)
		return true;
	if (r->route.subresource)
		return strcmp(r->route.subresource->name, "resize") == 0;
	return strcmp(name, "services") == 0 || strcmp(name, "persistentvolumeclaims") == 0;
}

/* The members of LIST that count objects of RESOURCE. */
static struct json_object *of_resource(const struct json_object *list, const struct resource *resource)
{
	struct json_object *result = json_object_new_object();

	if (!json_object_is_type(list, json_type_object))
		return result;
	json_object_object_foreach((struct json_object *)(uintptr_t)list, name, value)
	{
		if (quota_counts(name, resource))
			json_set(result, name, json_object_get(value));
	}
	return result;
}

/* What R adds to, or takes from, the amounts that HARD limits. */
static struct json_object *difference(const struct request *r, const struct json_object *quota,
				      const struct json_object *hard)
{
	struct json_object *delta = json_object_new_object();

	if (quota_in_scope(quota, r->route.resource, r->obj)) {
		CLEANUP(json_putp) struct json_object *usage = quota_usage(r->route.resource, r->obj);
		quota_add(delta, usage, 1, hard);
	}
	if (r->old && quota_in_scope(quota, r->route.resource, r->old)) {
		CLEANUP(json_putp) struct json_object *usage = quota_usage(r->route.resource, r->old);
		quota_add(delta, usage, -1, hard);
	}
	return delta;
}

static __int128 nano(const struct json_object *list, const char *name)
{
	struct quantity amount;
	const char *text = json_str(list, name);

	return text && quantity_parse(text, &amount) ? amount.nano : 0;
}

/* The names of DELTA that would go over HARD. */
static struct json_object *exceeded(const struct json_object *hard, const struct json_object *used,
				    struct json_object *delta)
{
	struct json_object *result = json_object_new_object();

	json_object_object_foreach(delta, name, value)
	{
		__int128 more = nano(delta, name);
		if (more > 0 && nano(used, name) + more > nano(hard, name))
			json_set(result, name, json_object_get(value));
	}
	return result;
}

static bool changes(struct json_object *delta)
{
	json_object_object_foreach(delta, name, value)
	{
		(void)value;
		if (nano(delta, name) != 0)
			return true;
	}
	return false;
}

static const char *name_of(const struct json_object *quota)
{
	return json_str_or_empty(json_get(quota, "metadata"), "name");
}

static enum step_result check_used(struct request *r, const struct json_object *quota,
				   struct json_object *hard, const struct json_object *used)
{
	CLEANUP(buf_close) struct buf names = BUF_INIT;

	json_object_object_foreach(hard, name, value)
	{
		(void)value;
		if (!json_get(used, name))
			buf_printf(&names, "%s%s", names.len ? "," : "", name);
	}
	return names.len ? admission_forbid(r, "status unknown for quota: %s, resources: %s", name_of(quota),
					    names.data)
			 : STEP_NEXT;
}

static enum step_result refuse(struct request *r, const struct json_object *quota,
			       const struct json_object *over, const struct json_object *delta,
			       const struct json_object *hard, const struct json_object *used)
{
	CLEANUP(buf_close) struct buf requested = BUF_INIT, taken = BUF_INIT, limited = BUF_INIT;

	quota_write(&requested, delta, over);
	quota_write(&taken, used, over);
	quota_write(&limited, hard, over);
	return admission_forbid(r, "exceeded quota: %s, requested: %s, used: %s, limited: %s", name_of(quota),
				requested.data, taken.data, limited.data);
}

/* STEP_NEXT: QUOTA has room. *ret_delta is what it is to be charged with; NULL: it is not concerned. For the
 * caller. */
static enum step_result check_quota(struct request *r, const struct json_object *quota,
				    struct json_object **ret_delta)
{
	const struct resource *resource = r->route.resource;
	const struct json_object *used = json_path(quota, "status", "used", NULL);
	CLEANUP(json_putp)
	struct json_object *hard = of_resource(json_path(quota, "status", "hard", NULL), resource);
	CLEANUP(buf_close) struct buf missing = BUF_INIT;

	*ret_delta = NULL;
	if (!json_object_object_length(hard) || (!r->old && !quota_in_scope(quota, resource, r->obj)))
		return STEP_NEXT;
	if (strcmp(resource->qualified, "pods") == 0 && !quota_specified(hard, r->obj, &missing))
		return admission_forbid(r, "failed quota: %s: %s", name_of(quota), missing.data);
	if (check_used(r, quota, hard, used) == STEP_FAIL)
		return STEP_FAIL;
	CLEANUP(json_putp) struct json_object *delta = difference(r, quota, hard);
	CLEANUP(json_putp) struct json_object *over = exceeded(hard, used, delta);
	if (json_object_object_length(over))
		return refuse(r, quota, over, delta, hard, used);
	if (changes(delta))
		*ret_delta = TAKE(delta);
	return STEP_NEXT;
}

/* --- charging --- */

/* The name of R's namespace's quota behind PREVIOUS (NULL: the first), for the caller; NULL: there is none.
 */
static char *quota_after(struct request *r, const char *previous, struct err *err)
{
	struct policies *policies = r->server->policies;
	char *name = NULL;
	size_t n;

	if (policies_read(policies, err) < 0)
		return NULL;
	struct json_object *const *quotas = policies_quotas(policies, r->route.namespace_, &n);
	for (size_t i = 0; i < n && !name; i++)
		if (!previous || strcmp(name_of(quotas[i]), previous) > 0)
			name = mem_dup(name_of(quotas[i]));
	policies_done(policies);
	return name;
}

/* One more thing that is written along. */
static void add_charge(struct request *r, const struct object *object, struct json_object *quota,
		       const struct json_object *delta)
{
	struct json_object *used = json_ensure_object(json_ensure_object(quota, "status"), "used");
	size_t managed_len;
	const char *managed = object_managed(object, &managed_len);

	quota_add(used, delta, 1, NULL);
	companions_update(r, object, object_new(object_resource(object), quota, managed, managed_len));
}

static enum step_result charge_one(struct request *r, const char *name)
{
	const struct resource *resource = resource_find("", "v1", "resourcequotas");
	CLEANUP(object_unrefp) struct object *object = NULL;

	if (core_get(r->server->core, resource, r->route.namespace_, name, &object, NULL) < 0)
		return STEP_NEXT;
	CLEANUP(json_putp) struct json_object *quota = object_json(object), *delta = NULL;
	if (check_quota(r, quota, &delta) == STEP_FAIL)
		return STEP_FAIL;
	if (delta)
		add_charge(r, object, quota, delta);
	return STEP_NEXT;
}

enum step_result quota_charge(struct request *r)
{
	CLEANUP(mem_freep) char *name = NULL;

	companions_drop(r);
	while (is_measured(r)) {
		char *next = quota_after(r, name, &r->err);
		free(name);
		name = next;
		if (r->err.kind != ERR_NONE)
			return request_fail_as(r, DETAILS_NONE);
		if (!name)
			break;
		if (charge_one(r, name) == STEP_FAIL)
			return STEP_FAIL;
	}
	return STEP_NEXT;
}
