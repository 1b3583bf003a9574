#include "lib/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/mem.h"

#define DEFAULT_OUTPUT_BYTES (64 * 1024)
#define DEFAULT_LINGER_MS    200
#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

struct stream {
	struct spawn *run;
	int fd; /* -1: at its end, or not captured */
	struct loop_io *io;
	struct buf *out;
};

struct spawn {
	struct loop *loop;
	pid_t pid;
	struct loop_child *child; /* NULL: it has ended */
	struct stream streams[2];
	struct loop_timer timeout, linger;
	int64_t linger_ms;
	size_t max_output_bytes;
	struct spawn_result result;
	void (*fn)(struct spawn_result *result, void *arg);
	void *arg;
};

/* --- the child between fork and exec: system calls only --- */

struct launch {
	const struct spawn_opts *opts;
	const char *path;
	int fds[3]; /* what becomes 0, 1 and 2; all above 2 */
	int error_fd;
};

static void reset_signals(void)
{
	struct sigaction action = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int signo = 1; signo < NSIG; signo++)
		if (signo != SIGKILL && signo != SIGSTOP)
			sigaction(signo, &action, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static int arrange_descriptors(const struct launch *launch)
{
	const struct spawn_opts *opts = launch->opts;

	for (int i = 0; i < 3; i++)
		if (dup2(launch->fds[i], i) < 0)
			return -1;
	/* All others end at the exec; until then the error pipe is needed. */
	if (syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
		return -1;
	for (size_t i = 0; i < opts->n_keep_fds; i++)
		if (opts->keep_fds[i] > 2 && fcntl(opts->keep_fds[i], F_SETFD, 0) < 0)
			return -1;
	return 0;
}

__attribute__((noreturn)) static void run_child(const struct launch *launch)
{
	const struct spawn_opts *opts = launch->opts;
	int errnum;
	ssize_t n;

	reset_signals();
	if (arrange_descriptors(launch) == 0 && (!opts->cwd || chdir(opts->cwd) == 0)) {
		if (opts->child_setup && opts->child_setup(opts->child_setup_arg) != 0)
			_exit(127);
		execve(launch->path, (char *const *)(uintptr_t)opts->argv,
		       opts->envp ? (char *const *)(uintptr_t)opts->envp : environ);
	}
	errnum = errno;
	n = write(launch->error_fd, &errnum, sizeof(errnum));
	(void)n;
	_exit(127);
}

/* The parent stands still until the child has called exec. With a child_setup, which may do anything
 * to its memory, the child gets its own; else it borrows ours, which is cheaper by far. */
static pid_t fork_child(const struct launch *launch)
{
	sigset_t all, before;
	pid_t pid;

	/* No handler of ours runs in a child that has our memory. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	/* posix_spawn cannot do all that run_child does, which changes nothing of ours before it execs. */
	// cppcheck-suppress vforkCalled
	// NOLINTNEXTLINE(clang-analyzer-security.insecureAPI.vfork,clang-analyzer-unix.Vfork)
	pid = launch->opts->child_setup ? fork() : vfork();
	if (pid == 0)
		run_child(launch);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return pid;
}

/* --- starting it --- */

static bool is_executable(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

/* The file to execute for NAME; NULL with errno when there is none. */
static char *find_program(const char *name)
{
	const char *path = getenv("PATH");

	if (strchr(name, '/'))
		return mem_dup(name);
	if (!path)
		path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	for (const char *p = path; *name; p++) {
		size_t len = strcspn(p, ":");
		CLEANUP(mem_freep) char *candidate = mem_printf("%.*s/%s", (int)len, p, name);

		/* An empty entry means the current folder to a shell; here nothing. */
		if (len > 0 && is_executable(candidate))
			return TAKE(candidate);
		p += len;
		if (!*p)
			break;
	}
	errno = ENOENT;
	return NULL;
}

/* A copy of FD above 2: the originals may be among the numbers that the child's own overwrite. */
static int above_stdio(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

struct plumbing {
	int child[3];  /* ends for the child */
	int parent[2]; /* read ends of captured stdout and stderr, or -1 */
	int error_pipe[2];
};

static void plumbing_close(struct plumbing *p)
{
	for (int i = 0; i < 3; i++)
		mem_closep(&p->child[i]);
	for (int i = 0; i < 2; i++) {
		mem_closep(&p->parent[i]);
		mem_closep(&p->error_pipe[i]);
	}
}

static int capture(struct plumbing *p, int i)
{
	CLEANUP(mem_closep) int write_end = -1;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	p->parent[i - 1] = ends[0];
	write_end = ends[1];
	if (fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0)
		return -1;
	p->child[i] = above_stdio(write_end);
	return p->child[i] < 0 ? -1 : 0;
}

static int plumb(struct plumbing *p, const struct spawn_opts *opts)
{
	CLEANUP(mem_closep) int null_fd = -1;

	if (opts->stdin_fd < 0)
		null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	p->child[0] = above_stdio(opts->stdin_fd < 0 ? null_fd : opts->stdin_fd);
	if (p->child[0] < 0)
		return -1;
	for (int i = 1; i < 3; i++) {
		int fd = i == 1 ? opts->stdout_fd : opts->stderr_fd;

		if (fd < 0) {
			if (capture(p, i) < 0)
				return -1;
		} else if ((p->child[i] = above_stdio(fd)) < 0) {
			return -1;
		}
	}
	if (pipe2(p->error_pipe, O_CLOEXEC) < 0)
		return -1;
	/* The child writes to this one after 0, 1 and 2 have been replaced. */
	if (p->error_pipe[1] < 3) {
		int moved = above_stdio(p->error_pipe[1]);

		mem_closep(&p->error_pipe[1]);
		p->error_pipe[1] = moved;
	}
	return p->error_pipe[1] < 0 ? -1 : 0;
}

/* Forks and executes. The pid, or -1 with errno: also when it was the exec that failed. */
static pid_t launch_child(struct plumbing *p, const struct spawn_opts *opts, const char *path)
{
	struct launch launch = { .opts = opts, .path = path, .error_fd = p->error_pipe[1] };
	int errnum = 0;
	ssize_t n;
	pid_t pid;

	memcpy(launch.fds, p->child, sizeof(launch.fds));
	pid = fork_child(&launch);
	if (pid < 0)
		return -1;
	mem_closep(&p->error_pipe[1]);
	p->error_pipe[1] = -1;
	/* Ends at the exec, which closes the last write end, or with the reason why there was none. */
	do {
		n = read(p->error_pipe[0], &errnum, sizeof(errnum));
	} while (n < 0 && errno == EINTR);
	if (n != (ssize_t)sizeof(errnum))
		return pid;
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	errno = errnum;
	return -1;
}

/* --- the run --- */

static void stream_close(struct stream *s)
{
	loop_io_free(TAKE(s->io));
	mem_closep(&s->fd);
	s->fd = -1;
}

static void run_free(struct spawn *run)
{
	loop_timer_disarm(&run->timeout);
	loop_timer_disarm(&run->linger);
	for (int i = 0; i < 2; i++)
		stream_close(&run->streams[i]);
	loop_child_free(run->child);
	buf_close(&run->result.out);
	buf_close(&run->result.err);
	free(run);
}

static void finish(struct spawn *run)
{
	/* Nothing of the run is watched any more while FN has its say. */
	loop_timer_disarm(&run->timeout);
	loop_timer_disarm(&run->linger);
	for (int i = 0; i < 2; i++)
		stream_close(&run->streams[i]);
	run->fn(&run->result, run->arg);
	run_free(run);
}

static void finish_if_done(struct spawn *run)
{
	if (!run->child && run->streams[0].fd < 0 && run->streams[1].fd < 0)
		finish(run);
}

static void keep_output(struct stream *s, const char *data, size_t len)
{
	size_t room = s->run->max_output_bytes - s->out->len;

	buf_add(s->out, data, len < room ? len : room);
}

/* Reads what is there, some chunks at a time so that a chatty child does not hold the loop.
 * True at the end of the stream. */
static bool drain(struct stream *s, int chunks)
{
	char chunk[16 * 1024];

	while (chunks-- > 0) {
		ssize_t n = read(s->fd, chunk, sizeof(chunk));

		if (n > 0)
			keep_output(s, chunk, (size_t)n);
		else if (n == 0 || (errno != EINTR && errno != EAGAIN))
			return true;
		else if (errno == EAGAIN)
			return false;
	}
	return false;
}

static void on_output(struct loop_io *io, int fd, uint32_t events, void *arg)
{
	struct stream *s = arg;

	(void)io;
	(void)fd;
	(void)events;
	if (!drain(s, 4))
		return;
	stream_close(s);
	finish_if_done(s->run);
}

static void on_linger(struct loop_timer *timer, void *arg)
{
	struct spawn *run = arg;

	(void)timer;
	/* What the pipes hold was written before the grandchildren kept them open for nothing. */
	for (int i = 0; i < 2; i++)
		if (run->streams[i].fd >= 0)
			drain(&run->streams[i], 64);
	finish(run);
}

static void on_timeout(struct loop_timer *timer, void *arg)
{
	struct spawn *run = arg;

	(void)timer;
	run->result.timed_out = true;
	kill(run->pid, SIGKILL); /* not reaped yet: still its pid */
}

static void on_exit_status(pid_t pid, int status, void *arg)
{
	struct spawn *run = arg;

	(void)pid;
	run->child = NULL;
	run->result.status = status;
	loop_timer_disarm(&run->timeout);
	if (run->streams[0].fd >= 0 || run->streams[1].fd >= 0)
		loop_timer_arm(&run->linger, run->linger_ms);
	finish_if_done(run);
}

static int watch_streams(struct spawn *run, struct plumbing *p, struct err *err)
{
	for (int i = 0; i < 2; i++) {
		struct stream *s = &run->streams[i];

		*s = (struct stream){ .run = run,
				      .fd = p->parent[i],
				      .out = i == 0 ? &run->result.out : &run->result.err };
		p->parent[i] = -1;
		if (s->fd < 0)
			continue;
		s->io = loop_io_new(run->loop, s->fd, EPOLLIN, on_output, s, err);
		if (!s->io)
			return -1;
	}
	return 0;
}

static void kill_and_reap(pid_t pid)
{
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

struct spawn *spawn_start(struct loop *loop, const struct spawn_opts *opts,
			  void (*fn)(struct spawn_result *result, void *arg), void *arg, struct err *err)
{
	CLEANUP(plumbing_close) struct plumbing p = { { -1, -1, -1 }, { -1, -1 }, { -1, -1 } };
	CLEANUP(mem_freep) char *path = find_program(opts->argv[0]);
	struct spawn *run;
	pid_t pid;

	if (!path || plumb(&p, opts) < 0) {
		err_set_errno(err, errno, "run %s", opts->argv[0]);
		return NULL;
	}
	run = mem_zalloc(sizeof(*run));
	run->loop = loop;
	run->fn = fn;
	run->arg = arg;
	run->linger_ms = opts->linger_ms ? opts->linger_ms : DEFAULT_LINGER_MS;
	run->max_output_bytes = opts->max_output_bytes ? opts->max_output_bytes : DEFAULT_OUTPUT_BYTES;
	loop_timer_init(&run->timeout, loop, on_timeout, run);
	loop_timer_init(&run->linger, loop, on_linger, run);
	run->streams[0].fd = run->streams[1].fd = -1;
	/* Before there is a child: what it began before it was killed would be left half done. */
	if (watch_streams(run, &p, err) < 0) {
		run_free(run);
		err_wrap(err, "run %s", opts->argv[0]);
		return NULL;
	}
	pid = launch_child(&p, opts, path);
	if (pid < 0) {
		err_set_errno(err, errno, "run %s", opts->argv[0]);
		run_free(run);
		return NULL;
	}
	run->pid = pid;
	run->child = loop_child_new(loop, pid, on_exit_status, run, err);
	if (!run->child) {
		kill_and_reap(pid);
		run_free(run);
		err_wrap(err, "run %s", opts->argv[0]);
		return NULL;
	}
	if (opts->timeout_ms > 0)
		loop_timer_arm(&run->timeout, opts->timeout_ms);
	return run;
}

pid_t spawn_pid(const struct spawn *run)
{
	return run->pid;
}

void spawn_cancel(struct spawn *run)
{
	if (!run)
		return;
	if (run->child)
		kill_and_reap(run->pid);
	run_free(run);
}

const char *spawn_status_text(int status, char *buf, size_t size)
{
	if (WIFSIGNALED(status))
		snprintf(buf, size, "killed by signal %d (%s)", WTERMSIG(status),
			 strsignal(WTERMSIG(status)));
	else
		snprintf(buf, size, "exit status %d", WEXITSTATUS(status));
	return buf;
}

struct blocking_run {
	struct loop *loop;
	struct spawn_result *ret;
};

static void on_blocking_end(struct spawn_result *result, void *arg)
{
	struct blocking_run *blocking = arg;

	*blocking->ret = *result;
	result->out = result->err = BUF_INIT; /* now the caller's */
	loop_stop(blocking->loop);
}

int spawn_run(const struct spawn_opts *opts, struct spawn_result *ret, struct err *err)
{
	struct blocking_run blocking = { .loop = loop_new(err), .ret = ret };
	struct spawn *run;

	if (!blocking.loop)
		return -1;
	run = spawn_start(blocking.loop, opts, on_blocking_end, &blocking, err);
	if (run)
		loop_run(blocking.loop);
	loop_free(blocking.loop);
	return run ? 0 : -1;
}
