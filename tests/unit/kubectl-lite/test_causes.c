#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kubectl-lite/causes.h"
#include "lib/buf.h"

static void add(const char *cause, size_t len, void *arg)
{
	buf_printf(arg, "<%.*s>", (int)len, cause);
}

static void check(const char *message, const char *expected, size_t n)
{
	CLEANUP(buf_close) struct buf b = BUF_INIT;

	assert_int_equal(causes_each(message, add, &b), n);
	assert_int_equal(causes_each(message, NULL, NULL), n);
	assert_string_equal(b.data ? b.data : "", expected);
}

static void test_causes(void **state)
{
	(void)state;
	check("Pod \"x\" is invalid: spec.a: Required value", "<spec.a: Required value>", 1);
	check("Pod \"x\" is invalid: [spec.a[0].b: Required value: one, two, spec.b: Invalid value: \"c, "
	      "d\": must be e]",
	      "<spec.a[0].b: Required value: one, two><spec.b: Invalid value: \"c, d\": must be e>", 2);
	/* What looks like a path within a cause is none without a fault behind it. */
	check("Pod \"x\" is invalid: spec.a: Invalid value: \"b\": (e.g. 'a', or 'b: c', c: d)",
	      "<spec.a: Invalid value: \"b\": (e.g. 'a', or 'b: c', c: d)>", 1);
	/* Cut where the buffer ended. */
	check("Pod \"x\" is invalid: [a: Required value, b: Required val...",
	      "<a: Required value><b: Required val...>", 2);
	check("pods \"x\" not found", "", 0);
	check("Pod \"x\" is invalid: ", "", 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_causes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
