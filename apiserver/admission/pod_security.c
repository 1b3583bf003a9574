/* PodSecurity: a namespace's labels say which Pod Security Standard its pods keep to, and what becomes of
 * those that do not: refused (enforce), told to the user (warn), or noted in the audit log (audit). Workloads
 * are never refused for their template. https://kubernetes.io/docs/concepts/security/pod-security-admission/
 */
#include <string.h>

#include "apiserver/admission/admission.h"
#include "apiserver/admission/pod_security_namespace.h"
#include "apiserver/admission/pod_security_policy.h"
#include "apiserver/admit.h"
#include "apiserver/audit/audit.h"
#include "apiserver/edge/server.h"

#define ANNOTATION "pod-security.kubernetes.io/"

static const char *const concerned[] = {
	"pods",
	"namespaces",
	"podtemplates",
	"replicationcontrollers",
	"replicasets.apps",
	"deployments.apps",
	"statefulsets.apps",
	"daemonsets.apps",
	"jobs.batch",
	"cronjobs.batch",
	NULL,
};

/* The pod, or the template of the pods, that OBJ describes. */
static const struct json_object *pod_of(const struct request *r)
{
	const char *plural = r->route.resource->plural;

	if (strcmp(plural, "pods") == 0)
		return r->obj;
	if (strcmp(plural, "podtemplates") == 0)
		return json_get(r->obj, "template");
	if (strcmp(plural, "cronjobs") == 0)
		return json_path(r->obj, "spec", "jobTemplate", "spec", "template", NULL);
	return json_path(r->obj, "spec", "template", NULL);
}

/* Subresources whose writes change nothing that a standard is about. */
static bool is_ignored(const struct request *r, bool is_pod)
{
	const char *subresource = r->route.subresource ? r->route.subresource->name : "";

	return *subresource && !(is_pod && (strcmp(subresource, "ephemeralcontainers") == 0 ||
					    strcmp(subresource, "resize") == 0));
}

/* What else an update may change in a pod breaks no standard. */
static bool adds_containers(const struct request *r)
{
	return r->route.subresource && strcmp(r->route.subresource->name, "ephemeralcontainers") == 0;
}

/* WORD, and how the pod breaks STANDARD, into TEXT. False: it does not. */
static bool breaks(const struct pod_security_standard *standard, const struct json_object *pod,
		   const char *word, struct buf *text)
{
	CLEANUP(buf_close) struct buf violations = BUF_INIT;

	if (pod_security_allows(standard, json_get(pod, "metadata"), json_get(pod, "spec"), true,
				&violations))
		return false;
	buf_printf(text, "%s PodSecurity \"", word);
	pod_security_standard_write(text, standard);
	buf_printf(text, "\": %s", violations.data);
	return true;
}

static void annotate_enforced(struct request *r, const struct pod_security_standard *standard)
{
	CLEANUP(buf_close) struct buf text = BUF_INIT;

	if (!r->audit)
		return;
	pod_security_standard_write(&text, standard);
	audit_annotate(r, ANNOTATION "enforce-policy", text.data);
}

static enum step_result judge(struct request *r, const struct pod_security_policy *policy,
			      const struct json_object *pod, bool is_pod)
{
	CLEANUP(buf_close) struct buf refusal = BUF_INIT, note = BUF_INIT, warning = BUF_INIT;

	if (is_pod)
		annotate_enforced(r, &policy->enforce);
	bool refused = is_pod && breaks(&policy->enforce, pod, "violates", &refusal);
	if (r->audit && breaks(&policy->audit, pod, "would violate", &note))
		audit_annotate(r, ANNOTATION "audit-violations", note.data);
	if (refused)
		return admission_forbid(r, "%s", refusal.data);
	/* What keeps to the enforced standard need not be told so. */
	if (is_pod && pod_security_standard_is(&policy->warn, &policy->enforce))
		return STEP_NEXT;
	if (breaks(&policy->warn, pod, "would violate", &warning))
		admit_warn(r, warning.data);
	return STEP_NEXT;
}

static enum step_result check_pod(struct request *r, bool is_pod)
{
	const struct json_object *pod = pod_of(r);
	const struct resource *namespaces = resource_find("", "v1", "namespaces");
	CLEANUP(object_unrefp) struct object *namespace_ = NULL;
	struct pod_security_policy policy;

	/* That it is missing is found, and told, when the object is to be stored. */
	if (is_ignored(r, is_pod) || !json_get(pod, "spec") ||
	    core_get(r->server->core, namespaces, "", r->route.namespace_, &namespace_, NULL) < 0)
		return STEP_NEXT;
	pod_security_policy_read(object_label, namespace_, &policy);
	if (pod_security_policy_is_free(&policy)) {
		if (is_pod)
			annotate_enforced(r, &policy.enforce);
		return STEP_NEXT;
	}
	if (is_pod && r->old && !adds_containers(r))
		return STEP_NEXT;
	return judge(r, &policy, pod, is_pod);
}

static enum step_result pod_security_check(struct request *r)
{
	const char *plural = r->route.resource->plural;

	if (strcmp(plural, "namespaces") == 0)
		return r->route.subresource ? STEP_NEXT : pod_security_namespace_check(r);
	return check_pod(r, strcmp(plural, "pods") == 0);
}

const struct admission_plugin admission_pod_security = {
	.name = "PodSecurity",
	.resources = concerned,
	.subresources = true,
	.check = pod_security_check,
};
