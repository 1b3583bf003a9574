#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "controller/template.h"

static struct json_object *of(const char *text)
{
	struct json_object *obj = NULL;

	assert_int_equal(json_parse(text, strlen(text), &obj, NULL, NULL), 0);
	return obj;
}

static void test_equality(void **state)
{
	static const struct {
		const char *a, *b;
		bool equal;
	} cases[] = {
		{ "{\"metadata\":{\"labels\":{\"app\":\"w\"}},\"spec\":{\"a\":1}}", "{\"spec\":{\"a\":1},\"metadata\":{\"labels\":{\"app\":\"w\"}}}", true },
		{ "{\"metadata\":{\"labels\":{\"app\":\"w\"}}}", "{\"metadata\":{\"labels\":{\"app\":\"w\",\"pod-template-hash\":\"x\"}}}", true },
		{ "{\"metadata\":{}}", "{\"metadata\":{\"labels\":{\"pod-template-hash\":\"x\"}}}", true },
		{ "{\"metadata\":{\"labels\":{\"app\":\"w\"}}}", "{\"metadata\":{\"labels\":{\"app\":\"v\"}}}", false },
		{ "{\"spec\":{\"a\":1}}", "{\"spec\":{\"a\":2}}", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(json_putp) struct json_object *a = of(cases[i].a), *b = of(cases[i].b);
		if ((template_equal_hash(a) == template_equal_hash(b)) != cases[i].equal)
			fail_msg("case %zu", i);
	}
}

static void test_label(void **state)
{
	CLEANUP(json_putp) struct json_object *a = of("{\"spec\":{\"a\":1}}"), *b = of("{\"spec\":{\"a\":2}}");
	char one[16], same[16], other[16], collided[16], again[16];

	(void)state;
	assert_string_equal(template_hash_label(a, -1, one), template_hash_label(a, -1, same));
	assert_string_not_equal(one, template_hash_label(b, -1, other));
	/* Each collision gives another name to the same template. */
	assert_string_not_equal(one, template_hash_label(a, 1, collided));
	assert_string_not_equal(collided, template_hash_label(a, 2, again));
	assert_true(strlen(one) >= 1 && strlen(one) <= 10);
	assert_int_equal(strspn(one, "bcdfghjklmnpqrstvwxz2456789"), strlen(one));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_equality), cmocka_unit_test(test_label) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
