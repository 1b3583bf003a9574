#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bench/stats.h"

static void test_rank_of_none(void **state)
{
	struct stats stats = { 0 };

	(void)state;
	assert_float_equal(stats_rank(&stats, 0.5), 0, 1e-9);
	stats_close(&stats);
}

/* The nearest rank: of a hundred values the 99th is the one that one value exceeds. */
static void test_ranks(void **state)
{
	struct stats stats = { 0 };

	(void)state;
	for (int i = 1000; i > 0; i--)
		stats_add(&stats, i);
	assert_float_equal(stats_rank(&stats, 0), 1, 1e-9);
	assert_float_equal(stats_rank(&stats, 0.5), 500, 1e-9);
	assert_float_equal(stats_rank(&stats, 0.99), 990, 1e-9);
	assert_float_equal(stats_rank(&stats, 1), 1000, 1e-9);
	stats_add(&stats, 0.25);
	assert_float_equal(stats_rank(&stats, 0), 0.25, 1e-9);
	stats_close(&stats);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rank_of_none),
		cmocka_unit_test(test_ranks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
