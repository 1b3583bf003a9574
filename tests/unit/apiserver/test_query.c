#include "apiserver/edge/query.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "lib/mem.h"

static void parameters_are_read(void **state)
{
	(void)state;
	struct query query;
	struct err err = ERR_INIT;
	assert_int_equal(query_parse("labelSelector=a%3Db%2Cc+in+%28d%29&limit=5&watch&allowWatchBookmarks=false&unknown=1"
				     "&gracePeriodSeconds=0&continue=&limit=9",
				     &query, &err),
			 0);
	assert_string_equal(query.label_selector, "a=b,c in (d)");
	assert_int_equal(query.limit, 5);
	assert_true(query.watch);
	assert_false(query.bookmarks);
	assert_true(query.has_grace_period);
	assert_int_equal(query.grace_period_s, 0);
	assert_string_equal(query.continue_, "");
	assert_null(query.field_selector);
	assert_false(query.has_tail_lines);
	query_close(&query);
}

static void nothing_is_fine(void **state)
{
	(void)state;
	static const char *const texts[] = { NULL, "", "&&", "=", "=&=", "limit", "limit=", "%", "%4", "%zz=%" };
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct query query;
		assert_int_equal(query_parse(texts[i], &query, NULL), 0);
		assert_int_equal(query.limit, 0);
		query_close(&query);
	}
}

static void numbers_must_be_numbers(void **state)
{
	(void)state;
	static const struct {
		const char *text, *message;
	} rows[] = {
		{ "limit=x", "strconv.ParseInt: parsing \"x\": invalid syntax" },
		{ "limit=+5", "strconv.ParseInt: parsing \" 5\": invalid syntax" },
		{ "timeoutSeconds=1.5", "strconv.ParseInt: parsing \"1.5\": invalid syntax" },
		{ "limit=99999999999999999999", "strconv.ParseInt: parsing \"99999999999999999999\": value out of range" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct query query;
		struct err err = ERR_INIT;
		assert_int_equal(query_parse(rows[i].text, &query, &err), -1);
		assert_int_equal(err.kind, ERR_BAD_REQUEST);
		assert_string_equal(err.msg, rows[i].message);
		query_close(&query);
	}
}

static void booleans_are_false_only_when_they_say_so(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		bool watch;
	} rows[] = { { "watch=0", false }, { "watch=False", false }, { "watch=1", true }, { "watch=maybe", true },
		     { "watch=", true },   { "watch", true },	     { "", false } };
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct query query;
		assert_int_equal(query_parse(rows[i].text, &query, NULL), 0);
		assert_int_equal(query.watch, rows[i].watch);
		query_close(&query);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(parameters_are_read),
		cmocka_unit_test(nothing_is_fine),
		cmocka_unit_test(numbers_must_be_numbers),
		cmocka_unit_test(booleans_are_false_only_when_they_say_so),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
