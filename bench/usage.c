/* What programs use while nothing is asked of them, and what a command takes. */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench/bench.h"
#include "bench/process.h"
#include "bench/stats.h"
#include "lib/timefmt.h"

struct used {
	pid_t pid;
	double cpu_s;
	uint64_t wakeups;
};

/* usage SECONDS PID...: CPU in percent of a core of all together, wake-ups a second of each and of the worst.
 */
int bench_usage(int argc, char **argv)
{
	size_t n = (size_t)argc - 1;
	struct used *used = mem_zalloc(n * sizeof(*used));
	struct timespec pause = { .tv_sec = (time_t)bench_count(argv[0]) };
	double cpu_s = 0, worst = 0;
	int64_t began_us = time_mono_us();

	for (size_t i = 0; i < n; i++) {
		pid_t pid = (pid_t)bench_count(argv[i + 1]);
		used[i] = (struct used){ pid, process_cpu_s(pid), process_wakeups(pid) };
	}
	while (nanosleep(&pause, &pause) < 0 && errno == EINTR)
		;
	double took_s = (double)(time_mono_us() - began_us) / 1e6;
	for (size_t i = 0; i < n; i++) {
		double wakeups = (double)(process_wakeups(used[i].pid) - used[i].wakeups) / took_s;
		char name[32];

		cpu_s += process_cpu_s(used[i].pid) - used[i].cpu_s;
		worst = wakeups > worst ? wakeups : worst;
		snprintf(name, sizeof(name), "wakeups-%d", (int)used[i].pid);
		bench_figure(name, wakeups);
	}
	bench_figure("wakeups-most", worst);
	bench_figure("cpu-percent", 100 * cpu_s / took_s);
	free(used);
	return 0;
}

/* Spawned, not forked: copying our own memory is not part of what the program takes. */
static int run(char **argv, bool quiet)
{
	posix_spawn_file_actions_t actions;
	int status;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	if (quiet)
		posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	int code = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (code != 0)
		bench_die("%s: %s", argv[0], strerror(code));
	if (waitpid(pid, &status, 0) < 0)
		bench_die("%s: %s", argv[0], strerror(errno));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* exec TIMES COMMAND...: wall time of one run of it, the median. */
int bench_exec(int argc, char **argv)
{
	CLEANUP(stats_close) struct stats stats = { 0 };
	size_t times = bench_count(argv[0]);

	(void)argc;
	for (size_t i = 0; i < times; i++) {
		int64_t began_us = time_mono_us();
		int code = run(argv + 1, true);

		if (code != 0)
			bench_die("%s ended with %d", argv[1], code);
		stats_add(&stats, (double)(time_mono_us() - began_us) / 1000);
	}
	bench_figure("exec-ms", stats_rank(&stats, 0.5));
	return 0;
}

/* run COMMAND...: a load generator that is not ours, so that its share of the processor is told as well. */
int bench_run(int argc, char **argv)
{
	(void)argc;
	return run(argv, false);
}
