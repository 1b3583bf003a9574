#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/err.h"

static void test_context_goes_outward(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(err_set(&err, ERR_CORRUPT, "digest %s", "mismatch"), -1);
	err_wrap(&err, "image %s", "store/web:1");
	assert_int_equal(err_wrap(&err, "create pod %s", "default/web-0"), -1);
	assert_string_equal(err.msg, "create pod default/web-0: image store/web:1: digest mismatch");
	assert_int_equal(err.kind, ERR_CORRUPT);
}

static void test_errno_is_named(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	err_set_errno(&err, ENOENT, "open %s", "/x");
	assert_string_equal(err.msg, "open /x: No such file or directory");
	assert_int_equal(err.kind, ERR_SYSTEM);
	assert_int_equal(err.errnum, ENOENT);
}

static void test_null_is_fine(void **state)
{
	(void)state;
	assert_int_equal(err_set(NULL, ERR_INTERNAL, "x"), -1);
	assert_int_equal(err_set_errno(NULL, EIO, "x"), -1);
	assert_int_equal(err_wrap(NULL, "x"), -1);
}

static void test_own_message_as_argument(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	err_set(&err, ERR_PARSE, "inner");
	err_set(&err, ERR_INVALID, "outer: %s", err.msg);
	assert_string_equal(err.msg, "outer: inner");
}

static void test_long_messages_are_cut_at_a_character(void **state)
{
	struct err err = ERR_INIT;
	char text[2000];

	(void)state;
	for (size_t i = 0; i + 2 < sizeof(text); i += 2)
		memcpy(text + i, "\xc3\xa9", 3);
	err_set(&err, ERR_PARSE, "%s", text);
	assert_true(strlen(err.msg) < sizeof(err.msg));
	assert_string_equal(err.msg + strlen(err.msg) - 3, "...");
	assert_int_equal((strlen(err.msg) - 3) % 2, 0);
	err_wrap(&err, "%s", "context");
	assert_memory_equal(err.msg, "context: \xc3\xa9", 11);
	assert_string_equal(err.msg + strlen(err.msg) - 3, "...");
}

static void test_kinds_map_both_ways(void **state)
{
	(void)state;
	for (int kind = ERR_INTERNAL; kind < ERR_SYSTEM; kind++)
		assert_int_equal(err_kind_of_status(err_status_reason((enum err_kind)kind), 0), kind);
	assert_int_equal(err_http_code(ERR_EXPIRED), 410);
	assert_int_equal(err_http_code(ERR_LIMIT), 413);
	assert_int_equal(err_http_code(ERR_CONNECTION), 500);
	assert_int_equal(err_kind_of_status(NULL, 404), ERR_NOT_FOUND);
	assert_int_equal(err_kind_of_status("SomethingNew", 409), ERR_CONFLICT);
	assert_int_equal(err_kind_of_status(NULL, 418), ERR_BAD_REQUEST);
	assert_int_equal(err_kind_of_status("", 502), ERR_INTERNAL);
	assert_int_equal(err_kind_of_status(NULL, 201), ERR_NONE);
	assert_int_equal(err_kind_of_status("ServerTimeout", 500), ERR_TIMEOUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_context_goes_outward),
		cmocka_unit_test(test_errno_is_named),
		cmocka_unit_test(test_null_is_fine),
		cmocka_unit_test(test_own_message_as_argument),
		cmocka_unit_test(test_long_messages_are_cut_at_a_character),
		cmocka_unit_test(test_kinds_map_both_ways),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
