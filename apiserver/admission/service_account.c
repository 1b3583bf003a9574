/* ServiceAccount: every pod has one that exists, and finds its token, the cluster's certificate authority and
 * its namespace in files, unless it or its account wants that not.
 * https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#bound-service-account-token-volume
 */
#include <string.h>

#include "apiserver/admission/admission.h"
#include "apiserver/chance.h"
#include "apiserver/edge/server.h"

#define VOLUME_PREFIX "kube-api-access-"
#define MOUNT_PATH    "/var/run/secrets/kubernetes.io/serviceaccount"
#define TOKEN_S       3607
/* The account "default" of a new namespace comes from a controller: a moment is waited for it. */
#define DEFAULT_TRIES     9
#define DEFAULT_PAUSE_MS  10 /* the first; each is twice as long as the one before */
#define DEFAULT_DOUBLINGS 4

static bool wants_token(const struct json_object *spec, const struct json_object *account)
{
	static const char key[] = "automountServiceAccountToken";
	return json_boolean(spec, key, json_boolean(account, key, true));
}

/* A volume that is there already serves as well. */
static const char *find_volume(const struct json_object *spec)
{
	const struct json_object *volumes = json_get(spec, "volumes");
	for (size_t i = 0; i < json_len(volumes); i++) {
		const char *name = json_str_or_empty(json_at(volumes, i), "name");
		if (strncmp(name, VOLUME_PREFIX, strlen(VOLUME_PREFIX)) == 0)
			return name;
	}
	return NULL;
}

static bool mount_into(struct json_object *container, const char *volume)
{
	struct json_object *mounts = json_ensure_array(container, "volumeMounts");
	for (size_t i = 0; i < json_len(mounts); i++)
		if (strcmp(json_str_or_empty(json_at(mounts, i), "mountPath"), MOUNT_PATH) == 0)
			return false;
	struct json_object *mount = json_object_new_object();
	json_set_str(mount, "name", volume);
	json_set_bool(mount, "readOnly", true);
	json_set_str(mount, "mountPath", MOUNT_PATH);
	json_object_array_add(mounts, mount);
	return true;
}

static struct json_object *add_source(struct json_object *sources, const char *kind)
{
	struct json_object *source = json_object_new_object();
	json_object_array_add(sources, source);
	return json_ensure_object(source, kind);
}

static void add_item(struct json_object *source, const char *key, const char *path)
{
	struct json_object *item = json_object_new_object();
	json_set_str(item, "key", key);
	json_set_str(item, "path", path);
	json_object_array_add(json_ensure_array(source, "items"), item);
}

static void add_volume(struct json_object *spec, const char *name)
{
	struct json_object *volume = json_object_new_object(), *item = json_object_new_object();
	json_set_str(volume, "name", name);
	struct json_object *projected = json_ensure_object(volume, "projected");
	struct json_object *sources = json_ensure_array(projected, "sources");
	struct json_object *token = add_source(sources, "serviceAccountToken");
	json_set_int(token, "expirationSeconds", TOKEN_S);
	json_set_str(token, "path", "token");
	struct json_object *authority = add_source(sources, "configMap");
	json_set_str(authority, "name", "kube-root-ca.crt");
	add_item(authority, "ca.crt", "ca.crt");
	struct json_object *downward = add_source(sources, "downwardAPI");
	json_set_str(item, "path", "namespace");
	json_set_str(json_ensure_object(item, "fieldRef"), "apiVersion", "v1");
	json_set_str(json_ensure_object(item, "fieldRef"), "fieldPath", "metadata.namespace");
	json_object_array_add(json_ensure_array(downward, "items"), item);
	json_set_int(projected, "defaultMode", 0644);
	json_object_array_add(json_ensure_array(spec, "volumes"), volume);
}

static void mount_token(struct json_object *spec)
{
	static const char *const lists[] = { "initContainers", "containers" };
	char made[sizeof(VOLUME_PREFIX) + 5] = VOLUME_PREFIX;
	const char *name = find_volume(spec);
	bool there = name, needed = false;
	if (!there) {
		chance_name(made + strlen(VOLUME_PREFIX), 5);
		name = made;
	}
	for (size_t l = 0; l < ARRAY_SIZE(lists); l++) {
		const struct json_object *containers = json_get(spec, lists[l]);
		for (size_t i = 0; i < json_len(containers); i++)
			needed |= mount_into(json_at(containers, i), name);
	}
	if (needed && !there)
		add_volume(spec, name);
}

static void give_pull_secrets(struct json_object *spec, const struct json_object *account)
{
	const struct json_object *secrets = json_get(account, "imagePullSecrets");
	if (json_len(secrets) && !json_len(json_get(spec, "imagePullSecrets")))
		json_set(spec, "imagePullSecrets", json_clone(secrets));
}

/* Mirror pods are the node's: they have no rights in the API. */
static enum step_result check_mirror(struct request *r, const struct json_object *spec)
{
	const struct json_object *volumes = json_get(spec, "volumes");
	if (*json_str_or_empty(spec, "serviceAccountName"))
		return admission_forbid(r, "a mirror pod may not reference service accounts");
	for (size_t i = 0; i < json_len(volumes); i++) {
		const struct json_object *sources =
		    json_path(json_at(volumes, i), "projected", "sources", NULL);
		if (json_get(json_at(volumes, i), "secret"))
			return admission_forbid(r, "a mirror pod may not reference secrets");
		for (size_t k = 0; k < json_len(sources); k++)
			if (json_get(json_at(sources, k), "serviceAccountToken"))
				return admission_forbid(
				    r, "a mirror pod may not use ServiceAccountToken volume projections");
	}
	return STEP_NEXT;
}

static enum step_result account_missing(struct request *r, const char *name)
{
	if (strcmp(name, "default") == 0 && r->pauses < DEFAULT_TRIES)
		return request_pause(
		    r, DEFAULT_PAUSE_MS << (r->pauses < DEFAULT_DOUBLINGS ? r->pauses : DEFAULT_DOUBLINGS));
	return admission_forbid(r, "error looking up service account %s/%s: serviceaccount \"%s\" not found",
				r->route.namespace_, name, name);
}

static enum step_result change(struct request *r)
{
	if (r->old)
		return STEP_NEXT;
	struct json_object *spec = json_ensure_object(r->obj, "spec");
	CLEANUP(object_unrefp) struct object *object = NULL;
	if (json_path(r->obj, "metadata", "annotations", "kubernetes.io/config.mirror", NULL))
		return check_mirror(r, spec);
	if (!*json_str_or_empty(spec, "serviceAccountName")) {
		json_set_str(spec, "serviceAccountName", "default");
		json_set_str(spec, "serviceAccount", "default");
	}
	const char *name = json_str_or_empty(spec, "serviceAccountName");
	if (core_get(r->server->core, resource_find("", "v1", "serviceaccounts"), r->route.namespace_, name,
		     &object, NULL) < 0)
		return account_missing(r, name);
	CLEANUP(json_putp) struct json_object *account = object_json(object);
	if (wants_token(spec, account))
		mount_token(spec);
	give_pull_secrets(spec, account);
	return STEP_NEXT;
}

static const char *const resources[] = { "pods", NULL };
const struct admission_plugin admission_service_account = { .name = "ServiceAccount",
							    .resources = resources,
							    .change = change };
