#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kubectl-lite/session.h"
#include "kubectl-lite/target.h"
#include "lib/mem.h"

static int parse(struct target **ret, size_t *ret_n, struct err *err, size_t n, ...)
{
	static char *words[8];
	va_list ap;

	va_start(ap, n);
	for (size_t i = 0; i < n; i++)
		words[i] = va_arg(ap, char *);
	va_end(ap);
	*err = ERR_INIT;
	return targets_parse(words, n, ret, ret_n, err);
}

static void test_forms(void **state)
{
	struct target *t;
	struct err err;
	char text[64];
	size_t n;

	(void)state;
	assert_int_equal(parse(&t, &n, &err, 1, "po"), 0);
	assert_int_equal(n, 1);
	assert_string_equal(t[0].resource->plural, "pods");
	assert_null(t[0].name);
	free(t);
	assert_int_equal(parse(&t, &n, &err, 3, "deploy", "a", "b"), 0);
	assert_int_equal(n, 2);
	assert_string_equal(t[1].name, "b");
	assert_string_equal(target_text(t[1].resource, "b", text, sizeof(text)), "deployment.apps/b");
	free(t);
	assert_int_equal(parse(&t, &n, &err, 2, "deployments.apps/a", "svc/b"), 0);
	assert_int_equal(n, 2);
	assert_string_equal(t[1].resource->plural, "services");
	assert_string_equal(target_text(t[1].resource, "b", text, sizeof(text)), "service/b");
	free(t);
	assert_int_equal(parse(&t, &n, &err, 1, "pods,svc"), 0);
	assert_int_equal(n, 2);
	free(t);
	assert_int_equal(parse(&t, &n, &err, 1, "all"), 0);
	assert_true(n >= 4);
	/* Each type once, whatever its versions. */
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(t[i].resource->qualified, t[k].resource->qualified);
	free(t);
}

static void test_refused(void **state)
{
	struct target *t;
	struct err err;
	size_t n;

	(void)state;
	assert_int_equal(parse(&t, &n, &err, 1, "deploymnt"), -1);
	assert_string_equal(
	    err.msg,
	    "the server doesn't have a resource type \"deploymnt\"\n\nDid you mean this?\n\tdeployment");
	assert_int_equal(parse(&t, &n, &err, 2, "po/a", "b"), -1);
	assert_int_equal(parse(&t, &n, &err, 2, "po", "po/b"), -1);
	assert_int_equal(parse(&t, &n, &err, 1, "po/a/b"), -1);
	assert_int_equal(parse(&t, &n, &err, 1, "po/"), -1);
	assert_int_equal(parse(&t, &n, &err, 1, ""), -1);
}

int main(void)
{
	session_offline(); /* no server is asked for types that are not linked in */
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
