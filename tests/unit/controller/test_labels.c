#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "controller/labels.h"

static struct labels *of(const char *text)
{
	CLEANUP(json_putp) struct json_object *obj = NULL;

	assert_int_equal(json_parse(text, strlen(text), &obj, NULL, NULL), 0);
	return labels_intern(obj);
}

static void test_shared(void **state)
{
	CLEANUP(labels_unrefp) struct labels *a = of("{\"app\":\"web\",\"tier\":\"x\"}");
	CLEANUP(labels_unrefp) struct labels *b = of("{\"tier\":\"x\",\"app\":\"web\"}");
	CLEANUP(labels_unrefp) struct labels *c = of("{\"app\":\"web\"}");
	CLEANUP(labels_unrefp) struct labels *none = labels_intern(NULL), *empty = of("{}");

	(void)state;
	assert_ptr_equal(a, b);
	assert_ptr_not_equal(a, c);
	assert_ptr_equal(none, empty);
	assert_string_equal(labels_get(a, "tier"), "x");
	assert_null(labels_get(a, "ti"));
	assert_null(labels_get(none, "app"));
}

static struct labels *of_text(const char *text)
{
	return labels_intern_text((struct json_span){ text, strlen(text) });
}

static void test_shared_by_text(void **state)
{
	CLEANUP(labels_unrefp) struct labels *a = of_text("{\"app\":\"web\",\"tier\":\"x\"}");
	CLEANUP(labels_unrefp) struct labels *same = of_text("{\"app\":\"web\",\"tier\":\"x\"}");
	CLEANUP(labels_unrefp) struct labels *other_order = of_text("{\"tier\":\"x\",\"app\":\"web\"}");
	CLEANUP(labels_unrefp) struct labels *none = labels_intern_text((struct json_span){ 0 });
	CLEANUP(labels_unrefp) struct labels *empty = of_text("{}");

	(void)state;
	assert_ptr_equal(a, same);
	assert_ptr_equal(a, other_order);
	assert_ptr_equal(none, empty);
	assert_string_equal(labels_get(a, "tier"), "x");
}

static void test_match(void **state)
{
	static const char text[] = "{\"matchLabels\":{\"app\":\"web\"},\"matchExpressions\":[{\"key\":"
				   "\"tier\",\"operator\":\"NotIn\",\"values\":[\"db\"]}]}";
	CLEANUP(json_putp) struct json_object *obj = NULL;
	CLEANUP(selector_close) struct selector selector = { 0 };
	CLEANUP(labels_unrefp)
	struct labels *web = of("{\"app\":\"web\"}"),
		      *db = of("{\"app\":\"web\",\"tier\":\"db\"}");

	(void)state;
	json_parse(text, strlen(text), &obj, NULL, NULL);
	assert_int_equal(selector_from_json(obj, &selector, NULL), 0);
	assert_true(labels_match(web, &selector));
	assert_false(labels_match(db, &selector));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_shared),
					    cmocka_unit_test(test_shared_by_text),
					    cmocka_unit_test(test_match) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
