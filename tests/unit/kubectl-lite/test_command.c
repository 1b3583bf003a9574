#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kubectl-lite/command.h"

static struct {
	bool all, wide;
	const char *name;
	int64_t count, wait_us;
	struct string_list files, pairs;
} flags;

static const struct flag test_flags[] = {
	{ "all", 'A', FLAG_BOOL, &flags.all, NULL, "", NULL, NULL },
	{ "wide", 'w', FLAG_BOOL, &flags.wide, NULL, "", NULL, NULL },
	{ "name", 'o', FLAG_STRING, &flags.name, "NAME", "", NULL, NULL },
	{ "count", 0, FLAG_INT, &flags.count, "N", "", NULL, NULL },
	{ "wait", 0, FLAG_DURATION, &flags.wait_us, "TIME", "", NULL, NULL },
	{ "file", 'f', FLAG_LIST, &flags.files, "FILE", "", NULL, NULL },
	{ "pair", 0, FLAG_ARRAY, &flags.pairs, "A=B", "", NULL, NULL },
	{ "bare", 0, FLAG_STRING, &flags.name, "X", "", "said", NULL },
	{ 0 },
};

static const struct command command = {
	.name = "test", .about = "Test", .usage = "test", .flags = test_flags
};

/* Values of a list live as long as the program; here it is a test. */
static void free_list(struct string_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free((void *)(uintptr_t)list->items[i]);
	free(list->items);
}

static void free_files(void)
{
	free_list(&flags.files);
	free_list(&flags.pairs);
	memset(&flags, 0, sizeof(flags));
}

static void parse(char ***ret_args, size_t *ret_n, size_t n, ...)
{
	static char *words[16];
	va_list ap;

	free_files();
	va_start(ap, n);
	for (size_t i = 0; i < n; i++)
		words[i] = va_arg(ap, char *);
	va_end(ap);
	command_parse(&command, "test", (int)n, words, ret_args, ret_n);
}

static void test_forms(void **state)
{
	char **args;
	size_t n;

	(void)state;
	parse(&args, &n, 7, "pods", "--name=x", "a", "-Aw", "--count", "-3", "b");
	assert_int_equal(n, 3);
	assert_string_equal(args[0], "pods");
	assert_string_equal(args[2], "b");
	assert_string_equal(flags.name, "x");
	assert_true(flags.all && flags.wide);
	assert_int_equal(flags.count, -3);
	free(args);
	parse(&args, &n, 5, "-ojson", "--all=false", "--", "--name", "-x");
	assert_string_equal(flags.name, "json");
	assert_false(flags.all);
	assert_int_equal(n, 2);
	assert_string_equal(args[1], "-x");
	free(args);
	parse(&args, &n, 3, "-o=yaml", "-f", "-");
	assert_string_equal(flags.name, "yaml");
	assert_int_equal(n, 0);
	assert_string_equal(flags.files.items[0], "-");
	free(args);
	free_files();
}

static void test_lists(void **state)
{
	char **args;
	size_t n;

	(void)state;
	parse(&args, &n, 4, "--file=a,b", "-fc", "--pair", "k=a,b");
	assert_int_equal(flags.files.n, 3);
	assert_string_equal(flags.files.items[1], "b");
	assert_int_equal(flags.pairs.n, 1);
	assert_string_equal(flags.pairs.items[0], "k=a,b");
	free(args);
	free_files();
}

/* What stands behind "--" is counted apart. */
static void test_dashes(void **state)
{
	char **args;
	size_t n;

	(void)state;
	parse(&args, &n, 5, "name", "--", "sh", "-c", "x");
	assert_int_equal(n, 4);
	assert_int_equal(command_n_before_dashes(), 1);
	free(args);
	parse(&args, &n, 2, "name", "sh");
	assert_int_equal(command_n_before_dashes(), 2);
	free(args);
	parse(&args, &n, 1, "--");
	assert_int_equal(command_n_before_dashes(), 0);
	free(args);
	free_files();
}

static void test_values(void **state)
{
	char **args;
	size_t n;

	(void)state;
	parse(&args, &n, 4, "--wait", "1m30s", "-fa,b", "--file=c");
	assert_int_equal(flags.wait_us, 90 * 1000000);
	assert_int_equal(flags.files.n, 3);
	assert_string_equal(flags.files.items[1], "b");
	free(args);
	parse(&args, &n, 2, "--wait=5", "--bare");
	assert_int_equal(flags.wait_us, 5 * 1000000);
	assert_string_equal(flags.name, "said");
	free(args);
	free_files();
}

static void test_words_before_a_command(void **state)
{
	(void)state;
	assert_int_equal(command_flag_takes_word(test_flags, "--name"), 1);
	assert_int_equal(command_flag_takes_word(test_flags, "--name=x"), 0);
	assert_int_equal(command_flag_takes_word(test_flags, "-o"), 1);
	assert_int_equal(command_flag_takes_word(test_flags, "-ox"), 0);
	assert_int_equal(command_flag_takes_word(test_flags, "--all"), 0);
	assert_int_equal(command_flag_takes_word(test_flags, "--bare"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_dashes),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_words_before_a_command),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
