/* Programs run inside a container: exec probes and hooks. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/buf.h"
#include "nodeagent/container.h"

#define MAX_OUTPUT_BYTES 10240
#define MAX_ARGS         256

struct exec_run {
	struct container *container;
	struct exec_run *next;
	struct spawn *run;
	char *pid_file;
	void (*fn)(struct spawn_result *result, void *arg);
	void *arg;
};

/* The process lives in the container, so the runtime's own death leaves it running. The runtime made it
 * leader of a session, so its children go with it. Only a process of this container's cgroup is killed: by
 * now its number may be another's. */
static void kill_inside(const struct exec_run *exec)
{
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	CLEANUP(buf_close) struct buf cgroups = BUF_INIT;
	if (buf_read_file(&text, exec->pid_file, 32, NULL) || !text.data)
		return;
	pid_t pid = (pid_t)strtol(text.data, NULL, 10);
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/cgroup", (int)pid);
	if (pid <= 1 || buf_read_file(&cgroups, path, 1 << 16, NULL) || !cgroups.data)
		return;
	if (strstr(cgroups.data, exec->container->record.id) && kill(-pid, SIGKILL))
		kill(pid, SIGKILL);
}

static void exec_free(struct exec_run *exec)
{
	struct exec_run **link = &exec->container->execs;
	while (*link != exec)
		link = &(*link)->next;
	*link = exec->next;
	unlink(exec->pid_file);
	free(exec->pid_file);
	free(exec);
}

static void on_exec_done(struct spawn_result *result, void *arg)
{
	struct exec_run *exec = arg;
	void (*fn)(struct spawn_result *, void *) = exec->fn;
	void *fn_arg = exec->arg;
	if (result->timed_out || WIFSIGNALED(result->status))
		kill_inside(exec);
	exec_free(exec);
	fn(result, fn_arg);
}

struct spawn *container_exec(struct container *c, const char *const *argv, int64_t timeout_ms,
			     void (*fn)(struct spawn_result *result, void *arg), void *arg, struct err *err)
{
	struct exec_run *exec = mem_zalloc(sizeof(*exec));
	*exec = (struct exec_run){ .container = c, .next = c->execs, .fn = fn, .arg = arg };
	exec->pid_file = mem_printf("%s/exec-%u.pid", c->dir, c->n_execs++);
	c->execs = exec;
	const char *args[MAX_ARGS + 10] = { c->runtime->program,   "--root",
					    c->runtime->state_dir, "exec",
					    "--pid-file",          exec->pid_file,
					    c->record.id };
	size_t n = 7;
	for (; *argv && n < MAX_ARGS + 7; argv++)
		args[n++] = *argv;
	const struct spawn_opts opts = { .argv = args,
					 .stdin_fd = -1,
					 .stdout_fd = -1,
					 .stderr_fd = -1,
					 .max_output_bytes = MAX_OUTPUT_BYTES,
					 .timeout_ms = timeout_ms };
	if (*argv)
		err_set(err, ERR_LIMIT, "a command of more than %d arguments", MAX_ARGS);
	else
		exec->run = spawn_start(c->runtime->loop, &opts, on_exec_done, exec, err);
	struct spawn *run = exec->run;
	if (!run)
		exec_free(exec);
	return run;
}

void container_exec_cancel(struct container *c, struct spawn *run)
{
	struct exec_run *exec = c->execs;
	while (exec && exec->run != run)
		exec = exec->next;
	if (!exec)
		return;
	spawn_cancel(exec->run);
	kill_inside(exec);
	exec_free(exec);
}

void container_close_execs(struct container *c)
{
	while (c->execs)
		container_exec_cancel(c, c->execs->run);
}
