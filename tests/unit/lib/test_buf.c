#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/buf.h"

static void test_appends(void **state)
{
	CLEANUP(buf_close) struct buf b = BUF_INIT;

	(void)state;
	buf_str(&b, "a");
	buf_char(&b, 'b');
	buf_printf(&b, "%05d", 42);
	buf_int(&b, INT64_MIN);
	buf_char(&b, ' ');
	buf_uint(&b, UINT64_MAX);
	buf_int(&b, 0);
	assert_string_equal(b.data, "ab00042-9223372036854775808 184467440737095516150");
	assert_int_equal(b.len, strlen(b.data));
	buf_consume(&b, 2);
	assert_memory_equal(b.data, "00042", 5);
	buf_consume(&b, 1000);
	assert_int_equal(b.len, 0);
}

static void test_printf_of_any_length(void **state)
{
	(void)state;
	for (size_t n = 0; n < 300; n++) {
		CLEANUP(buf_close) struct buf b = BUF_INIT;

		buf_printf(&b, "%*s", (int)n, "");
		assert_int_equal(b.len, n);
		assert_int_equal(strlen(b.data), n);
	}
}

static void test_cap_latches(void **state)
{
	CLEANUP(buf_close) struct buf b = BUF_INIT_MAX(10);

	(void)state;
	buf_str(&b, "0123456789");
	assert_false(b.failed);
	buf_str(&b, "");
	assert_false(b.failed);
	buf_char(&b, 'x');
	assert_true(b.failed);
	assert_null(b.data);
	assert_int_equal(b.len, 0);
	buf_printf(&b, "more");
	buf_json_string(&b, "more");
	assert_int_equal(b.len, 0);
	buf_reset(&b);
	buf_str(&b, "again");
	assert_string_equal(b.data, "again");
}

static void test_printf_fits_exactly_into_the_cap(void **state)
{
	CLEANUP(buf_close) struct buf b = BUF_INIT_MAX(10);

	(void)state;
	buf_printf(&b, "%s", "0123456789");
	assert_false(b.failed);
	assert_string_equal(b.data, "0123456789");
	buf_printf(&b, "%s", "");
	assert_false(b.failed);
	buf_printf(&b, "%d", 1);
	assert_true(b.failed);
}

static void test_take(void **state)
{
	struct buf b = BUF_INIT;
	CLEANUP(mem_freep) char *nothing = buf_take(&b);
	CLEANUP(mem_freep) char *text = NULL;

	(void)state;
	assert_string_equal(nothing, "");
	buf_str(&b, "x");
	text = buf_take(&b);
	assert_string_equal(text, "x");
	assert_null(b.data);
}

/* Each byte at each place in and across the words that are looked at at once. */
static void test_plain_run_ends_anywhere(void **state)
{
	(void)state;
	for (unsigned c = 0; c < 256; c++) {
		bool plain = c >= 0x20 && c < 0x80 && c != '"' && c != '\\';

		for (size_t len = 1; len <= 20; len++) {
			for (size_t at = 0; at < len; at++) {
				char text[20];

				memset(text, at % 2 ? '!' : '\x7f', sizeof(text));
				text[at] = (char)c;
				assert_int_equal(buf_json_plain(text, len), plain ? len : at);
			}
		}
	}
	assert_int_equal(buf_json_plain("", 0), 0);
}

static void test_json_string(void **state)
{
	CLEANUP(buf_close) struct buf b = BUF_INIT;

	(void)state;
	buf_json_stringn(&b, "\"\\/\b\f\n\r\t\v\x01\x1f\x7f<\xc3\xa9\0x", 17);
	assert_string_equal(b.data, "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u000b\\u0001\\u001f\x7f<\xc3\xa9\\u0000x\"");
	buf_reset(&b);
	buf_json_string(&b, "");
	assert_string_equal(b.data, "\"\"");
}

static void test_base64(void **state)
{
	static const char *const pairs[][2] = {
		{ "", "" },        { "f", "Zg==" },        { "fo", "Zm8=" },
		{ "foo", "Zm9v" }, { "foob", "Zm9vYg==" }, { "foobar", "Zm9vYmFy" }
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		CLEANUP(buf_close) struct buf b = BUF_INIT, back = BUF_INIT;

		buf_base64(&b, pairs[i][0], strlen(pairs[i][0]));
		assert_int_equal(b.len, strlen(pairs[i][1]));
		assert_memory_equal(b.data, pairs[i][1], b.len);
		assert_int_equal(buf_base64_decode(pairs[i][1], b.len, &back, NULL), 0);
		assert_int_equal(back.len, strlen(pairs[i][0]));
		assert_memory_equal(back.len ? back.data : "", pairs[i][0], back.len);
	}
}

static void test_base64_faults(void **state)
{
	static const char *const wrong[] = { "Z",    "Zg",    "Zg=",      "Zm8",  "Zg===",   "=",
					     "====", "Zm9v=", "Zg==Zg==", "Z$==", "Zm9v\x80" };
	CLEANUP(buf_close) struct buf b = BUF_INIT;
	struct err err = ERR_INIT;

	(void)state;
	buf_str(&b, "kept");
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		assert_int_equal(buf_base64_decode(wrong[i], strlen(wrong[i]), &b, &err), -1);
		assert_int_equal(err.kind, ERR_PARSE);
		assert_string_equal(b.data, "kept");
	}
	assert_int_equal(buf_base64_decode("Zm9v\r\nYmFy\n", 11, &b, &err), 0);
	assert_string_equal(b.data, "keptfoobar");
}

static void test_url_encode(void **state)
{
	CLEANUP(buf_close) struct buf b = BUF_INIT;

	(void)state;
	buf_url_encode(&b, "aZ09-._~ /=,\xc3\xa9");
	assert_string_equal(b.data, "aZ09-._~%20%2F%3D%2C%C3%A9");
}

static size_t files_in(const char *path)
{
	DIR *dir = opendir(path);
	size_t n = 0;

	if (!dir)
		return SIZE_MAX;
	while (readdir(dir))
		n++;
	closedir(dir);
	return n - 2;
}

static void test_atomic_write(void **state)
{
	char folder[] = "/tmp/test_buf.XXXXXX";
	CLEANUP(buf_close) struct buf b = BUF_INIT;
	CLEANUP(mem_freep) char *path = NULL;
	CLEANUP(mem_freep) char *under = NULL;
	struct err err = ERR_INIT;
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(folder));
	path = mem_printf("%s/file", folder);
	under = mem_printf("%s/file/x", folder);
	assert_int_equal(buf_write_file_atomic(path, "one", 3, 0600, &err), 0);
	assert_int_equal(buf_write_file_atomic(path, "second", 6, 0640, &err), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(buf_read_file(&b, path, 6, &err), 0);
	assert_string_equal(b.data, "second");
	/* Neither a failure nor a success leaves a temporary file. */
	assert_int_equal(buf_write_file_atomic(under, "x", 1, 0600, &err), -1);
	assert_int_equal(err.errnum, ENOTDIR);
	unlink(path);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(buf_write_file_atomic(path, "x", 1, 0600, &err), -1);
	assert_int_equal(err.kind, ERR_SYSTEM);
	assert_int_equal(files_in(folder), 1);
	rmdir(path);
	rmdir(folder);
}

static void test_read_limits(void **state)
{
	CLEANUP(buf_close) struct buf b = BUF_INIT, capped = BUF_INIT_MAX(10), empty = BUF_INIT;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(buf_read_file(&b, "/proc/self/status", 10, &err), -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	assert_int_equal(buf_read_file(&capped, "/proc/self/status", 1 << 20, &err), -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	assert_int_equal(buf_read_file(&b, "/nowhere/x", 10, &err), -1);
	assert_int_equal(err.errnum, ENOENT);
	assert_int_equal(buf_read_file(&empty, "/dev/null", 10, &err), 0);
	assert_string_equal(empty.data, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_appends),
		cmocka_unit_test(test_printf_of_any_length),
		cmocka_unit_test(test_cap_latches),
		cmocka_unit_test(test_printf_fits_exactly_into_the_cap),
		cmocka_unit_test(test_take),
		cmocka_unit_test(test_json_string),
		cmocka_unit_test(test_plain_run_ends_anywhere),
		cmocka_unit_test(test_base64),
		cmocka_unit_test(test_base64_faults),
		cmocka_unit_test(test_url_encode),
		cmocka_unit_test(test_atomic_write),
		cmocka_unit_test(test_read_limits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
