#include "tests/unit/launcher/fixture.h"

#include "lib/spawn.h"

/* The program itself, as a user calls it. */
struct run {
	const char *argv[12];
	int code;
	const char *says; /* within its stderr */
};

static const struct run wrong_calls[] = {
	{ { "up", "--port", "0" }, 2, "invalid --port 0: must be between 1 and 65532" },
	{ { "up", "--port", "65533" }, 2, "invalid --port 65533" },
	{ { "up", "--port", "12x" }, 2, "invalid --port 12x" },
	{ { "up", "--port" }, 2, "flag needs an argument: --port" },
	{ { "up", "--address", "localhost" }, 2, "invalid --address localhost: must be an IPv4 address" },
	{ { "up", "--data", "" }, 2, "--data must not be empty" },
	{ { "up", "--bogus" }, 2, "unknown flag: --bogus" },
	{ { "up", "extra" }, 2, "unexpected argument: extra" },
	{ { "down", "--port", "1" }, 2, "unknown flag: --port" },
	{ { "status", "--data", "/nonexistent" }, 3, "no cluster in /nonexistent" },
	{ { "start" }, 2, "unknown command \"start\"" },
};

static int call(const char *const *words, struct spawn_result *ret)
{
	const char *build = getenv("KNARR_BUILD");
	CLEANUP(mem_freep) char *program = mem_printf("%s/bin/knarr", build ? build : "build");
	const char *argv[16] = { program };
	struct spawn_opts opts = { .argv = argv, .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1, .timeout_ms = 60000 };
	struct err err = ERR_INIT;

	for (size_t i = 0; words[i]; i++)
		argv[i + 1] = words[i];
	if (spawn_run(&opts, ret, &err) < 0)
		fail_msg("%s", err.msg);
	return WIFEXITED(ret->status) ? WEXITSTATUS(ret->status) : -1;
}

static void expect(const char *const *words, int code, const char *says)
{
	struct spawn_result result;
	int got = call(words, &result);

	if (got != code || (says && !strstr(result.err.data ? result.err.data : "", says)))
		fail_msg("knarr %s %s: code %d, %s", words[0], words[1] ? words[1] : "", got, result.err.data ? result.err.data : "");
	buf_close(&result.out);
	buf_close(&result.err);
}

static void wrong_usage(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong_calls); i++)
		expect(wrong_calls[i].argv, wrong_calls[i].code, wrong_calls[i].says);
}

/* A control plane in a folder with a space in its name: started, refused a second time, stopped. */
static void a_life(void **state)
{
	struct fixture *f = *state;
	char port[8];
	struct spawn_result result;

	snprintf(port, sizeof(port), "%d", 20000 + getpid() % 10000 * 4 % 10000);
	expect((const char *[]){ "up", "--data", f->dir, "--port", port, "--no-agent", "-d", NULL }, 0, NULL);
	expect((const char *[]){ "up", "--data", f->dir, "--port", "7", "--no-agent", "-d", NULL }, 1, "a cluster runs in");
	expect((const char *[]){ "up", "--data", f->root, "--no-agent", "-d", NULL }, 1, "is not empty and holds no cluster");
	assert_int_equal(call((const char *[]){ "status", "--data", f->dir, NULL }, &result), 0);
	CLEANUP(mem_freep) char *server = mem_printf("https://127.0.0.1:%s\n", port); /* not port 7 */
	assert_non_null(strstr(result.out.data, server));
	buf_close(&result.out);
	buf_close(&result.err);
	/* Its port is taken: another one says so, with what its API server logged. */
	CLEANUP(mem_freep) char *other = mem_printf("%s/other", f->root);
	expect((const char *[]){ "up", "--data", other, "--port", port, "--no-agent", NULL }, 1, "the API server did not start");
	expect((const char *[]){ "down", "--data", f->dir, NULL }, 0, NULL);
	expect((const char *[]){ "status", "--data", f->dir, NULL }, 3, NULL);
}

/* A test that failed leaves nothing running. */
static int down(void **state)
{
	struct fixture *f = *state;
	struct spawn_result result;

	call((const char *[]){ "down", "--data", f->dir, NULL }, &result);
	buf_close(&result.out);
	buf_close(&result.err);
	return fixture_end(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrong_usage),
		cmocka_unit_test_setup_teardown(a_life, fixture_begin, down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
