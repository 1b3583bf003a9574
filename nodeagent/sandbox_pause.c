#include "nodeagent/sandbox_pause.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/buf.h"
#include "nodeagent/container_record.h"
#include "nodeagent/process_id.h"

#define RECORD  "pause"
#define GONE_MS 5000 /* a killed process takes no longer */

struct process {
	int pid;
	uint64_t start_time;
};

static bool read_record(const char *pod_dir, struct process *ret)
{
	CLEANUP(mem_freep) char *path = mem_printf("%s/ns/" RECORD, pod_dir);
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	return !buf_read_file(&text, path, 64, NULL) && text.data &&
	       sscanf(text.data, "%d %" SCNu64, &ret->pid, &ret->start_time) == 2 && ret->pid > 1;
}

static int write_record(const char *pod_dir, pid_t pid, struct err *err)
{
	CLEANUP(mem_freep) char *dir = mem_printf("%s/ns", pod_dir);
	CLEANUP(mem_freep) char *text = mem_printf("%d %" PRIu64 "\n", (int)pid, process_start_time(pid));
	return container_record_write_file(dir, RECORD, text, strlen(text), err);
}

/* In the new process. GO: it is recorded, and may begin; the end without a word: it is not. FAILED is closed
 * by the program that runs here from then on, or told why there is none. */
static void become(const char *shim, int go, int failed)
{
	char *const argv[] = { (char *)"knarr-shim", (char *)"pause", NULL };
	char *const env[] = { NULL };
	char word;
	sigset_t none;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	sigemptyset(&none);
	if (read(go, &word, 1) != 1)
		_exit(1);
	setsid();
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (int fd = 0; fd <= 2; fd++)
		dup2(null, fd);
	execve(shim, argv, env);
	int error = errno;
	ssize_t written = write(failed, &error, sizeof(error));
	_exit(written < 0 ? 2 : 1);
}

static int hold(const char *pod_dir, struct err *err)
{
	CLEANUP(mem_freep) char *path = mem_printf("%s/ns/pid", pod_dir);
	CLEANUP(mem_closep) int fd = open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
	/* Ours is still the node's: it is our children's that is new. */
	if (fd < 0 || mount("/proc/self/ns/pid_for_children", path, NULL, MS_BIND, NULL))
		return err_set_errno(err, errno, "hold namespace %s", path);
	return 0;
}

/* Lets the recorded process begin. */
static int begin(const char *shim, int go, int failed, struct err *err)
{
	int error;
	if (write(go, "", 1) != 1)
		return err_set_errno(err, errno, "start %s", shim);
	if (read(failed, &error, sizeof(error)) == sizeof(error))
		return err_set_errno(err, error, "run %s", shim);
	return 0;
}

int sandbox_pause_make(const struct sandbox_spec *spec, struct err *err)
{
	int go[2], failed[2];
	if (pipe2(go, O_CLOEXEC) || pipe2(failed, O_CLOEXEC))
		return err_set_errno(err, errno, "pipe");
	if (unshare(CLONE_NEWPID))
		return err_set_errno(err, errno, "make PID namespace");
	pid_t pid = fork();
	if (pid < 0)
		return err_set_errno(err, errno, "fork");
	if (pid == 0) {
		close(go[1]);
		become(spec->shim, go[0], failed[1]);
	}
	close(failed[1]);
	/* Recorded before it runs, so that it is found whatever happens to us. */
	if (!write_record(spec->pod_dir, pid, err) && !hold(spec->pod_dir, err) &&
	    !begin(spec->shim, go[1], failed[0], err))
		return 0;
	/* Nobody is to find it while it ends. */
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return -1;
}

bool sandbox_pause_runs(const char *pod_dir)
{
	struct process process;
	return read_record(pod_dir, &process) && !process_signal((pid_t)process.pid, process.start_time, 0);
}

static void end_process(const struct process *process)
{
	CLEANUP(mem_closep) int fd = process_open((pid_t)process->pid, process->start_time);
	struct pollfd gone = { .fd = fd, .events = POLLIN };
	if (fd < 0 || process_signal((pid_t)process->pid, process->start_time, SIGKILL))
		return;
	poll(&gone, 1, GONE_MS);
}

int sandbox_pause_end(const char *pod_dir, struct err *err)
{
	CLEANUP(mem_freep) char *path = mem_printf("%s/ns/pid", pod_dir);
	CLEANUP(mem_freep) char *record = mem_printf("%s/ns/" RECORD, pod_dir);
	struct process process;
	if (read_record(pod_dir, &process))
		end_process(&process);
	while (!umount2(path, MNT_DETACH))
		;
	if ((unlink(path) && errno != ENOENT) || (unlink(record) && errno != ENOENT))
		return err_set_errno(err, errno, "remove %s", path);
	return 0;
}
