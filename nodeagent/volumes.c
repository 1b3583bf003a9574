#include "nodeagent/volumes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/quantity.h"
#include "nodeagent/sub_path.h"
#include "nodeagent/tree.h"
#include "nodeagent/volume_files.h"

static const struct json_object *pod_spec(const struct volumes_opts *opts)
{
	return json_get(opts->env->pod, "spec");
}

static char *volume_dir(const struct volumes_opts *opts, const char *name)
{
	return mem_printf("%s/volumes/%s", opts->pod_dir, name);
}

static int setup_empty_dir(const struct volumes_opts *opts, const char *dir, const struct json_object *source,
			   struct err *err)
{
	const char *medium = json_str_or_empty(source, "medium"), *limit = json_str(source, "sizeLimit");
	char options[64] = "mode=0777";
	gid_t gid = volume_fs_group(opts);

	if (strcmp(medium, "Memory") == 0) {
		if (limit)
			snprintf(options, sizeof(options), "mode=0777,size=%" PRId64,
				 quantity_value_of(limit));
		if (volume_mount_tmpfs(dir, options, err) < 0)
			return -1;
	} else if (medium[0] != '\0') {
		return err_set(err, ERR_INVALID, "storage medium \"%s\" is not supported", medium);
	}
	if (gid != (gid_t)-1 && chown(dir, (uid_t)-1, gid) < 0)
		return err_set_errno(err, errno, "chown %s", dir);
	/* Set group ID: new files belong to the group as well. */
	if (chmod(dir, gid != (gid_t)-1 ? 02777 : 0777) < 0)
		return err_set_errno(err, errno, "chmod %s", dir);
	return 0;
}

/* https://kubernetes.io/docs/concepts/storage/volumes/#hostpath-volume-types */
static const struct host_type {
	const char *name;
	mode_t format; /* S_IFMT value it must have; 0: any, need not exist */
	const char *noun;
	bool create;
} host_types[] = {
	{ "", 0, NULL, false },
	{ "Directory", S_IFDIR, "directory", false },
	{ "DirectoryOrCreate", S_IFDIR, "directory", true },
	{ "File", S_IFREG, "file", false },
	{ "FileOrCreate", S_IFREG, "file", true },
	{ "Socket", S_IFSOCK, "socket file", false },
	{ "CharDevice", S_IFCHR, "character device", false },
	{ "BlockDevice", S_IFBLK, "block device", false },
};

static int create_host_path(const struct host_type *type, const char *path, struct err *err)
{
	if (type->format == S_IFDIR)
		return tree_make(path, 0755, err);
	CLEANUP(mem_closep) int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	return fd < 0 ? err_set_errno(err, errno, "%s", path) : 0;
}

static int setup_host_path(const struct json_object *source, struct err *err)
{
	const char *path = json_str_or_empty(source, "path"), *name = json_str_or_empty(source, "type");
	const struct host_type *type = NULL;
	struct stat st;

	for (size_t i = 0; i < ARRAY_SIZE(host_types); i++)
		if (strcmp(host_types[i].name, name) == 0)
			type = &host_types[i];
	if (!type)
		return err_set(err, ERR_INVALID, "hostPath type \"%s\" is not known", name);
	if (type->create && stat(path, &st) < 0 && create_host_path(type, path, err) < 0)
		return -1;
	if (type->format == 0)
		return 0;
	if (stat(path, &st) < 0 || (st.st_mode & S_IFMT) != type->format)
		return err_set(err, ERR_INVALID, "hostPath type check failed: %s is not a %s", path,
			       type->noun);
	return 0;
}

static int setup_one(const struct volumes_opts *opts, const struct json_object *volume, struct err *err)
{
	static const char *const from_api[] = { "configMap", "secret", "downwardAPI", "projected" };
	CLEANUP(mem_freep) char *dir = volume_dir(opts, json_str_or_empty(volume, "name"));

	if (json_get(volume, "hostPath"))
		return setup_host_path(json_get(volume, "hostPath"), err);
	if (tree_make(dir, 0755, err) < 0)
		return -1;
	if (json_get(volume, "emptyDir"))
		return setup_empty_dir(opts, dir, json_get(volume, "emptyDir"), err);
	for (size_t i = 0; i < ARRAY_SIZE(from_api); i++)
		if (json_get(volume, from_api[i]))
			return volume_files_setup(opts, dir, volume, err);
	/* One that says nothing is an emptyDir. */
	json_object_object_foreach((struct json_object *)(uintptr_t)volume, key, value)
	{
		if (value && strcmp(key, "name") != 0)
			return err_set(err, ERR_INVALID,
				       "volumes of type %s are not supported by this version of knarr", key);
	}
	return setup_empty_dir(opts, dir, NULL, err);
}

int volumes_setup(const struct volumes_opts *opts, struct err *err)
{
	const struct json_object *volumes = json_get(pod_spec(opts), "volumes");

	for (size_t i = 0; i < json_len(volumes); i++) {
		const struct json_object *volume = json_at(volumes, i);
		if (setup_one(opts, volume, err) < 0)
			return err_wrap(err, "MountVolume.SetUp failed for volume \"%s\" ",
					json_str_or_empty(volume, "name"));
	}
	return 0;
}

/* True when every volume in DIR was a mount, and is none now: nothing is mounted below. */
static bool unmount_each(const char *dir)
{
	DIR *d = opendir(dir);
	bool all = d;

	for (struct dirent *e; all && (e = readdir(d));) {
		CLEANUP(mem_freep) char *path = mem_printf("%s/%s", dir, e->d_name);
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			all = umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) == 0;
	}
	if (d)
		closedir(d);
	return all;
}

int volumes_teardown(const char *pod_dir, struct err *err)
{
	CLEANUP(mem_freep) char *dir = mem_printf("%s/volumes", pod_dir);
	CLEANUP(mem_freep) char *subs = mem_printf("%s/subpaths", pod_dir);

	/* Asking for the mounts of a node with many pods is dear: not for pods that have none, or only those
	 * that we made for volumes. */
	if (access(subs, F_OK) == 0 && tree_unmount(subs, err) < 0)
		return -1;
	return access(dir, F_OK) == 0 && !unmount_each(dir) ? tree_unmount(dir, err) : 0;
}

static const struct json_object *find_volume(const struct volumes_opts *opts, const char *name)
{
	const struct json_object *volumes = json_get(pod_spec(opts), "volumes");

	for (size_t i = 0; i < json_len(volumes); i++)
		if (strcmp(json_str_or_empty(json_at(volumes, i), "name"), name) == 0)
			return json_at(volumes, i);
	return NULL;
}

void volumes_mounts_add(struct volume_mounts *mounts, const char *source, const char *destination,
			bool read_only, const char *options)
{
	mounts->mounts = mem_realloc_array(mounts->mounts, mounts->n + 1, sizeof(*mounts->mounts));
	mounts->mounts[mounts->n++] = (struct runtime_mount){
		.source = mem_dup(source),
		.destination = mem_dup(destination),
		.read_only = read_only,
		.options = mem_dup(options),
	};
}

void volumes_mounts_close(struct volume_mounts *mounts)
{
	for (size_t i = 0; i < mounts->n; i++) {
		free((char *)mounts->mounts[i].source);
		free((char *)mounts->mounts[i].destination);
		free((char *)mounts->mounts[i].options);
	}
	free(mounts->mounts);
	*mounts = (struct volume_mounts){ 0 };
}

static const char *propagation(const struct json_object *mount)
{
	const char *mode = json_str_or_empty(mount, "mountPropagation");

	if (strcmp(mode, "HostToContainer") == 0)
		return "rslave";
	return strcmp(mode, "Bidirectional") == 0 ? "rshared" : NULL;
}

static int add_mount(const struct volumes_opts *opts, const struct json_object *container, size_t index,
		     const struct pod_env *env, struct volume_mounts *mounts, struct err *err)
{
	const struct json_object *mount = json_at(json_get(container, "volumeMounts"), index);
	const char *name = json_str_or_empty(mount, "name"), *sub = json_str(mount, "subPath");
	const struct json_object *volume = find_volume(opts, name);
	CLEANUP(mem_freep) char *expanded = NULL;
	CLEANUP(mem_freep) char *source = NULL;
	bool read_only = json_boolean(mount, "readOnly", false);

	if (!volume)
		return err_set(err, ERR_NOT_FOUND,
			       "volume \"%s\" of the volume mount is not among the pod's volumes", name);
	if (json_get(volume, "hostPath"))
		source = mem_dup(json_str_or_empty(json_get(volume, "hostPath"), "path"));
	else
		source = volume_dir(opts, name);
	/* What comes from the API is not the container's to change. */
	if (json_get(volume, "configMap") || json_get(volume, "secret") || json_get(volume, "downwardAPI") ||
	    json_get(volume, "projected"))
		read_only = true;
	if (json_str(mount, "subPathExpr"))
		sub = expanded = pod_env_expand(env, json_str(mount, "subPathExpr"));
	if (sub && sub[0]) {
		CLEANUP(mem_freep)
		char *pin = mem_printf("%s/subpaths/%s/%zu", opts->pod_dir,
				       json_str_or_empty(container, "name"), index);
		if (sub_path_pin(source, sub, pin, err) < 0)
			return err_wrap(
			    err, "failed to prepare subPath for volumeMount \"%s\" of container \"%s\"", name,
			    json_str_or_empty(container, "name"));
		free(source);
		source = TAKE(pin);
	}
	volumes_mounts_add(mounts, source, json_str_or_empty(mount, "mountPath"), read_only,
			   propagation(mount));
	return 0;
}

int volumes_mounts(const struct volumes_opts *opts, const struct json_object *container,
		   const struct pod_env *env, struct volume_mounts *ret, struct err *err)
{
	CLEANUP(volumes_mounts_close) struct volume_mounts mounts = { 0 };

	for (size_t i = 0; i < json_len(json_get(container, "volumeMounts")); i++)
		if (add_mount(opts, container, i, env, &mounts, err) < 0)
			return -1;
	*ret = mounts;
	mounts = (struct volume_mounts){ 0 };
	return 0;
}

static void references_of_source(const struct json_object *source,
				 void (*fn)(enum config_kind kind, const char *name, void *arg), void *arg)
{
	const struct json_object *s;

	if ((s = json_get(source, "configMap")))
		fn(CONFIG_MAP, json_str_or_empty(s, "name"), arg);
	/* A volume names it secretName, a projected source name. */
	if ((s = json_get(source, "secret")))
		fn(CONFIG_SECRET,
		   json_str(s, "secretName") ? json_str(s, "secretName") : json_str_or_empty(s, "name"), arg);
}

static void references_of_container(const struct json_object *container,
				    void (*fn)(enum config_kind kind, const char *name, void *arg), void *arg)
{
	const struct json_object *list = json_get(container, "envFrom"), *ref;

	for (size_t i = 0; i < json_len(list); i++) {
		if ((ref = json_get(json_at(list, i), "configMapRef")))
			fn(CONFIG_MAP, json_str_or_empty(ref, "name"), arg);
		if ((ref = json_get(json_at(list, i), "secretRef")))
			fn(CONFIG_SECRET, json_str_or_empty(ref, "name"), arg);
	}
	list = json_get(container, "env");
	for (size_t i = 0; i < json_len(list); i++) {
		if ((ref = json_path(json_at(list, i), "valueFrom", "configMapKeyRef", NULL)))
			fn(CONFIG_MAP, json_str_or_empty(ref, "name"), arg);
		if ((ref = json_path(json_at(list, i), "valueFrom", "secretKeyRef", NULL)))
			fn(CONFIG_SECRET, json_str_or_empty(ref, "name"), arg);
	}
}

void volumes_each_reference(const struct json_object *spec,
			    void (*fn)(enum config_kind kind, const char *name, void *arg), void *arg)
{
	static const char *const lists[] = { "initContainers", "containers", "ephemeralContainers" };
	const struct json_object *volumes = json_get(spec, "volumes");

	for (size_t i = 0; i < json_len(volumes); i++) {
		const struct json_object *volume = json_at(volumes, i);
		const struct json_object *sources = json_path(volume, "projected", "sources", NULL);
		references_of_source(volume, fn, arg);
		for (size_t s = 0; s < json_len(sources); s++)
			references_of_source(json_at(sources, s), fn, arg);
	}
	for (size_t l = 0; l < ARRAY_SIZE(lists); l++) {
		const struct json_object *list = json_get(spec, lists[l]);
		for (size_t i = 0; i < json_len(list); i++)
			references_of_container(json_at(list, i), fn, arg);
	}
}
