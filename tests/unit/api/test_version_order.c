#include "api/version_order.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/mem.h"

static void stable_before_beta_before_alpha_before_others(void **state)
{
	(void)state;
	/* Kubernetes' own example. */
	static const char *const order[] = { "v10",     "v2",        "v1",        "v11beta2", "v10beta3",
					     "v3beta1", "v12alpha1", "v11alpha2", "foo1",     "foo10",
					     "v01",     "v1beta",    "v1gamma1" };
	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		for (size_t k = 0; k < ARRAY_SIZE(order); k++) {
			int got = version_order(order[i], order[k]);
			assert_int_equal((got > 0) - (got < 0), (i > k) - (i < k));
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(stable_before_beta_before_alpha_before_others) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
