#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "nodeagent/backoff.h"

static void test_doubles_to_the_cap(void **state)
{
	static const int64_t delays[] = { 10000, 20000, 40000, 80000, 160000, 300000, 300000 };
	struct backoff b = { 0 };
	int64_t now = 1000000;

	(void)state;
	assert_int_equal(backoff_remaining_ms(&b, now, now), 0);
	for (size_t i = 0; i < sizeof(delays) / sizeof(delays[0]); i++) {
		backoff_next(&b, now);
		assert_int_equal(b.delay_ms, delays[i]);
		assert_int_equal(backoff_remaining_ms(&b, now + 100, now + 100), delays[i]);
		assert_int_equal(backoff_remaining_ms(&b, now + 100, now + 5100), delays[i] - 5000);
		now += delays[i] + 100;
		assert_int_equal(backoff_remaining_ms(&b, now - delays[i], now), 0);
	}
}

static void test_forgets_after_ten_good_minutes(void **state)
{
	struct backoff b = { 0 };

	(void)state;
	backoff_next(&b, 0);
	backoff_next(&b, 20000);
	assert_int_equal(b.delay_ms, 20000);
	assert_int_equal(backoff_remaining_ms(&b, 20000 + 600001, 20000 + 600001), 0);
	backoff_next(&b, 20000 + 600001);
	assert_int_equal(b.delay_ms, 10000);
}

/* The boot clock starts anew with the machine: a record from before means nothing. */
static void test_record_from_an_earlier_boot(void **state)
{
	struct backoff b = { .delay_ms = 300000, .updated_ms = 90000000 };

	(void)state;
	assert_int_equal(backoff_remaining_ms(&b, 5000, 5000), 0);
}

static void test_duration_text(void **state)
{
	char buf[32];

	(void)state;
	assert_string_equal(backoff_duration_text(10000, buf, sizeof(buf)), "10s");
	assert_string_equal(backoff_duration_text(80000, buf, sizeof(buf)), "1m20s");
	assert_string_equal(backoff_duration_text(300000, buf, sizeof(buf)), "5m0s");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_doubles_to_the_cap),
		cmocka_unit_test(test_forgets_after_ten_good_minutes),
		cmocka_unit_test(test_record_from_an_earlier_boot),
		cmocka_unit_test(test_duration_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
