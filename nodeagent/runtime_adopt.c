/* After a restart of the agent: what runs is taken over, what a crash left half made is taken down. */
#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/log.h"
#include "nodeagent/cgroup.h"
#include "nodeagent/container.h"
#include "nodeagent/process_id.h"

/* The shim leads its session; the runtime it may have called is in its process group. */
static void end_shim(const struct shim_record *shim)
{
	if (process_start_time(shim->pid) == shim->start_time)
		kill(-shim->pid, SIGKILL);
}

void container_discard(struct container *c)
{
	struct shim_record shim;
	struct container_record record;
	struct err err = ERR_INIT;
	if (!container_record_read_shim(c->dir, &shim, NULL))
		end_shim(&shim);
	if (container_record_read(c->dir, &record, NULL))
		return; /* without this record nothing was started */
	const char *const argv[] = {
		c->runtime->program, "--root", c->runtime->state_dir, "delete", "--force", record.id, NULL
	};
	const struct spawn_opts opts = {
		.argv = argv, .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1, .timeout_ms = 10000
	};
	struct spawn_result result;
	if (!spawn_run(&opts, &result, &err)) {
		buf_close(&result.out);
		buf_close(&result.err);
	}
	if (cgroup_end(record.cgroup, &err))
		log_warn("container left behind", "container", record.id, "err", err.msg, NULL);
}

static void take_state(struct container *c)
{
	__builtin_memcpy(c->state.id, c->record.id, sizeof(c->state.id));
	c->state.pid = c->init.pid;
	c->state.started_us = c->init.started_us;
	c->state.phase = CONTAINER_RUNNING;
}

int runtime_adopt(struct runtime *runtime, const char *pod_dir, const char *name, unsigned attempt,
		  struct container **ret, void (*exited)(struct container *container, void *arg), void *arg,
		  struct err *err)
{
	struct container *c = container_new(runtime, pod_dir, name, attempt);
	if (container_record_read(c->dir, &c->record, err) ||
	    container_record_read_shim(c->dir, &c->shim, err) ||
	    container_record_read_state(c->dir, &c->init, err)) {
		/* Never finished: the agent died while the container was being made. */
		container_discard(c);
		container_free(c);
		if (err && err->kind == ERR_CORRUPT)
			err->kind = ERR_NOT_FOUND;
		return -1;
	}
	take_state(c);
	c->exited = exited;
	c->exited_arg = arg;
	struct stat st;
	CLEANUP(mem_freep) char *exit_file = mem_printf("%s/exit.json", c->dir);
	if (!stat(exit_file, &st)) {
		/* Its end is in the state at once; EXITED is for ends that come later. */
		container_read_exit(c);
		*ret = c;
		return 0;
	}
	if (container_watch(c, err)) {
		container_free(c);
		return -1;
	}
	*ret = c;
	return 0;
}
