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
#include "nodeagent/log_reader.h"
#include "nodeagent/tree.h"

struct fixture {
	char dir[64];
	char *path;
};

static void open_fixture(struct fixture *f)
{
	snprintf(f->dir, sizeof(f->dir), "/tmp/knarr-log-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	f->path = mem_printf("%s/log", f->dir);
}

static void close_fixture(struct fixture *f)
{
	tree_remove(f->dir, NULL);
	free(f->path);
}

static void append(const struct fixture *f, const char *name, const char *text)
{
	CLEANUP(mem_freep) char *path = mem_printf("%s/%s", f->dir, name);
	FILE *file = fopen(path, "ae");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void move(const struct fixture *f, const char *from, const char *to)
{
	CLEANUP(mem_freep) char *a = mem_printf("%s/%s", f->dir, from);
	CLEANUP(mem_freep) char *b = mem_printf("%s/%s", f->dir, to);

	assert_int_equal(rename(a, b), 0);
}

/* Reads, SIZE bytes at a time, until there is nothing now or the end. */
static ssize_t drain(struct log_reader *r, struct buf *out, size_t size)
{
	char chunk[64];
	ssize_t n;

	while ((n = log_reader_read(r, chunk, size)) > 0)
		buf_add(out, chunk, (size_t)n);
	return n;
}

static void expect(const struct fixture *f, const struct log_reader_opts *opts, const char *expected)
{
	static const size_t sizes[] = { 1, 7, 64 };

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		CLEANUP(buf_close) struct buf out = BUF_INIT;
		struct log_reader *r = log_reader_new(f->path, opts, NULL);
		assert_non_null(r);
		assert_int_equal(drain(r, &out, sizes[i]), -1);
		assert_string_equal(out.data ? out.data : "", expected);
		log_reader_free(r);
	}
}

#define ALL { .tail_lines = -1, .limit_bytes = -1 }
#define LINE(second_, text_) "2026-11-21T07:00:0" #second_ ".000000000Z stdout F " text_ "\n"

static void test_lines(void **state)
{
	struct fixture f;
	const struct log_reader_opts all = ALL, stamps = { .tail_lines = -1, .limit_bytes = -1, .timestamps = true };

	(void)state;
	open_fixture(&f);
	expect(&f, &all, "");
	append(&f, "log", LINE(1, "one") LINE(2, "") LINE(3, "three words here"));
	expect(&f, &all, "one\n\nthree words here\n");
	expect(&f, &stamps, "2026-11-21T07:00:01.000000000Z one\n2026-11-21T07:00:02.000000000Z \n"
			    "2026-11-21T07:00:03.000000000Z three words here\n");
	close_fixture(&f);
}

static void test_parts_of_a_long_line(void **state)
{
	struct fixture f;
	const struct log_reader_opts stamps = { .tail_lines = -1, .limit_bytes = -1, .timestamps = true };
	const struct log_reader_opts all = ALL;

	(void)state;
	open_fixture(&f);
	append(&f, "log", "2026-11-21T07:00:01Z stdout P abc\n2026-11-21T07:00:02Z stdout P def\n2026-11-21T07:00:03Z stdout F g\n");
	expect(&f, &all, "abcdefg\n");
	expect(&f, &stamps, "2026-11-21T07:00:01Z abcdefg\n");
	close_fixture(&f);
}

static void test_tail_since_limit(void **state)
{
	struct fixture f;
	struct log_reader_opts opts = ALL;

	(void)state;
	open_fixture(&f);
	append(&f, "log.2", LINE(1, "1") LINE(2, "2"));
	append(&f, "log.1", LINE(3, "3") LINE(4, "4"));
	append(&f, "log", LINE(5, "5") LINE(6, "6"));
	expect(&f, &opts, "1\n2\n3\n4\n5\n6\n");
	static const char *const tails[] = { "", "6\n", "5\n6\n", "4\n5\n6\n", "3\n4\n5\n6\n", "2\n3\n4\n5\n6\n",
					     "1\n2\n3\n4\n5\n6\n", "1\n2\n3\n4\n5\n6\n" };
	for (opts.tail_lines = 0; opts.tail_lines < 8; opts.tail_lines++)
		expect(&f, &opts, tails[opts.tail_lines]);
	opts = (struct log_reader_opts)ALL;
	opts.since_us = 1795244404000000; /* 07:00:04 */
	expect(&f, &opts, "4\n5\n6\n");
	opts = (struct log_reader_opts)ALL;
	opts.limit_bytes = 5;
	expect(&f, &opts, "1\n2\n3");
	opts.limit_bytes = 0;
	expect(&f, &opts, "");
	close_fixture(&f);
}

static void test_follows_over_a_rotation_to_the_end(void **state)
{
	struct fixture f;
	const struct log_reader_opts opts = { .tail_lines = -1, .limit_bytes = -1, .follow = true };
	CLEANUP(buf_close) struct buf out = BUF_INIT;

	(void)state;
	open_fixture(&f);
	struct log_reader *r = log_reader_new(f.path, &opts, NULL);
	assert_int_equal(drain(r, &out, 64), 0);
	append(&f, "log", LINE(1, "a"));
	assert_int_equal(drain(r, &out, 64), 0);
	append(&f, "log", LINE(2, "b") "2026-11-21T07:00:03Z stdout F ha");
	assert_int_equal(drain(r, &out, 64), 0);
	assert_string_equal(out.data, "a\nb\n");
	append(&f, "log", "lf\n" LINE(4, "c"));
	move(&f, "log", "log.1");
	append(&f, "log", LINE(5, "d"));
	move(&f, "log.1", "log.2");
	move(&f, "log", "log.1");
	append(&f, "log", LINE(6, "e"));
	assert_int_equal(drain(r, &out, 64), 0);
	append(&f, "log", LINE(7, "f"));
	append(&f, "exit.json", "{}");
	assert_int_equal(drain(r, &out, 64), -1);
	assert_string_equal(out.data, "a\nb\nhalf\nc\nd\ne\nf\n");
	log_reader_free(r);
	close_fixture(&f);
}

/* A full disk cuts a record; what comes after it stands in the next file. */
static void test_a_record_cut_short_ends_with_its_file(void **state)
{
	struct fixture f;
	const struct log_reader_opts all = ALL;

	(void)state;
	open_fixture(&f);
	append(&f, "log.1", LINE(1, "one") "2026-11-21T07:00:01Z stdout F tw");
	append(&f, "log", LINE(2, "three"));
	expect(&f, &all, "one\ntw\nthree\n");
	close_fixture(&f);
}

/* What is no CRI record is shown as it is; a line without end is cut off at some size, not kept growing. */
static void test_damage(void **state)
{
	struct fixture f;
	const struct log_reader_opts all = ALL;

	(void)state;
	open_fixture(&f);
	append(&f, "log", "rubbish\n" LINE(1, "good") "\n");
	expect(&f, &all, "rubbish\ngood\n\n");
	close_fixture(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_parts_of_a_long_line),
		cmocka_unit_test(test_tail_since_limit),
		cmocka_unit_test(test_follows_over_a_rotation_to_the_end),
		cmocka_unit_test(test_a_record_cut_short_ends_with_its_file),
		cmocka_unit_test(test_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
