/* The shim's life after creation: output to the log, then the exit record. */
#include "nodeagent/shim/attach.h"
#include "nodeagent/shim/cri_log.h"
#include "nodeagent/shim/shim.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

static struct cri_stream streams[2] = { { .name = "stdout" }, { .name = "stderr" } };

/* Reads what is there, at most ROUNDS pieces. False at the stream's end (a terminal says EIO). */
static bool copy(int fd, struct cri_stream *stream, unsigned rounds)
{
	while (rounds--) {
		size_t size;
		char *space = cri_log_space(stream, &size);
		ssize_t n = read(fd, space, size);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return true;
		if (n <= 0)
			return false;
		attach_send(stream == &streams[0] ? 1 : 2, space, (size_t)n);
		cri_log_added(stream, (size_t)n);
	}
	return true;
}

/* Reaps all that was left to us; true when INIT was among it. */
static bool reap(int signal_fd, pid_t init, int *ret_status)
{
	struct signalfd_siginfo info;
	while (read(signal_fd, &info, sizeof(info)) > 0)
		;
	bool ended = false;
	int status;
	for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
		if (pid == init) {
			*ret_status = status;
			ended = true;
		}
	}
	return ended;
}

/* Both versions of cgroup count kills in a line "oom_kill N". */
static bool oom_killed(const char *file)
{
	char text[1024] = "\n";
	if (!file || record_read(file, text + 1, sizeof(text) - 1) <= 0)
		return false;
	const char *line = strstr(text, "\noom_kill ");
	return line && strtoul(line + strlen("\noom_kill "), NULL, 10) > 0;
}

/* What is polled: output, the shim's own affairs, then who is attached. */
enum { OUT, ERR, SIGNAL, ATTACH, POLLS = ATTACH + ATTACH_POLLS };

/* With someone attached, one piece at a time: that much fits where there is room at all. */
static void copy_output(int *outputs, const struct pollfd *fds, bool ended)
{
	unsigned rounds = ended ? 64 : attach_any() ? 1 : 4;
	for (size_t i = OUT; i <= ERR; i++) {
		/* All processes of its PID namespace died before init was reaped: what they wrote is
		 * in the pipe. With the host's PID namespace someone may go on writing: not our
		 * container. */
		if (outputs[i] >= 0 && (fds[i].revents || ended) && !copy(outputs[i], &streams[i], rounds)) {
			attach_input_gone(outputs[i]);
			close(outputs[i]);
			outputs[i] = -1;
		}
		if (ended)
			cri_log_end(&streams[i]);
	}
}

int relay_run(const struct shim_opts *opts, const struct shim_stdio *stdio, pid_t init, int signal_fd)
{
	if (attach_open(opts->tty ? stdio->out : stdio->stdin_hold, opts->tty) ||
	    cri_log_open(opts->log_max_bytes, opts->log_max_files) || confine_self())
		return 1;
	int outputs[] = { stdio->out, stdio->err }, status = 0;
	struct pollfd fds[POLLS];
	for (bool ended = false, room = true; !ended; room = attach_has_room()) {
		for (size_t i = OUT; i <= ERR; i++)
			fds[i] = (struct pollfd){ .fd = room ? outputs[i] : -1, .events = POLLIN };
		fds[SIGNAL] = (struct pollfd){ .fd = signal_fd, .events = POLLIN };
		attach_watch(fds + ATTACH);
		if (poll(fds, POLLS, room ? -1 : 1000) < 0 && errno != EINTR)
			return 1;
		ended = fds[SIGNAL].revents && reap(signal_fd, init, &status);
		copy_output(outputs, fds, ended);
		attach_serve(fds + ATTACH);
		cri_log_flush();
	}
	return record_exit(status, oom_killed(opts->oom_file)) ? 1 : 0;
}
