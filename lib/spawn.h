/* Programs run as children of the loop: posix_spawn-like, all descriptors but the named ones closed,
 * signal mask and dispositions reset, output captured up to a cap, one callback when it has ended and
 * its output is read.
 */
#pragma once

#include <sys/types.h>

#include "lib/buf.h"
#include "lib/loop.h"

struct spawn_opts {
	const char *const *argv; /* NULL-terminated; argv[0] is looked up in PATH unless it has a slash */
	const char *const *envp; /* NULL: the own environment */
	const char *cwd;         /* NULL: the own */
	int stdin_fd;            /* -1: /dev/null. Descriptors stay the caller's. */
	int stdout_fd;           /* -1: captured into spawn_result.out */
	int stderr_fd;           /* -1: captured into spawn_result.err */
	const int *keep_fds;     /* further descriptors the child inherits under the same number */
	size_t n_keep_fds;
	size_t max_output_bytes; /* per stream, 0: 64 KiB; more is read and thrown away */
	int64_t timeout_ms;      /* 0: none; then SIGKILL to the child and spawn_result.timed_out */
	int64_t linger_ms; /* 0: 200; how long output held open by grandchildren is waited for after the child
			      ended */
	int (*child_setup)(void *arg); /* NULL, or runs in the child between fork and exec: async-signal-safe
					  only; non-zero: the child exits 127 */
	void *child_setup_arg;
};

struct spawn_result {
	int status; /* waitpid's */
	bool timed_out;
	struct buf out; /* owned by the run: valid during the callback */
	struct buf err;
};

struct spawn; /* one run under way */

/* Starts it. FN is called once, from the loop, never from within spawn_start; then the run is freed.
 * NULL and *err when the program could not be started (fork failed, not found: errno in err). */
struct spawn *spawn_start(struct loop *loop, const struct spawn_opts *opts,
			  void (*fn)(struct spawn_result *result, void *arg), void *arg, struct err *err);
pid_t spawn_pid(const struct spawn *run);
/* Kills it and forgets it: FN is not called. NULL is fine; not from within FN. */
void spawn_cancel(struct spawn *run);
/* "exit status 3", "killed by signal 9 (Killed)". */
const char *spawn_status_text(int status, char *buf, size_t size);
/* Runs to the end, blocking; for command line tools only. Caller closes ret->out and ret->err. */
int spawn_run(const struct spawn_opts *opts, struct spawn_result *ret, struct err *err);
