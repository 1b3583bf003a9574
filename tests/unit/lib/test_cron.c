#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/cron.h"
#include "lib/mem.h"

static void test_fields(void **state)
{
	struct cron_schedule s;

	(void)state;
	assert_int_equal(cron_parse("*/15 0,12 1-3 jan-Mar sun", &s, NULL), 0);
	assert_true(s.minutes == (1ull << 0 | 1ull << 15 | 1ull << 30 | 1ull << 45));
	assert_true(s.hours == (1ull << 0 | 1ull << 12));
	assert_true(s.days == 0xe);
	assert_true(s.months == 0xe);
	assert_true(s.weekdays == 1);
	assert_false(s.any_day);
	assert_false(s.any_weekday);
	assert_int_equal(s.every_us, 0);
}

static void test_any(void **state)
{
	struct cron_schedule s;

	(void)state;
	assert_int_equal(cron_parse("  5/20\t* ? * * ", &s, NULL), 0);
	assert_true(s.minutes == (1ull << 5 | 1ull << 25 | 1ull << 45));
	assert_true(s.hours == (1ull << 24) - 1);
	assert_true(s.any_day);
	assert_true(s.any_weekday);
	assert_int_equal(cron_parse("* * */2 * */1", &s, NULL), 0);
	assert_false(s.any_day);
	assert_true(s.any_weekday);
}

static void test_descriptors(void **state)
{
	struct cron_schedule s;

	(void)state;
	assert_int_equal(cron_parse("@weekly", &s, NULL), 0);
	assert_true(s.minutes == 1 && s.hours == 1 && s.weekdays == 1 && s.any_day);
	assert_int_equal(cron_parse("@every 1h30m", &s, NULL), 0);
	assert_true(s.every_us == INT64_C(5400000000));
	assert_int_equal(cron_parse("CRON_TZ=Europe/Paris @daily", &s, NULL), 0);
	assert_true(s.hours == 1);
}

static void test_faults(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ "", "empty spec string" },
		{ "x y", "expected exactly 5 fields, found 2: [x y]" },
		{ "* * * * * *", "expected exactly 5 fields, found 6: [* * * * * *]" },
		{ "60 * * * *", "end of range (60) above maximum (59): 60" },
		{ "* * 0 * *", "beginning of range (0) below minimum (1): 0" },
		{ "* * * * 7", "end of range (7) above maximum (6): 7" },
		{ "5-1 * * * *", "beginning of range (5) beyond end of range (1): 5-1" },
		{ "*/0 * * * *", "step of range should be a positive number: */0" },
		{ "1/2/3 * * * *", "too many slashes: 1/2/3" },
		{ "1-2-3 * * * *", "too many hyphens: 1-2-3" },
		{ "a * * * *", "failed to parse int from a: strconv.Atoi: parsing \"a\": invalid syntax" },
		{ "@nope", "unrecognized descriptor: @nope" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err err = ERR_INIT;

		assert_int_equal(cron_parse(cases[i].text, NULL, &err), -1);
		assert_string_equal(err.msg, cases[i].message);
		assert_int_equal(err.kind, ERR_PARSE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_any),
		cmocka_unit_test(test_descriptors),
		cmocka_unit_test(test_faults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
