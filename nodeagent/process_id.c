#include "nodeagent/process_id.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/mem.h"

uint64_t process_start_time(pid_t pid)
{
	char path[64], stat[1024];
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	CLEANUP(mem_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, stat, sizeof(stat) - 1);
	if (n <= 0)
		return 0;
	stat[n] = '\0';
	/* The second field is the program's name in parentheses and may hold anything, so counting begins
	 * after the last one. */
	const char *p = strrchr(stat, ')');
	for (int field = 2; p && field < 22; field++)
		p = strchr(p + 1, ' ');
	return p ? strtoull(p + 1, NULL, 10) : 0;
}

int process_open(pid_t pid, uint64_t start_time)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (fd < 0)
		return -1;
	/* Compared after opening: from here on the descriptor cannot come to mean another process. */
	if (process_start_time(pid) == start_time)
		return fd;
	close(fd);
	errno = ESRCH;
	return -1;
}

int process_signal(pid_t pid, uint64_t start_time, int signo)
{
	CLEANUP(mem_closep) int fd = process_open(pid, start_time);
	return fd < 0 ? -1 : (int)syscall(SYS_pidfd_send_signal, fd, signo, NULL, 0);
}
