#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/spawn.h"
#include "lib/timefmt.h"

#define SHELL(script) ((const char *const[]){ "sh", "-c", (script), NULL })
#define OPTS_FDS(in_, out_, err_, ...)                                                                       \
	(&(struct spawn_opts){ .stdin_fd = (in_), .stdout_fd = (out_), .stderr_fd = (err_), __VA_ARGS__ })
#define OPTS(...) OPTS_FDS(-1, -1, -1, __VA_ARGS__)

static struct spawn_result run(const struct spawn_opts *opts)
{
	struct spawn_result result = { 0 };
	struct err err = ERR_INIT;

	if (spawn_run(opts, &result, &err) < 0)
		fail_msg("%s", err.msg);
	return result;
}

static void close_result(struct spawn_result *result)
{
	buf_close(&result->out);
	buf_close(&result->err);
}

static void test_output_and_status(void **state)
{
	CLEANUP(close_result)
	struct spawn_result result = run(OPTS(.argv = SHELL("echo out; echo err >&2; exit 3")));
	char text[64];

	(void)state;
	assert_string_equal(result.out.data, "out\n");
	assert_string_equal(result.err.data, "err\n");
	assert_string_equal(spawn_status_text(result.status, text, sizeof(text)), "exit status 3");
	assert_false(result.timed_out);
}

static void test_not_found(void **state)
{
	const char *const by_name[] = { "no-such-program-here", NULL }, *const by_path[] = { "/nowhere/x",
											     NULL };
	const char *const folder[] = { "/tmp", NULL }, *const empty[] = { "", NULL };
	struct loop *loop = loop_new(NULL);
	struct err err = ERR_INIT;

	(void)state;
	assert_null(spawn_start(loop, OPTS(.argv = by_name), NULL, NULL, &err));
	assert_int_equal(err.errnum, ENOENT);
	assert_string_equal(err.msg, "run no-such-program-here: No such file or directory");
	assert_null(spawn_start(loop, OPTS(.argv = by_path), NULL, NULL, &err));
	assert_int_equal(err.errnum, ENOENT);
	assert_null(spawn_start(loop, OPTS(.argv = folder), NULL, NULL, &err));
	assert_int_equal(err.errnum, EACCES);
	assert_null(spawn_start(loop, OPTS(.argv = empty), NULL, NULL, &err));
	assert_null(spawn_start(loop, OPTS(.argv = SHELL("true"), .cwd = "/nowhere"), NULL, NULL, &err));
	assert_int_equal(err.errnum, ENOENT);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child is left behind */
	loop_free(loop);
}

static void test_output_is_capped_and_the_child_not_blocked(void **state)
{
	CLEANUP(close_result)
	struct spawn_result result =
	    run(OPTS(.argv = SHELL("head -c 1000000 /dev/zero | tr '\\0' x; echo done >&2"),
		     .max_output_bytes = 1000));

	(void)state;
	assert_int_equal(result.out.len, 1000);
	assert_false(result.out.failed);
	assert_string_equal(result.err.data, "done\n");
	assert_int_equal(result.status, 0);
}

static void test_timeout(void **state)
{
	CLEANUP(close_result) struct spawn_result result = { 0 };
	char text[64];

	(void)state;
	/* On a slow machine the shell may not have begun in time. */
	for (int64_t timeout_ms = 300; result.out.len == 0 && timeout_ms < 60000; timeout_ms *= 4) {
		close_result(&result);
		result = run(OPTS(.argv = SHELL("echo begun; exec sleep 100"), .timeout_ms = timeout_ms));
	}
	assert_true(result.timed_out);
	assert_string_equal(result.out.data, "begun\n");
	assert_string_equal(spawn_status_text(result.status, text, sizeof(text)),
			    "killed by signal 9 (Killed)");
}

static void test_grandchildren_that_keep_the_output_open(void **state)
{
	int64_t start = time_mono_ms();
	CLEANUP(close_result)
	struct spawn_result result = run(OPTS(.argv = SHELL("sleep 100 & echo $!"), .linger_ms = 50));
	pid_t pid = (pid_t)atoi(result.out.data);

	(void)state;
	assert_true(time_mono_ms() - start < 60000);
	assert_true(pid > 1);
	kill(pid, SIGKILL);
}

static void test_environment_and_folder(void **state)
{
	const char *const envp[] = { "A=b", NULL };
	CLEANUP(close_result)
	struct spawn_result result =
	    run(OPTS(.argv = ((const char *const[]){ "/bin/sh", "-c", "echo $A$HOME; pwd", NULL }),
		     .envp = envp, .cwd = "/usr"));

	(void)state;
	assert_string_equal(result.out.data, "b\n/usr\n");
}

static void test_only_named_descriptors_are_inherited(void **state)
{
	const char *const list[] = { "ls", "-v", "/proc/self/fd", NULL };
	int kept = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 50), leaked = fcntl(STDERR_FILENO, F_DUPFD, 60);
	CLEANUP(close_result)
	struct spawn_result result = run(OPTS(.argv = list, .keep_fds = &kept, .n_keep_fds = 1));
	/* 3 is the folder that ls itself has open. */
	CLEANUP(mem_freep) char *expected = mem_printf("0\n1\n2\n3\n%d\n", kept);

	(void)state;
	assert_string_equal(result.out.data, expected);
	close(kept);
	close(leaked);
}

static void test_streams_may_be_swapped(void **state)
{
	CLEANUP(close_result) struct spawn_result result = { 0 };
	int out[2], saved_out = dup(1), saved_err = dup(2);
	char text[64] = "";
	ssize_t n;

	(void)state;
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	/* The child's stdout is our 2 and its stderr our 1. */
	dup2(out[1], 1);
	dup2(out[1], 2);
	result = run(OPTS_FDS(-1, 2, 1, .argv = SHELL("echo a; echo b >&2")));
	dup2(saved_out, 1);
	dup2(saved_err, 2);
	close(saved_out);
	close(saved_err);
	n = read(out[0], text, sizeof(text) - 1);
	assert_int_equal(n, 4);
	assert_string_equal(text, "a\nb\n");
	close(out[0]);
	close(out[1]);
}

static void test_stdin(void **state)
{
	CLEANUP(close_result) struct spawn_result nothing = run(OPTS(.argv = SHELL("cat; echo end")));
	CLEANUP(close_result) struct spawn_result piped = { 0 };
	int ends[2];

	(void)state;
	assert_string_equal(nothing.out.data, "end\n");
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(write(ends[1], "text", 4), 4);
	close(ends[1]);
	piped = run(OPTS_FDS(ends[0], -1, -1, .argv = SHELL("cat")));
	close(ends[0]);
	assert_string_equal(piped.out.data, "text");
}

static void test_signals_are_reset(void **state)
{
	struct spawn_result result;
	sigset_t blocked, before;

	(void)state;
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	sigprocmask(SIG_BLOCK, &blocked, &before);
	signal(SIGPIPE, SIG_IGN);
	result = run(OPTS(.argv = SHELL("grep -E 'Sig(Blk|Ign)' /proc/self/status; kill -TERM $$")));
	sigprocmask(SIG_SETMASK, &before, NULL);
	signal(SIGPIPE, SIG_DFL);
	unsigned long long mask_blocked = 1, mask_ignored = 1;
	assert_int_equal(sscanf(result.out.data, "SigBlk: %llx SigIgn: %llx", &mask_blocked, &mask_ignored), 2);
	assert_int_equal(mask_blocked, 0);
	/* 32 and 33 are the C library's own: ignored when whoever started us ignored them, and out of a program's reach. */
	assert_int_equal(mask_ignored & ~(3ULL << 31), 0);
	assert_int_equal(WTERMSIG(result.status), SIGTERM);
	close_result(&result);
}

static int set_up_child(void *arg)
{
	return arg ? -1 : chdir("/");
}

static void test_child_setup(void **state)
{
	CLEANUP(close_result)
	struct spawn_result good =
	    run(OPTS(.argv = SHELL("pwd"), .cwd = "/usr", .child_setup = set_up_child));
	CLEANUP(close_result)
	struct spawn_result bad =
	    run(OPTS(.argv = SHELL("pwd"), .child_setup = set_up_child, .child_setup_arg = &good));

	(void)state;
	assert_string_equal(good.out.data, "/\n");
	assert_int_equal(WEXITSTATUS(bad.status), 127);
	assert_int_equal(bad.out.len, 0);
}

static void never(struct spawn_result *result, void *arg)
{
	(void)result;
	*(bool *)arg = true;
}

static void test_cancel(void **state)
{
	struct loop *loop = loop_new(NULL);
	bool called = false;
	struct spawn *run_ = spawn_start(loop, OPTS(.argv = SHELL("exec sleep 100")), never, &called, NULL);
	pid_t pid = spawn_pid(run_);

	(void)state;
	assert_int_equal(kill(pid, 0), 0);
	spawn_cancel(run_);
	spawn_cancel(NULL);
	assert_int_equal(kill(pid, 0), -1);
	loop_turn(loop, 0);
	assert_false(called);
	loop_free(loop);
}

static void count_down(struct spawn_result *result, void *arg)
{
	struct loop **loop = arg;
	static int left = 20;

	assert_int_equal(result->status, 0);
	assert_string_equal(result->out.data, "x\n");
	if (--left == 0)
		loop_stop(*loop);
}

static void test_many_at_once(void **state)
{
	struct loop *loop = loop_new(NULL);

	(void)state;
	for (int i = 0; i < 20; i++)
		assert_non_null(spawn_start(loop, OPTS(.argv = SHELL("echo x")), count_down, &loop, NULL));
	loop_run(loop);
	loop_free(loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_output_and_status),
		cmocka_unit_test(test_not_found),
		cmocka_unit_test(test_output_is_capped_and_the_child_not_blocked),
		cmocka_unit_test(test_timeout),
		cmocka_unit_test(test_grandchildren_that_keep_the_output_open),
		cmocka_unit_test(test_environment_and_folder),
		cmocka_unit_test(test_only_named_descriptors_are_inherited),
		cmocka_unit_test(test_streams_may_be_swapped),
		cmocka_unit_test(test_stdin),
		cmocka_unit_test(test_signals_are_reset),
		cmocka_unit_test(test_child_setup),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_many_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
