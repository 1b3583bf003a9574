#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kubectl-lite/diff_mask.h"

static struct json_object *parse(const char *text)
{
	struct json_object *value = NULL;

	assert_int_equal(json_parse(text, strlen(text), &value, NULL, NULL), 0);
	return value;
}

static const char *of(const struct json_object *obj, const char *key)
{
	return json_str(json_get(obj, "data"), key);
}

static void test_mask(void **state)
{
	CLEANUP(json_putp)
	struct json_object *before = parse("{\"data\":{\"a\":\"MQ==\",\"b\":\"Mg==\",\"gone\":\"Mw==\"}}");
	CLEANUP(json_putp)
	struct json_object *after = parse("{\"data\":{\"a\":\"MQ==\",\"b\":\"NA==\",\"new\":\"NQ==\"}}");

	(void)state;
	diff_mask(before, after);
	assert_string_equal(of(before, "a"), "***");
	assert_string_equal(of(after, "a"), "***");
	assert_string_equal(of(before, "b"), "*** (before)");
	assert_string_equal(of(after, "b"), "*** (after)");
	assert_string_equal(of(before, "gone"), "***");
	assert_string_equal(of(after, "new"), "***");
}

static void test_one_side(void **state)
{
	CLEANUP(json_putp)
	struct json_object *only = parse("{\"data\":{\"a\":\"MQ==\"}}"), *odd = parse("{\"data\":[1]}");

	(void)state;
	diff_mask(NULL, only);
	assert_string_equal(of(only, "a"), "***");
	diff_mask(only, NULL);
	diff_mask(odd, only);
	diff_mask(NULL, NULL);
	assert_int_equal(json_len(json_get(odd, "data")), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mask),
		cmocka_unit_test(test_one_side),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
