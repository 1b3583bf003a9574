/* Continue tokens and versions of lists, names and ids by chance. */
#include "apiserver/list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "apiserver/chance.h"

static void tokens_come_back(void **state)
{
	(void)state;
	static const char *const keys[] = { "a", "default/web-0", "ns/\xc3\xa4\xc3\xb6>>>???", "a/b.c_d~" };
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		CLEANUP(buf_close) struct buf token = BUF_INIT;
		CLEANUP(mem_freep) char *key = NULL;
		uint64_t revision = 0;
		list_continue_write(&token, 4711 + i, keys[i]);
		assert_null(strpbrk(token.data, "+/="));
		assert_int_equal(list_continue_parse(token.data, &revision, &key, NULL), 0);
		assert_int_equal(revision, 4711 + i);
		assert_string_equal(key, keys[i]);
	}
}

static void others_are_refused(void **state)
{
	(void)state;
	/* Garbage; {}; another version; no key; a negative revision. */
	static const char *const tokens[] = { "garbage", "e30", "eyJ2IjoieCIsInJ2IjoxLCJzdGFydCI6ImEifQ", "*", "====", "",
					      "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MX0",
					      "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6LTEsInN0YXJ0IjoiYSJ9" };
	for (size_t i = 0; i < ARRAY_SIZE(tokens); i++) {
		char *key = NULL;
		uint64_t revision;
		struct err err = ERR_INIT;
		assert_int_equal(list_continue_parse(tokens[i], &revision, &key, &err), -1);
		assert_int_equal(err.kind, ERR_BAD_REQUEST);
		assert_null(key);
	}
}

static void versions_are_numbers(void **state)
{
	(void)state;
	uint64_t revision = 7;
	assert_int_equal(list_parse_revision(NULL, &revision, NULL), 0);
	assert_int_equal(revision, 0);
	assert_int_equal(list_parse_revision("18446744073709551615", &revision, NULL), 0);
	assert_true(revision == UINT64_MAX);
	assert_int_equal(list_parse_revision("18446744073709551616", &revision, NULL), -1);
	assert_int_equal(list_parse_revision("-1", &revision, NULL), -1);
	assert_int_equal(list_parse_revision("1x", &revision, NULL), -1);
}

static void chance_keeps_its_forms(void **state)
{
	(void)state;
	char a[CHANCE_UUID_SIZE], b[CHANCE_UUID_SIZE], name[6];
	for (int i = 0; i < 1000; i++) {
		chance_uuid(a);
		chance_uuid(b);
		assert_string_not_equal(a, b);
		assert_int_equal(strlen(a), 36);
		assert_int_equal(strspn(a, "0123456789abcdef-"), 36);
		assert_int_equal(a[14], '4');
		assert_non_null(strchr("89ab", a[19]));
		chance_name(name, 5);
		assert_int_equal(strspn(name, "bcdfghjklmnpqrstvwxz2456789"), 5);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(tokens_come_back),
		cmocka_unit_test(others_are_refused),
		cmocka_unit_test(versions_are_numbers),
		cmocka_unit_test(chance_keeps_its_forms),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
