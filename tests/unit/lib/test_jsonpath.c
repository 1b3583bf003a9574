#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/jsonpath.h"

static const char text[] =
	"{\"kind\":\"List\",\"items\":["
	"{\"metadata\":{\"name\":\"a\",\"labels\":{\"app.io/x\":\"1\"}},\"n\":1,\"ready\":true},"
	"{\"metadata\":{\"name\":\"b\"},\"n\":2,\"spec\":{\"image\":\"i1\"}},"
	"{\"metadata\":{\"name\":\"c\"},\"n\":3.5,\"spec\":{\"image\":\"i2\"}}]}";

static struct json_object *doc;

static int setup(void **state)
{
	(void)state;
	return json_parse(text, sizeof(text) - 1, &doc, NULL, NULL);
}

static int teardown(void **state)
{
	(void)state;
	json_putp(&doc);
	return 0;
}

static void test_values(void **state)
{
	static const struct {
		const char *template, *want;
	} cases[] = {
		{ "plain", "plain" },
		{ "{.kind}", "List" },
		{ "{$.kind} {@.kind}", "List List" },
		{ "{.items[*].metadata.name}", "a b c" },
		{ "{.items[0].metadata.name}", "a" },
		{ "{.items[-1].metadata.name}", "c" },
		{ "{.items[0:2].metadata.name}", "a b" },
		{ "{.items[-2:].metadata.name}", "b c" },
		{ "{.items[0:3:2].metadata.name}", "a c" },
		{ "{.items[0,2].metadata.name}", "a c" },
		{ "{.items[5:9].n}", "" },
		{ "{.items[0].metadata['name']}", "a" },
		{ "{.items[0].metadata['name','labels']}", "a {\"app.io/x\":\"1\"}" },
		{ "{.items[0].metadata.labels.app\\.io/x}", "1" },
		{ "{..image}", "i1 i2" },
		{ "{.items[*].n}", "1 2 3.5" },
		{ "{.items[?(@.metadata.name==\"b\")].n}", "2" },
		{ "{.items[?(@.n>1)].metadata.name}", "b c" },
		{ "{.items[?(@.n<=2)].metadata.name}", "a b" },
		{ "{.items[?(@.metadata.name!='b')].metadata.name}", "a c" },
		{ "{.items[?(@.spec)].metadata.name}", "b c" },
		{ "{.items[?(@.ready==true)].metadata.name}", "a" },
		{ "{range .items[*]}{.metadata.name}={.n}{\"\\n\"}{end}.", "a=1\nb=2\nc=3.5\n." },
		{ "{range .items[*]}{.metadata.name}", "abc" },
		{ "{range .items[0:1]}{range .metadata.*}[{@}]{end}{end}", "[a][{\"app.io/x\":\"1\"}]" },
		{ "{.nothing.at.all}", "" },
		{ "{.kind.deeper}", "" },
		{ "", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(buf_close) struct buf b = BUF_INIT;
		struct jsonpath *path = NULL;
		struct err err = ERR_INIT;
		if (jsonpath_parse(cases[i].template, &path, &err) < 0 || jsonpath_write(path, doc, false, &b, &err) < 0)
			fail_msg("%s: %s", cases[i].template, err.msg);
		assert_string_equal(b.data ? b.data : "", cases[i].want);
		jsonpath_free(path);
	}
}

static void test_refused(void **state)
{
	static const char *const bad[] = { "{.a",   "{.a[}",     "{.a[x]}",    "{.a[0:1:0]}", "{end}", "{.a[?(@.b==)]}", "{.a['b]}",
					   "{\"x}", "{.a[?(@.b}", "{.a[?(@ ~ 1)]}", "{range}",     "{x}",   "{.a[99999999999999999999]}" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct jsonpath *path = NULL;
		struct err err = ERR_INIT;
		if (jsonpath_parse(bad[i], &path, &err) == 0)
			fail_msg("%s was taken", bad[i]);
		assert_int_not_equal(err.kind, ERR_NONE);
	}
}

static int write_one(const char *template, bool strict, struct err *err)
{
	CLEANUP(buf_close) struct buf b = BUF_INIT;
	struct jsonpath *path = NULL;

	assert_int_equal(jsonpath_parse(template, &path, err), 0);
	int failed = jsonpath_write(path, doc, strict, &b, err);
	jsonpath_free(path);
	return failed;
}

static void test_absent(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(write_one("{.nothing}", true, &err), -1);
	assert_int_equal(err.kind, ERR_NOT_FOUND);
	err = ERR_INIT;
	assert_int_equal(write_one("{.items[3]}", false, &err), -1);
	assert_string_equal(err.msg, "array index out of bounds: index 3, length 3");
	/* Each .. multiplies: a short text must not cost all memory. */
	assert_int_equal(write_one("{..*..*..*..*..*..*..*..*..*..*..*..*..*..*}", false, NULL), 0);
}

static void test_relaxed(void **state)
{
	static const char *const same[] = { "kind", ".kind", "{.kind}", "{kind}", "$.kind" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(same); i++) {
		struct jsonpath *path = NULL;
		struct err err = ERR_INIT;
		int failed = jsonpath_parse_relaxed(same[i], &path, &err);
		if (i == 3) {
			assert_int_equal(failed, -1);
			continue;
		}
		assert_int_equal(failed, 0);
		assert_string_equal(json_object_get_string(jsonpath_first(path, doc)), "List");
		jsonpath_free(path);
	}
	assert_int_equal(jsonpath_parse_relaxed("{.a}{.b}", &(struct jsonpath *){ NULL }, NULL), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_absent),
		cmocka_unit_test(test_relaxed),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
