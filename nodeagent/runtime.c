/* The runtime as a whole, and how a container comes to be. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/timefmt.h"
#include "nodeagent/cgroup.h"
#include "nodeagent/container.h"
#include "nodeagent/process_id.h"
#include "nodeagent/tree.h"

#define CREATE_TIMEOUT_MS 120000
#define MAX_LAYERS        256

/* "runc version 1.1.5+ds1" -> "runc://1.1.5" */
static int probe_version(struct runtime *runtime, struct err *err)
{
	const char *const argv[] = { runtime->program, "--version", NULL };
	const struct spawn_opts opts = {
		.argv = argv, .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1, .timeout_ms = 10000
	};
	struct spawn_result result;
	if (spawn_run(&opts, &result, err))
		return err_wrap(err, "container runtime %s", runtime->program);
	char name[32] = "", version[32] = "";
	int found = sscanf(result.out.data ? result.out.data : "", "%31s version %31[0-9.]", name, version);
	buf_close(&result.out);
	buf_close(&result.err);
	if (result.status || found != 2)
		return err_set(err, ERR_INTERNAL, "container runtime %s does not tell its version",
			       runtime->program);
	runtime->version = mem_printf("%s://%s", name, version);
	runtime->plain_state = !strcmp(name, "runc") || !strcmp(name, "crun");
	return 0;
}

struct runtime *runtime_open(struct loop *loop, const struct runtime_opts *opts, struct err *err)
{
	struct runtime *runtime = mem_zalloc(sizeof(*runtime));
	runtime->loop = loop;
	runtime->program = mem_dup(opts->runtime ? opts->runtime : "runc");
	runtime->shim = mem_dup(opts->shim);
	runtime->state_dir = mem_dup(opts->state_dir);
	runtime->cgroup_parent = mem_dup(opts->cgroup_parent);
	runtime->seccomp_dir = mem_dup(opts->seccomp_dir);
	runtime->log_max_bytes = opts->log_max_bytes ? opts->log_max_bytes : 10 << 20;
	runtime->log_max_files = opts->log_max_files ? opts->log_max_files : 5;
	oci_machine_probe(&runtime->machine);
	runtime->machine.seccomp_default = opts->seccomp_default;
	runtime->machine.seccomp_dir = runtime->seccomp_dir;
	if (!access(runtime->shim, X_OK) && !tree_make(runtime->state_dir, 0700, err) &&
	    !probe_version(runtime, err))
		return runtime;
	if (access(runtime->shim, X_OK))
		err_set_errno(err, errno, "container shim %s", runtime->shim);
	runtime_close(runtime);
	return NULL;
}

void runtime_close(struct runtime *runtime)
{
	if (!runtime)
		return;
	while (runtime->containers)
		container_free(runtime->containers);
	free(runtime->program);
	free(runtime->shim);
	free(runtime->state_dir);
	free(runtime->cgroup_parent);
	free(runtime->seccomp_dir);
	free(runtime->version);
	free(runtime);
}

const char *runtime_version(const struct runtime *runtime)
{
	return runtime->version;
}

static char *cgroup_path(const struct runtime *runtime, const char *cgroup)
{
	return mem_printf("%s/%s", runtime->cgroup_parent, cgroup);
}

const char *runtime_shim(const struct runtime *runtime)
{
	return runtime->shim;
}

int runtime_pod_cgroup_make(struct runtime *runtime, const char *cgroup, int64_t cpu_shares_millicpu,
			    int64_t cpu_limit_millicpu, int64_t memory_limit_bytes, struct err *err)
{
	CLEANUP(mem_freep) char *path = cgroup_path(runtime, cgroup);
	const struct cgroup_limits limits = { .cpu_shares = cgroup_shares_of_millicpu(cpu_shares_millicpu),
					      .cpu_quota_us = cgroup_quota_of_millicpu(cpu_limit_millicpu),
					      .memory_limit_bytes = memory_limit_bytes };
	return cgroup_make(path, &limits, err);
}

int runtime_pod_cgroup_remove(struct runtime *runtime, const char *cgroup, struct err *err)
{
	CLEANUP(mem_freep) char *path = cgroup_path(runtime, cgroup);
	if (!cgroup_remove(path, err))
		return 0;
	/* What still lives there was left by containers that used the node's PID namespace. */
	cgroup_kill(path, NULL);
	return -1;
}

int runtime_forget(const char *pod_dir, const char *name, unsigned attempt, struct err *err)
{
	CLEANUP(mem_freep) char *dir = mem_printf("%s/containers/%s/%u", pod_dir, name, attempt);
	return tree_remove(dir, err);
}

int runtime_purge(const char *cgroup_parent, struct err *err)
{
	return cgroup_end(cgroup_parent, err);
}

/* --- creation --- */

static int random_id(char *id, struct err *err)
{
	unsigned char bytes[32];
	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		return err_set_errno(err, errno, "getrandom");
	for (size_t i = 0; i < sizeof(bytes); i++)
		sprintf(id + 2 * i, "%02x", bytes[i]);
	return 0;
}

/* An empty attempt folder: what a crash left of an earlier try is in the way of the overlay. */
static int make_folder(struct container *c, struct err *err)
{
	struct stat st;
	if (!lstat(c->dir, &st)) {
		container_discard(c);
		if (tree_remove(c->dir, err))
			return -1;
	}
	return tree_make(c->dir, 0711, err);
}

/* Writable for whatever user the container runs as; its folder is not. */
static int make_termination_log(const struct container *c, char **ret_path, struct err *err)
{
	CLEANUP(mem_freep) char *path = mem_printf("%s/termination-log", c->dir);
	CLEANUP(mem_closep) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666);
	if (fd < 0 || fchmod(fd, 0666))
		return err_set_errno(err, errno, "make %s", path);
	*ret_path = TAKE(path);
	return 0;
}

static int write_bundle(struct container *c, const struct container_spec *spec, struct err *err)
{
	struct runtime *runtime = c->runtime;
	CLEANUP(mem_freep) char *termination_log = NULL;
	CLEANUP(json_putp) struct json_object *config = NULL;
	if (random_id(c->record.id, err) || make_folder(c, err) ||
	    make_termination_log(c, &termination_log, err))
		return -1;
	strcpy(c->state.id, c->record.id);
	c->record.stop_signal = oci_stop_signal(spec);
	int n = snprintf(c->record.cgroup, sizeof(c->record.cgroup), "%s/%s/%s", runtime->cgroup_parent,
			 spec->cgroup, c->record.id);
	if (n < 0 || (size_t)n >= sizeof(c->record.cgroup))
		return err_set(err, ERR_LIMIT, "cgroup path %s is too long", spec->cgroup);
	CLEANUP(mem_freep) char *cgroup = mem_printf("/%s", c->record.cgroup);
	if (oci_config_build(&runtime->machine, spec, cgroup, termination_log, &config, err))
		return -1;
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	json_write(&text, config);
	return container_record_write_file(c->dir, "config.json", text.data, text.len, err) ||
		       container_record_write(c->dir, &c->record, err)
		   ? -1
		   : 0;
}

/* The message of the last error in the runtime's log (a JSON object per line), or NULL. */
static char *logged_error(const char *dir)
{
	CLEANUP(mem_freep) char *path = mem_printf("%s/runc.log", dir);
	CLEANUP(buf_close) struct buf b = BUF_INIT;
	char *found = NULL;
	if (buf_read_file(&b, path, 1 << 20, NULL))
		return NULL;
	for (char *rest = b.data, *line; rest && (line = strsep(&rest, "\n"));) {
		CLEANUP(json_putp) struct json_object *entry = NULL;
		if (!*line || json_parse(line, strlen(line), &entry, NULL, NULL) ||
		    strcmp(json_str_or_empty(entry, "level"), "error") != 0 || !json_str(entry, "msg"))
			continue;
		free(found);
		found = mem_dup(json_str(entry, "msg"));
	}
	return found;
}

static void finish_failed(struct container *c)
{
	void (*done)(struct container *, const struct err *, void *) = TAKE(c->step_done);
	void *arg = c->step_arg;
	struct err failure = c->failure;
	container_free(c);
	done(NULL, &failure, arg);
}

static void remove_attempt(struct container *c)
{
	struct err err = ERR_INIT;
	if (tree_remove(c->dir, &err))
		log_warn("failed container not removed", "container", c->state.id, "err", err.msg, NULL);
}

static void on_failed_task(struct loop_task *task, void *arg)
{
	struct container *c = arg;
	(void)task;
	/* The shim may have begun before it was killed. A second look finds the record that it writes first;
	 * without its folder it gets no further. */
	container_discard(c);
	container_discard(c);
	remove_attempt(c);
	finish_failed(c);
}

/* The words of a runtime's "create", which users and tools know, where it is told to "run" in one go. */
static const char *as_create_failed(const struct container *c, const char *text, char *name, size_t size)
{
	const char *colon = strchr(c->runtime->version, ':');
	char own[64];
	int n = snprintf(own, sizeof(own), "%.*s run failed: ", (int)(colon - c->runtime->version),
			 c->runtime->version);
	*name = '\0';
	if (strncmp(text, own, (size_t)n) != 0)
		return text;
	snprintf(name, size, "%.*s create failed: ", (int)(colon - c->runtime->version), c->runtime->version);
	return text + n;
}

static void fail_create(struct container *c, const struct spawn_result *result)
{
	CLEANUP(mem_freep) char *logged = logged_error(c->dir);
	char status[64];
	const char *text = result->err.data && *result->err.data
			       ? result->err.data
			       : spawn_status_text(result->status, status, sizeof(status));
	/* Kubernetes shows it this way; tools look for the runtime's words in it. */
	char who[64];
	const char *words = logged ? as_create_failed(c, logged, who, sizeof(who)) : NULL;
	if (logged)
		err_set(&c->failure, ERR_INTERNAL,
			"failed to create shim task: OCI runtime create failed: %s%s: unknown", who, words);
	else
		err_set(&c->failure, ERR_INTERNAL, "failed to create shim task: %s", text);
	/* A runtime that failed has cleaned up; one that was killed or hangs has not. */
	if (!logged || result->timed_out)
		container_discard(c);
	remove_attempt(c);
	finish_failed(c);
}

static void on_created(struct spawn_result *result, void *arg)
{
	struct container *c = arg;
	c->run = NULL;
	if (result->status || container_record_read_shim(c->dir, &c->shim, &c->failure) ||
	    container_record_read_state(c->dir, &c->init, &c->failure)) {
		fail_create(c, result);
		return;
	}
	c->state.phase = CONTAINER_RUNNING;
	c->state.pid = c->init.pid;
	c->state.started_us = c->init.started_us;
	if (container_watch(c, &c->failure)) {
		fail_create(c, result);
		return;
	}
	void (*done)(struct container *, const struct err *, void *) = TAKE(c->step_done);
	done(c, NULL, c->step_arg);
}

static int start_shim(struct container *c, const struct container_spec *spec, struct err *err)
{
	const struct runtime *runtime = c->runtime;
	if (spec->image->n_layers > MAX_LAYERS || !spec->image->n_layers)
		return err_set(err, ERR_INVALID, "the image has %zu layers, not 1 to %d",
			       spec->image->n_layers, MAX_LAYERS);
	char bytes[24], files[24];
	snprintf(bytes, sizeof(bytes), "%llu", (unsigned long long)runtime->log_max_bytes);
	snprintf(files, sizeof(files), "%u", runtime->log_max_files);
	CLEANUP(mem_freep) char *oom_file = cgroup_oom_file(c->record.cgroup);
	const char *argv[MAX_LAYERS + 24] = {
		runtime->shim,      "--id",        c->record.id, "--dir",           c->dir,
		"--pod-dir",        spec->pod_dir, "--runtime",  runtime->program,  "--root",
		runtime->state_dir, "--oom-file",  oom_file,     "--log-max-bytes", bytes,
		"--log-max-files",  files,
	};
	size_t n = 17;
	if (spec->tty)
		argv[n++] = "--tty";
	if (spec->stdin_open)
		argv[n++] = "--stdin";
	argv[n++] = "--";
	for (size_t i = spec->image->n_layers; i-- > 0;)
		argv[n++] = spec->image->layers[i];
	const struct spawn_opts opts = { .argv = argv,
					 .stdin_fd = -1,
					 .stdout_fd = -1,
					 .stderr_fd = -1,
					 .timeout_ms = CREATE_TIMEOUT_MS };
	c->run = spawn_start(runtime->loop, &opts, on_created, c, err);
	return c->run ? 0 : -1;
}

void runtime_run(struct runtime *runtime, const struct container_spec *spec,
		 void (*done)(struct container *container, const struct err *err, void *arg),
		 void (*exited)(struct container *container, void *arg), void *arg)
{
	struct container *c = container_new(runtime, spec->pod_dir, spec->name, spec->attempt);
	c->exited = exited;
	c->exited_arg = arg;
	c->step_done = done;
	c->step_arg = arg;
	if (!write_bundle(c, spec, &c->failure) && !start_shim(c, spec, &c->failure))
		return;
	c->task.fn = on_failed_task;
	loop_post(runtime->loop, &c->task);
}
