/* RuntimeClass: a pod that names one must find it, and gets its overhead and its place.
 * https://kubernetes.io/docs/concepts/containers/runtime-class/
 */
#include <string.h>

#include "apiserver/admission/admission.h"
#include "apiserver/edge/server.h"

static const char *const concerned[] = { "pods", NULL };

static enum step_result set_overhead(struct request *r, struct json_object *spec,
				     const struct json_object *class)
{
	const struct json_object *fixed = json_path(class, "overhead", "podFixed", NULL);
	const struct json_object *given = json_get(spec, "overhead");

	if (given && !json_equal(given, fixed))
		return admission_forbid(
		    r, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead");
	if (fixed && !given)
		json_set(spec, "overhead", json_clone(fixed));
	return STEP_NEXT;
}

static enum step_result set_node_selector(struct request *r, struct json_object *spec,
					  const struct json_object *scheduling)
{
	struct json_object *wanted = json_get(scheduling, "nodeSelector");

	if (!wanted)
		return STEP_NEXT;
	struct json_object *selector = json_ensure_object(spec, "nodeSelector");
	json_object_object_foreach(wanted, key, value)
	{
		const char *has = json_str(selector, key), *wants = json_str_or_empty(wanted, key);
		(void)value;
		if (has && strcmp(has, wants) != 0)
			return admission_forbid(r,
						"conflict: runtimeClass.scheduling.nodeSelector[%s] = %s; "
						"pod.spec.nodeSelector[%s] = %s",
						key, wants, key, has);
		json_set_str(selector, key, wants);
	}
	return STEP_NEXT;
}

static void set_tolerations(struct json_object *spec, const struct json_object *scheduling)
{
	const struct json_object *wanted = json_get(scheduling, "tolerations");

	for (size_t i = 0; i < json_len(wanted); i++) {
		struct json_object *tolerations = json_ensure_array(spec, "tolerations");
		bool there = false;
		for (size_t k = 0; k < json_len(tolerations) && !there; k++)
			there = json_equal(json_at(tolerations, k), json_at(wanted, i));
		if (!there)
			json_object_array_add(tolerations, json_clone(json_at(wanted, i)));
	}
}

static enum step_result runtime_class_change(struct request *r)
{
	struct json_object *spec = json_get(r->obj, "spec");
	const char *name = json_str_or_empty(spec, "runtimeClassName");
	const struct resource *resource = resource_find("node.k8s.io", "v1", "runtimeclasses");
	CLEANUP(object_unrefp) struct object *object = NULL;

	if (r->old)
		return STEP_NEXT;
	if (!*name)
		return json_get(spec, "overhead")
			   ? admission_forbid(
				 r, "pod rejected: Pod Overhead set without corresponding RuntimeClass "
				    "defined Overhead")
			   : STEP_NEXT;
	if (core_get(r->server->core, resource, "", name, &object, &r->err) < 0) {
		if (r->err.kind != ERR_NOT_FOUND)
			return request_fail_as(r, DETAILS_NONE);
		return admission_forbid(r, "pod rejected: RuntimeClass \"%s\" not found", name);
	}
	CLEANUP(json_putp) struct json_object *class = object_json(object);
	const struct json_object *scheduling = json_get(class, "scheduling");
	if (set_overhead(r, spec, class) == STEP_FAIL || set_node_selector(r, spec, scheduling) == STEP_FAIL)
		return STEP_FAIL;
	set_tolerations(spec, scheduling);
	return STEP_NEXT;
}

const struct admission_plugin admission_runtime_class = {
	.name = "RuntimeClass",
	.resources = concerned,
	.change = runtime_class_change,
};
