#include "apiserver/authz/pod_uses.h"

#include <string.h>

#include "lib/mem.h"

/* True when member KEY of OBJ is NAME, or, for NAME NULL, any name. */
static bool named(const struct json_object *obj, const char *key, const char *name)
{
	const char *found = json_str(obj, key);

	return found && *found && (!name || strcmp(found, name) == 0);
}

/* Members of containers: env and envFrom. */
static bool container_uses(const struct json_object *container, const char *value_from, const char *env_from,
			   const char *name)
{
	const struct json_object *env = json_get(container, "env"), *from = json_get(container, "envFrom");

	for (size_t i = 0; i < json_len(env); i++)
		if (named(json_path(json_at(env, i), "valueFrom", value_from, NULL), "name", name))
			return true;
	for (size_t i = 0; i < json_len(from); i++)
		if (named(json_get(json_at(from, i), env_from), "name", name))
			return true;
	return false;
}

static bool containers_use(const struct json_object *spec, const char *value_from, const char *env_from,
			   const char *name)
{
	static const char *const lists[] = { "containers", "initContainers", "ephemeralContainers" };

	for (size_t l = 0; l < ARRAY_SIZE(lists); l++) {
		const struct json_object *list = json_get(spec, lists[l]);

		for (size_t i = 0; i < json_len(list); i++)
			if (container_uses(json_at(list, i), value_from, env_from, name))
				return true;
	}
	return false;
}

/* KEY of each source of a projected volume. */
static bool projected_uses(const struct json_object *volume, const char *key, const char *name)
{
	const struct json_object *sources = json_path(volume, "projected", "sources", NULL);

	for (size_t i = 0; i < json_len(sources); i++)
		if (named(json_get(json_at(sources, i), key), "name", name))
			return true;
	return false;
}

/* Volumes of other systems name the secret that opens them. */
static bool volume_uses_secret(const struct json_object *volume, const char *name)
{
	static const char *const sources[] = {
		"cephfs", "flexVolume", "rbd", "scaleIO", "iscsi", "storageos"
	};

	if (named(json_get(volume, "secret"), "secretName", name) || projected_uses(volume, "secret", name) ||
	    named(json_get(volume, "azureFile"), "secretName", name) ||
	    named(json_path(volume, "csi", "nodePublishSecretRef", NULL), "name", name))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(sources); i++)
		if (named(json_path(volume, sources[i], "secretRef", NULL), "name", name))
			return true;
	return false;
}

static bool uses_secret(const struct json_object *spec, const char *name)
{
	const struct json_object *pulls = json_get(spec, "imagePullSecrets"),
				 *volumes = json_get(spec, "volumes");

	for (size_t i = 0; i < json_len(pulls); i++)
		if (named(json_at(pulls, i), "name", name))
			return true;
	for (size_t i = 0; i < json_len(volumes); i++)
		if (volume_uses_secret(json_at(volumes, i), name))
			return true;
	return containers_use(spec, "secretKeyRef", "secretRef", name);
}

static bool uses_config_map(const struct json_object *spec, const char *name)
{
	const struct json_object *volumes = json_get(spec, "volumes");

	for (size_t i = 0; i < json_len(volumes); i++) {
		const struct json_object *volume = json_at(volumes, i);

		if (named(json_get(volume, "configMap"), "name", name) ||
		    projected_uses(volume, "configMap", name))
			return true;
	}
	return containers_use(spec, "configMapKeyRef", "configMapRef", name);
}

static bool same_claim(const char *claim, void *arg)
{
	const char *name = arg;

	return !name || strcmp(claim, name) == 0;
}

bool pod_each_claim(const struct json_object *pod, bool (*fn)(const char *name, void *arg), void *arg)
{
	const struct json_object *volumes = json_path(pod, "spec", "volumes", NULL);
	const char *pod_name = json_str_or_empty(json_get(pod, "metadata"), "name");

	for (size_t i = 0; i < json_len(volumes); i++) {
		const struct json_object *volume = json_at(volumes, i);
		const char *claim = json_str(json_get(volume, "persistentVolumeClaim"), "claimName");

		if (claim && fn(claim, arg))
			return true;
		if (json_get(volume, "ephemeral")) {
			CLEANUP(mem_freep)
			char *made = mem_printf("%s-%s", pod_name, json_str_or_empty(volume, "name"));

			if (fn(made, arg))
				return true;
		}
	}
	return false;
}

bool pod_uses(const struct json_object *pod, enum pod_use use, const char *name)
{
	const struct json_object *spec = json_get(pod, "spec");

	switch (use) {
	case POD_USES_SECRET:
		return uses_secret(spec, name);
	case POD_USES_CONFIG_MAP:
		return uses_config_map(spec, name);
	case POD_USES_CLAIM:
		return pod_each_claim(pod, same_claim, (void *)(uintptr_t)name);
	case POD_USES_SERVICE_ACCOUNT:
		return named(spec, "serviceAccountName", name);
	}
	return false;
}
