#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/label.h"

static void test_keys(void **state)
{
	static const char *const good[] = { "a", "A.b_c-9", "example.com/tier", "a-b.c/x", "0" };
	static const char *const bad[] = { "",       "-a",     "a-",   "a b",
					   "a/b/c",  "/a",     "a/",   "Example.com/a",
					   "a..b/c", "-a.b/c", "a./b", "\xc3\xa9" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_true(label_key_check(good[i], NULL));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(label_key_check(bad[i], NULL));
}

static void test_lengths(void **state)
{
	CLEANUP(buf_close) struct buf why = BUF_INIT;
	char text[400];

	(void)state;
	memset(text, 'a', sizeof(text));
	text[63] = '\0';
	assert_true(label_key_check(text, NULL) && label_value_check(text, NULL));
	text[63] = 'a';
	text[64] = '\0';
	assert_false(label_value_check(text, NULL));
	assert_false(label_key_check(text, &why));
	assert_string_equal(why.data, "name part must be no more than 63 characters");
	buf_reset(&why);
	text[64] = 'a';
	strcpy(text + 253, "/b");
	assert_true(label_key_check(text, NULL));
	strcpy(text + 253, "a/b");
	assert_false(label_key_check(text, &why));
	assert_string_equal(why.data, "prefix part must be no more than 253 characters");
}

static void test_faults_are_joined(void **state)
{
	CLEANUP(buf_close) struct buf why = BUF_INIT;

	(void)state;
	assert_false(label_key_check("/", &why));
	assert_memory_equal(
	    why.data, "prefix part must be non-empty; name part must be non-empty; name part must consist of",
	    85);
}

static void test_values(void **state)
{
	(void)state;
	assert_true(label_value_check("", NULL));
	assert_true(label_value_check("v1.2_x", NULL));
	assert_false(label_value_check("a/b", NULL));
	assert_false(label_value_check(".a", NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_faults_are_joined),
		cmocka_unit_test(test_values),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
