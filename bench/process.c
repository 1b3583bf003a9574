#include "bench/process.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "bench/bench.h"
#include "lib/mem.h"

/* The process's own CPU clock has a resolution of nanoseconds; /proc/PID/stat counts in ticks of 10 ms. */
double process_cpu_s(pid_t pid)
{
	clockid_t clock;
	struct timespec used;

	if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &used) < 0)
		return 0;
	return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

static double usage_s(int who)
{
	struct rusage u;

	getrusage(who, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

double process_own_cpu_s(void)
{
	return usage_s(RUSAGE_SELF) + usage_s(RUSAGE_CHILDREN);
}

/* The number that follows NAME at the beginning of a line of the file; 0 when there is none. */
static uint64_t proc_number(const char *path, const char *name)
{
	CLEANUP(mem_fclosep) FILE *f = fopen(path, "re");
	size_t len = strlen(name);
	char line[256];

	while (f && fgets(line, sizeof(line), f))
		if (strncmp(line, name, len) == 0)
			return strtoull(line + len, NULL, 10);
	return 0;
}

double process_pss_kib(pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
	return (double)proc_number(path, "Pss:");
}

uint64_t process_wakeups(pid_t pid)
{
	char path[320];
	uint64_t sum = 0;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	DIR *tasks = opendir(path);
	for (struct dirent *task; tasks && (task = readdir(tasks));) {
		if (task->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/%d/task/%s/status", (int)pid, task->d_name);
		sum += proc_number(path, "voluntary_ctxt_switches:");
	}
	if (tasks)
		closedir(tasks);
	return sum;
}

void process_raise_file_limit(size_t n)
{
	struct rlimit files;

	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	if (files.rlim_cur < n + 64)
		bench_die(
		    "%zu connections need as many file descriptors, this machine grants %llu (ulimit -Hn)", n,
		    (unsigned long long)files.rlim_cur);
}
