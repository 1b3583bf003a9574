#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "controller/pod_cidr.h"

static void test_check(void **state)
{
	static const char *const good[] = { "10.244.0.0/16", "10.0.0.0/8", "192.168.7.0/24" };
	static const char *const bad[] = { "", "10.244.0.0", "10.244.0.0/", "10.244.0.0/25", "10.0.0.0/7", "10.244.1.0/16", "fd00::/64",
					   "10.244.0.0/16x", "10.244.0.0/-1", "a/16" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_int_equal(pod_cidr_check(good[i], NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(pod_cidr_check(bad[i], NULL), -1);
}

static void test_pool(void **state)
{
	CLEANUP(cidr_pool_close) struct cidr_pool pool;
	char buf[20];

	(void)state;
	cidr_pool_init(&pool, "10.9.0.0/22");
	assert_int_equal(cidr_pool_hold(&pool, "10.9.1.0/24"), 1);
	assert_int_equal(cidr_pool_hold(&pool, "10.10.0.0/24"), -1);
	assert_int_equal(cidr_pool_hold(&pool, "10.8.255.0/24"), -1);
	assert_int_equal(cidr_pool_take(&pool), 0);
	assert_int_equal(cidr_pool_take(&pool), 2);
	assert_int_equal(cidr_pool_take(&pool), 3);
	assert_int_equal(cidr_pool_take(&pool), -1);
	/* Held by two: free when both let go. */
	assert_int_equal(cidr_pool_hold(&pool, "10.9.1.0/24"), 1);
	cidr_pool_release(&pool, 1);
	assert_int_equal(cidr_pool_take(&pool), -1);
	cidr_pool_release(&pool, 1);
	assert_int_equal(cidr_pool_take(&pool), 1);
	cidr_pool_release(&pool, -1);
	assert_string_equal(cidr_pool_format(&pool, 3, buf), "10.9.3.0/24");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_check), cmocka_unit_test(test_pool) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
