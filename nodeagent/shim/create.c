/* Runs `RUNTIME run --detach` with the container's standard streams and waits for it. */
#include "nodeagent/shim/shim.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define CONSOLE "console.sock"

/* The ends that the runtime, and so the container, gets. */
struct ends {
	int in, out, err;
};

/* Someone may attach to the FIFO at any time: the write end we hold keeps the container from seeing its end.
 */
static int open_stdin(struct ends *ends, struct shim_stdio *stdio)
{
	if (mkfifo("stdin", 0600) && errno != EEXIST)
		return -1;
	ends->in = open("stdin", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	stdio->stdin_hold = open("stdin", O_WRONLY | O_CLOEXEC);
	if (ends->in < 0 || stdio->stdin_hold < 0)
		return -1;
	return fcntl(ends->in, F_SETFL, 0);
}

static int open_pipe(int *ret_read, int *ret_write)
{
	int fd[2];
	if (pipe2(fd, O_CLOEXEC))
		return -1;
	*ret_read = fd[0];
	*ret_write = fd[1];
	return fcntl(fd[0], F_SETFL, O_NONBLOCK);
}

static int open_console(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = CONSOLE };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	unlink(CONSOLE);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, 1))
		return -1;
	return fd;
}

/* The runtime has ended well, so the terminal's message waits in the socket: nothing here blocks. */
static int receive_terminal(int listener)
{
	// cppcheck-suppress nullPointer // accept4 takes NULL from who does not want the address
	int fd = -1, connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (connection < 0)
		return -1;
	char name[256];
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = { name, sizeof(name) };
	struct msghdr message = { .msg_iov = &iov,
				  .msg_iovlen = 1,
				  .msg_control = control.buf,
				  .msg_controllen = sizeof(control.buf) };
	if (recvmsg(connection, &message, MSG_CMSG_CLOEXEC) >= 0) {
		struct cmsghdr *c = CMSG_FIRSTHDR(&message);
		if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
			memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	}
	close(connection);
	unlink(CONSOLE);
	if (fd >= 0 && fcntl(fd, F_SETFL, O_NONBLOCK))
		return -1;
	if (fd < 0)
		errno = EPROTO;
	return fd;
}

static _Noreturn void exec_runtime(const struct shim_opts *opts, const struct ends *ends)
{
	const char *argv[16];
	size_t n = 0;
	argv[n++] = opts->runtime;
	argv[n++] = "--root";
	argv[n++] = opts->root;
	argv[n++] = "--log";
	argv[n++] = "runc.log";
	argv[n++] = "--log-format";
	argv[n++] = "json";
	argv[n++] = "run";
	argv[n++] = "--detach";
	argv[n++] = "--bundle";
	argv[n++] = ".";
	argv[n++] = "--pid-file";
	argv[n++] = "init.pid";
	if (opts->tty) {
		argv[n++] = "--console-socket";
		argv[n++] = CONSOLE;
	}
	argv[n++] = opts->id;
	argv[n] = NULL;
	static const int ignored[] = { SIGPIPE, SIGHUP, SIGINT, SIGTERM };
	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_DFL);
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if ((ends->in < 0 || dup2(ends->in, 0) >= 0) && (ends->out < 0 || dup2(ends->out, 1) >= 0) &&
	    (ends->err < 0 || dup2(ends->err, 2) >= 0))
		execvp(opts->runtime, (char *const *)(uintptr_t)argv);
	_exit(127);
}

static pid_t read_pid_file(void)
{
	char text[32];
	if (record_read("init.pid", text, sizeof(text)) <= 0)
		return -1;
	long pid = strtol(text, NULL, 10);
	errno = EPROTO;
	return pid > 1 ? (pid_t)pid : -1;
}

static int wait_for(pid_t pid, const char **ret_what)
{
	int status;
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return -1;
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	errno = 0;
	*ret_what = WIFSIGNALED(status)          ? "the runtime was killed"
		    : WEXITSTATUS(status) == 127 ? "the runtime could not be run"
						 : "the runtime failed";
	return -1;
}

int create_run(const struct shim_opts *opts, struct shim_stdio *stdio, pid_t *ret_init, const char **ret_what)
{
	struct ends ends = { -1, -1, -1 };
	int console = -1;
	*ret_what = "standard streams";
	if (opts->tty) {
		if ((console = open_console()) < 0)
			return -1;
	} else if ((opts->stdin_open && open_stdin(&ends, stdio)) || open_pipe(&stdio->out, &ends.out) ||
		   open_pipe(&stdio->err, &ends.err)) {
		return -1;
	}
	*ret_what = "fork";
	pid_t pid = fork();
	if (pid < 0)
		return -1;
	if (pid == 0)
		exec_runtime(opts, &ends);
	/* Only the container keeps the write ends: its end is the end of its output. */
	close(ends.out);
	close(ends.err);
	close(ends.in);
	*ret_what = "the runtime";
	if (wait_for(pid, ret_what))
		return -1;
	*ret_what = "console socket";
	if (opts->tty && (stdio->out = receive_terminal(console)) < 0)
		return -1;
	if (console >= 0)
		close(console);
	*ret_what = "pid file of the runtime";
	if ((*ret_init = read_pid_file()) < 0)
		return -1;
	*ret_what = "state.json";
	return record_started(*ret_init);
}
