/* A real knarr-apiserver as a child of the test's loop: in a private folder, on a private port that stays the
 * same over restarts, with throw-away certificates and one token. It dies with the process that started it.
 */
#pragma once

#include "lib/kubeconfig.h"
#include "lib/loop.h"

struct apiserver_process {
	struct loop *loop;
	char *program, *dir;      /* DIR/data is its store, DIR/log what it says */
	const char *const *args;  /* further arguments for it, NULL-terminated, or NULL; borrowed */
	struct kubeconfig config; /* to it, as a member of system:masters */
	uint16_t port;
	void (*ready)(void *arg);             /* it serves */
	void (*ended)(int status, void *arg); /* waitpid's status; it may be started again */
	void *arg;
	unsigned max_files; /* descriptors it may have; 0: as many as we */
	bool is_ready;
	struct spawn *run; /* NULL: it does not run */
	int ready_fd, log_fd;
	struct loop_io *ready_io;
};

/* PROGRAM is the path of knarr-apiserver; DIR is there and empty. Set ready, ended and arg before a start. */
int apiserver_process_init(struct apiserver_process *process, struct loop *loop, const char *program,
			   const char *dir, struct err *err);
/* EXTRA_ENV: further "NAME=value", NULL-terminated. The callbacks come from the loop. */
int apiserver_process_start(struct apiserver_process *process, const char *const *extra_env, struct err *err);
void apiserver_process_kill(const struct apiserver_process *process, int signo);
/* Kills it when it runs, without a call of ended. The folder stays. */
void apiserver_process_close(struct apiserver_process *process);
/* Removes the folder DIR of a process that was closed, with all in it. */
void apiserver_process_remove_folder(const char *dir);
