/* pods/NAME/eviction: a pod is deleted when the disruption budget that covers it allows that.
 *
 *     decode -> read -> its budgets (list) ─▶ refuse: 429
 *                 ▲          │ covered: budget's status, one disruption less (CAS)
 *                 │          ▼
 *                 └── delete: condition and deletion in one write
 *
 * (policy/v1 Eviction; registry/core/pod storage EvictionREST.) What the budget's controller does not know
 * yet stands in status.disruptedPods, so that two evictions cannot both use what is left.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apiserver/delete_step.h"
#include "apiserver/edge/dispatch.h"
#include "apiserver/edge/respond.h"
#include "apiserver/managed.h"
#include "apiserver/options.h"
#include "apiserver/update.h"
#include "lib/selector.h"
#include "lib/timefmt.h"

#define WOULD_VIOLATE  "Cannot evict pod as it would violate the pod's disruption budget."
#define DISRUPTED_MAX  2000
#define UNSURE_RETRY_S 10

struct eviction {
	struct delete_options options;
	enum delete_action action;
	struct object *budget; /* that covers the pod, or NULL */
	bool charged;          /* it has one disruption less for it */
};

static void eviction_free(void *state)
{
	struct eviction *eviction = state;

	object_unref(eviction->budget);
	free(eviction);
}

static enum step_result eviction_decode(struct request *r)
{
	struct eviction *eviction = mem_zalloc(sizeof(*eviction));
	CLEANUP(json_putp) struct json_object *body = NULL;

	r->state = eviction;
	r->state_free = eviction_free;
	if (decode_body(schema_def_find("policy.v1.Eviction"), "Eviction", r->body.data ? r->body.data : "",
			r->body.len, r->media == MEDIA_YAML, &body, &r->err) < 0)
		return request_fail_as(r, DETAILS_NONE);
	if (strcmp(json_str_or_empty(json_get(body, "metadata"), "name"), r->name) != 0)
		return request_fail(r, DETAILS_NONE, ERR_BAD_REQUEST,
				    "name in URL does not match name in Eviction object");
	bool dry_run = r->dry_run;
	r->query.dry_run = NULL;
	delete_read_options(r, &eviction->options, json_get(body, "deleteOptions"));
	r->dry_run |= dry_run;
	if (r->errors.n)
		return options_invalid(r, "DeleteOptions");
	r->again = r->step + 1;
	return STEP_NEXT;
}

static enum step_result eviction_preconditions(struct request *r)
{
	return delete_check(r, &((struct eviction *)r->state)->options);
}

static bool is_true(const struct json_object *pod, const char *type)
{
	const struct json_object *conditions = json_path(pod, "status", "conditions", NULL);

	for (size_t i = 0; i < json_len(conditions); i++)
		if (strcmp(json_str_or_empty(json_at(conditions, i), "type"), type) == 0)
			return strcmp(json_str_or_empty(json_at(conditions, i), "status"), "True") == 0;
	return false;
}

/* One that is over, has not begun or goes anyway disrupts nothing. */
static bool is_free_to_go(const struct json_object *pod)
{
	static const char *const phases[] = { "Succeeded", "Failed", "Pending" };
	const char *phase = json_str_or_empty(json_get(pod, "status"), "phase");

	for (size_t i = 0; i < ARRAY_SIZE(phases); i++)
		if (strcmp(phases[i], phase) == 0)
			return true;
	return json_path(pod, "metadata", "deletionTimestamp", NULL) != NULL;
}

static enum step_result eviction_budgets(struct request *r)
{
	struct eviction *eviction = r->state;

	if (eviction->charged || is_free_to_go(r->old))
		return request_goto(r, eviction_steps, "delete");
	r->command = (struct core_command){ .op = CORE_LIST,
					    .resource = resource_find("policy", "v1", "poddisruptionbudgets"),
					    .filter = { .namespace_ = r->route.namespace_ } };
	return request_list(r);
}

/* 429; r->cause.message says what the budget has to do with it. */
static enum step_result refuse(struct request *r, long retry_after_s)
{
	r->cause.reason = "DisruptionBudget";
	r->retry_after_s = retry_after_s;
	return request_fail(r, DETAILS_EMPTY, ERR_TOO_MANY_REQUESTS, WOULD_VIOLATE);
}

static enum step_result refuse_budget(struct request *r, const char *name, const char *why)
{
	return request_fail(r, DETAILS_NONE, ERR_FORBIDDEN,
			    "poddisruptionbudget.policy \"%s\" is forbidden: %s", name, why);
}

static const struct json_object *disruption_condition(const struct json_object *status)
{
	const struct json_object *conditions = json_get(status, "conditions");

	for (size_t i = 0; i < json_len(conditions); i++)
		if (strcmp(json_str_or_empty(json_at(conditions, i), "type"), "DisruptionAllowed") == 0)
			return json_at(conditions, i);
	return NULL;
}

static enum step_result refuse_exhausted(struct request *r, const char *name,
					 const struct json_object *status)
{
	const struct json_object *condition = disruption_condition(status);

	if (strcmp(json_str_or_empty(condition, "reason"), "SyncFailed") == 0)
		snprintf(r->cause.message, sizeof(r->cause.message),
			 "The disruption budget %s does not allow evicting pods currently because it failed "
			 "sync: %s",
			 name, json_str_or_empty(condition, "message"));
	else
		snprintf(r->cause.message, sizeof(r->cause.message),
			 "The disruption budget %s needs %lld healthy pods and has %lld currently", name,
			 (long long)json_int(status, "desiredHealthy", 0),
			 (long long)json_int(status, "currentHealthy", 0));
	return refuse(r, 0);
}

/* The last one it had is gone. */
static void set_insufficient(struct json_object *status, const char *now)
{
	struct json_object *condition = (struct json_object *)(uintptr_t)disruption_condition(status);

	if (!condition) {
		condition = json_object_new_object();
		json_set_str(condition, "type", "DisruptionAllowed");
		json_object_array_add(json_ensure_array(status, "conditions"), condition);
	}
	if (strcmp(json_str_or_empty(condition, "status"), "False") != 0)
		json_set_str(condition, "lastTransitionTime", now);
	json_set_str(condition, "status", "False");
	json_set_int(condition, "observedGeneration", json_int(status, "observedGeneration", 0));
	json_set_str(condition, "reason", "InsufficientPods");
	json_set_str(condition, "message", "");
}

/* Takes one disruption of BUDGET, in its JSON. */
static enum step_result take_disruption(struct request *r, struct json_object *budget)
{
	const char *name = json_str_or_empty(json_get(budget, "metadata"), "name");
	struct json_object *status = json_ensure_object(budget, "status");
	int64_t allowed = json_int(status, "disruptionsAllowed", 0);
	const struct json_object *disrupted = json_get(status, "disruptedPods");
	char now[TIMEFMT_SIZE];

	if (json_int(status, "observedGeneration", 0) <
	    json_int(json_get(budget, "metadata"), "generation", 0)) {
		snprintf(r->cause.message, sizeof(r->cause.message),
			 "The disruption budget %s is still being processed by the server.", name);
		return refuse(r, UNSURE_RETRY_S);
	}
	if (allowed < 0)
		return refuse_budget(r, name, "pdb disruptions allowed is negative");
	if (disrupted && json_object_object_length(disrupted) > DISRUPTED_MAX)
		return refuse_budget(r, name,
				     "DisruptedPods map too big - too many evictions not confirmed by PDB "
				     "controller");
	if (allowed == 0)
		return refuse_exhausted(r, name, status);
	time_format(time_now_us(), now);
	json_set_int(status, "disruptionsAllowed", allowed - 1);
	if (allowed == 1)
		set_insufficient(status, now);
	json_set_str(json_ensure_object(status, "disruptedPods"), r->name, now);
	return STEP_NEXT;
}

/* A pod that is not healthy takes nothing from a budget whose other pods are enough. */
static bool costs_nothing(const struct json_object *pod, const struct json_object *budget)
{
	const struct json_object *status = json_get(budget, "status");
	int64_t wanted = json_int(status, "desiredHealthy", 0);
	const char *policy = json_str_or_empty(json_get(budget, "spec"), "unhealthyPodEvictionPolicy");

	if (is_true(pod, "Ready"))
		return false;
	return strcmp(policy, "AlwaysAllow") == 0 ||
	       (wanted > 0 && json_int(status, "currentHealthy", 0) >= wanted);
}

static bool covers(const struct json_object *budget, const struct json_object *pod)
{
	CLEANUP(selector_close) struct selector selector = { 0 };

	return selector_from_json(json_path(budget, "spec", "selector", NULL), &selector, NULL) == 0 &&
	       selector_matches_json(&selector, json_path(pod, "metadata", "labels", NULL));
}

/* Which of the listed budgets covers the pod: how many do, and one of them, with its JSON. */
static size_t find_budget(struct request *r, struct object **ret, struct json_object **ret_json)
{
	size_t n = 0;

	for (size_t i = 0; i < r->command.ret_n; i++) {
		CLEANUP(json_putp) struct json_object *budget = object_json(r->command.ret_objects[i]);

		if (!covers(budget, r->old))
			continue;
		if (n++ > 0)
			continue;
		*ret = object_ref(r->command.ret_objects[i]);
		*ret_json = TAKE(budget);
	}
	return n;
}

static enum step_result eviction_choose(struct request *r)
{
	struct eviction *eviction = r->state;
	CLEANUP(object_unrefp) struct object *budget = NULL;
	CLEANUP(json_putp) struct json_object *json = NULL;
	size_t n, len;

	if (r->command.err.kind != ERR_NONE)
		return request_fail_command(r);
	n = find_budget(r, &budget, &json);
	core_command_close(&r->command);
	r->command = (struct core_command){ 0 };
	if (n > 1)
		return request_fail(r, DETAILS_NONE, ERR_INTERNAL,
				    "This pod has more than one PodDisruptionBudget, which the eviction "
				    "subresource does not support.");
	if (n == 0 || costs_nothing(r->old, json))
		return request_goto(r, eviction_steps, "delete");
	if (take_disruption(r, json) == STEP_FAIL)
		return STEP_FAIL;
	const char *managed = object_managed(budget, &len);
	object_unref(eviction->budget);
	eviction->budget = object_ref(budget);
	r->command = (struct core_command){ .op = CORE_UPDATE,
					    .resource = object_resource(budget),
					    .object = object_new(object_resource(budget), json, managed, len),
					    .namespace_ = object_namespace(budget),
					    .name = object_name(budget),
					    .revision = object_revision(budget),
					    .dry_run = r->dry_run };
	return request_submit(r);
}

/* Somebody else was faster: the pod and its budgets are looked at again. */
static enum step_result eviction_charged(struct request *r)
{
	struct eviction *eviction = r->state;
	enum err_kind kind = r->command.err.kind;

	if ((kind == ERR_CONFLICT || kind == ERR_NOT_FOUND) && ++r->tries < REQUEST_TRIES) {
		request_drop_round(r);
		r->step = r->again;
		return STEP_GOTO;
	}
	if (kind != ERR_NONE)
		return request_fail_command(r);
	core_command_close(&r->command);
	r->command = (struct core_command){ 0 };
	eviction->charged = true;
	return STEP_NEXT;
}

/* Why the pod goes, for what looks at it afterwards. */
static void add_condition(struct json_object *pod)
{
	struct json_object *conditions = json_ensure_array(json_ensure_object(pod, "status"), "conditions");
	struct json_object *condition = json_object_new_object();
	char now[TIMEFMT_SIZE];

	if (is_true(pod, "DisruptionTarget")) {
		json_object_put(condition);
		return;
	}
	json_set_str(condition, "type", "DisruptionTarget");
	json_set_str(condition, "status", "True");
	json_set(condition, "lastProbeTime", NULL);
	json_set_str(condition, "lastTransitionTime", time_format(time_now_us(), now));
	json_set_str(condition, "reason", "EvictionByEvictionAPI");
	json_set_str(condition, "message", "Eviction API: evicting");
	json_object_array_add(conditions, condition);
}

static enum step_result eviction_delete(struct request *r)
{
	struct eviction *eviction = r->state;
	const struct resource *resource = r->route.resource;

	r->obj = delete_copy(resource, r->old);
	json_set(r->obj, "status", json_copy(json_get(r->old, "status")));
	add_condition(r->obj);
	eviction->action = delete_decide(resource, r->obj, &eviction->options, time_now_us());
	if (eviction->action == DELETE_KEEP)
		return STEP_NEXT;
	r->command =
	    (struct core_command){ .op = eviction->action == DELETE_REMOVE ? CORE_DELETE : CORE_UPDATE,
				   .object = managed_object(r),
				   .revision = object_revision(r->current),
				   .uid = object_uid(r->current),
				   .dry_run = r->dry_run };
	return request_submit(r);
}

static enum step_result eviction_reply(struct request *r)
{
	const struct eviction *eviction = r->state;

	if (eviction->action == DELETE_KEEP || r->command.err.kind == ERR_NONE)
		return respond_success(r, 201, NULL);
	return update_again(r) ? STEP_GOTO : request_fail_command(r);
}

const struct request_step eviction_steps[] = {
	{ "options", options_write },    { "decode", eviction_decode },
	{ "read", update_read },         { "preconditions", eviction_preconditions },
	{ "budgets", eviction_budgets }, { "choose", eviction_choose },
	{ "charged", eviction_charged }, { "delete", eviction_delete },
	{ "reply", eviction_reply },     { NULL, NULL },
};
