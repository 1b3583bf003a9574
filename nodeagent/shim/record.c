/* The shim's files. Read by nodeagent/container_record.c, which says what stands in them. */
#include "nodeagent/shim/shim.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long now_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

ssize_t record_read(const char *name, char *buf, size_t size)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	ssize_t n = read(fd, buf, size - 1);
	close(fd);
	if (n >= 0)
		buf[n] = '\0';
	return n;
}

int record_write(const char *name, const char *text, size_t len, bool durable)
{
	char tmp[64];
	snprintf(tmp, sizeof(tmp), "%s.tmp", name);
	int fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	if (fd < 0)
		return -1;
	ssize_t n = write(fd, text, len);
	if (n != (ssize_t)len || (durable && fsync(fd))) {
		int saved = n < 0 || n == (ssize_t)len ? errno : ENOSPC;
		close(fd);
		unlink(tmp);
		errno = saved;
		return -1;
	}
	close(fd);
	if (rename(tmp, name))
		return -1;
	if (!durable)
		return 0;
	fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	int failed = fsync(fd);
	close(fd);
	return failed;
}

/* Field 22 of /proc/PID/stat, clock ticks since boot: with the pid it names a process for good. The second
 * field is the program's name in parentheses and may hold anything, so counting begins after the last one. */
static unsigned long long start_time(pid_t pid)
{
	char path[64], stat[1024];
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (record_read(path, stat, sizeof(stat)) <= 0)
		return 0;
	const char *p = strrchr(stat, ')');
	for (int field = 2; p && field < 22; field++)
		p = strchr(p + 1, ' ');
	return p ? strtoull(p + 1, NULL, 10) : 0;
}

int record_self(void)
{
	char text[128];
	int n = snprintf(text, sizeof(text), "{\"pid\":%d,\"start_time\":%llu}\n", (int)getpid(),
			 start_time(getpid()));
	return record_write("shim.json", text, (size_t)n, false);
}

int record_started(pid_t init)
{
	char text[160];
	int n = snprintf(text, sizeof(text), "{\"pid\":%d,\"start_time\":%llu,\"started_us\":%lld}\n",
			 (int)init, start_time(init), now_us());
	return record_write("state.json", text, (size_t)n, false);
}

int record_exit(int status, bool oom_killed)
{
	int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	int code = signal ? 128 + signal : WEXITSTATUS(status);
	char text[160];
	int n = snprintf(text, sizeof(text),
			 "{\"exit_code\":%d,\"signal\":%d,\"oom_killed\":%s,\"finished_us\":%lld}\n", code,
			 signal, oom_killed ? "true" : "false", now_us());
	return record_write("exit.json", text, (size_t)n, true);
}
