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

#include "lib/buf.h"
#include "lib/program.h"

static const char *data_dir;
static bool verbose;

static const struct program_flag flags[] = {
	{ "data-dir", "DIR", "where data lies", &data_dir, NULL, true },
	{ "verbose", NULL, "say more", NULL, &verbose, false },
	{ 0 },
};

/* Runs FN in a child; what it prints to RET, its exit code back. */
static int in_child(void (*fn)(char **argv), char **argv, struct buf *ret)
{
	int ends[2], status;
	char text[4096];
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		dup2(ends[1], 1);
		dup2(ends[1], 2);
		close(ends[0]);
		close(ends[1]);
		fn(argv);
		fflush(NULL);
		_exit(42);
	}
	close(ends[1]);
	buf_reset(ret);
	while ((n = read(ends[0], text, sizeof(text))) > 0)
		buf_add(ret, text, (size_t)n);
	close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WEXITSTATUS(status);
}

static void parse(char **argv)
{
	int argc = 0, first;

	while (argv[argc])
		argc++;
	first = program_flags("knarr-test", "tests flags", flags, argc, argv);
	printf("%s %d %s\n", data_dir, verbose, argv[first] ? argv[first] : "-");
}

static void check(const char *const *argv, int code, const char *part)
{
	CLEANUP(buf_close) struct buf out = BUF_INIT;

	assert_int_equal(in_child(parse, (char **)(uintptr_t)argv, &out), code);
	if (!out.data || !strstr(out.data, part))
		fail_msg("no '%s' in: %s", part, out.data);
}

#define ARGV(...) ((const char *const[]){ "test", __VA_ARGS__, NULL })

static void test_flags(void **state)
{
	(void)state;
	check(ARGV("--data-dir", "/x"), 42, "/x 0 -\n");
	check(ARGV("--verbose", "--data-dir=/x=y", "operand", "--verbose"), 42, "/x=y 1 operand\n");
	check(ARGV("--data-dir=", "--verbose=false", "--", "--operand"), 42, " 0 --operand\n");
	check(ARGV("--data-dir=/x", "-"), 42, "/x 0 -\n");
	check(ARGV("--data-dir=/x", "--log-level=debug", "--log-format", "json"), 42, "/x 0 -\n");
}

static void test_wrong_flags(void **state)
{
	(void)state;
	check(ARGV("--verbose"), 2, "knarr-test: --data-dir is required\nRun 'knarr-test --help'");
	check(ARGV("--data-dir"), 2, "--data-dir needs a value: DIR");
	check(ARGV("--data"), 2, "unknown flag: --data\n");
	check(ARGV("-x"), 2, "unknown flag: -x\n");
	check(ARGV("--data-dir=/x", "--verbose=maybe"), 2, "--verbose takes true or false, not 'maybe'");
	check(ARGV("--data-dir=/x", "--log-level=loud"), 2, "not 'loud'");
	check(ARGV("--data-dir=/x", "--log-format=xml"), 2, "not 'xml'");
	check(ARGV("--data-dir=/x", "--ready-fd=x"), 2, "not 'x'");
	check(ARGV("--data-dir=/x", "--ready-fd=999"), 2, "not '999'");
}

static void test_help_and_version(void **state)
{
	(void)state;
	check(ARGV("--help"), 0, "  --data-dir DIR");
	check(ARGV("-h"), 0, "(required)");
	check(ARGV("--help"), 0, "--ready-fd N");
	check(ARGV("--version"), 0, "knarr-test " KNARR_VERSION "\n");
}

static void be_ready(char **argv)
{
	parse(argv);
	program_ready();
	program_ready(); /* once only */
}

static void test_ready(void **state)
{
	CLEANUP(buf_close) struct buf out = BUF_INIT;

	(void)state;
	/* Descriptor 2 is the pipe that in_child reads. */
	in_child(be_ready, (char **)(uintptr_t)ARGV("--data-dir=/x", "--ready-fd=2"), &out);
	assert_non_null(strstr(out.data, "ready\n"));
	assert_null(strstr(strstr(out.data, "ready\n") + 1, "ready\n"));
}

static void stop_by_signal(char **argv)
{
	struct loop *loop = loop_new(NULL);

	(void)argv;
	if (program_stop_on_signals(loop, NULL) < 0)
		_exit(1);
	kill(getpid(), SIGTERM);
	loop_run(loop);
	loop_free(loop);
}

static void test_stop_on_signals(void **state)
{
	CLEANUP(buf_close) struct buf out = BUF_INIT;

	(void)state;
	assert_int_equal(in_child(stop_by_signal, NULL, &out), 42);
	assert_non_null(strstr(out.data, "stopping signal=Terminated"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_wrong_flags),
		cmocka_unit_test(test_help_and_version),
		cmocka_unit_test(test_ready),
		cmocka_unit_test(test_stop_on_signals),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
