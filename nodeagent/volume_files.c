#include "nodeagent/volume_files.h"

#include <errno.h>
#include <string.h>
#include <sys/mount.h>

#include "nodeagent/projected_files.h"
#include "nodeagent/tree.h"

static const struct json_object *pod_spec(const struct volumes_opts *opts)
{
	return json_get(opts->env->pod, "spec");
}

gid_t volume_fs_group(const struct volumes_opts *opts)
{
	return (gid_t)json_int(json_get(pod_spec(opts), "securityContext"), "fsGroup", -1);
}

int volume_mount_tmpfs(const char *dir, const char *options, struct err *err)
{
	if (tree_is_mount(dir))
		return 0;
	if (mount("tmpfs", dir, "tmpfs", MS_NOSUID | MS_NODEV, options) < 0)
		return err_set_errno(err, errno, "mount tmpfs at %s", dir);
	return 0;
}

/* With a group of the pod's own its members may read. */
static unsigned readable_by_group(unsigned mode, gid_t gid)
{
	return gid != (gid_t)-1 ? mode | 0440 : mode;
}

static unsigned file_mode(const struct json_object *item, unsigned if_absent, gid_t gid)
{
	return readable_by_group((unsigned)json_int(item, "mode", if_absent), gid);
}

static unsigned default_mode(const struct json_object *source, gid_t gid)
{
	return readable_by_group((unsigned)json_int(source, "defaultMode", 0644), gid);
}

/* Adds one value of a ConfigMap's data or binaryData, or of a Secret's data. False: no such key. */
static int add_key(struct projected_files *files, enum config_kind kind, const struct json_object *object,
		   const char *key, const char *path, unsigned mode, bool *ret_found, struct err *err)
{
	const char *plain = kind == CONFIG_MAP ? json_str(json_get(object, "data"), key) : NULL;
	const char *coded = json_str(json_get(object, kind == CONFIG_MAP ? "binaryData" : "data"), key);
	CLEANUP(buf_close) struct buf b = BUF_INIT;

	*ret_found = plain || coded;
	if (plain) {
		struct json_object *value = json_get(json_get(object, "data"), key);
		return projected_files_add(files, path, plain, (size_t)json_object_get_string_len(value),
					   mode, err);
	}
	if (!coded)
		return 0;
	if (buf_base64_decode(coded, strlen(coded), &b, err) < 0)
		return err_wrap(err, "key %s", key);
	return projected_files_add(files, path, b.data ? b.data : "", b.len, mode, err);
}

static int add_all_keys(struct projected_files *files, enum config_kind kind,
			const struct json_object *object, const char *member, unsigned mode, struct err *err)
{
	struct json_object *data = json_get(object, member);
	bool found;

	if (!data)
		return 0;
	json_object_object_foreach(data, key, value)
	{
		(void)value;
		if (add_key(files, kind, object, key, key, mode, &found, err) < 0)
			return -1;
	}
	return 0;
}

static int add_object(const struct volumes_opts *opts, struct projected_files *files, enum config_kind kind,
		      const struct json_object *source, const char *name, unsigned mode, struct err *err)
{
	const struct json_object *items = json_get(source, "items"), *object = NULL;
	bool optional = json_boolean(source, "optional", false);

	if (opts->env->lookup.get(kind, name, &object, opts->env->lookup.arg) != CONFIG_PRESENT) {
		if (optional)
			return 0;
		return err_set(err, ERR_NOT_FOUND, "%s \"%s\" not found",
			       kind == CONFIG_MAP ? "configmap" : "secret", name);
	}
	if (!items)
		return add_all_keys(files, kind, object, "data", mode, err) < 0 ||
			       (kind == CONFIG_MAP &&
				add_all_keys(files, kind, object, "binaryData", mode, err) < 0)
			   ? -1
			   : 0;
	for (size_t i = 0; i < json_len(items); i++) {
		const struct json_object *item = json_at(items, i);
		const char *key = json_str_or_empty(item, "key");
		bool found;
		if (add_key(files, kind, object, key, json_str_or_empty(item, "path"),
			    file_mode(item, mode, volume_fs_group(opts)), &found, err) < 0)
			return -1;
		if (!found && !optional)
			return err_set(err, ERR_NOT_FOUND,
				       kind == CONFIG_MAP ? "configmap references non-existent config key: %s"
							  : "references non-existent secret key: %s",
				       key);
	}
	return 0;
}

static const struct json_object *find_container(const struct volumes_opts *opts, const char *name)
{
	static const char *const lists[] = { "containers", "initContainers" };

	for (size_t l = 0; l < ARRAY_SIZE(lists); l++) {
		const struct json_object *list = json_get(pod_spec(opts), lists[l]);
		for (size_t i = 0; i < json_len(list); i++)
			if (strcmp(json_str_or_empty(json_at(list, i), "name"), name) == 0)
				return json_at(list, i);
	}
	return NULL;
}

static int add_downward(const struct volumes_opts *opts, struct projected_files *files,
			const struct json_object *source, unsigned mode, struct err *err)
{
	const struct json_object *items = json_get(source, "items");

	for (size_t i = 0; i < json_len(items); i++) {
		const struct json_object *item = json_at(items, i), *ref;
		CLEANUP(mem_freep) char *value = NULL;
		int rc = 0;
		if ((ref = json_get(item, "fieldRef"))) {
			rc = pod_env_field(opts->env, json_str_or_empty(ref, "fieldPath"), &value, err);
		} else if ((ref = json_get(item, "resourceFieldRef"))) {
			const char *name = json_str_or_empty(ref, "containerName");
			const struct json_object *container = find_container(opts, name);
			rc = container ? pod_env_resource(opts->env, container, ref, &value, err)
				       : err_set(err, ERR_INVALID, "container %s not found", name);
		}
		if (rc < 0 || projected_files_add(files, json_str_or_empty(item, "path"), value ? value : "",
						  value ? strlen(value) : 0,
						  file_mode(item, mode, volume_fs_group(opts)), err) < 0)
			return -1;
	}
	return 0;
}

/* The user that all containers run as; (uid_t)-1 when they do not all say, or differ. */
static uid_t fs_user(const struct json_object *spec)
{
	static const char *const lists[] = { "initContainers", "containers" };
	int64_t of_pod = json_int(json_get(spec, "securityContext"), "runAsUser", -1), all = -1;

	for (size_t l = 0; l < ARRAY_SIZE(lists); l++) {
		const struct json_object *list = json_get(spec, lists[l]);
		for (size_t i = 0; i < json_len(list); i++) {
			int64_t user =
			    json_int(json_get(json_at(list, i), "securityContext"), "runAsUser", of_pod);
			if (user < 0 || (all >= 0 && user != all))
				return (uid_t)-1;
			all = user;
		}
	}
	return (uid_t)all;
}

/* Nobody but the pod's own user and group may read a token, where it is known who they are. */
static int add_token(const struct volumes_opts *opts, struct projected_files *files,
		     const struct json_object *source, unsigned mode, struct err *err)
{
	const char *path = json_str_or_empty(source, "path");
	const char *token = pod_tokens_get(opts->tokens, source, err);
	gid_t gid = volume_fs_group(opts);
	uid_t uid = fs_user(pod_spec(opts));

	if (!token)
		return -1;
	if (gid != (gid_t)-1 || uid != (uid_t)-1)
		mode = gid != (gid_t)-1 ? 0640 : 0600;
	if (projected_files_add(files, path, token, strlen(token), mode, err) < 0)
		return -1;
	projected_files_own(files, path, uid);
	return 0;
}

static int add_projected(const struct volumes_opts *opts, struct projected_files *files,
			 const struct json_object *volume, unsigned mode, struct err *err)
{
	const struct json_object *sources = json_get(volume, "sources");

	for (size_t i = 0; i < json_len(sources); i++) {
		const struct json_object *entry = json_at(sources, i), *s;
		int rc;
		if ((s = json_get(entry, "configMap")))
			rc = add_object(opts, files, CONFIG_MAP, s, json_str_or_empty(s, "name"), mode, err);
		else if ((s = json_get(entry, "secret")))
			rc = add_object(opts, files, CONFIG_SECRET, s, json_str_or_empty(s, "name"), mode,
					err);
		else if ((s = json_get(entry, "downwardAPI")))
			rc = add_downward(opts, files, s, mode, err);
		else if ((s = json_get(entry, "serviceAccountToken")))
			rc = add_token(opts, files, s, mode, err);
		else
			rc = err_set(
			    err, ERR_INVALID,
			    "a projected source of this kind is not supported by this version of knarr");
		if (rc < 0)
			return -1;
	}
	return 0;
}

int volume_files_setup(const struct volumes_opts *opts, const char *dir, const struct json_object *volume,
		       struct err *err)
{
	CLEANUP(projected_files_close) struct projected_files files = { 0 };
	const struct json_object *s;
	gid_t gid = volume_fs_group(opts);
	int rc;

	if ((s = json_get(volume, "configMap")))
		rc = add_object(opts, &files, CONFIG_MAP, s, json_str_or_empty(s, "name"),
				default_mode(s, gid), err);
	else if ((s = json_get(volume, "secret")))
		rc = add_object(opts, &files, CONFIG_SECRET, s, json_str_or_empty(s, "secretName"),
				default_mode(s, gid), err);
	else if ((s = json_get(volume, "downwardAPI")))
		rc = add_downward(opts, &files, s, default_mode(s, gid), err);
	else if ((s = json_get(volume, "projected")))
		rc = add_projected(opts, &files, s, default_mode(s, gid), err);
	else
		rc = err_set(err, ERR_INTERNAL, "not made of API objects");
	if (rc < 0)
		return -1;
	/* Secrets never touch the disk. */
	if ((json_get(volume, "secret") || json_get(volume, "projected")) &&
	    volume_mount_tmpfs(dir, "mode=0755", err) < 0)
		return -1;
	return projected_files_write(dir, &files, gid, err);
}
