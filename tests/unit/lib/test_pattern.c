#include "lib/pattern.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/mem.h"

static const struct {
	const char *pattern, *text;
	bool matches;
} matches[] = {
	{ "", "", true },
	{ "", "abc", true },
	{ "b", "abc", true },
	{ "^b", "abc", false },
	{ "^a.c$", "abc", true },
	{ "^a.c$", "a\nc", false },
	{ "(?s)^a.c$", "a\nc", true },
	{ "^a$", "a\n", false },
	{ "(?m)^b$", "a\nb\nc", true },
	{ "^[a-z]+$", "abc", true },
	{ "^[a-z]+$", "abC", false },
	{ "(?i)^[a-z]+$", "abC", true },
	{ "(?i:A)b", "ab", true },
	{ "(?i:A)b", "aB", false },
	{ "^[^a-z]+$", "ABC", true },
	{ "^[]a]+$", "]a]", true },
	{ "^[a-]+$", "a-", true },
	{ "^[[:alpha:]_]+$", "a_Z", true },
	{ "^[[:^alpha:]]+$", "a", false },
	{ "^\\d+(\\.\\d+)?$", "10.25", true },
	{ "^\\d+(\\.\\d+)?$", "10.", false },
	{ "^[\\d\\s]+$", "1 2", true },
	{ "^\\w+\\W\\w+$", "ab-c", true },
	{ "\\bfoo\\b", "a foo b", true },
	{ "\\bfoo\\b", "afoo", false },
	{ "^a{3}$", "aaa", true },
	{ "^a{3}$", "aa", false },
	{ "^a{2,}$", "aaaa", true },
	{ "^a{2,}$", "a", false },
	{ "^a{0,2}$", "aa", true },
	{ "^a{0,2}$", "aaa", false },
	{ "^a{,2}$", "a{,2}", true },
	{ "^(a|b|cd)*$", "acdb", true },
	{ "^(a|b|cd)*$", "acb", false },
	{ "^(?:a*)*$", "aaaa", true },
	{ "^(a*)+$", "b", false },
	{ "^a+?b??$", "aa", true },
	{ "^\\Qa.b\\E$", "a.b", true },
	{ "^\\Qa.b\\E$", "axb", false },
	{ "^\\x41\\x{e9}\\n$", "A\xc3\xa9\n", true },
	{ "^.$", "\xc3\xa9", true },
	{ "^..$", "\xc3\xa9", false },
	{ "^[\xc3\xa0-\xc3\xbf]$", "\xc3\xa9", true },
	{ "^(?P<year>\\d{4})$", "2024", true },
	{ "^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$", "a-b.c", true },
	{ "^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$", "a-.c", false },
	{ "^(\\*|[0-9]+)(\\s+(\\*|[0-9]+)){4}$", "* * 1 * 5", true },
};

static void test_matches(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(matches); i++) {
		struct pattern *pattern = NULL;
		struct err err = ERR_INIT;

		if (pattern_parse(matches[i].pattern, &pattern, &err) < 0)
			fail_msg("%s: %s", matches[i].pattern, err.msg);
		if (pattern_matches(pattern, matches[i].text, strlen(matches[i].text)) != matches[i].matches)
			fail_msg("%s on %s: not %d", matches[i].pattern, matches[i].text, matches[i].matches);
		pattern_free(pattern);
	}
}

static const struct {
	const char *pattern, *error;
} refused[] = {
	{ "(a", "error parsing regexp: missing closing ): `(a`" },
	{ "a)", "error parsing regexp: unexpected ): `a)`" },
	{ "*a", "error parsing regexp: missing argument to repetition operator: `*`" },
	{ "a**", "error parsing regexp: invalid nested repetition operator: `**`" },
	{ "a{2,1}", "error parsing regexp: invalid repeat count: `{2,1}`" },
	{ "a{1001}", "error parsing regexp: invalid repeat count: `{1001}`" },
	{ "[a", "error parsing regexp: missing closing ]: `[a`" },
	{ "[b-a]", "error parsing regexp: invalid character class range: `b-a`" },
	{ "[[:nope:]]", "error parsing regexp: invalid character class range: `[:nope:]`" },
	{ "a\\", "error parsing regexp: trailing backslash at end of expression: ``" },
	{ "(a)\\1", "error parsing regexp: invalid escape sequence: `\\1`" },
	{ "(?=a)", "error parsing regexp: invalid or unsupported Perl syntax: `(?=`" },
	{ "(?<=a)b", "error parsing regexp: invalid or unsupported Perl syntax: `(?<`" },
	{ "(?P<n>a", "error parsing regexp: missing closing ): `(?P<n>a`" },
	{ "(?P<n!>a)", "error parsing regexp: invalid named capture: `(?P<n!>a)`" },
	{ "((a{1000}){1000}){1000}",
	  "error parsing regexp: expression too large: `((a{1000}){1000}){1000}`" },
	/* Nothing, very often. */
	{ "((((){1000}){1000}){1000}){1000}",
	  "error parsing regexp: expression too large: `((((){1000}){1000}){1000}){1000}`" },
};

static void test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		struct pattern *pattern = NULL;
		struct err err = ERR_INIT;

		assert_int_equal(pattern_parse(refused[i].pattern, &pattern, &err), -1);
		assert_null(pattern);
		assert_string_equal(err.msg, refused[i].error);
	}
}

/* What takes a backtracking matcher longer than the universe has been there. */
static void test_hostile(void **state)
{
	static const char *const patterns[] = { "^(a+)+$", "^(a|aa)+$", "^(a?){500}a{500}$",
						"(.*)(.*)(.*)(.*)(.*)x$" };
	char text[2001];

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '!';
	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
		struct pattern *pattern = NULL;

		assert_int_equal(pattern_parse(patterns[i], &pattern, NULL), 0);
		assert_false(pattern_matches(pattern, text, sizeof(text)));
		pattern_free(pattern);
	}
}

/* Both at their largest: it ends, and a text that is not looked at to its end does not match. */
static void test_bounded(void **state)
{
	const size_t len = 3 << 20;
	char *text = mem_alloc(len);
	struct pattern *pattern = NULL;

	(void)state;
	memset(text, 'a', len);
	text[len - 1] = 'x';
	assert_int_equal(pattern_parse("(a?){1000}(a?){1000}(a?){1000}(a?){1000}x", &pattern, NULL), 0);
	assert_false(pattern_matches(pattern, text, len));
	assert_true(pattern_matches(pattern, text + len - 100, 100));
	pattern_free(pattern);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_matches),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
