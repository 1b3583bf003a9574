#include "nodeagent/sandbox_child.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "lib/buf.h"
#include "nodeagent/sandbox_pause.h"
#include "nodeagent/tree.h"

static const struct namespace
{
	const char *name;
	int flag;
}
namespaces[] = {
	{ "net", CLONE_NEWNET },
	{ "ipc", CLONE_NEWIPC },
	{ "uts", CLONE_NEWUTS },
};

static bool is_wanted(const struct namespace *ns, const struct sandbox_spec *spec)
{
	return ns->flag == CLONE_NEWIPC ? !spec->host_ipc : !spec->host_network;
}

bool sandbox_child_holds(const char *pod_dir, const char *name)
{
	struct statfs fs;
	CLEANUP(mem_freep) char *path = mem_printf("%s/ns/%s", pod_dir, name);
	return !statfs(path, &fs) && fs.f_type == NSFS_MAGIC;
}

static bool holds_all(const struct sandbox_spec *spec)
{
	for (size_t i = 0; i < ARRAY_SIZE(namespaces); i++) {
		if (is_wanted(&namespaces[i], spec) &&
		    !sandbox_child_holds(spec->pod_dir, namespaces[i].name))
			return false;
	}
	return true;
}

/* Removing the file also takes the mount off in the mount namespaces of shims, which are copies of ours. */
static int release(const char *pod_dir, const char *name, struct err *err)
{
	CLEANUP(mem_freep) char *path = mem_printf("%s/ns/%s", pod_dir, name);
	while (!umount2(path, MNT_DETACH))
		;
	return unlink(path) && errno != ENOENT ? err_set_errno(err, errno, "remove %s", path) : 0;
}

static int hold(const char *pod_dir, const char *name, struct err *err)
{
	CLEANUP(mem_freep) char *path = mem_printf("%s/ns/%s", pod_dir, name);
	char own[32];
	snprintf(own, sizeof(own), "/proc/self/ns/%s", name);
	CLEANUP(mem_closep) int fd = open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
	if (fd < 0 || mount(own, path, NULL, MS_BIND, NULL))
		return err_set_errno(err, errno, "hold namespace %s", path);
	return 0;
}

/* A sysctl of one of the pod's own namespaces; any other would change the node. */
static bool is_own(const char *name, const struct sandbox_spec *spec)
{
	static const char *const ipc[] = { "kernel.shm", "kernel.msg", "kernel.sem", "fs.mqueue." };
	for (size_t i = 0; i < ARRAY_SIZE(ipc); i++) {
		if (!strncmp(name, ipc[i], strlen(ipc[i])))
			return !spec->host_ipc;
	}
	return !strncmp(name, "net.", 4) && !spec->host_network;
}

static int set_sysctl(const char *name, const char *value, struct err *err)
{
	char path[256];
	int n = snprintf(path, sizeof(path), "/proc/sys/%s", name);
	if (n < 0 || (size_t)n >= sizeof(path) || strstr(name, ".."))
		return err_set(err, ERR_INVALID, "sysctl \"%.100s\" is not valid", name);
	/* Dots separate; a slash stands for a dot within a name (net.ipv4.conf.eth0/100.forwarding). */
	for (char *p = path + strlen("/proc/sys/"); *p; p++)
		*p = *p == '.' ? '/' : *p == '/' ? '.' : *p;
	CLEANUP(mem_closep) int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		return err_set_errno(err, errno, "set sysctl %s to \"%s\"", name, value);
	return 0;
}

static int set_sysctls(const struct sandbox_spec *spec, struct err *err)
{
	/* As containerd: low ports and ping for everyone, since the network is the pod's alone. */
	if (!spec->host_network && (set_sysctl("net.ipv4.ip_unprivileged_port_start", "0", err) ||
				    set_sysctl("net.ipv4.ping_group_range", "0 2147483647", err)))
		return -1;
	for (size_t i = 0; i < json_len(spec->sysctls); i++) {
		const struct json_object *sysctl = json_at(spec->sysctls, i);
		const char *name = json_str_or_empty(sysctl, "name");
		if (!is_own(name, spec))
			return err_set(err, ERR_FORBIDDEN, "sysctl \"%s\" is not the pod's own", name);
		if (set_sysctl(name, json_str_or_empty(sysctl, "value"), err))
			return -1;
	}
	return 0;
}

static int make_namespaces(const struct sandbox_spec *spec, struct err *err)
{
	CLEANUP(mem_freep) char *dir = mem_printf("%s/ns", spec->pod_dir);
	CLEANUP(mem_closep) int own_net = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int flags = 0;
	if (mkdir(dir, 0711) && errno != EEXIST)
		return err_set_errno(err, errno, "make %s", dir);
	for (size_t i = 0; i < ARRAY_SIZE(namespaces); i++) {
		if (release(spec->pod_dir, namespaces[i].name, err))
			return -1;
		flags |= is_wanted(&namespaces[i], spec) ? namespaces[i].flag : 0;
	}
	if (own_net < 0 || unshare(flags))
		return err_set_errno(err, errno, "make namespaces");
	if ((flags & CLONE_NEWUTS) && sethostname(spec->hostname, strlen(spec->hostname)))
		return err_set_errno(err, errno, "set hostname %s", spec->hostname);
	if (set_sysctls(spec, err))
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(namespaces); i++) {
		if (is_wanted(&namespaces[i], spec) && hold(spec->pod_dir, namespaces[i].name, err))
			return -1;
	}
	/* The link's other end is made from the node's side. */
	return setns(own_net, CLONE_NEWNET) ? err_set_errno(err, errno, "leave network namespace") : 0;
}

static int make_shared_memory(const struct sandbox_spec *spec, struct err *err)
{
	struct statfs fs;
	CLEANUP(mem_freep) char *path = mem_printf("%s/shm", spec->pod_dir);
	if (spec->host_ipc || (!statfs(path, &fs) && fs.f_type == TMPFS_MAGIC && tree_is_mount(path)))
		return 0;
	if (mkdir(path, 0711) && errno != EEXIST)
		return err_set_errno(err, errno, "make %s", path);
	if (mount("shm", path, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=1777,size=65536k"))
		return err_set_errno(err, errno, "mount %s", path);
	return 0;
}

static int make_processes(const struct sandbox_spec *spec, struct err *err)
{
	CLEANUP(mem_freep) char *dir = mem_printf("%s/ns", spec->pod_dir);
	/* With all of the node's namespaces there was nothing to put there yet. */
	if (mkdir(dir, 0711) && errno != EEXIST)
		return err_set_errno(err, errno, "make %s", dir);
	return sandbox_pause_end(spec->pod_dir, err) ? -1 : sandbox_pause_make(spec, err);
}

int sandbox_child_make(struct network *network, const struct sandbox_spec *spec, const char *address,
		       struct err *err)
{
	if (make_shared_memory(spec, err) || (!holds_all(spec) && make_namespaces(spec, err)) ||
	    (spec->share_processes && !sandbox_pause_runs(spec->pod_dir) && make_processes(spec, err)))
		return -1;
	if (spec->host_network)
		return 0;
	CLEANUP(mem_freep) char *path = mem_printf("%s/ns/net", spec->pod_dir);
	return network_attach(network, path, spec->pod_uid, address, err);
}

int sandbox_child_unmake(struct network *network, const char *pod_dir, const char *pod_uid, struct err *err)
{
	CLEANUP(mem_freep) char *shm = mem_printf("%s/shm", pod_dir), *ns = mem_printf("%s/ns", pod_dir);
	if (network && network_detach(network, pod_uid, err))
		return -1;
	if (sandbox_pause_end(pod_dir, err))
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(namespaces); i++) {
		if (release(pod_dir, namespaces[i].name, err))
			return -1;
	}
	while (!umount2(shm, MNT_DETACH))
		;
	if ((rmdir(shm) && errno != ENOENT) || (rmdir(ns) && errno != ENOENT))
		return err_set_errno(err, errno, "remove %s", shm);
	return 0;
}
