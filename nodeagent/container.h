/* What runtime.c, container.c, container_exec.c and runtime_adopt.c share of a container; others see
 * runtime.h only. */
#pragma once

#include "nodeagent/container_record.h"
#include "nodeagent/oci_config.h"
#include "nodeagent/runtime.h"

struct runtime {
	struct loop *loop;
	char *program, *shim, *state_dir, *cgroup_parent, *seccomp_dir;
	char *version;
	bool
	    plain_state; /* of an ended container it keeps a folder below state_dir and the cgroup, no more */
	uint64_t log_max_bytes;
	unsigned log_max_files;
	struct oci_machine machine;
	struct container *containers; /* list by next */
};

struct exec_run;

struct container {
	struct runtime *runtime;
	struct container *next, **prev;
	char *dir; /* the attempt's folder */
	char *log_path;
	struct container_record record;
	struct state_record init;
	struct shim_record shim;
	struct container_state state;
	void (*exited)(struct container *container, void *arg);
	void *exited_arg;

	/* At most one step is under way: create or remove. An end that comes meanwhile is told after
	 * it. */
	struct spawn *run;
	struct loop_task task; /* a step that failed at once still ends from the loop */
	struct err failure;    /* of the step */
	void (*step_done)(struct container *container, const struct err *err, void *arg);
	void (*remove_done)(const struct err *err, void *arg);
	void *step_arg;
	bool end_pending;
	struct loop_timer remove_again;
	unsigned remove_tries;

	struct loop_pidfd *watch; /* of the shim */
	int shim_fd;
	struct exec_run *execs;
	unsigned n_execs;
};

/* An empty container for attempt ATTEMPT of NAME, in the runtime's list. */
struct container *container_new(struct runtime *runtime, const char *pod_dir, const char *name,
				unsigned attempt);
void container_free(struct container *container);
/* Watches the shim; when it is gone already the end is told from the loop. */
int container_watch(struct container *container, struct err *err);
/* Reads exit.json into the state; without one the container counts as killed, and is. */
void container_read_exit(struct container *container);
/* Runs `RUNTIME --root DIR ARGS...`; FN as spawn_start's. ARGS ends with NULL. */
struct spawn *container_run_runtime(struct container *container, const char *const *args,
				    void (*fn)(struct spawn_result *result, void *arg), void *arg,
				    struct err *err);
/* What the runtime said on stderr, or how it ended when it said nothing, as "WHAT: ...". */
void container_runtime_error(const char *text, int wait_status, const char *what, struct err *err);
/* Ends everything of an attempt that was never finished: shim, runtime state, cgroup. Blocks for some
 * milliseconds; needed only after a crash or a runtime that hung. */
void container_discard(struct container *container);
/* Takes off whatever exec runs are left. */
void container_close_execs(struct container *container);
