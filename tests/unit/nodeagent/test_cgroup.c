#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/buf.h"
#include "nodeagent/cgroup.h"
#include "tests/support/node_fixture.h"

static void test_shares_and_quota(void **state)
{
	(void)state;
	assert_int_equal(cgroup_shares_of_millicpu(0), 2);
	assert_int_equal(cgroup_shares_of_millicpu(1), 2);
	assert_int_equal(cgroup_shares_of_millicpu(100), 102);
	assert_int_equal(cgroup_shares_of_millicpu(1000), 1024);
	assert_int_equal(cgroup_shares_of_millicpu(INT64_MAX), 262144);
	assert_int_equal(cgroup_quota_of_millicpu(0), 0);
	assert_int_equal(cgroup_quota_of_millicpu(1), 1000);
	assert_int_equal(cgroup_quota_of_millicpu(1500), 150000);
}

static void put_in(const char *path, pid_t pid)
{
	static const char *const controllers[] = { "memory", "cpu", "pids", "freezer", "devices", "cpuacct" };
	for (size_t i = 0; i < ARRAY_SIZE(controllers); i++) {
		bool v2 = cgroup_version() == CGROUP_V2;
		CLEANUP(mem_freep) char *file = v2 ? mem_printf("/sys/fs/cgroup/%s/cgroup.procs", path) :
						     mem_printf("/sys/fs/cgroup/%s/%s/cgroup.procs", controllers[i], path);
		CLEANUP(mem_freep) char *command = mem_printf("mkdir -p $(dirname %s) && echo %d > %s", file, (int)pid, file);
		assert_int_equal(system(command), 0);
	}
}

static void test_limits_kill_and_removal(void **state)
{
	(void)state;
	if (!node_fixture_root() || cgroup_version() == CGROUP_NONE) {
		skip();
		return;
	}
	struct err err = ERR_INIT;
	CLEANUP(mem_freep) char *parent = mem_printf("knarrtest-cg%d", (int)getpid()), *path = mem_printf("%s/burstable/podx", parent),
				*inner = mem_printf("%s/c", path);
	const struct cgroup_limits limits = { .cpu_shares = 512, .cpu_quota_us = 50000, .memory_limit_bytes = 64 << 20 };
	for (int twice = 0; twice < 2; twice++) {
		if (cgroup_make(path, &limits, &err))
			fail_msg("%s", err.msg);
	}
	CLEANUP(buf_close) struct buf b = BUF_INIT;
	CLEANUP(mem_freep) char *file = cgroup_version() == CGROUP_V2 ? mem_printf("/sys/fs/cgroup/%s/memory.max", path) :
									mem_printf("/sys/fs/cgroup/memory/%s/memory.limit_in_bytes", path);
	assert_int_equal(buf_read_file(&b, file, 64, &err), 0);
	assert_string_equal(b.data, "67108864\n");

	pid_t pid = fork();
	if (pid == 0) {
		for (;;)
			pause();
	}
	put_in(inner, pid);
	uint64_t memory, cpu;
	assert_int_equal(cgroup_usage(inner, &memory, &cpu, &err), 0);
	assert_int_equal(cgroup_kill(parent, &err), 0);
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	if (cgroup_remove(parent, &err))
		fail_msg("%s", err.msg);
	assert_int_equal(cgroup_remove(parent, &err), 0);
	assert_int_equal(cgroup_kill(parent, &err), 0);
	assert_int_not_equal(access(file, F_OK), 0);
}

/* Makes N processes that use BYTES each and tell READY; waits to be killed. */
static int fork_many(int n, size_t bytes, int ready)
{
	while (n-- > 0) {
		if (fork() != 0)
			continue;
		alarm(60);
		memset(mem_alloc(bytes), 1, bytes);
		if (write(ready, "r", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	for (;;)
		pause();
}

/* Processes that are killed take a while to be gone; until then the group is busy. */
static void test_end_waits_for_the_killed(void **state)
{
	(void)state;
	if (!node_fixture_root() || cgroup_version() == CGROUP_NONE) {
		skip();
		return;
	}
	enum { PROCESSES = 20, BYTES = 4 << 20 };
	struct err err = ERR_INIT;
	CLEANUP(mem_freep) char *path = mem_printf("knarrtest-end%d", (int)getpid());

	int go[2], ready[2];
	char text;
	assert_int_equal(pipe(go), 0);
	assert_int_equal(pipe(ready), 0);
	pid_t pid = fork();
	if (pid == 0) {
		alarm(60); /* nobody is left when the test fails */
		_exit(read(go[0], &text, 1) == 1 ? fork_many(PROCESSES, BYTES, ready[1]) : 1);
	}
	put_in(path, pid);
	signal(SIGCHLD, SIG_IGN); /* the kernel reaps it */
	assert_int_equal(write(go[1], "g", 1), 1);
	for (int i = 0; i < PROCESSES; i++)
		assert_int_equal(read(ready[0], &text, 1), 1);
	if (cgroup_end(path, &err) < 0)
		fail_msg("%s", err.msg);
	CLEANUP(mem_freep) char *dir = mem_printf("/sys/fs/cgroup/%s%s", cgroup_version() == CGROUP_V2 ? "" : "memory/", path);
	assert_int_not_equal(access(dir, F_OK), 0);
	assert_int_equal(cgroup_end(path, &err), 0);
	signal(SIGCHLD, SIG_DFL);
	for (int i = 0; i < 2; i++) {
		close(go[i]);
		close(ready[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_shares_and_quota), cmocka_unit_test(test_limits_kill_and_removal),
					   cmocka_unit_test(test_end_waits_for_the_killed) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
