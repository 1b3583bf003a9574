/* Priority: a pod's class gives it its number. The two classes of the system itself are always there.
 * https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/
 */
#include <string.h>

#include "apiserver/admission/admission.h"
#include "apiserver/admission/policies.h"
#include "apiserver/edge/server.h"

static const char *const concerned[] = { "pods", "priorityclasses.scheduling.k8s.io", NULL };

static const char *policy_of(const struct json_object *class)
{
	const char *policy = json_str(class, "preemptionPolicy");

	return policy ? policy : "PreemptLowerPriority";
}

/* What the class computes, unless the client has said otherwise. */
static enum step_result set_priority(struct request *r, struct json_object *spec,
				     const struct json_object *class)
{
	int64_t value = json_int(class, "value", 0);
	const char *policy = policy_of(class), *given = json_str(spec, "preemptionPolicy");

	if (json_get(spec, "priority") && json_int(spec, "priority", 0) != value)
		return admission_forbid(
		    r,
		    "the integer value of priority (%lld) must not be provided in pod spec; "
		    "priority admission controller computed %lld from the given PriorityClass name",
		    (long long)json_int(spec, "priority", 0), (long long)value);
	if (given && strcmp(given, policy) != 0)
		return admission_forbid(
		    r,
		    "the string value of PreemptionPolicy (%s) must not be provided in pod spec; "
		    "priority admission controller computed %s from the given PriorityClass name",
		    given, policy);
	json_set_int(spec, "priority", value);
	json_set_str(spec, "preemptionPolicy", policy);
	return STEP_NEXT;
}

/* An update that leaves them out keeps what the pod was given. */
static void keep_priority(struct json_object *spec, const struct json_object *old_spec)
{
	static const char *const kept[] = { "priority", "preemptionPolicy" };

	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		if (!json_get(spec, kept[i]) && json_get(old_spec, kept[i]))
			json_set(spec, kept[i], json_clone(json_get(old_spec, kept[i])));
}

static enum step_result priority_change(struct request *r)
{
	struct json_object *spec = json_get(r->obj, "spec");
	struct policies *policies = r->server->policies;

	if (strcmp(r->route.resource->plural, "pods") != 0 || !spec)
		return STEP_NEXT;
	if (r->old) {
		keep_priority(spec, json_get(r->old, "spec"));
		return STEP_NEXT;
	}
	if (policies_read(policies, &r->err) < 0)
		return request_fail_as(r, DETAILS_NONE);
	const char *name = json_str_or_empty(spec, "priorityClassName");
	const struct json_object *class =
	    *name ? policies_priority_class(policies, name) : policies_default_priority_class(policies);
	enum step_result result;
	if (*name && !class) {
		result = admission_forbid(r, "no PriorityClass with name %s was found", name);
	} else {
		if (class)
			json_set_str(spec, "priorityClassName",
				     json_str(json_get(class, "metadata"), "name"));
		result = set_priority(r, spec, class);
	}
	policies_done(policies);
	return result;
}

/* Only one class may be the default of all. */
static enum step_result priority_check(struct request *r)
{
	struct policies *policies = r->server->policies;
	enum step_result result = STEP_NEXT;

	if (strcmp(r->route.resource->plural, "priorityclasses") != 0 ||
	    !json_boolean(r->obj, "globalDefault", false))
		return STEP_NEXT;
	if (policies_read(policies, &r->err) < 0)
		return request_fail_as(r, DETAILS_NONE);
	const struct json_object *class = policies_default_priority_class(policies);
	const char *name = json_str_or_empty(json_get(class, "metadata"), "name");
	if (class && strcmp(name, r->name) != 0)
		result = admission_forbid(
		    r, "PriorityClass %s is already marked as default. Only one default can exist", name);
	policies_done(policies);
	return result;
}

const struct admission_plugin admission_priority = {
	.name = "Priority",
	.resources = concerned,
	.change = priority_change,
	.check = priority_check,
};
