#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "controller/toleration.h"
#include "lib/mem.h"

static char unreachable[] = "node.kubernetes.io/unreachable", custom[] = "custom", a[] = "a", none[] = "";

static void test_times(void **state)
{
	const struct pod_toleration five_minutes = { .key = unreachable, .value = none, .exists = true, .seconds = 300 };
	const struct pod_toleration for_ever = { .value = none, .exists = true, .seconds = -1 };
	const struct pod_toleration custom_a = { .key = custom, .value = a, .seconds = 10 };
	const struct pod_toleration at_once = { .key = unreachable, .value = none, .exists = true, .seconds = 0 };
	const struct {
		const char *taints;
		struct pod_toleration tolerations[3];
		size_t n;
		int64_t ms;
	} cases[] = {
		{ NULL, { five_minutes }, 1, TOLERATED_FOR_EVER },
		{ "[{\"key\":\"node.kubernetes.io/unreachable\",\"effect\":\"NoSchedule\"}]", { for_ever }, 0, TOLERATED_FOR_EVER },
		{ "[{\"key\":\"node.kubernetes.io/unreachable\",\"effect\":\"NoExecute\"}]", { five_minutes }, 0, 0 },
		{ "[{\"key\":\"node.kubernetes.io/unreachable\",\"effect\":\"NoExecute\"}]", { five_minutes }, 1, 300000 },
		{ "[{\"key\":\"node.kubernetes.io/unreachable\",\"effect\":\"NoExecute\"}]", { at_once }, 1, 0 },
		{ "[{\"key\":\"node.kubernetes.io/unreachable\",\"effect\":\"NoExecute\"}]", { for_ever }, 1, TOLERATED_FOR_EVER },
		{ "[{\"key\":\"custom\",\"value\":\"a\",\"effect\":\"NoExecute\"}]", { five_minutes, custom_a }, 2, 10000 },
		{ "[{\"key\":\"custom\",\"value\":\"b\",\"effect\":\"NoExecute\"}]", { five_minutes, custom_a }, 2, 0 },
		{ "[{\"key\":\"custom\",\"value\":\"a\",\"effect\":\"NoExecute\"},{\"key\":\"node.kubernetes.io/unreachable\",\"effect\":\"NoExecute\"}]",
		  { five_minutes, custom_a }, 2, 10000 },
		/* One taint tolerated for ever does not lengthen the other's time. */
		{ "[{\"key\":\"other\",\"effect\":\"NoExecute\"},{\"key\":\"custom\",\"value\":\"a\",\"effect\":\"NoExecute\"}]",
		  { custom_a, for_ever }, 2, 10000 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(no_execute_close) struct no_execute_taints taints;
		no_execute_parse(cases[i].taints, &taints);
		int64_t ms = toleration_ms(&taints, cases[i].tolerations, cases[i].n);
		if (ms != cases[i].ms)
			fail_msg("case %zu: %lld", i, (long long)ms);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_times) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
