/* CONFIG.mounts: the kernel's file systems, the pod's shared memory, its volumes. */
#include <string.h>
#include <sys/stat.h>

#include "nodeagent/oci_config.h"

struct kernel_mount {
	const char *destination, *type, *source, *options;
	const char *privileged_options; /* NULL: the same */
};

static const struct kernel_mount kernel_mounts[] = {
	{ "/proc", "proc", "proc", "nosuid,noexec,nodev", NULL },
	{ "/dev", "tmpfs", "tmpfs", "nosuid,strictatime,mode=755,size=65536k", NULL },
	{ "/dev/pts", "devpts", "devpts", "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5", NULL },
	{ "/dev/mqueue", "mqueue", "mqueue", "nosuid,noexec,nodev", NULL },
	{ "/sys", "sysfs", "sysfs", "nosuid,noexec,nodev,ro", "nosuid,noexec,nodev" },
	{ "/sys/fs/cgroup", "cgroup", "cgroup", "nosuid,noexec,nodev,relatime,ro",
	  "nosuid,noexec,nodev,relatime" },
};

static void add_options(struct json_object *list, const char *options)
{
	for (size_t len; options && *options; options += len + (options[len] == ',')) {
		len = strcspn(options, ",");
		if (len)
			json_object_array_add(list, json_object_new_string_len(options, (int)len));
	}
}

static void add_mount(struct json_object *mounts, const char *destination, const char *type,
		      const char *source, const char *options, const char *more_options)
{
	struct json_object *mount = json_object_new_object();
	json_set_str(mount, "destination", destination);
	json_set_str(mount, "type", type);
	json_set_str(mount, "source", source);
	struct json_object *list = json_ensure_array(mount, "options");
	add_options(list, options);
	add_options(list, more_options);
	json_object_array_add(mounts, mount);
}

static bool has_volume_at(const struct container_spec *spec, const char *destination)
{
	for (size_t i = 0; i < spec->n_mounts; i++) {
		if (!strcmp(spec->mounts[i].destination, destination))
			return true;
	}
	return false;
}

/* A volume may not begin a propagation of its own unless it says so: private is the OCI's word for it. */
static const char *propagation(const struct runtime_mount *mount)
{
	const char *options = mount->options ? mount->options : "";
	return strstr(options, "private") || strstr(options, "slave") || strstr(options, "shared")
		   ? NULL
		   : "rprivate";
}

static int add_volume(struct json_object *mounts, const struct runtime_mount *mount, struct err *err)
{
	if (mount->destination[0] != '/')
		return err_set(err, ERR_INVALID, "mount path \"%s\" is not absolute", mount->destination);
	CLEANUP(mem_freep)
	char *more =
	    mem_printf("%s,%s,%s", mount->read_only ? "ro" : "rw", mount->options ? mount->options : "",
		       mount->type          ? ""
		       : propagation(mount) ? propagation(mount)
					    : "");
	if (mount->type)
		add_mount(mounts, mount->destination, mount->type,
			  mount->source ? mount->source : mount->type, NULL, more);
	else
		add_mount(mounts, mount->destination, "bind", mount->source, "rbind", more);
	return 0;
}

/* Shared memory belongs to the pod's IPC namespace; the sandbox made a tmpfs for it. */
static void add_shared_memory(struct json_object *mounts, const struct container_spec *spec)
{
	CLEANUP(mem_freep) char *shm = mem_printf("%s/shm", spec->pod_dir);
	add_mount(mounts, "/dev/shm", "bind", spec->sandbox->ipc_ns ? shm : "/dev/shm",
		  "rbind,rw,nosuid,noexec,nodev", NULL);
}

int oci_mounts_build(const struct oci_machine *machine, const struct container_spec *spec,
		     const char *termination_log, struct json_object *config, struct err *err)
{
	(void)machine;
	struct json_object *mounts = json_ensure_array(config, "mounts");
	bool privileged = oci_privileged(spec);
	for (size_t i = 0; i < ARRAY_SIZE(kernel_mounts); i++) {
		const struct kernel_mount *m = &kernel_mounts[i];
		if (!has_volume_at(spec, m->destination))
			add_mount(mounts, m->destination, m->type, m->source,
				  privileged && m->privileged_options ? m->privileged_options : m->options,
				  NULL);
	}
	if (!has_volume_at(spec, "/dev/shm"))
		add_shared_memory(mounts, spec);
	for (size_t i = 0; i < spec->n_mounts; i++) {
		if (add_volume(mounts, &spec->mounts[i], err))
			return -1;
	}
	const char *path = json_str(spec->container, "terminationMessagePath");
	if (!path || !*path)
		path = "/dev/termination-log";
	if (termination_log)
		return add_volume(
		    mounts, &(struct runtime_mount){ .source = termination_log, .destination = path }, err);
	return 0;
}
