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
		list_continue_write(&token, 4711 + (int64_t)i, keys[i]);
		assert_null(strpbrk(token.data, "+/="));
		assert_int_equal(list_continue_parse(token.data, &revision, &key, NULL), 0);
		assert_int_equal(revision, 4711 + i);
		assert_string_equal(key, keys[i]);
	}
}

static void others_are_refused(void **state)
{
	(void)state;
#define INVALID "invalid continue token: continue key is not valid"
	static const struct {
		const char *token, *message;
	} rows[] = {
		{ "garbage", INVALID ": invalid character '\\u0081' looking for beginning of value" },
		{ "", INVALID ": unexpected end of JSON input" },
		{ "*", INVALID ": illegal base64 data at input byte 0" },
		{ "eyJ2=", INVALID ": illegal base64 data at input byte 4" },
		{ "e30", INVALID ": server does not recognize this encoded version " },
		/* Version x; no key; a negative revision; a key that leads out. */
		{ "eyJ2IjoieCIsInJ2IjoxLCJzdGFydCI6ImEifQ",
		  INVALID ": server does not recognize this encoded version x" },
		{ "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MX0",
		  INVALID ": encoded start key empty (version meta.k8s.io/v1)" },
		{ "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6LTIsInN0YXJ0IjoiYSJ9",
		  INVALID ": incorrect encoded start resourceVersion (version meta.k8s.io/v1)" },
		{ "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MSwic3RhcnQiOiIvYSJ9", INVALID ": /a" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char *key = NULL;
		uint64_t revision;
		struct err err = ERR_INIT;
		assert_int_equal(list_continue_parse(rows[i].token, &revision, &key, &err), -1);
		assert_int_equal(err.kind, ERR_BAD_REQUEST);
		assert_string_equal(err.msg, rows[i].message);
		assert_null(key);
	}
}

/* What the answer to an expired token offers. */
static void a_token_may_go_on_in_what_there_is(void **state)
{
	(void)state;
	CLEANUP(buf_close) struct buf token = BUF_INIT;
	CLEANUP(mem_freep) char *key = NULL;
	uint64_t revision = 7;
	list_continue_write(&token, LIST_CONTINUE_NOW, "a/b");
	assert_int_equal(list_continue_parse(token.data, &revision, &key, NULL), 0);
	assert_int_equal(revision, 0);
	assert_string_equal(key, "a/b");
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
		cmocka_unit_test(a_token_may_go_on_in_what_there_is),
		cmocka_unit_test(versions_are_numbers),
		cmocka_unit_test(chance_keeps_its_forms),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
