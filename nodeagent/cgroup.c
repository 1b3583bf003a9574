#include "nodeagent/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "lib/buf.h"

#define ROOT           "/sys/fs/cgroup"
#define FILE_MAX_BYTES (1 << 20)
#define MAX_DEPTH      16

enum cgroup_version cgroup_version(void)
{
	static int version = -1;
	struct statfs fs;
	if (version < 0)
		version = statfs(ROOT, &fs)                  ? CGROUP_NONE
			  : fs.f_type == CGROUP2_SUPER_MAGIC ? CGROUP_V2
							     : CGROUP_V1;
	return (enum cgroup_version)version;
}

/* The folder of PATH in CONTROLLER's hierarchy. */
static char *folder(const char *controller, const char *path)
{
	return cgroup_version() == CGROUP_V2 ? mem_printf(ROOT "/%s", path)
					     : mem_printf(ROOT "/%s/%s", controller, path);
}

bool cgroup_has(const char *controller)
{
	if (cgroup_version() == CGROUP_V1) {
		CLEANUP(mem_freep) char *file = mem_printf(ROOT "/%s/cgroup.procs", controller);
		return !access(file, F_OK);
	}
	CLEANUP(buf_close) struct buf b = BUF_INIT;
	if (buf_read_file(&b, ROOT "/cgroup.controllers", FILE_MAX_BYTES, NULL) || !b.data)
		return false;
	for (char *save = NULL, *word = strtok_r(b.data, " \n", &save); word;
	     word = strtok_r(NULL, " \n", &save)) {
		if (!strcmp(word, controller))
			return true;
	}
	return false;
}

static int write_file(const char *dir, const char *name, const char *value, struct err *err)
{
	CLEANUP(mem_freep) char *path = mem_printf("%s/%s", dir, name);
	CLEANUP(mem_closep) int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		return err_set_errno(err, errno, "write %s to %s", value, path);
	return 0;
}

static int write_number(const char *dir, const char *name, int64_t value, struct err *err)
{
	char text[24];
	snprintf(text, sizeof(text), "%lld", (long long)value);
	return write_file(dir, name, text, err);
}

/* Version 2 gives a group's children only the controllers it says so for. */
static int delegate(const char *dir, struct err *err)
{
	static const char *const controllers[] = { "cpu", "memory", "pids", "io", "cpuset" };
	for (size_t i = 0; i < ARRAY_SIZE(controllers); i++) {
		char text[16];
		snprintf(text, sizeof(text), "+%s", controllers[i]);
		struct err e = ERR_INIT;
		if (cgroup_has(controllers[i]) && write_file(dir, "cgroup.subtree_control", text, &e) &&
		    i < 3) {
			*err = e;
			return -1;
		}
	}
	return 0;
}

/* mkdir -p below the hierarchy's root. */
static int make_path(const char *controller, const char *path, struct err *err)
{
	CLEANUP(mem_freep) char *dir = folder(controller, path);
	size_t base = strlen(dir) - strlen(path);
	for (char *p = dir + base - 1;; *p = '/') {
		char *next = strchr(p + 1, '/');
		if (cgroup_version() == CGROUP_V2) {
			*p = '\0';
			int failed = delegate(dir, err);
			*p = '/';
			if (failed)
				return -1;
		}
		if (next)
			*next = '\0';
		if (mkdir(dir, 0755) && errno != EEXIST)
			return err_set_errno(err, errno, "make cgroup %s", dir);
		if (!next)
			return 0;
		p = next;
	}
}

static int limit_v1(const char *path, const struct cgroup_limits *limits, struct err *err)
{
	if (cgroup_has("cpu")) {
		CLEANUP(mem_freep) char *cpu = folder("cpu", path);
		if (make_path("cpu", path, err) ||
		    (limits->cpu_shares && write_number(cpu, "cpu.shares", limits->cpu_shares, err)) ||
		    (limits->cpu_quota_us &&
		     write_number(cpu, "cpu.cfs_quota_us", limits->cpu_quota_us, err)))
			return -1;
	}
	if (cgroup_has("memory")) {
		CLEANUP(mem_freep) char *memory = folder("memory", path);
		if (make_path("memory", path, err) ||
		    (limits->memory_limit_bytes &&
		     write_number(memory, "memory.limit_in_bytes", limits->memory_limit_bytes, err)))
			return -1;
	}
	return cgroup_has("pids") ? make_path("pids", path, err) : 0;
}

static int limit_v2(const char *path, const struct cgroup_limits *limits, struct err *err)
{
	CLEANUP(mem_freep) char *dir = folder(NULL, path);
	if (make_path(NULL, path, err))
		return -1;
	/* Shares 2..262144 to weight 1..10000, as the OCI runtimes map them. */
	if (limits->cpu_shares &&
	    write_number(dir, "cpu.weight", 1 + (limits->cpu_shares - 2) * 9999 / 262142, err))
		return -1;
	char quota[48];
	snprintf(quota, sizeof(quota), "%lld 100000", (long long)limits->cpu_quota_us);
	if (limits->cpu_quota_us && write_file(dir, "cpu.max", quota, err))
		return -1;
	return limits->memory_limit_bytes ? write_number(dir, "memory.max", limits->memory_limit_bytes, err)
					  : 0;
}

int cgroup_make(const char *path, const struct cgroup_limits *limits, struct err *err)
{
	switch (cgroup_version()) {
	case CGROUP_V1:
		return limit_v1(path, limits, err);
	case CGROUP_V2:
		return limit_v2(path, limits, err);
	default:
		return err_set(err, ERR_INTERNAL, "no cgroup file system at " ROOT);
	}
}

/* Calls FN with the group at DIR and all below it, lowest first. */
static int walk(const char *dir, unsigned depth, int (*fn)(const char *dir, struct err *err), struct err *err)
{
	if (!depth)
		return err_set(err, ERR_LIMIT, "cgroup %s is nested too deep", dir);
	DIR *d = opendir(dir);
	if (!d)
		return errno == ENOENT ? 0 : err_set_errno(err, errno, "open cgroup %s", dir);
	int rc = 0;
	for (struct dirent *entry; !rc && (entry = readdir(d));) {
		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		CLEANUP(mem_freep) char *below = mem_printf("%s/%s", dir, entry->d_name);
		rc = walk(below, depth - 1, fn, err);
	}
	closedir(d);
	return rc ? rc : fn(dir, err);
}

/* The same in every hierarchy. */
static int walk_all(const char *path, int (*fn)(const char *dir, struct err *err), struct err *err)
{
	if (cgroup_version() == CGROUP_V2) {
		CLEANUP(mem_freep) char *dir = folder(NULL, path);
		return walk(dir, MAX_DEPTH, fn, err);
	}
	DIR *d = opendir(ROOT);
	if (!d)
		return err_set_errno(err, errno, "open " ROOT);
	int rc = 0;
	for (struct dirent *entry; !rc && (entry = readdir(d));) {
		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue; /* a symlink is another name of one of them ("cpu" for "cpu,cpuacct") */
		CLEANUP(mem_freep) char *dir = folder(entry->d_name, path);
		rc = walk(dir, MAX_DEPTH, fn, err);
	}
	closedir(d);
	return rc;
}

static int remove_one(const char *dir, struct err *err)
{
	return rmdir(dir) && errno != ENOENT ? err_set_errno(err, errno, "remove cgroup %s", dir) : 0;
}

int cgroup_remove(const char *path, struct err *err)
{
	return walk_all(path, remove_one, err);
}

/* One pass over the group's processes; *ret_count: how many there were. */
static void kill_processes(const char *dir, size_t *ret_count)
{
	CLEANUP(mem_freep) char *file = mem_printf("%s/cgroup.procs", dir);
	CLEANUP(buf_close) struct buf b = BUF_INIT;
	*ret_count = 0;
	if (buf_read_file(&b, file, FILE_MAX_BYTES, NULL) || !b.data)
		return;
	for (char *p = b.data, *end; (end = strchr(p, '\n')); p = end + 1) {
		pid_t pid = (pid_t)strtol(p, NULL, 10);
		if (pid > 1 && pid != getpid() && !kill(pid, SIGKILL))
			++*ret_count;
	}
}

static int kill_one(const char *dir, struct err *err)
{
	(void)err;
	if (cgroup_version() == CGROUP_V2 && !write_file(dir, "cgroup.kill", "1", NULL))
		return 0; /* Linux 5.14 */
	/* Children forked before their parent's death was reached are found by the next pass; a process
	 * killed already is listed until it is reaped, so the number of passes is bounded. */
	size_t count = 1;
	for (int pass = 0; pass < 8 && count; pass++)
		kill_processes(dir, &count);
	return 0;
}

int cgroup_kill(const char *path, struct err *err)
{
	if (cgroup_version() == CGROUP_V2)
		return walk_all(path, kill_one, err);
	/* Every process is in every hierarchy; a frozen group cannot fork away from the passes. */
	CLEANUP(mem_freep) char *freezer = folder("freezer", path), *devices = folder("devices", path);
	bool frozen = !write_file(freezer, "freezer.state", "FROZEN", NULL);
	int rc = walk(frozen ? freezer : devices, MAX_DEPTH, kill_one, err);
	if (frozen && write_file(freezer, "freezer.state", "THAWED", err))
		return -1;
	return rc;
}

int cgroup_end(const char *path, struct err *err)
{
	enum { TRIES = 1000, PAUSE_MS = 5 };
	struct err failure = ERR_INIT;

	for (int try = 1; cgroup_kill(path, err) == 0; try++) {
		failure = ERR_INIT;
		if (cgroup_remove(path, &failure) == 0)
			return 0;
		/* A killed process keeps its group busy until it is reaped, and version 1 has no event for an
		 * empty group. A runtime that was cut short may have put another into it meanwhile: hence the
		 * kill again. */
		if (failure.errnum != EBUSY || try == TRIES)
			break;
		poll(NULL, 0, PAUSE_MS);
	}
	if (failure.kind != ERR_NONE && err)
		*err = failure;
	return -1;
}

/* Number after KEY at a line's begin in DIR/NAME; the file's first number with KEY NULL. */
static int read_number(const char *dir, const char *name, const char *key, uint64_t *ret, struct err *err)
{
	CLEANUP(mem_freep) char *path = mem_printf("%s/%s", dir, name);
	CLEANUP(buf_close) struct buf b = BUF_INIT;
	if (buf_read_file(&b, path, FILE_MAX_BYTES, err))
		return -1;
	size_t len = key ? strlen(key) : 0;
	for (char *p = b.data; p && *p;) {
		if (!key || (!strncmp(p, key, len) && p[len] == ' ')) {
			*ret = strtoull(p + len, NULL, 10);
			return 0;
		}
		p = strchr(p, '\n');
		p = p ? p + 1 : NULL;
	}
	return err_set(err, ERR_CORRUPT, "%s has no %s", path, key ? key : "number");
}

int cgroup_usage(const char *path, uint64_t *ret_memory_bytes, uint64_t *ret_cpu_ns, struct err *err)
{
	bool v2 = cgroup_version() == CGROUP_V2;
	CLEANUP(mem_freep) char *memory = folder("memory", path), *cpu = folder(v2 ? NULL : "cpuacct", path);
	uint64_t used, inactive, time;
	if (read_number(memory, v2 ? "memory.current" : "memory.usage_in_bytes", NULL, &used, err) ||
	    read_number(memory, "memory.stat", v2 ? "inactive_file" : "total_inactive_file", &inactive,
			err) ||
	    read_number(cpu, v2 ? "cpu.stat" : "cpuacct.usage", v2 ? "usage_usec" : NULL, &time, err))
		return -1;
	*ret_memory_bytes = used > inactive ? used - inactive : 0;
	*ret_cpu_ns = v2 ? time * 1000 : time;
	return 0;
}

char *cgroup_oom_file(const char *path)
{
	CLEANUP(mem_freep) char *dir = folder("memory", path);
	return mem_printf("%s/%s", dir,
			  cgroup_version() == CGROUP_V2 ? "memory.events" : "memory.oom_control");
}

int64_t cgroup_shares_of_millicpu(int64_t millicpu)
{
	int64_t shares = millicpu > 256000 ? 262144 : millicpu * 1024 / 1000;
	return shares < 2 ? 2 : shares;
}

int64_t cgroup_quota_of_millicpu(int64_t millicpu)
{
	if (millicpu <= 0)
		return 0;
	int64_t quota = millicpu * 100;
	return quota < 1000 ? 1000 : quota;
}
