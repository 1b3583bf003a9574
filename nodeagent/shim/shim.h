/* knarr-shim: the parent of one container. It outlives the node agent and needs nothing of it.
 *
 *     agent ──spawns──▶ front ──forks──▶ shim ──runs──▶ runtime run --detach ──leaves──▶ container's init
 *              ◀─ exit status, message ─┘  └─ own session, subreaper, own mount namespace, /dev/null
 *
 * The front ends as soon as the container runs (status 0) or has failed to (status 1, the reason on
 * stderr), so that the agent waits for an ordinary child. The shim stays: it copies stdout and stderr into
 * `log`, and when init has ended writes `exit.json` and ends. All files lie in the attempt's folder, which is
 * its working directory. The files' formats: nodeagent/container_record.h.
 *
 * The root file system is mounted in the shim's own mount namespace: it goes when the container and the shim
 * are gone, whatever happened to the agent.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct shim_opts {
	const char *id;
	const char *dir; /* the attempt's folder and OCI bundle */
	const char
	    *pod_dir; /* whose mounts the container may need; those of other pods beside it are left out */
	const char *runtime;  /* program */
	const char *root;     /* its --root */
	const char *oom_file; /* memory.events or memory.oom_control of the container's cgroup; NULL: none */
	uint64_t log_max_bytes;
	unsigned log_max_files;
	bool tty, stdin_open;
	char **lower; /* unpacked layers, highest first */
	size_t n_lower;
};

/* What the container's init writes to, seen from here; -1: none. */
struct shim_stdio {
	int out, err;
	int stdin_hold; /* keeps the stdin FIFO from reaching its end */
};

/* rootfs.c: a private mount namespace without the mounts of other pods, with the overlay at "rootfs" of the
 * working directory. 0, or -1 with *ret_what failing and errno. */
int rootfs_mount(const struct shim_opts *opts, const char **ret_what);

/* create.c: runs the runtime. 0 and the pid of init; -1 with *ret_what (errno 0: the runtime said why in
 * runc.log). */
int create_run(const struct shim_opts *opts, struct shim_stdio *ret_stdio, pid_t *ret_init,
	       const char **ret_what);

/* relay.c: copies output until INIT has ended, then records how. Never returns on success. */
int relay_run(const struct shim_opts *opts, const struct shim_stdio *stdio, pid_t init, int signal_fd);

/* exec.c, pause.c: the other things that this program is good for. The exit status. */
int exec_run(int argc, char **argv);
int pause_run(void);

/* confine.c: gives up all capabilities and every system call that relay.c does not make. */
int confine_self(void);
/* Gives the memory back that served to begin. */
void forget_program(void);

/* record.c: small JSON files by rename; DURABLE: with fsync. */
int record_write(const char *name, const char *text, size_t len, bool durable);
int record_self(void);                             /* shim.json */
int record_started(pid_t init);                    /* state.json */
int record_exit(int wait_status, bool oom_killed); /* exit.json */
/* Content of a small file, NUL-terminated; its length or -1. */
ssize_t record_read(const char *name, char *buf, size_t size);
