/* knarr-shim exec PID-FILE STATUS-FD -- RUNTIME ARGS...: the parent of one program that was started in a
 * running container.
 *
 *     agent ──spawns──▶ exec ──runs──▶ runtime exec --detach ──leaves──▶ the program
 *       ▲ "ok" on STATUS-FD ─┘  └─ subreaper: the program becomes its child when the runtime has ended
 *
 * The runtime and with it the program get this process's standard streams, which it closes once the program
 * runs. It ends with the program's exit code (128 + signal), or with EXEC_NOT_STARTED and no word. One of
 * these for each session is a fraction of what the runtime itself would hold while it waits.
 */
#include "nodeagent/shim/shim.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXEC_NOT_STARTED 127

static int wait_for(pid_t pid)
{
	int status;

	for (pid_t got; (got = waitpid(pid, &status, 0)) != pid;)
		if (got < 0 && errno != EINTR)
			return -1;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int run_runtime(char **argv)
{
	pid_t pid = fork();

	if (pid == 0) {
		execvp(argv[0], argv);
		_exit(EXEC_NOT_STARTED);
	}
	return pid < 0 ? -1 : wait_for(pid);
}

int exec_run(int argc, char **argv)
{
	char text[32];

	if (argc < 6 || strcmp(argv[4], "--") != 0)
		return 2;
	int word_fd = atoi(argv[3]);
	fcntl(word_fd, F_SETFD, FD_CLOEXEC);
	setsid(); /* what is sent to the agent's terminal or group is not for us */
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) || run_runtime(argv + 5) != 0 ||
	    record_read(argv[2], text, sizeof(text)) <= 0)
		return EXEC_NOT_STARTED;
	pid_t pid = (pid_t)strtol(text, NULL, 10);
	/* An agent that died meanwhile does not read it. */
	signal(SIGPIPE, SIG_IGN);
	if (write(word_fd, "ok", 2) < 0 && errno != EPIPE)
		return EXEC_NOT_STARTED;
	close(word_fd);
	for (int fd = 0; fd <= 2; fd++)
		close(fd);
	forget_program();
	int code = pid > 1 ? wait_for(pid) : -1;
	return code < 0 ? EXEC_NOT_STARTED : code;
}
