/* The scripts that make verdicts of samples: bench/collect.jq, bench/report and bench/compare. Run from the
 * project's folder, as all unit tests are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/buf.h"

static const char rows[] = "g\tfast\tquick one\tms\tmax\t100\tfloor\n"
			   "g\trate\tmany\t1/s\tmin\t1000\t\n"
			   "g\tlost\tnever measured\tms\tmax\t1\t\n"
			   "g\tplain\tno budget\tKiB\tnone\t-\t\n"
			   "g\tunasked\tsomething else\tms\tmax\t1\t\n"
			   "f\tfloor\tthe floor\tms\tnone\t-\t\n";
static const char samples[] = "fast\t30\t10\nfast\t50\t20\nfast\t10\t90\nfast\t40\t30\n"
			      "rate\t900\t\nrate\t1200\t\nrate\t999\t\n"
			      "plain\t1.5\t\nunasked\t7\t\nfloor\t20\t\n";
static const char wanted[] = "fast\nrate\nlost\nplain\nfloor\n";

struct fixture {
	char dir[32];
	char *first; /* the JSON of these samples */
};

static char *write_file(const struct fixture *f, const char *name, const char *text)
{
	char *path = mem_printf("%s/%s", f->dir, name);

	assert_int_equal(buf_write_file_atomic(path, text, strlen(text), 0600, NULL), 0);
	return path;
}

/* What the command prints; it must succeed. */
static void run(struct buf *out, const char *format, ...) PRINTF_LIKE(2, 3);
static void run(struct buf *out, const char *format, ...)
{
	va_list ap;
	char text[512];
	size_t n;

	va_start(ap, format);
	CLEANUP(mem_freep) char *command = mem_vprintf(format, ap);
	va_end(ap);
	FILE *pipe_ = popen(command, "re");
	assert_non_null(pipe_);
	while ((n = fread(text, 1, sizeof(text), pipe_)) > 0)
		buf_add(out, text, n);
	assert_int_equal(pclose(pipe_), 0);
}

static char *collect(const struct fixture *f, const char *name, const char *samples_)
{
	CLEANUP(mem_freep)
	char *rows_path = write_file(f, "rows", rows), *wanted_path = write_file(f, "wanted", wanted);
	CLEANUP(mem_freep) char *samples_path = write_file(f, "samples", samples_);
	CLEANUP(mem_freep)
	char *machine = write_file(f, "machine",
				   "{\"cores\":2,\"cpu\":\"c\",\"kernel\":\"k\",\"commit\":\"abc\","
				   "\"date\":\"2026-11-21T00:00:00Z\"}");
	CLEANUP(buf_close) struct buf out = BUF_INIT;

	run(&out,
	    "jq -n --rawfile rows %s --rawfile samples %s --rawfile wanted %s --slurpfile machine %s "
	    "-f bench/collect.jq",
	    rows_path, samples_path, wanted_path, machine);
	return write_file(f, name, out.data);
}

static int setup(void **state)
{
	struct fixture *f = mem_zalloc(sizeof(*f));

	strcpy(f->dir, "/tmp/test-report.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	f->first = collect(f, "first.json", samples);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	static const char *const names[] = { "rows",    "samples",    "wanted",
					     "machine", "first.json", "second.json" };
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		CLEANUP(mem_freep) char *path = mem_printf("%s/%s", f->dir, names[i]);
		unlink(path);
	}
	assert_int_equal(rmdir(f->dir), 0);
	free(f->first);
	free(f);
	return 0;
}

static void test_rows(void **state)
{
	struct fixture *f = *state;
	CLEANUP(buf_close) struct buf out = BUF_INIT;

	run(&out,
	    "jq -r '.commit, (.rows[] | \"\\(.name) \\(.median) \\(.least) \\(.most) \\(.runs) \\(.verdict) "
	    "\\(.floor_ratio) \\(.client_cpu_percent)\")' %s",
	    f->first);
	assert_string_equal(out.data, "abc\n"
				      "fast 35 10 50 4 met 1.75 25\n"
				      "rate 999 900 1200 3 missed null null\n"
				      "lost null null null 0 not measured null null\n"
				      "plain 1.5 1.5 1.5 1 null null null\n"
				      "floor 20 20 20 1 null null null\n");
}

static void test_table(void **state)
{
	struct fixture *f = *state;
	CLEANUP(buf_close) struct buf out = BUF_INIT;

	run(&out, "bench/report --markdown %s | grep '^| `'", f->first);
	assert_string_equal(
	    out.data,
	    "| `fast` | quick one | 35 ms (10 to 50, 4 runs) | ≤ 100 ms | met | 1.75 × `floor` | 25 % |\n"
	    "| `rate` | many | 999/s (900 to 1,200, 3 runs) | ≥ 1,000/s | **missed** |  |  |\n"
	    "| `lost` | never measured | not measured | ≤ 1 ms | not measured |  |  |\n"
	    "| `plain` | no budget | 1.5 KiB (1 run) |  |  |  |  |\n"
	    "| `floor` | the floor | 20 ms (1 run) |  |  |  |  |\n");
}

/* Slower is worse where a budget is an upper bound, and better where it is a lower one; what stays within the
 * spread of the first is neither. */
static void test_compare(void **state)
{
	struct fixture *f = *state;
	CLEANUP(mem_freep)
	char *second = collect(f, "second.json", "fast\t60\t\nrate\t1300\t\nplain\t3\t\nfloor\t20\t\n");
	CLEANUP(buf_close) struct buf out = BUF_INIT, back = BUF_INIT;

	run(&out, "bench/compare %s %s | tr -s ' '", f->first, second);
	assert_non_null(strstr(out.data, "fast ms 35 60 +71.4 % worse\n"));
	assert_non_null(strstr(out.data, "rate 1/s 999 1300 +30.1 % better\n"));
	assert_non_null(strstr(out.data, "lost ms - - - \n"));
	assert_non_null(strstr(out.data, "plain KiB 1.5 3 +100 % \n"));
	assert_non_null(strstr(out.data, "1 got worse\n"));
	run(&back, "bench/compare %s %s | tr -s ' '", second, f->first);
	assert_non_null(strstr(back.data, "fast ms 60 35 -41.7 % better\n"));
	assert_non_null(strstr(back.data, "rate 1/s 1300 999 -23.2 % worse\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_compare),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
