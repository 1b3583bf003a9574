/* A container from its creation on: start, signals, its end, removal. */
#include "nodeagent/container.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/timefmt.h"
#include "nodeagent/cgroup.h"
#include "nodeagent/process_id.h"
#include "nodeagent/tree.h"

#define RUNTIME_TIMEOUT_MS    120000
#define TERMINATION_MAX_BYTES 4096
#define LOG_TAIL_BYTES        2048
#define LOG_TAIL_LINES        80
#define REMOVE_TRIES          6
#define REMOVE_FIRST_MS       100

static void on_task(struct loop_task *task, void *arg);

struct container *container_new(struct runtime *runtime, const char *pod_dir, const char *name,
				unsigned attempt)
{
	struct container *c = mem_zalloc(sizeof(*c));
	c->runtime = runtime;
	c->dir = mem_printf("%s/containers/%s/%u", pod_dir, name, attempt);
	c->log_path = mem_printf("%s/log", c->dir);
	c->task = (struct loop_task){ .fn = on_task, .arg = c };
	c->shim_fd = -1;
	c->next = runtime->containers;
	c->prev = &runtime->containers;
	if (c->next)
		c->next->prev = &c->next;
	runtime->containers = c;
	return c;
}

void container_free(struct container *c)
{
	if (!c)
		return;
	container_close_execs(c);
	if (c->run)
		spawn_cancel(c->run);
	loop_unpost(c->runtime->loop, &c->task);
	if (c->remove_tries)
		loop_timer_disarm(&c->remove_again);
	loop_pidfd_free(c->watch);
	mem_closep(&c->shim_fd);
	*c->prev = c->next;
	if (c->next)
		c->next->prev = c->prev;
	free(c->dir);
	free(c->log_path);
	free(c);
}

struct spawn *container_run_runtime(struct container *c, const char *const *args,
				    void (*fn)(struct spawn_result *result, void *arg), void *arg,
				    struct err *err)
{
	const char *argv[32] = { c->runtime->program, "--root", c->runtime->state_dir };
	size_t n = 3;
	while (*args && n < ARRAY_SIZE(argv) - 1)
		argv[n++] = *args++;
	const struct spawn_opts opts = { .argv = argv,
					 .stdin_fd = -1,
					 .stdout_fd = -1,
					 .stderr_fd = -1,
					 .timeout_ms = RUNTIME_TIMEOUT_MS };
	return spawn_start(c->runtime->loop, &opts, fn, arg, err);
}

/* --- the end --- */

void container_read_exit(struct container *c)
{
	struct exit_record exit;
	struct err err = ERR_INIT;
	if (container_record_read_exit(c->dir, &exit, &err)) {
		/* The shim was killed, and with it went whoever wrote the log and knew the status. */
		if (err.kind != ERR_NOT_FOUND)
			log_warn("exit record unreadable", "container", c->state.id, "err", err.msg, NULL);
		if (cgroup_kill(c->record.cgroup, &err))
			log_warn("processes left behind", "container", c->state.id, "err", err.msg, NULL);
		exit = (struct exit_record){ .exit_code = 128 + SIGKILL,
					     .signal = SIGKILL,
					     .finished_us = time_now_us() };
		if (container_record_write_exit(c->dir, &exit, &err))
			log_warn("exit record not written", "container", c->state.id, "err", err.msg, NULL);
	}
	c->state.phase = CONTAINER_EXITED;
	c->state.exit_code = exit.exit_code;
	c->state.signal = exit.signal;
	c->state.oom_killed = exit.oom_killed;
	c->state.finished_us = exit.finished_us;
}

static void tell_end(struct container *c)
{
	if (c->run || c->step_done || c->remove_done) {
		c->end_pending = true;
		return;
	}
	c->end_pending = false;
	if (c->exited)
		c->exited(c, c->exited_arg);
}

static void on_shim_gone(void *arg)
{
	struct container *c = arg;
	c->watch = NULL;
	mem_closep(&c->shim_fd);
	c->shim_fd = -1;
	container_read_exit(c);
	tell_end(c);
}

int container_watch(struct container *c, struct err *err)
{
	c->shim_fd = process_open(c->shim.pid, c->shim.start_time);
	if (c->shim_fd < 0) {
		container_read_exit(c);
		c->end_pending = true;
		loop_post(c->runtime->loop, &c->task);
		return 0;
	}
	c->watch = loop_pidfd_new(c->runtime->loop, c->shim_fd, on_shim_gone, c, err);
	return c->watch ? 0 : -1;
}

static void on_task(struct loop_task *task, void *arg)
{
	struct container *c = arg;
	(void)task;
	if (c->end_pending)
		tell_end(c);
}

/* The runtime's own words without its prefix of time and level. */
void container_runtime_error(const char *text, int wait_status, const char *what, struct err *err)
{
	char status[64];
	const char *msg = strstr(text, "msg=\"");
	if (msg) {
		CLEANUP(buf_close) struct buf b = BUF_INIT;
		for (msg += 5; *msg && *msg != '"'; msg++) {
			msg += *msg == '\\' && msg[1];
			buf_char(&b, *msg);
		}
		err_set(err, ERR_INTERNAL, "%s: %s", what, b.data ? b.data : "");
	} else if (*text) {
		err_set(err, ERR_INTERNAL, "%s: %.*s", what, (int)strcspn(text, "\n"), text);
	} else {
		err_set(err, ERR_INTERNAL, "%s: %s", what,
			spawn_status_text(wait_status, status, sizeof(status)));
	}
}

static void runtime_error(const struct spawn_result *result, const char *what, struct err *err)
{
	container_runtime_error(result->err.data ? result->err.data : "", result->status, what, err);
}

/* --- while it runs --- */

const struct container_state *container_state(const struct container *c)
{
	return &c->state;
}

const char *container_log_path(const struct container *c)
{
	return c->log_path;
}

int container_kill(struct container *c, int signo, struct err *err)
{
	if (c->state.phase == CONTAINER_EXITED)
		return 0;
	if (process_signal(c->init.pid, c->init.start_time, signo ? signo : c->record.stop_signal) &&
	    errno != ESRCH)
		return err_set_errno(err, errno, "signal container %s", c->state.id);
	return 0;
}

int container_kill_all(struct container *c, struct err *err)
{
	return cgroup_kill(c->record.cgroup, err);
}

int container_usage(const struct container *c, uint64_t *ret_memory_bytes, uint64_t *ret_cpu_ns,
		    struct err *err)
{
	return cgroup_usage(c->record.cgroup, ret_memory_bytes, ret_cpu_ns, err);
}

/* The last MAX bytes of the file. A container may have put anything in place of its termination log, but it
 * could do so only in its own mount namespace: here it is the file we made. */
static void read_tail(const char *path, size_t max, struct buf *b)
{
	CLEANUP(mem_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode))
		return;
	size_t size = (size_t)st.st_size < max ? (size_t)st.st_size : max;
	buf_reserve(b, size + 1);
	ssize_t n = pread(fd, b->data, size, st.st_size - (off_t)size);
	b->len = n > 0 ? (size_t)n : 0;
	b->data[b->len] = '\0';
}

/* Adds what stands after "TIME STREAM TAG " of one record; a piece gets no newline. */
static void add_record(struct buf *b, const char *line, size_t len)
{
	const char *p = line, *end = line + len;
	for (int i = 0; i < 2 && p; i++) {
		p = memchr(p, ' ', (size_t)(end - p));
		p = p ? p + 1 : NULL;
	}
	if (!p || end - p < 2 || p[1] != ' ')
		return;
	buf_add(b, p + 2, (size_t)(end - p - 2));
	if (*p == 'F')
		buf_char(b, '\n');
}

static void log_tail(const char *path, struct buf *ret)
{
	CLEANUP(buf_close) struct buf raw = BUF_INIT;
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	/* Records carry some 40 bytes of their own: enough for the wanted bytes of short lines. */
	read_tail(path, LOG_TAIL_BYTES + LOG_TAIL_LINES * 64 + 32768, &raw);
	for (const char *p = raw.data, *newline; p && (newline = strchr(p, '\n')); p = newline + 1)
		add_record(&text, p, (size_t)(newline - p));
	size_t from = text.len, lines = 0;
	while (from > 0 && text.len - from < LOG_TAIL_BYTES &&
	       (lines += text.data[from - 1] == '\n') <= LOG_TAIL_LINES)
		from--;
	if (text.data)
		buf_add(ret, text.data + from, text.len - from);
}

char *container_termination_message(const struct container *c, bool fallback_to_logs)
{
	CLEANUP(mem_freep) char *path = mem_printf("%s/termination-log", c->dir);
	CLEANUP(buf_close) struct buf b = BUF_INIT;
	read_tail(path, TERMINATION_MAX_BYTES, &b);
	if (!b.len && fallback_to_logs)
		log_tail(c->log_path, &b);
	return buf_take(&b);
}

/* --- removal --- */

/* What failed is tried again for some seconds: a shortage passes, and nobody comes back for what is left. */
static void finish_remove(struct container *c)
{
	if (c->failure.kind && c->remove_tries < REMOVE_TRIES) {
		log_debug("container not removed yet", "container", c->state.id, "err", c->failure.msg, NULL);
		c->failure = ERR_INIT;
		loop_timer_arm(&c->remove_again, REMOVE_FIRST_MS << c->remove_tries++);
		return;
	}
	void (*done)(const struct err *, void *) = TAKE(c->remove_done);
	void *arg = c->step_arg;
	struct err failure = c->failure;
	container_free(c);
	if (done)
		done(failure.kind ? &failure : NULL, arg);
}

static void on_files_removed(struct spawn_result *result, void *arg)
{
	struct container *c = arg;
	c->run = NULL;
	if (result->status)
		runtime_error(result, "remove files of container", &c->failure);
	finish_remove(c);
}

/* What the container wrote may be much: then a child removes it. */
static void remove_files(struct container *c)
{
	CLEANUP(mem_freep)
	char *upper = mem_printf("%s/upper", c->dir), *work = mem_printf("%s/work", c->dir),
	     *rootfs = mem_printf("%s/rootfs", c->dir);
	const char *const argv[] = { "rm", "-rf", "--one-file-system", upper, work, rootfs, NULL };
	const struct spawn_opts opts = { .argv = argv, .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1 };
	struct err err = ERR_INIT;
	if (tree_remove_few(rootfs) && tree_remove_few(work) && tree_remove_few(upper)) {
		finish_remove(c);
		return;
	}
	c->run = spawn_start(c->runtime->loop, &opts, on_files_removed, c, &err);
	if (!c->run) {
		c->failure = err;
		finish_remove(c);
	}
}

static void on_deleted(struct spawn_result *result, void *arg)
{
	struct container *c = arg;
	struct err err = ERR_INIT;
	c->run = NULL;
	/* Deleting what is deleted is fine: the runtime then says that there is no such container. */
	if (result->status && !strstr(result->err.data ? result->err.data : "", "does not exist"))
		runtime_error(result, "OCI runtime delete failed", &c->failure);
	if (cgroup_remove(c->record.cgroup, &err) && !c->failure.kind)
		c->failure = err;
	remove_files(c);
}

/* Does what the runtime's "delete" does, for it is a big program to start. False: it has to, for something
 * lives in the cgroup that outlived the container's init (with the node's PID namespace). */
static bool delete_plain_state(const struct container *c)
{
	CLEANUP(mem_freep) char *state = mem_printf("%s/%s", c->runtime->state_dir, c->record.id);
	return c->runtime->plain_state && !cgroup_remove(c->record.cgroup, NULL) && !tree_remove(state, NULL);
}

static void on_plain_state_deleted(struct loop_task *task, void *arg)
{
	(void)task;
	remove_files(arg);
}

static void on_remove_failed(struct loop_task *task, void *arg)
{
	(void)task;
	finish_remove(arg);
}

static void begin_removal(struct container *c)
{
	const char *const args[] = { "delete", "--force", c->record.id, NULL };
	if (delete_plain_state(c)) {
		c->task.fn = on_plain_state_deleted;
		loop_post(c->runtime->loop, &c->task);
		return;
	}
	c->run = container_run_runtime(c, args, on_deleted, c, &c->failure);
	if (!c->run) {
		c->task.fn = on_remove_failed;
		loop_post(c->runtime->loop, &c->task);
	}
}

static void on_remove_again(struct loop_timer *timer, void *arg)
{
	(void)timer;
	begin_removal(arg);
}

void container_remove(struct container *c, void (*done)(const struct err *err, void *arg), void *arg)
{
	container_close_execs(c);
	c->exited = NULL;
	c->end_pending = false;
	c->remove_done = done;
	c->step_arg = arg;
	loop_timer_init(&c->remove_again, c->runtime->loop, on_remove_again, c);
	begin_removal(c);
}
