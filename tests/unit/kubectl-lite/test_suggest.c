#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kubectl-lite/suggest.h"
#include "lib/mem.h"

static const char *near(const char *typed)
{
	static const char *const words[] = { "apply", "delete",       "describe", "rollout",
					     "pods",  "podtemplates", NULL };
	static struct suggestion s;

	s = suggest_for(typed);
	suggest_offer(&s, NULL);
	for (size_t i = 0; words[i]; i++)
		suggest_offer(&s, words[i]);
	return s.near;
}

static void test_slips(void **state)
{
	static const char *const cases[][2] = {
		{ "aply", "apply" },
		{ "descirbe", "describe" },
		{ "pdos", "pods" },
		{ "Pdos", "pods" },
		{ "pod", "pods" },
		{ "roolout", "rollout" },
		{ "poodtemplaets", "podtemplates" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(near(cases[i][0]), cases[i][1]);
}

static void test_nothing_near(void **state)
{
	static const char *const cases[] = { "", "zz", "po", "explode-everything", "pxyz", "widgets" };
	char long_word[300] = "";

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(near(cases[i]), "");
	memset(long_word, 'a', sizeof(long_word) - 1);
	assert_string_equal(near(long_word), "");
	struct suggestion s = suggest_for("aaaa");
	suggest_offer(&s, long_word);
	assert_string_equal(s.near, "");
}

static void test_behind_an_error(void **state)
{
	struct err err = ERR_INIT;
	struct suggestion s = suggest_for("aply");

	(void)state;
	err_set(&err, ERR_PARSE, "no \"aply\"");
	suggest_add(&s, &err);
	assert_string_equal(err.msg, "no \"aply\"");
	suggest_offer(&s, "apply");
	assert_int_equal(suggest_add(&s, &err), -1);
	assert_string_equal(err.msg, "no \"aply\"\n\nDid you mean this?\n\tapply");
	assert_int_equal(err.kind, ERR_PARSE);
	suggest_add(&s, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slips),
		cmocka_unit_test(test_nothing_near),
		cmocka_unit_test(test_behind_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
