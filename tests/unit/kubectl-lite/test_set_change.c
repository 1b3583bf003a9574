#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kubectl-lite/set_change.h"

static void check_split(size_t want, size_t n, ...)
{
	char *words[8];
	size_t n_objects = 99;
	va_list ap;

	va_start(ap, n);
	for (size_t i = 0; i < n; i++)
		words[i] = va_arg(ap, char *);
	va_end(ap);
	assert_int_equal(set_split(words, n, "image", &n_objects, NULL), 0);
	assert_int_equal(n_objects, want);
}

static void test_split(void **state)
{
	char *mixed[] = { (char[]){ "pod" }, (char[]){ "a=b" }, (char[]){ "c" } };
	struct err err = ERR_INIT;
	size_t n = 0;

	(void)state;
	check_split(2, 3, "deployment", "web", "a=b");
	check_split(1, 3, "deployment/web", "OLD-", "a=b");
	check_split(2, 2, "deployment", "web");
	check_split(0, 0);
	/* No key, no change. */
	check_split(2, 2, "=x", "-");
	assert_int_equal(set_split(mixed, 3, "image", &n, &err), -1);
	assert_string_equal(err.msg, "all resources must be specified before image changes: c");
}

static void test_matches(void **state)
{
	(void)state;
	assert_true(set_matches("*", "any"));
	assert_true(set_matches("we*", "web"));
	assert_true(set_matches("web", "web"));
	assert_false(set_matches("we", "web"));
	assert_false(set_matches("we?", "web"));
	assert_false(set_matches("x*", "web"));
}

static void check_pod_spec(const char *api_version, const char *kind, const char *text, const char *want)
{
	struct object object = { .resource = resource_find_kind(api_version, kind), .name = (char[]){ "x" } };
	struct json_object *obj = NULL, *spec;
	struct err err = ERR_INIT;

	assert_int_equal(json_parse(text, strlen(text), &obj, NULL, NULL), 0);
	spec = set_pod_spec(&object, obj, &err);
	if (spec)
		assert_string_equal(json_str_or_empty(spec, "hostname"), want);
	else
		assert_string_equal(err.msg, want);
	json_object_put(obj);
}

static void test_pod_spec(void **state)
{
	(void)state;
	check_pod_spec("v1", "Pod", "{\"spec\":{\"hostname\":\"a\"}}", "a");
	check_pod_spec("apps/v1", "StatefulSet", "{\"spec\":{\"template\":{\"spec\":{\"hostname\":\"b\"}}}}",
		       "b");
	check_pod_spec(
	    "batch/v1", "CronJob",
	    "{\"spec\":{\"jobTemplate\":{\"spec\":{\"template\":{\"spec\":{\"hostname\":\"c\"}}}}}}", "c");
	check_pod_spec("v1", "Service", "{}",
		       "services/x the object is not a pod or does not have a pod template: *v1.Service");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_matches),
		cmocka_unit_test(test_pod_spec),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
