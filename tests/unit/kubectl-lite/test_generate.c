#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kubectl-lite/generate.h"

static void assert_json(struct json_object *value_taken, const char *want)
{
	struct buf text = BUF_INIT;

	json_write(&text, value_taken);
	assert_string_equal(text.data, want);
	buf_close(&text);
	json_object_put(value_taken);
}

static void check_selector(const char *text, const char *want)
{
	struct json_object *selector = NULL;

	assert_int_equal(generate_label_selector(text, &selector, NULL), 0);
	assert_json(selector, want);
}

static void check_no_selector(const char *text, const char *why)
{
	struct json_object *selector = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(generate_label_selector(text, &selector, &err), -1);
	assert_string_equal(err.msg, why);
}

static void test_label_selector(void **state)
{
	(void)state;
	check_selector("app=web,tier==x", "{\"matchLabels\":{\"app\":\"web\",\"tier\":\"x\"}}");
	/* One value in words is no equality. */
	check_selector("app in (web)",
		       "{\"matchExpressions\":[{\"key\":\"app\",\"operator\":\"In\",\"values\":[\"web\"]}]}");
	check_selector(
	    "a in (b,a),!c,d",
	    "{\"matchExpressions\":[{\"key\":\"a\",\"operator\":\"In\",\"values\":[\"a\",\"b\"]},"
	    "{\"key\":\"c\",\"operator\":\"DoesNotExist\"},{\"key\":\"d\",\"operator\":\"Exists\"}]}");
	/* A value of the list that is named as a key. */
	check_selector("x in (a),a=1", "{\"matchLabels\":{\"a\":\"1\"},\"matchExpressions\":[{\"key\":\"x\","
				       "\"operator\":\"In\",\"values\":[\"a\"]}]}");
	check_no_selector("a!=b", "\"!=\" is not a valid label selector operator");
	check_no_selector("a>1", "\"gt\" is not a valid label selector operator");
	check_no_selector("a in", "couldn't parse the selector string \"a in\": unable to parse requirement: "
				  "found '' expected: '('");
}

static void test_quantities(void **state)
{
	struct json_object *list = NULL;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(generate_quantities("cpu=1000m,memory=1024Mi", &list, NULL), 0);
	assert_json(list, "{\"cpu\":\"1\",\"memory\":\"1Gi\"}");
	list = NULL;
	assert_int_equal(generate_quantities("cpu", &list, &err), -1);
	assert_string_equal(err.msg, "Invalid argument syntax cpu, expected <resource>=<value>");
	assert_int_equal(generate_quantities("cpu=x", &list, &err), -1);
	assert_null(list);
}

static void check_port(const char *text, int64_t want_port, const char *want_target)
{
	struct json_object *target = NULL;
	int64_t port = 0;

	assert_int_equal(generate_port_pair(text, &port, &target, NULL), 0);
	assert_int_equal(port, want_port);
	assert_json(target, want_target);
}

static void check_no_port(const char *text, const char *why)
{
	struct json_object *target = NULL;
	struct err err = ERR_INIT;
	int64_t port = 0;

	assert_int_equal(generate_port_pair(text, &port, &target, &err), -1);
	assert_string_equal(err.msg, why);
	assert_null(target);
}

static void test_port_pair(void **state)
{
	(void)state;
	check_port("80", 80, "80");
	check_port("80:8080", 80, "8080");
	check_port("80:http", 80, "\"http\"");
	check_no_port("x", "strconv.ParseUint: parsing \"x\": invalid syntax");
	check_no_port("", "strconv.ParseUint: parsing \"\": invalid syntax");
	check_no_port("70000", "strconv.ParseUint: parsing \"70000\": value out of range");
	check_no_port("80:0", "must be between 1 and 65535, inclusive");
	check_no_port("80:-x-", "must not begin or end with a hyphen");
}

static void test_int_or_string(void **state)
{
	struct json_object *obj = json_object_new_object();

	(void)state;
	generate_int_or_string(obj, "a", "12");
	generate_int_or_string(obj, "b", "50%");
	assert_json(obj, "{\"a\":12,\"b\":\"50%\"}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_label_selector),
		cmocka_unit_test(test_quantities),
		cmocka_unit_test(test_port_pair),
		cmocka_unit_test(test_int_or_string),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
