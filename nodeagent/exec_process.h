/* A program started in a running container with its standard streams in our hands: `exec` of the API. (Probes
 * and hooks, of which only the end counts: container_exec in runtime.h.)
 *
 *     STARTING ──▶ started() ──▶ ended()
 *         └──────▶ failed()
 *
 * Its parent is knarr-shim (nodeagent/shim/exec.c), not the runtime. Nobody kills it: who lets go of its
 * streams ends it as far as it cares for them, a terminal's programs by SIGHUP; and the container's end is
 * its own.
 */
#pragma once

#include <sys/ioctl.h>
#include <sys/queue.h>

#include "lib/loop.h"
#include "nodeagent/runtime.h"

struct exec_process;
/* All there are: whoever owns them ends with exec_processes_close. */
LIST_HEAD(exec_processes, exec_process);

struct exec_process_opts {
	const char *const *argv; /* NULL-terminated */
	bool has_stdin, tty;
	struct winsize size; /* of the terminal; 0: not known */
};

struct exec_process_streams {
	int in, out, err; /* -1: none. A terminal is OUT, for both directions. The user's to close. */
};

struct exec_process_user {
	void (*started)(const struct exec_process_streams *streams, void *arg);
	void (*ended)(int exit_code,
		      void *arg); /* 128 + signal when killed. What it wrote can be read at once. */
	void (*failed)(const struct err *err, void *arg);
};

/* After `ended` and `failed` it is gone. NULL and *err when it cannot even be tried. */
struct exec_process *exec_process_start(struct exec_processes *all, struct container *container,
					const struct exec_process_opts *opts,
					const struct exec_process_user *user, void *arg, struct err *err);
/* The user goes: it is told nothing any more, the program runs on. NULL is fine. */
void exec_process_abandon(struct exec_process *process);
/* For the agent's end: the programs run on, their parents do not. */
void exec_processes_close(struct exec_processes *all);
