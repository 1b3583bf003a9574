#include "tests/churn/node_scan.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nodeagent/container_record.h"
#include "nodeagent/process_id.h"

enum { ID_LENGTH = 64, CGROUP_DEPTH = 6 };

static void each_entry(const char *dir, void (*fn)(const char *dir, const char *name, void *arg), void *arg)
{
	DIR *d = opendir(dir);
	const struct dirent *entry;

	while (d && (entry = readdir(d)))
		if (entry->d_name[0] != '.')
			fn(dir, entry->d_name, arg);
	if (d)
		closedir(d);
}

static void add_name(const char *dir, const char *name, void *arg)
{
	(void)dir;
	names_add(arg, name, strlen(name));
}

static void add_target(const char *dir, const char *name, void *arg)
{
	CLEANUP(mem_freep) char *path = mem_printf("%s/%s", dir, name);
	char target[256];
	ssize_t n = readlink(path, target, sizeof(target));

	if (n > 0)
		names_add(arg, target, (size_t)n);
}

static void count(const char *dir, const char *name, void *arg)
{
	(void)dir;
	(void)name;
	++*(size_t *)arg;
}

/* --- cgroups --- */

struct cgroup_walk {
	struct node_scan *scan;
	int depth;
};

static bool is_id(const char *name)
{
	size_t n = 0;

	while (isxdigit((unsigned char)name[n]))
		n++;
	return n == ID_LENGTH && name[n] == '\0';
}

static void walk_cgroup(const char *dir, const char *name, void *arg)
{
	struct cgroup_walk *walk = arg;
	CLEANUP(mem_freep) char *path = mem_printf("%s/%s", dir, name);

	if (is_id(name))
		names_add(&walk->scan->cgroups, name, ID_LENGTH);
	else if (strncmp(name, "pod", 3) == 0 && strchr(name, '-'))
		names_add(&walk->scan->pod_cgroups, name + 3, strlen(name + 3));
	if (strchr(name, '.') || ++walk->depth > CGROUP_DEPTH)
		return; /* a file of the kernel */
	each_entry(path, walk_cgroup, walk);
	walk->depth--;
}

struct hierarchies {
	struct node_scan *scan;
	const char *parent;
};

static void walk_hierarchy(const char *dir, const char *name, void *arg)
{
	const struct hierarchies *h = arg;
	CLEANUP(mem_freep) char *path = mem_printf("%s/%s/%s", dir, name, h->parent);
	struct cgroup_walk walk = { .scan = h->scan };

	each_entry(path, walk_cgroup, &walk);
}

/* --- mounts and processes --- */

static void scan_mounts(const char *agent_dir, struct names *ret)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	CLEANUP(mem_freep) char *prefix = mem_printf(" %s/pods/", agent_dir);
	char *line = NULL;
	size_t size = 0;

	while (f && getline(&line, &size, f) > 0) {
		const char *uid = strstr(line, prefix);
		if (uid)
			names_add(ret, uid + strlen(prefix), strcspn(uid + strlen(prefix), "/ "));
	}
	free(line);
	mem_fclosep(&f);
}

struct processes {
	struct node_scan *scan;
	const struct node_where *where;
};

static void scan_process(const char *dir, const char *name, void *arg)
{
	const struct processes *p = arg;
	CLEANUP(mem_freep) char *cmdline_path = mem_printf("%s/%s/cmdline", dir, name);
	CLEANUP(mem_freep) char *stat_path = mem_printf("%s/%s/stat", dir, name);
	CLEANUP(mem_freep) char *prefix = mem_printf("%s/pods/", p->where->agent_dir);
	CLEANUP(buf_close) struct buf stat = BUF_INIT;
	CLEANUP(buf_close) struct buf cmdline = BUF_INIT;
	int parent = 0;

	if (!isdigit((unsigned char)*name) || buf_read_file(&stat, stat_path, 4096, NULL) < 0 ||
	    stat.len == 0)
		return;
	const char *after = strrchr(stat.data, ')');
	if (after && sscanf(after, ") %*c %d", &parent) == 1 && p->where->agent && parent == p->where->agent)
		p->scan->children++;
	if (!strstr(stat.data, "(knarr-shim)") || buf_read_file(&cmdline, cmdline_path, 65536, NULL) < 0)
		return;
	for (size_t at = 0; at < cmdline.len; at += strlen(cmdline.data + at) + 1) {
		const char *found = strstr(cmdline.data + at, prefix);
		if (found && strstr(found, "/containers/")) {
			names_add(&p->scan->shims, found + strlen(prefix), strlen(found + strlen(prefix)));
			return;
		}
	}
}

void node_scan(const struct node_where *where, struct node_scan *ret)
{
	static const struct {
		const char *folder;
		size_t offset;
		void (*fn)(const char *dir, const char *name, void *arg);
	} folders[] = {
		{ "pods", offsetof(struct node_scan, pod_dirs), add_name },
		{ "network", offsetof(struct node_scan, leases), add_target },
		{ "runc", offsetof(struct node_scan, containers), add_name },
		{ "pods/.trash", offsetof(struct node_scan, trash), add_name },
	};
	CLEANUP(mem_freep) char *links = mem_printf("/sys/class/net/%s/brif", where->bridge);
	struct hierarchies h = { ret, where->cgroup_parent };
	struct processes processes = { ret, where };

	*ret = (struct node_scan){ 0 };
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		CLEANUP(mem_freep) char *path = mem_printf("%s/%s", where->agent_dir, folders[i].folder);
		each_entry(path, folders[i].fn, (char *)ret + folders[i].offset);
	}
	each_entry(links, count, &ret->links);
	scan_mounts(where->agent_dir, &ret->mounts);
	/* Version 1 has a hierarchy in each folder; version 2 is one itself. */
	walk_hierarchy("/sys/fs", "cgroup", &h);
	each_entry("/sys/fs/cgroup", walk_hierarchy, &h);
	each_entry("/proc", scan_process, &processes);
}

void node_scan_close(struct node_scan *scan)
{
	names_close(&scan->pod_dirs);
	names_close(&scan->mounts);
	names_close(&scan->leases);
	names_close(&scan->pod_cgroups);
	names_close(&scan->cgroups);
	names_close(&scan->containers);
	names_close(&scan->shims);
	names_close(&scan->trash);
}

/* --- attempts --- */

struct attempts {
	struct node_attempt *list;
	size_t n, most;
	const char *uid, *name;
};

static void add_attempt(const char *dir, const char *name, void *arg)
{
	struct attempts *a = arg;
	CLEANUP(mem_freep) char *path = mem_printf("%s/%s", dir, name);
	struct shim_record shim = { 0 };
	struct state_record state = { 0 };
	struct exit_record end;

	if (!isdigit((unsigned char)*name) || a->n == a->most ||
	    container_record_read_exit(path, &end, NULL) == 0)
		return;
	if (container_record_read_shim(path, &shim, NULL) < 0 ||
	    process_start_time(shim.pid) != shim.start_time)
		shim.pid = 0;
	if (container_record_read_state(path, &state, NULL) < 0 ||
	    process_start_time(state.pid) != state.start_time)
		state.pid = 0;
	if (!shim.pid && !state.pid)
		return;
	struct node_attempt *attempt = &a->list[a->n++];
	*attempt = (struct node_attempt){ .attempt = (unsigned)strtoul(name, NULL, 10),
					  .shim = shim.pid,
					  .shim_start = shim.start_time,
					  .init = state.pid,
					  .init_start = state.start_time,
					  .started = state.pid && state.started_us };
	snprintf(attempt->uid, sizeof(attempt->uid), "%s", a->uid);
	snprintf(attempt->name, sizeof(attempt->name), "%s", a->name);
}

static void attempts_of_container(const char *dir, const char *name, void *arg)
{
	struct attempts *a = arg;
	CLEANUP(mem_freep) char *path = mem_printf("%s/%s", dir, name);

	a->name = name;
	each_entry(path, add_attempt, a);
}

static void attempts_of_pod(const char *dir, const char *name, void *arg)
{
	struct attempts *a = arg;
	CLEANUP(mem_freep) char *path = mem_printf("%s/%s/containers", dir, name);

	a->uid = name;
	each_entry(path, attempts_of_container, a);
}

static int compare(const void *x, const void *y)
{
	const struct node_attempt *a = x, *b = y;
	int by_uid = strcmp(a->uid, b->uid), by_name = strcmp(a->name, b->name);

	return by_uid ? by_uid : by_name ? by_name : (a->attempt > b->attempt) - (a->attempt < b->attempt);
}

size_t node_attempts(const char *agent_dir, struct node_attempt *list, size_t most)
{
	CLEANUP(mem_freep) char *pods = mem_printf("%s/pods", agent_dir);
	struct attempts a = { .list = list, .most = most };

	each_entry(pods, attempts_of_pod, &a);
	qsort(list, a.n, sizeof(*list), compare);
	return a.n;
}
