#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/mem.h"
#include "lib/selector.h"

static struct json_object *labels_of(const char *text)
{
	struct json_object *obj = NULL;

	assert_int_equal(json_parse(text, strlen(text), &obj, NULL, NULL), 0);
	return obj;
}

static void check_match(const char *selector, const char *labels, bool expected)
{
	CLEANUP(json_putp) struct json_object *set = labels_of(labels);
	CLEANUP(selector_close) struct selector s = { 0 };
	struct err err = ERR_INIT;

	if (selector_parse(selector, &s, &err) < 0)
		fail_msg("%s: %s", selector, err.msg);
	if (selector_matches_json(&s, set) != expected)
		fail_msg("'%s' and %s", selector, labels);
}

static void test_matching(void **state)
{
	(void)state;
	check_match("", "{}", true);
	check_match("  ", "null", true);
	check_match("app=web", "{\"app\":\"web\"}", true);
	check_match("app==web", "{\"app\":\"web\"}", true);
	check_match("app=web", "{\"app\":\"db\"}", false);
	check_match("app=web", "{}", false);
	check_match("app=", "{\"app\":\"\"}", true);
	check_match("app=", "{}", false);
	check_match("app!=web", "{}", true);
	check_match("app!=web", "{\"app\":\"web\"}", false);
	check_match("app in (a, b)", "{\"app\":\"b\"}", true);
	check_match("app in (a,b)", "{\"app\":\"c\"}", false);
	check_match("app in (a,b)", "{}", false);
	check_match("app notin (a,b)", "{}", true);
	check_match("app notin (a,b)", "{\"app\":\"a\"}", false);
	check_match("app in (,a)", "{\"app\":\"\"}", true);
	check_match("app in (a,)", "{\"app\":\"\"}", true);
	check_match("app", "{\"app\":\"x\"}", true);
	check_match("app", "{}", false);
	check_match("!app", "{}", true);
	check_match("! app", "{\"app\":\"x\"}", false);
	check_match("gen>3", "{\"gen\":\"4\"}", true);
	check_match("gen > 3", "{\"gen\":\"3\"}", false);
	check_match("gen<3", "{\"gen\":\"-5\"}", true);
	check_match("gen<3", "{\"gen\":\"few\"}", false);
	check_match("gen<3", "{}", false);
	check_match("app=web,tier!=db,env in (a,b),!old,gen", "{\"app\":\"web\",\"env\":\"a\",\"gen\":\"1\"}",
		    true);
	check_match("app=web,tier!=db,env in (a,b),!old,gen",
		    "{\"app\":\"web\",\"env\":\"a\",\"gen\":\"1\",\"old\":\"\"}", false);
	check_match("in in (in,notin)", "{\"in\":\"notin\"}", true);
	check_match("example.com/app=web", "{\"example.com/app\":\"web\"}", true);
}

static void check_fault(const char *selector, const char *message)
{
	struct selector s = { .n = 77 };
	struct err err = ERR_INIT;

	if (selector_parse(selector, &s, &err) == 0)
		fail_msg("'%s' is taken", selector);
	assert_int_equal(err.kind, ERR_BAD_REQUEST);
	assert_string_equal(err.msg, message);
	assert_int_equal(s.n, 77);
}

#define NAME_RULE                                                                                            \
	"name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with "   \
	"an "                                                                                                \
	"alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is " \
	"'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"

static void test_faults(void **state)
{
	(void)state;
	check_fault("=", "found '=', expected: !, identifier, or 'end of string'");
	check_fault(",", "found ',', expected: !, identifier, or 'end of string'");
	check_fault("a=b,", "found '', expected: identifier after ','");
	check_fault("a=b,,c", "found ',', expected: identifier after ','");
	check_fault("a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt");
	check_fault("not a selector",
		    "unable to parse requirement: found 'a', expected: in, notin, =, ==, !=, gt, lt");
	check_fault("a in b", "unable to parse requirement: found 'b' expected: '('");
	check_fault("a in (b", "unable to parse requirement: found '', expected: ',' or ')'");
	check_fault("a in (b c)", "unable to parse requirement: found 'c', expected: ',' or ')'");
	check_fault("a in (=)", "unable to parse requirement: found '=', expected: ',', ')' or identifier");
	check_fault("a in ()",
		    "unable to parse requirement: values: Invalid value: []: for 'in', 'notin' operators, "
		    "values set can't be empty");
	check_fault("a=(b)", "unable to parse requirement: found '(', expected: identifier");
	check_fault("!a=b", "found '=', expected: ',' or 'end of string'");
	check_fault("!=b", "found '!=', expected: !, identifier, or 'end of string'");
	check_fault("!", "unable to parse requirement: found '', expected: identifier");
	check_fault("a=b c=d", "found 'c', expected: ',' or 'end of string'");
	check_fault("a_=b", "unable to parse requirement: <nil>: Invalid value: \"a_\": " NAME_RULE);
	check_fault("a>x", "unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', 'Lt' "
			   "operators, the value "
			   "must be an integer");
	check_fault(
	    "/a", "unable to parse requirement: <nil>: Invalid value: \"/a\": prefix part must be non-empty");
	check_fault(
	    "a=-b",
	    "unable to parse requirement: values[0][a]: Invalid value: \"-b\": a valid label must be an "
	    "empty "
	    "string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
	    "alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation "
	    "is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')");
}

static void check_written(const char *selector, const char *expected)
{
	CLEANUP(selector_close) struct selector s = { 0 };
	CLEANUP(buf_close) struct buf b = BUF_INIT;

	assert_int_equal(selector_parse(selector, &s, NULL), 0);
	selector_write(&b, &s);
	assert_string_equal(b.data ? b.data : "", expected);
}

static void test_written_sorted(void **state)
{
	(void)state;
	check_written("", "");
	check_written("b==1 , a != 2", "a!=2,b=1");
	check_written("env in (b,a,b),!old,gen,n>5,m<3", "env in (a,b),gen,m<3,n>5,!old");
	check_written("env notin (b,a)", "env notin (a,b)");
	check_written("env in (a)", "env=a");
	check_written("env=", "env=");
}

static void test_from_json(void **state)
{
	CLEANUP(json_putp)
	struct json_object *obj = labels_of(
	    "{\"matchLabels\":{\"app\":\"web\"},\"matchExpressions\":[{\"key\":\"env\",\"operator\":\"In\","
	    "\"values\":[\"b\",\"a\"]},"
	    "{\"key\":\"old\",\"operator\":\"DoesNotExist\"},{\"key\":\"a\",\"operator\":\"Exists\"},"
	    "{\"key\":\"z\",\"operator\":\"NotIn\",\"values\":[\"q\"]}]}");
	CLEANUP(json_putp) struct json_object *empty = labels_of("{}");
	CLEANUP(selector_close) struct selector s = { 0 }, all = { 0 }, none = { 0 };
	CLEANUP(buf_close) struct buf b = BUF_INIT;

	(void)state;
	assert_int_equal(selector_from_json(obj, &s, NULL), 0);
	selector_write(&b, &s);
	assert_string_equal(b.data, "a,app=web,env in (a,b),!old,z!=q");
	assert_string_equal(selector_exact(&s, "app"), "web");
	assert_null(selector_exact(&s, "env"));
	assert_null(selector_exact(&s, "z"));
	assert_int_equal(selector_from_json(empty, &all, NULL), 0);
	assert_true(selector_matches_json(&all, NULL));
	assert_int_equal(selector_from_json(NULL, &none, NULL), 0);
	assert_false(selector_matches_json(&none, empty));
}

static void test_from_json_faults(void **state)
{
	static const char *const wrong[][2] = {
		{ "{\"matchExpressions\":[{\"key\":\"a\",\"operator\":\"Near\"}]}",
		  "\"Near\" is not a valid label selector operator" },
		{ "{\"matchExpressions\":[{\"key\":\"a\",\"operator\":\"Exists\",\"values\":[\"x\"]}]}",
		  "values: Invalid value: []: values set must be empty for exists and does not exist" },
		{ "{\"matchExpressions\":[{\"key\":\"a\",\"operator\":\"In\",\"values\":[1]}]}",
		  "values[0] of a label selector is not a string" },
		{ "{\"matchLabels\":{\"a\":1}}", "matchLabels[a] is not a string" },
	};
	struct selector s;
	struct err err = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		CLEANUP(json_putp) struct json_object *obj = labels_of(wrong[i][0]);

		assert_int_equal(selector_from_json(obj, &s, &err), -1);
		assert_string_equal(err.msg, wrong[i][1]);
	}
}

static void test_several_faults_are_listed(void **state)
{
	const char *values[] = { "ok", "-a" };
	struct selector s = { 0 };
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(selector_add(&s, "", SELECTOR_GT, values, 2, &err), -1);
	assert_ptr_equal(
	    strstr(err.msg, "[key: Invalid value: \"\": name part must be non-empty; name part must"),
	    err.msg);
	assert_non_null(
	    strstr(err.msg, "), values: Invalid value: []: for 'Gt', 'Lt' operators, exactly one value is"));
	assert_non_null(strstr(
	    err.msg, ", values[0]: Invalid value: \"ok\": for 'Gt', 'Lt' operators, the value must be an"));
	assert_int_equal(s.n, 0);
}

static void check_fields(const char *text, const char *expected)
{
	CLEANUP(selector_close) struct selector s = { 0 };
	CLEANUP(buf_close) struct buf b = BUF_INIT;

	assert_int_equal(selector_parse_fields(text, &s, NULL), 0);
	selector_write(&b, &s);
	assert_string_equal(b.data ? b.data : "", expected);
}

static const char *look_up(const void *set, const char *key)
{
	return strcmp(key, "metadata.name") == 0 ? set : "";
}

static void test_fields(void **state)
{
	CLEANUP(selector_close) struct selector s = { 0 };

	(void)state;
	check_fields("", "");
	check_fields("metadata.name=a,spec.nodeName!=b", "metadata.name=a,spec.nodeName!=b");
	check_fields("a==b,", "a=b");
	check_fields("a=b\\,c\\=d\\\\e", "a=b\\,c\\=d\\\\e");
	check_fields("spec.nodeName=", "spec.nodeName=");
	assert_int_equal(selector_parse_fields("metadata.name=x\\=y,spec.nodeName=", &s, NULL), 0);
	assert_string_equal(selector_exact(&s, "metadata.name"), "x=y");
	assert_true(selector_matches(&s, look_up, "x=y"));
	assert_false(selector_matches(&s, look_up, "x"));
}

static void test_field_faults(void **state)
{
	static const char *const wrong[][2] = {
		{ "a", "invalid selector: 'a'; can't understand 'a'" },
		{ "a=b,c!d", "invalid selector: 'a=b,c!d'; can't understand 'c!d'" },
		{ "a=b\\c", "invalid field selector: invalid escape sequence: \\c" },
		{ "a=b\\", "invalid field selector: invalid escape sequence: \\" },
		{ "a=b=c", "invalid field selector: unescaped character in value: 61" },
	};
	struct selector s;
	struct err err = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		assert_int_equal(selector_parse_fields(wrong[i][0], &s, &err), -1);
		assert_int_equal(err.kind, ERR_BAD_REQUEST);
		assert_string_equal(err.msg, wrong[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_matching),         cmocka_unit_test(test_faults),
		cmocka_unit_test(test_written_sorted),   cmocka_unit_test(test_from_json),
		cmocka_unit_test(test_from_json_faults), cmocka_unit_test(test_several_faults_are_listed),
		cmocka_unit_test(test_fields),           cmocka_unit_test(test_field_faults),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
