#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/mem.h"
#include "lib/quantity.h"

static void test_canonical_forms(void **state)
{
	static const char *const cases[][2] = {
		{ "0", "0" },
		{ "0Ki", "0" },
		{ "-0", "0" },
		{ "1", "1" },
		{ "+1", "1" },
		{ "001", "1" },
		{ "1.", "1" },
		{ ".5", "500m" },
		{ "0.1", "100m" },
		{ "100m", "100m" },
		{ "1000m", "1" },
		{ "1500m", "1500m" },
		{ "-0.5", "-500m" },
		{ "1n", "1n" },
		{ "1u", "1u" },
		{ "1000n", "1u" },
		{ "1000000000n", "1" },
		{ "1k", "1k" },
		{ "1000", "1k" },
		{ "1M", "1M" },
		{ "1G", "1G" },
		{ "1T", "1T" },
		{ "1P", "1P" },
		{ "1E", "1E" },
		{ "1500k", "1500k" },
		{ "1.5k", "1500" },
		{ "1.5M", "1500k" },
		{ "1Ki", "1Ki" },
		{ "1024Ki", "1Mi" },
		{ "1.5Gi", "1536Mi" },
		{ "1Ti", "1Ti" },
		{ "1Pi", "1Pi" },
		{ "1Ei", "1Ei" },
		{ "0.5Ki", "512" },
		{ "62.5Ki", "64k" },
		{ "1Mi", "1Mi" },
		{ "1025Ki", "1025Ki" },
		{ "0.0001Ki", "102400u" },
		{ "1.1Ki", "1126400m" },
		{ "-1Ki", "-1Ki" },
		{ "1e3", "1e3" },
		{ "1E3", "1e3" },
		{ "1e4", "10e3" },
		{ "1e-3", "1e-3" },
		{ "1e-1", "100e-3" },
		{ "12e6", "12e6" },
		{ "5e0", "5" },
		{ "1e+3", "1e3" },
		{ "1e-10", "1e-9" },
		{ "0.0000000001", "1n" },
		{ "0.0000000019", "2n" },
		{ "-0.0000000001", "-1n" },
		{ "8Ei", "9223372036854775807" },
		{ "100Ei", "9223372036854775807" },
		{ "9223372036854775807", "9223372036854775807" },
		{ "9223372036854775808", "9223372036854775807" },
		{ "-9223372036854775809", "-9223372036854775807" },
		{ "9999E", "9999E" },
		{ "80.80200200201000019E", "9223372036854775807" },
		{ "80.8E", "80800P" },
		{ "1e100", "9223372036854775807" },
		{ "0e2000000000", "0" },
		{ "1e-2000000000", "1e-9" },
		{ "123456789012345678901234567890", "9223372036854775807" },
		{ "4Gi", "4Gi" },
		{ "3000Mi", "3000Mi" },
		{ "128974848", "128974848" },
		{ "129e6", "129e6" },
		{ "123Mi", "123Mi" },
		{ "250m", "250m" },
		{ "2", "2" },
		{ "0.000001", "1u" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char buf[QUANTITY_SIZE];
		struct quantity q;

		if (!quantity_parse(cases[i][0], &q))
			fail_msg("%s is refused", cases[i][0]);
		if (strcmp(quantity_format(&q, buf), cases[i][1]) != 0)
			fail_msg("%s gives %s", cases[i][0], buf);
	}
}

static void test_canonical_forms_are_fixed_points(void **state)
{
	static const char *const suffixes[] = { "n", "u",  "m",  "",   "k",  "M",  "G",  "T",  "P",
						"E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei", "e6", "e-6" };
	static const char *const numbers[] = { "1", "7", "1.5", "999", "1024", "0.001", "123456" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		for (size_t n = 0; n < ARRAY_SIZE(numbers); n++) {
			CLEANUP(mem_freep) char *text = mem_printf("%s%s", numbers[n], suffixes[i]);
			char once[QUANTITY_SIZE], twice[QUANTITY_SIZE];
			struct quantity q, again;

			assert_true(quantity_parse(text, &q));
			quantity_format(&q, once);
			assert_true(quantity_parse(once, &again));
			assert_string_equal(quantity_format(&again, twice), once);
			assert_int_equal(quantity_cmp(&q, &again), 0);
		}
	}
}

static void test_refused(void **state)
{
	static const char *const wrong[] = { "",     " ",    "a",    "1 ",           " 1",  "1K",    "1ki",
					     "1KI",  "1mi",  "1e",   "1e3.5",        "1e+", "1.2.3", "--1",
					     "+-1",  "1Kii", "1kk",  "e3",           "+",   "-",     "1,5",
					     "0x10", "1i",   "1Mi3", "1e99999999999" };
	struct quantity q = { .nano = 7 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		if (quantity_parse(wrong[i], &q))
			fail_msg("%s is taken", wrong[i]);
	assert_false(quantity_parse(NULL, &q));
	assert_true(q.nano == 7);
}

static void test_rounding_is_upward(void **state)
{
	(void)state;
	assert_int_equal(quantity_milli_of("100m"), 100);
	assert_int_equal(quantity_milli_of("1u"), 1);
	assert_int_equal(quantity_milli_of("0.5"), 500);
	assert_int_equal(quantity_value_of("1m"), 1);
	assert_int_equal(quantity_value_of("1.5Gi"), 1610612736);
	assert_int_equal(quantity_value_of("-1500m"), -2);
	assert_int_equal(quantity_milli_of("8Ei"), INT64_MAX);
	assert_int_equal(quantity_value_of("9999E"), INT64_MAX);
	assert_int_equal(quantity_value_of("nonsense"), 0);
	assert_int_equal(quantity_milli_of(NULL), 0);
}

static void test_comparison_across_formats(void **state)
{
	struct quantity a, b;

	(void)state;
	assert_true(quantity_parse("1024", &a) && quantity_parse("1Ki", &b));
	assert_int_equal(quantity_cmp(&a, &b), 0);
	assert_true(quantity_parse("1000m", &a) && quantity_parse("1.001", &b));
	assert_true(quantity_cmp(&a, &b) < 0 && quantity_cmp(&b, &a) > 0);
}

static void test_made_from_numbers(void **state)
{
	struct quantity bytes = quantity_of_value(3 << 20, QUANTITY_BINARY_SI), cpu = quantity_of_milli(2500);
	struct quantity most = quantity_of_value(INT64_MAX, QUANTITY_DECIMAL_SI),
			least = quantity_of_value(INT64_MIN, QUANTITY_BINARY_SI);
	char buf[QUANTITY_SIZE];

	(void)state;
	assert_string_equal(quantity_format(&bytes, buf), "3Mi");
	assert_string_equal(quantity_format(&cpu, buf), "2500m");
	assert_string_equal(quantity_format(&most, buf), "9223372036854775807");
	assert_string_equal(quantity_format(&least, buf), "-8Ei");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_canonical_forms),
		cmocka_unit_test(test_canonical_forms_are_fixed_points),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_rounding_is_upward),
		cmocka_unit_test(test_comparison_across_formats),
		cmocka_unit_test(test_made_from_numbers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
