/* PodSecurity: a namespace's labels say which Pod Security Standard its pods keep to, and what becomes of
 * those that do not: refused (enforce), or told to the user (warn). Workloads are never refused for their
 * template, only told. https://kubernetes.io/docs/concepts/security/pod-security-admission/
 */
#include <stdlib.h>
#include <string.h>

#include "api/validate.h"
#include "apiserver/admission/admission.h"
#include "apiserver/admission/pod_security_checks.h"
#include "apiserver/admit.h"
#include "apiserver/edge/server.h"

#define LABEL "pod-security.kubernetes.io/"

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

static const char *const level_names[] = { "privileged", "baseline", "restricted" };

/* "latest" or "v1.N". */
static bool parse_version(const char *text, unsigned *ret)
{
	char *end;

	if (strcmp(text, "latest") == 0) {
		*ret = POD_SECURITY_LATEST;
		return true;
	}
	if (strncmp(text, "v1.", 3) != 0 || !text[3] || (text[3] == '0' && text[4]) || strlen(text) > 6)
		return false;
	*ret = (unsigned)strtoul(text + 3, &end, 10);
	return *end == '\0' && text[3] >= '0' && text[3] <= '9';
}

static bool parse_level(const char *text, enum pod_security_level *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(level_names); i++) {
		if (strcmp(text, level_names[i]) == 0) {
			*ret = (enum pod_security_level)i;
			return true;
		}
	}
	return false;
}

/* What NAMESPACE's labels say for MODE. A value that cannot be read (validation keeps new ones out) asks for
 * the strictest. */
static void standard_of(const struct object *namespace_, const char *mode, struct pod_security_standard *ret)
{
	CLEANUP(mem_freep) char *key = mem_printf(LABEL "%s", mode);
	CLEANUP(mem_freep) char *version_key = mem_printf(LABEL "%s-version", mode);
	const char *level = object_label(namespace_, key), *version = object_label(namespace_, version_key);

	*ret = (struct pod_security_standard){ POD_SECURITY_PRIVILEGED, POD_SECURITY_LATEST };
	if (level && !parse_level(level, &ret->level))
		ret->level = POD_SECURITY_RESTRICTED;
	if (version && !parse_version(version, &ret->minor))
		ret->minor = POD_SECURITY_LATEST;
}

static void name_standard(struct buf *b, const struct pod_security_standard *standard)
{
	buf_printf(b, "PodSecurity \"%s:", level_names[standard->level]);
	if (standard->minor == POD_SECURITY_LATEST)
		buf_str(b, "latest\": ");
	else
		buf_printf(b, "v1.%u\": ", standard->minor);
}

/* Whose SPEC breaks STANDARD: TEXT says how, behind WORD. */
static bool breaks(const struct pod_security_standard *standard, const struct json_object *metadata,
		   const struct json_object *spec, const char *word, struct buf *text)
{
	CLEANUP(buf_close) struct buf violations = BUF_INIT;

	if (pod_security_allows(standard, metadata, spec, &violations))
		return false;
	buf_printf(text, "%s ", word);
	name_standard(text, standard);
	buf_str(text, violations.data);
	return true;
}

/* --- pods and what makes them --- */

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

/* What an update may change in a pod breaks no standard, but for containers that are added. */
static bool needs_look(const struct request *r, bool is_pod)
{
	const char *subresource = r->route.subresource ? r->route.subresource->name : "";

	if (is_pod && r->old)
		return strcmp(subresource, "ephemeralcontainers") == 0;
	return !*subresource;
}

static enum step_result check_pod(struct request *r, bool is_pod)
{
	const struct json_object *pod = pod_of(r);
	const struct json_object *metadata = json_get(pod, "metadata"), *spec = json_get(pod, "spec");
	const struct resource *namespaces = resource_find("", "v1", "namespaces");
	CLEANUP(object_unrefp) struct object *namespace_ = NULL;
	CLEANUP(buf_close) struct buf refusal = BUF_INIT, warning = BUF_INIT;
	struct pod_security_standard enforce, warn;

	/* That it is missing is found, and told, when the object is to be stored. */
	if (!spec || !needs_look(r, is_pod) ||
	    core_get(r->server->core, namespaces, "", r->route.namespace_, &namespace_, NULL) < 0)
		return STEP_NEXT;
	standard_of(namespace_, "enforce", &enforce);
	standard_of(namespace_, "warn", &warn);
	if (is_pod && breaks(&enforce, metadata, spec, "violates", &refusal))
		return admission_forbid(r, "%s", refusal.data);
	if (breaks(&warn, metadata, spec, "would violate", &warning))
		admit_warn(r, warning.data);
	return STEP_NEXT;
}

/* --- the labels --- */

static bool label_valid(const char *key, const char *value)
{
	size_t len = strlen(key);
	enum pod_security_level level;
	unsigned minor;

	if (len > 8 && strcmp(key + len - 8, "-version") == 0)
		return parse_version(value, &minor);
	return parse_level(value, &level);
}

static enum step_result check_labels(struct request *r)
{
	static const char *const keys[] = { LABEL "enforce", LABEL "enforce-version",
					    LABEL "audit",   LABEL "audit-version",
					    LABEL "warn",    LABEL "warn-version" };
	const struct json_object *labels = json_path(r->obj, "metadata", "labels", NULL);
	struct field_path path;

	field_path_init(&path, "metadata");
	field_push(&path, "labels");
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const char *value = json_str(labels, keys[i]);
		if (!value || label_valid(keys[i], value))
			continue;
		size_t mark = field_push_key(&path, keys[i]);
		bool version = strstr(keys[i], "-version") != NULL;
		field_error_invalid_str(&r->errors, &path, value, "%s",
					version ? "must be \"latest\" or \"v1.x\""
						: "must be one of privileged, baseline, restricted");
		field_pop(&path, mark);
	}
	if (!r->errors.n)
		return STEP_NEXT;
	status_invalid(&r->err, r->route.resource, r->name, &r->errors);
	return request_fail_as(r, DETAILS_KIND);
}

static enum step_result pod_security_check(struct request *r)
{
	const char *plural = r->route.resource->plural;

	if (strcmp(plural, "namespaces") == 0)
		return r->route.subresource ? STEP_NEXT : check_labels(r);
	return check_pod(r, strcmp(plural, "pods") == 0);
}

const struct admission_plugin admission_pod_security = {
	.name = "PodSecurity",
	.resources = concerned,
	.subresources = true,
	.check = pod_security_check,
};
