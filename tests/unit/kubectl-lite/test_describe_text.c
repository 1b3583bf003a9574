#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kubectl-lite/describe_text.h"

static void check(const char *text, const char *want)
{
	CLEANUP(buf_close) struct buf b = BUF_INIT;

	describe_align(&b, text);
	assert_string_equal(b.data ? b.data : "", want);
}

static void test_alignment(void **state)
{
	(void)state;
	check("", "");
	check("Name:\ta\nNamespace:\tdefault\n", "Name:       a\nNamespace:  default\n");
	/* A line without the cell parts the blocks. */
	check("A:\t1\nEvents:\n  Type\tReason\n  Normal\tPulled\n", "A:  1\nEvents:\n  Type    Reason\n  Normal  Pulled\n");
	check("a\tb\tc\naaaa\tb\n", "a     b  c\naaaa  b\n");
	check("Name\t\tCPU\nx\t\ty\n", "Name    CPU\nx       y\n");
	check("\xc3\xa4\tx\nbb\ty\n", "\xc3\xa4   x\nbb  y\n");
	check("no newline\tx", "no newline  x\n");
}

static struct json_object *parse(const char *text)
{
	struct json_object *obj = NULL;

	assert_int_equal(json_parse(text, strlen(text), &obj, NULL, NULL), 0);
	return obj;
}

static void test_annotations(void **state)
{
	CLEANUP(json_putp) struct json_object *some = parse("{\"z\":\"1\",\"a\":\"x\\ny\\n\",\"kubectl.kubernetes.io/last-applied-configuration\":\"{}\"}");
	CLEANUP(buf_close) struct buf b = BUF_INIT;

	(void)state;
	describe_annotations(&b, "Annotations", some);
	assert_string_equal(b.data, "Annotations:\ta:\n\t  x\n\t  y\n\tz: 1\n");
	buf_reset(&b);
	describe_labels(&b, "Labels", NULL);
	assert_string_equal(b.data, "Labels:\t<none>\n");
}

/* Objects come from a server: whatever is missing or of another type must not crash. */
static void test_objects_with_holes(void **state)
{
	static const char *const texts[] = {
		"{}",
		"{\"metadata\":{\"labels\":[],\"annotations\":3}}",
		"{\"metadata\":null,\"spec\":{\"containers\":[null,{\"env\":[{}],\"ports\":[null],\"args\":[null]}]}}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		CLEANUP(json_putp) struct json_object *obj = parse(texts[i]);
		CLEANUP(buf_close) struct buf b = BUF_INIT;
		struct object object = { .value = obj };
		describe_head(&b, obj);
		describe_secret(&b, &object);
		describe_namespace(&b, &object);
		assert_false(b.failed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alignment),
		cmocka_unit_test(test_annotations),
		cmocka_unit_test(test_objects_with_holes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
