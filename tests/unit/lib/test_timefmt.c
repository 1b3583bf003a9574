#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "lib/mem.h"
#include "lib/timefmt.h"

static void test_formats(void **state)
{
	char buf[TIMEFMT_SIZE];

	(void)state;
	assert_string_equal(time_format(0, buf), "1970-01-01T00:00:00Z");
	assert_string_equal(time_format_micro(1795243489123456, buf), "2026-11-21T06:44:49.123456Z");
	assert_string_equal(time_format_nano(1795243489000000001, buf), "2026-11-21T06:44:49.000000001Z");
	assert_string_equal(time_format(-1, buf), "1969-12-31T23:59:59Z");
	assert_string_equal(time_format(951782400000000, buf), "2000-02-29T00:00:00Z");
}

static void test_agrees_with_libc(void **state)
{
	char buf[TIMEFMT_SIZE], expected[TIMEFMT_SIZE];

	(void)state;
	for (int64_t s = -2000000000; s < 8000000000; s += 1234567) {
		time_t t = (time_t)s;
		struct tm tm;
		int64_t us;

		gmtime_r(&t, &tm);
		strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%SZ", &tm);
		assert_string_equal(time_format(s * 1000000, buf), expected);
		assert_true(time_parse(buf, &us));
		assert_int_equal(us, s * 1000000);
	}
}

static void test_parse(void **state)
{
	int64_t us;

	(void)state;
	assert_true(time_parse("2026-11-21T06:44:49.123456789Z", &us));
	assert_int_equal(us, 1795243489123456);
	assert_true(time_parse("2026-11-21T08:14:49+01:30", &us));
	assert_int_equal(us, 1795243489000000);
	assert_true(time_parse("2026-11-20T22:44:49.5-08:00", &us));
	assert_int_equal(us, 1795243489500000);
}

static void test_parse_refuses(void **state)
{
	static const char *const wrong[] = { "",
					     "2026-11-21",
					     "2026-11-21 06:44:49Z",
					     "2026-13-01T00:00:00Z",
					     "2026-02-29T00:00:00Z",
					     "2026-01-01T24:00:00Z",
					     "2026-01-01T00:00:60Z",
					     "2026-01-01T00:00:00",
					     "2026-01-01T00:00:00.Z",
					     "2026-01-01T00:00:00Zx",
					     "2026-01-01T00:00:00+0100",
					     "26-01-01T00:00:00Z",
					     "2026-00-01T00:00:00Z",
					     "2026-01-00T00:00:00Z" };
	int64_t us = 7;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_false(time_parse(wrong[i], &us));
	assert_false(time_parse(NULL, &us));
	assert_int_equal(us, 7);
}

static void test_human_duration(void **state)
{
	static const struct {
		int64_t seconds;
		const char *text;
	} cases[] = {
		{ -2, "<invalid>" },
		{ -1, "0s" },
		{ 0, "0s" },
		{ 119, "119s" },
		{ 120, "2m" },
		{ 200, "3m20s" },
		{ 599, "9m59s" },
		{ 600, "10m" },
		{ 1500, "25m" },
		{ 10799, "179m" },
		{ 10800, "3h" },
		{ 15000, "4h10m" },
		{ 28800, "8h" },
		{ 47 * 3600 + 3599, "47h" },
		{ 48 * 3600, "2d" },
		{ 51 * 3600, "2d3h" },
		{ 8 * 86400, "8d" },
		{ 45 * 86400, "45d" },
		{ 729 * 86400, "729d" },
		{ 730 * 86400, "2y" },
		{ 740 * 86400, "2y10d" },
		{ 8LL * 365 * 86400, "8y" },
		{ 9LL * 366 * 86400, "9y" },
	};
	char buf[32];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(time_human_duration(cases[i].seconds, buf, sizeof(buf)), cases[i].text);
}

static void test_parse_duration(void **state)
{
	static const struct {
		const char *text;
		int64_t us;
	} cases[] = {
		{ "0", 0 },
		{ "0s", 0 },
		{ "300ms", 300000 },
		{ "1h2m3.5s", 3723500000 },
		{ "1.5h", 5400000000 },
		{ "-2m", -120000000 },
		{ "+5s", 5000000 },
		{ "10us", 10 },
		{ "10\xc2\xb5s", 10 },
		{ "1500ns", 1 },
		{ ".5s", 500000 },
		{ "5.s", 5000000 },
		{ "1m1m", 120000000 },
	};
	static const char *const wrong[] = { "",   "5",          "s",
					     "-",  ".s",         "5 s",
					     "1d", "300000000h", "99999999999999999999s" };
	int64_t us = 7;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_true(time_parse_duration(cases[i].text, &us));
		assert_int_equal(us, cases[i].us);
	}
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_false(time_parse_duration(wrong[i], &us));
}

static void test_sums_stay_within_bounds(void **state)
{
	char text[TIMEFMT_SIZE];

	(void)state;
	assert_int_equal(time_add_s(5, 3), 3000005);
	assert_int_equal(time_add_s(5, -3), -2999995);
	assert_string_equal(time_format(time_add_s(0, INT64_MAX), text), "9999-12-31T23:59:59Z");
	assert_string_equal(time_format(time_add_s(INT64_MAX, 1), text), "9999-12-31T23:59:59Z");
	assert_string_equal(time_format(time_add_s(0, INT64_MIN), text), "0000-01-01T00:00:00Z");
	assert_int_equal(time_ms_of(30), 30000);
	assert_true(time_ms_of(INT64_MAX) > 0 && time_ms_of(INT64_MAX) < INT64_MAX / 2);
	assert_true(time_ms_of(INT64_MIN) < 0 && time_ms_of(INT64_MIN) > INT64_MIN / 2);
}

static void test_clocks_move_forward(void **state)
{
	int64_t ms = time_mono_ms(), us = time_mono_us();

	(void)state;
	assert_true(time_mono_us() >= us);
	us = time_mono_us();
	struct timespec in = time_mono_in(1999);
	assert_in_range(in.tv_nsec, 0, 999999999);
	assert_true(in.tv_sec * 1000000 + in.tv_nsec / 1000 >= us + 1999000);
	assert_true(in.tv_sec * 1000000 + in.tv_nsec / 1000 <= time_mono_us() + 1999000);
	assert_true(time_mono_ms() >= ms);
	assert_true(time_boot_ms() >= ms - 1);
	assert_true(time_now_us() > 1700000000000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_formats),
		cmocka_unit_test(test_agrees_with_libc),
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_parse_refuses),
		cmocka_unit_test(test_human_duration),
		cmocka_unit_test(test_parse_duration),
		cmocka_unit_test(test_clocks_move_forward),
		cmocka_unit_test(test_sums_stay_within_bounds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
