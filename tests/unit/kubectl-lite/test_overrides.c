#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/resource.h"
#include "kubectl-lite/overrides.h"
#include "lib/buf.h"

static const char pod[] = "{\"spec\":{\"containers\":[{\"name\":\"a\",\"image\":\"i\"}]}}";

static int apply(const char *text, const char *type, struct buf *ret, struct err *err)
{
	struct overrides_flags overrides = { text, type };
	struct json_object *obj = NULL;

	assert_int_equal(json_parse(pod, strlen(pod), &obj, NULL, NULL), 0);
	int failed = overrides_apply(&overrides, resource_find("", "v1", "pods")->def, &obj, err);
	json_write(ret, obj);
	json_object_put(obj);
	return failed;
}

static void check(const char *text, const char *type, const char *want)
{
	CLEANUP(buf_close) struct buf shown = BUF_INIT;

	assert_int_equal(apply(text, type, &shown, NULL), 0);
	assert_string_equal(shown.data, want);
}

static void check_refused(const char *text, const char *type, const char *why)
{
	CLEANUP(buf_close) struct buf shown = BUF_INIT;
	struct err err = ERR_INIT;

	assert_int_equal(apply(text, type, &shown, &err), -1);
	assert_non_null(strstr(err.msg, why));
	assert_string_equal(shown.data, pod);
}

static void test_types(void **state)
{
	(void)state;
	check(NULL, NULL, pod);
	check("{\"spec\":{\"hostname\":\"h\"}}", NULL,
	      "{\"spec\":{\"containers\":[{\"name\":\"a\",\"image\":\"i\"}],\"hostname\":\"h\"}}");
	/* A merge replaces lists, a strategic one knows whose elements are the same. */
	check("{\"spec\":{\"containers\":[{\"name\":\"a\",\"tty\":true}]}}", "merge",
	      "{\"spec\":{\"containers\":[{\"name\":\"a\",\"tty\":true}]}}");
	check("{\"spec\":{\"containers\":[{\"name\":\"a\",\"tty\":true}]}}", "strategic",
	      "{\"spec\":{\"containers\":[{\"name\":\"a\",\"image\":\"i\",\"tty\":true}]}}");
	check("[{\"op\":\"remove\",\"path\":\"/spec/containers/0/image\"}]", "json",
	      "{\"spec\":{\"containers\":[{\"name\":\"a\"}]}}");
}

static void test_refused(void **state)
{
	(void)state;
	check_refused("{}", "odd", "invalid override type: odd");
	check_refused("", NULL, "Invalid JSON Patch");
	check_refused("x", NULL, "Invalid JSON Patch");
	check_refused("[{\"op\":\"remove\",\"path\":\"/none\"}]", "json", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
