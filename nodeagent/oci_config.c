#include "nodeagent/oci_config.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/quantity.h"
#include "nodeagent/capability.h"
#include "nodeagent/cgroup.h"
#include "nodeagent/seccomp_profile.h"

#define MAX_FILES   1048576
#define MAX_DEVICES 1024

static const char *const masked_paths[] = {
	"/proc/acpi",
	"/proc/asound",
	"/proc/interrupts",
	"/proc/kcore",
	"/proc/keys",
	"/proc/latency_stats",
	"/proc/sched_debug",
	"/proc/scsi",
	"/proc/timer_list",
	"/proc/timer_stats",
	"/sys/devices/virtual/powercap",
	"/sys/firmware",
};

static const char *const readonly_paths[] = {
	"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
};

void oci_machine_probe(struct oci_machine *ret)
{
	struct rlimit files;
	*ret = (struct oci_machine){ .capabilities = capability_machine(),
				     .max_files = 1024,
				     .oom_score_adj_min = -1000 };
	if (!getrlimit(RLIMIT_NOFILE, &files))
		ret->max_files = files.rlim_max < MAX_FILES ? files.rlim_max : MAX_FILES;
	/* Without CAP_SYS_RESOURCE the score can be raised only. */
	CLEANUP(buf_close) struct buf score = BUF_INIT;
	if (!(ret->capabilities & (UINT64_C(1) << CAP_SYS_RESOURCE)) &&
	    !buf_read_file(&score, "/proc/self/oom_score_adj", 64, NULL))
		ret->oom_score_adj_min = (int)strtol(score.data, NULL, 10);
	ret->cgroup_v2 = cgroup_version() == CGROUP_V2;
	ret->swap_limit = !access("/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes", F_OK);
}

struct json_object *oci_security(const struct container_spec *spec, const char *key)
{
	struct json_object *value = json_path(spec->container, "securityContext", key, NULL);
	return value ? value : json_path(spec->pod_spec, "securityContext", key, NULL);
}

bool oci_privileged(const struct container_spec *spec)
{
	return json_boolean(json_get(spec->container, "securityContext"), "privileged", false);
}

static void add_namespace(struct json_object *list, const char *type, const char *path)
{
	struct json_object *ns = json_object_new_object();
	json_set_str(ns, "type", type);
	json_set_str(ns, "path", path);
	json_object_array_add(list, ns);
}

static void add_namespaces(const struct oci_machine *machine, const struct container_spec *spec,
			   struct json_object *linux_)
{
	struct json_object *list = json_ensure_array(linux_, "namespaces");
	add_namespace(list, "mount", NULL);
	if (!json_boolean(spec->pod_spec, "hostPID", false))
		add_namespace(list, "pid", spec->pid_ns ? spec->pid_ns : spec->sandbox->pid_ns);
	if (spec->sandbox->net_ns)
		add_namespace(list, "network", spec->sandbox->net_ns);
	if (spec->sandbox->ipc_ns)
		add_namespace(list, "ipc", spec->sandbox->ipc_ns);
	if (spec->sandbox->uts_ns)
		add_namespace(list, "uts", spec->sandbox->uts_ns);
	if (machine->cgroup_v2 && !oci_privileged(spec))
		add_namespace(list, "cgroup", NULL);
}

static int64_t resource(const struct container_spec *spec, const char *list, const char *name, bool milli)
{
	const char *value = json_str(json_path(spec->container, "resources", list, NULL), name);
	return milli ? quantity_milli_of(value) : quantity_value_of(value);
}

static void add_cpu(const struct container_spec *spec, struct json_object *resources)
{
	int64_t request = resource(spec, "requests", "cpu", true),
		limit = resource(spec, "limits", "cpu", true);
	struct json_object *cpu = json_ensure_object(resources, "cpu");
	/* A limit without a request asks for as much. */
	json_set_int(cpu, "shares", cgroup_shares_of_millicpu(request || !limit ? request : limit));
	json_set_int(cpu, "period", 100000);
	if (limit)
		json_set_int(cpu, "quota", cgroup_quota_of_millicpu(limit));
}

static void add_memory(const struct oci_machine *machine, const struct container_spec *spec,
		       struct json_object *resources)
{
	int64_t limit = resource(spec, "limits", "memory", false);
	/* All processes of the container or none (the kubelet's singleProcessOOMKill=false). */
	if (machine->cgroup_v2)
		json_set_str(json_ensure_object(resources, "unified"), "memory.oom.group", "1");
	if (!limit)
		return;
	struct json_object *memory = json_ensure_object(resources, "memory");
	json_set_int(memory, "limit", limit);
	if (machine->cgroup_v2 || machine->swap_limit)
		json_set_int(memory, "swap", limit); /* with swap: no more than without */
}

/* Nodes of the machine below DIR, as a privileged container sees them. */
static void add_devices(struct json_object *list, const char *dir, unsigned depth)
{
	DIR *d = opendir(dir);
	for (struct dirent *entry; d && (entry = readdir(d)) && json_len(list) < MAX_DEVICES;) {
		static const char *const skipped[] = { ".", "..", "pts", "shm", "mqueue", "console", "fd" };
		bool skip = false;
		for (size_t i = 0; i < ARRAY_SIZE(skipped); i++)
			skip = skip || !strcmp(entry->d_name, skipped[i]);
		CLEANUP(mem_freep) char *path = mem_printf("%s/%s", dir, entry->d_name);
		struct stat st;
		if (skip || lstat(path, &st))
			continue;
		if (S_ISDIR(st.st_mode) && depth)
			add_devices(list, path, depth - 1);
		if (!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode))
			continue;
		struct json_object *device = json_object_new_object();
		json_set_str(device, "path", path);
		json_set_str(device, "type", S_ISCHR(st.st_mode) ? "c" : "b");
		json_set_int(device, "major", major(st.st_rdev));
		json_set_int(device, "minor", minor(st.st_rdev));
		json_set_int(device, "fileMode", st.st_mode & 07777);
		json_set_int(device, "uid", st.st_uid);
		json_set_int(device, "gid", st.st_gid);
		json_object_array_add(list, device);
	}
	if (d)
		closedir(d);
}

static void add_resources(const struct oci_machine *machine, const struct container_spec *spec,
			  struct json_object *linux_)
{
	struct json_object *resources = json_ensure_object(linux_, "resources"),
			   *rule = json_object_new_object();
	json_set_bool(rule, "allow", oci_privileged(spec));
	json_set_str(rule, "access", "rwm");
	json_object_array_add(json_ensure_array(resources, "devices"), rule);
	if (oci_privileged(spec))
		add_devices(json_ensure_array(linux_, "devices"), "/dev", 3);
	add_cpu(spec, resources);
	add_memory(machine, spec, resources);
}

static int add_seccomp(const struct oci_machine *machine, const struct container_spec *spec,
		       struct json_object *linux_, struct err *err)
{
	const struct json_object *wanted = oci_security(spec, "seccompProfile");
	const char *type = wanted                     ? json_str_or_empty(wanted, "type")
			   : machine->seccomp_default ? "RuntimeDefault"
						      : "Unconfined";
	struct json_object *profile = NULL;
	if (oci_privileged(spec) || !strcmp(type, "Unconfined"))
		return 0;
	if (!strcmp(type, "RuntimeDefault")) {
		const char *names[64];
		size_t n = 0;
		uint64_t set;
		if (oci_capabilities(machine, spec, &set, err))
			return -1;
		for (unsigned i = 0; capability_name(i); i++) {
			if (set & (UINT64_C(1) << i))
				names[n++] = capability_name(i);
		}
		profile = seccomp_profile_default(names, n);
	} else if (strcmp(type, "Localhost") != 0) {
		return err_set(err, ERR_INVALID, "seccomp profile type \"%s\" is not known", type);
	} else if (!machine->seccomp_dir) {
		return err_set(err, ERR_INVALID, "this node has no folder of seccomp profiles");
	} else {
		struct err e = ERR_INIT;
		if (seccomp_profile_load(machine->seccomp_dir, json_str_or_empty(wanted, "localhostProfile"),
					 &profile, &e))
			return err_set(err, ERR_INVALID, "%s", e.msg);
	}
	json_set(linux_, "seccomp", profile);
	return 0;
}

static void add_paths(struct json_object *linux_, const char *key, const char *const *paths, size_t n)
{
	struct json_object *list = json_ensure_array(linux_, key);
	for (size_t i = 0; i < n; i++)
		json_object_array_add(list, json_object_new_string(paths[i]));
}

static int add_linux(const struct oci_machine *machine, const struct container_spec *spec, const char *cgroup,
		     struct json_object *config, struct err *err)
{
	struct json_object *linux_ = json_ensure_object(config, "linux");
	json_set_str(linux_, "cgroupsPath", cgroup);
	add_namespaces(machine, spec, linux_);
	if (add_seccomp(machine, spec, linux_, err))
		return -1;
	add_resources(machine, spec, linux_);
	const char *proc = json_str(json_get(spec->container, "securityContext"), "procMount");
	if (!oci_privileged(spec) && (!proc || strcmp(proc, "Unmasked") != 0)) {
		add_paths(linux_, "maskedPaths", masked_paths, ARRAY_SIZE(masked_paths));
		add_paths(linux_, "readonlyPaths", readonly_paths, ARRAY_SIZE(readonly_paths));
	}
	return 0;
}

int oci_config_build(const struct oci_machine *machine, const struct container_spec *spec, const char *cgroup,
		     const char *termination_log, struct json_object **ret, struct err *err)
{
	CLEANUP(json_putp) struct json_object *config = json_object_new_object();
	json_set_str(config, "ociVersion", "1.0.2");
	struct json_object *root = json_ensure_object(config, "root");
	json_set_str(root, "path", "rootfs");
	json_set_bool(
	    root, "readonly",
	    json_boolean(json_get(spec->container, "securityContext"), "readOnlyRootFilesystem", false));
	if (oci_process_build(machine, spec, config, err) ||
	    oci_mounts_build(machine, spec, termination_log, config, err) ||
	    add_linux(machine, spec, cgroup, config, err))
		return -1;
	*ret = TAKE(config);
	return 0;
}
