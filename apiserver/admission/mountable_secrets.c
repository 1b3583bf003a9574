/* ServiceAccount, its deprecated part: pods of an account with the annotation
 * kubernetes.io/enforce-mountable-secrets use no Secrets but those that the account lists.
 * https://kubernetes.io/docs/concepts/security/service-accounts/#enforce-mountable-secrets
 */
#include <string.h>

#include "apiserver/admission/admission.h"
#include "apiserver/edge/server.h"

#define ANNOTATION "kubernetes.io/enforce-mountable-secrets"

/* What Go's strconv.ParseBool takes for true. */
static bool is_true(const char *text)
{
	static const char *const words[] = { "1", "t", "T", "true", "TRUE", "True" };
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(text, words[i]) == 0)
			return true;
	return false;
}

/* LIST has an item of that NAME. */
static bool has_name(const struct json_object *list, const char *name)
{
	for (size_t i = 0; i < json_len(list); i++)
		if (strcmp(json_str_or_empty(json_at(list, i), "name"), name) == 0)
			return true;
	return false;
}

/* The account of a pod, and what refusals say. */
struct limits {
	struct request *r;
	const struct json_object *secrets; /* it lists */
	const char *account;
};

static enum step_result check_volumes(const struct limits *limits, const struct json_object *volumes)
{
	for (size_t i = 0; i < json_len(volumes); i++) {
		const struct json_object *secret = json_get(json_at(volumes, i), "secret");
		const char *name = json_str_or_empty(secret, "secretName");
		if (secret && !has_name(limits->secrets, name))
			return admission_forbid(limits->r,
						"volume with secret.secretName=\"%s\" is not allowed because "
						"service account %s does not reference that secret",
						name, limits->account);
	}
	return STEP_NEXT;
}

/* WHAT: "init container". */
static enum step_result check_container(const struct limits *limits, const struct json_object *container,
					const char *what)
{
	const struct json_object *env = json_get(container, "env"), *from = json_get(container, "envFrom");
	const char *name = json_str_or_empty(container, "name");
	for (size_t i = 0; i < json_len(env); i++) {
		const struct json_object *ref = json_path(json_at(env, i), "valueFrom", "secretKeyRef", NULL);
		const char *secret = json_str_or_empty(ref, "name");
		if (ref && !has_name(limits->secrets, secret))
			return admission_forbid(
			    limits->r,
			    "%s %s with envVar %s referencing secret.secretName=\"%s\" is "
			    "not allowed because service account %s does not reference "
			    "that secret",
			    what, name, json_str_or_empty(json_at(env, i), "name"), secret, limits->account);
	}
	for (size_t i = 0; i < json_len(from); i++) {
		const struct json_object *ref = json_get(json_at(from, i), "secretRef");
		const char *secret = json_str_or_empty(ref, "name");
		if (ref && !has_name(limits->secrets, secret))
			return admission_forbid(
			    limits->r,
			    "%s %s with envFrom referencing secret.secretName=\"%s\" is not "
			    "allowed because service account %s does not reference that "
			    "secret",
			    what, name, secret, limits->account);
	}
	return STEP_NEXT;
}

static enum step_result check_containers(const struct limits *limits, const struct json_object *list,
					 const char *what)
{
	for (size_t i = 0; i < json_len(list); i++)
		if (check_container(limits, json_at(list, i), what) == STEP_FAIL)
			return STEP_FAIL;
	return STEP_NEXT;
}

static enum step_result check_pull_secrets(const struct limits *limits, const struct json_object *list,
					   const struct json_object *allowed)
{
	for (size_t i = 0; i < json_len(list); i++) {
		const char *name = json_str_or_empty(json_at(list, i), "name");
		if (!has_name(allowed, name))
			return admission_forbid(limits->r,
						"imagePullSecrets[%zu].name=\"%s\" is not allowed because "
						"service account %s does not reference that imagePullSecret",
						i, name, limits->account);
	}
	return STEP_NEXT;
}

static enum step_result check(struct request *r)
{
	const char *subresource = r->route.subresource ? r->route.subresource->name : "";
	const struct json_object *spec = json_get(r->obj, "spec");
	CLEANUP(object_unrefp) struct object *object = NULL;
	bool ephemeral = r->old && strcmp(subresource, "ephemeralcontainers") == 0;
	/* That an account is missing is told when it is looked for. */
	if (!(ephemeral || (!r->old && !*subresource)) ||
	    core_get(r->server->core, resource_find("", "v1", "serviceaccounts"), r->route.namespace_,
		     json_str_or_empty(spec, "serviceAccountName"), &object, NULL) < 0)
		return STEP_NEXT;
	/* Hardly any account has it. */
	size_t len;
	const char *bytes = object_bytes(object, &len);
	if (!memmem(bytes, len, ANNOTATION, strlen(ANNOTATION)))
		return STEP_NEXT;
	CLEANUP(json_putp) struct json_object *account = object_json(object);
	const struct json_object *annotations = json_path(account, "metadata", "annotations", NULL);
	if (!is_true(json_str_or_empty(annotations, ANNOTATION)))
		return STEP_NEXT;
	const struct limits limits = { r, json_get(account, "secrets"), object_name(object) };
	if (ephemeral)
		return check_containers(&limits, json_get(spec, "ephemeralContainers"),
					"ephemeral container");
	if (check_volumes(&limits, json_get(spec, "volumes")) == STEP_FAIL ||
	    check_containers(&limits, json_get(spec, "initContainers"), "init container") == STEP_FAIL ||
	    check_containers(&limits, json_get(spec, "containers"), "container") == STEP_FAIL)
		return STEP_FAIL;
	return check_pull_secrets(&limits, json_get(spec, "imagePullSecrets"),
				  json_get(account, "imagePullSecrets"));
}

static const char *const resources[] = { "pods", NULL };
const struct admission_plugin admission_mountable_secrets = {
	.name = "ServiceAccount", .resources = resources, .subresources = true, .check = check
};
