#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/json.h"
#include "lib/mem.h"

static struct json_object *parse(const char *text)
{
	struct json_object *obj = NULL;
	struct err err = ERR_INIT;

	if (json_parse(text, strlen(text), &obj, NULL, &err) < 0)
		fail_msg("%s: %s", text, err.msg);
	return obj;
}

static void check_round_trip(const char *text, const char *expected)
{
	CLEANUP(json_putp) struct json_object *obj = parse(text);
	CLEANUP(buf_close) struct buf b = BUF_INIT;

	json_write(&b, obj);
	assert_string_equal(b.data, expected);
}

static void check_fault(const char *text, size_t len, const char *where)
{
	struct json_object *obj = NULL;
	struct err err = ERR_INIT;

	if (json_parse(text, len, &obj, NULL, &err) == 0)
		fail_msg("accepted: %s", text);
	assert_null(obj);
	assert_int_equal(err.kind, ERR_PARSE);
	if (where && strncmp(err.msg, where, strlen(where)) != 0)
		fail_msg("%s: %s", text, err.msg);
}

static void test_round_trips(void **state)
{
	static const char *const same[] = { "null",
					    "true",
					    "false",
					    "0",
					    "-1",
					    "1.0",
					    "1.50",
					    "1e3",
					    "\"a\\\"b\\n\"",
					    "[]",
					    "{}",
					    "[1,[2,{}],null]",
					    "{\"b\":1,\"a\":{\"c\":[]}}",
					    "9223372036854775807",
					    "-9223372036854775808",
					    "18446744073709551615",
					    "\"\xc3\xa9\xf0\x9f\x98\x80\"",
					    "\"\\u0000\"" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(same); i++)
		check_round_trip(same[i], same[i]);
	check_round_trip(" \n{ \"a\" : [ 1 , 2 ] }\r\n\t", "{\"a\":[1,2]}");
	check_round_trip("\"\\u00e9\\ud83d\\ude00\\/\"", "\"\xc3\xa9\xf0\x9f\x98\x80/\"");
	check_round_trip("\"\\u20AC\\b\\f\\r\\t\"", "\"\xe2\x82\xac\\b\\f\\r\\t\"");
	check_round_trip("{\"a\\u0062\":-0}", "{\"ab\":0}");
}

static void test_half_a_surrogate_pair_is_replaced(void **state)
{
	(void)state;
	check_round_trip("\"\\ude00x\"", "\"\xef\xbf\xbdx\"");
	check_round_trip("\"\\ud83dx\"", "\"\xef\xbf\xbdx\"");
	check_round_trip("\"\\ud83d\"", "\"\xef\xbf\xbd\"");
	check_round_trip("\"\\ud83d\\u0041\"", "\"\xef\xbf\xbd"
					       "A\"");
	check_round_trip("\"\\ud83d\\ud83d\\ude00\"", "\"\xef\xbf\xbd\xf0\x9f\x98\x80\"");
}

static void test_integers_saturate(void **state)
{
	char digits[401];

	(void)state;
	memset(digits, '9', sizeof(digits));
	digits[305] = '\0';
	check_round_trip(digits, "18446744073709551615");
	digits[305] = '9';
	check_fault(digits, sizeof(digits), "line 1, column 1: number out of range");
	check_round_trip("18446744073709551616", "18446744073709551615");
	check_round_trip("99999999999999999999", "18446744073709551615");
	check_round_trip("-9223372036854775809", "-9223372036854775808");
	check_round_trip("-99999999999999999999", "-9223372036854775808");
}

/* Longer than what the parser holds without allocating, whole and in parts. */
static void test_long_strings(void **state)
{
	CLEANUP(buf_close) struct buf text = BUF_INIT, expected = BUF_INIT;

	(void)state;
	buf_str(&text, "[\"");
	buf_str(&expected, "[\"");
	for (int i = 0; i < 1000; i++) {
		buf_str(&text, "abc\\u0041");
		buf_str(&expected, "abcA");
	}
	buf_str(&text, "\",0.");
	buf_str(&expected, "\",0.");
	for (int i = 0; i < 1000; i++) {
		buf_char(&text, '1');
		buf_char(&expected, '1');
	}
	buf_char(&text, ']');
	buf_char(&expected, ']');
	check_round_trip(text.data, expected.data);
}

static void test_faults(void **state)
{
	static const char *const wrong[] = {
		"",
		" ",
		"{",
		"[",
		"[1,]",
		"{\"a\":1,}",
		"{\"a\"}",
		"{a:1}",
		"{'a':1}",
		"[1 2]",
		"nul",
		"True",
		"NaN",
		"Infinity",
		"-Infinity",
		"-",
		"01",
		"-01",
		"1.",
		".5",
		"1e",
		"1e+",
		"+1",
		"0x10",
		"\"a",
		"\"\\x\"",
		"\"\\u12\"",
		"\"\\u12",
		"\"\\u12g4\"",
		"\"\\",
		"{\"a\\u0000b\":1}",
		"{\"a\\x\":1}",
		"{\"a\":1 \"b\":2}",
		"{\"a\" 1}",
		"\"a\nb\"",
		"\"\x01\"",
		"\"\xff\"",
		"\"\xc0\x80\"",
		"\"\xed\xa0",
		"1 2",
		"{} {}",
		"[1]]",
		"// c\n1",
		"/* c */ 1",
		"[1,,2]",
		"{\"a\":,}",
		",",
		":",
		"[1.5.5]",
		"[--1]",
		"tru",
		"nullx",
		"1e400",
		"-1e400",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		check_fault(wrong[i], strlen(wrong[i]), NULL);
	check_fault(NULL, 0, "line 1, column 1: unexpected end");
	check_fault("1\0", 2, NULL);
	check_fault("[1]\0[2]", 7, NULL);
}

static void test_faults_have_a_place(void **state)
{
	(void)state;
	check_fault("{\n  \"a\": 1,\n  b: 2\n}", 19, "line 3, column 3: ");
	check_fault("[1,\n 02]", 8, "line 2, column 2: ");
	check_fault("[1,\n", 4, "line 1, column 4: unexpected end");
	check_fault("[\n\"ab\\x\"]", 9, "line 2, column 4: invalid escape");
	check_fault("{}\n x", 5, "line 2, column 2: invalid character after top-level value");
	check_fault("\"a", 2, "line 1, column 3: unexpected end");
	check_fault("[tru", 4, "line 1, column 5: unexpected end");
}

static void test_depth(void **state)
{
	char text[2 * JSON_MAX_DEPTH + 10];
	struct json_object *obj = NULL;
	size_t deep = JSON_MAX_DEPTH;

	(void)state;
	memset(text, '[', deep);
	memset(text + deep, ']', deep);
	assert_int_equal(json_parse(text, 2 * deep, &obj, NULL, NULL), 0);
	json_object_put(obj);
	memset(text, '[', sizeof(text));
	check_fault(text, sizeof(text), "line 1, column 129: exceeded max depth");
}

struct paths {
	struct buf text;
};

static void add_path(const char *path, void *arg)
{
	struct paths *paths = arg;

	buf_str(&paths->text, path);
	buf_char(&paths->text, ';');
}

static void check_duplicates(const char *text, size_t count, const char *paths)
{
	CLEANUP(json_putp) struct json_object *obj = NULL;
	struct paths found = { BUF_INIT };
	size_t duplicates = 99;

	assert_int_equal(json_parse(text, strlen(text), &obj, &duplicates, NULL), 0);
	assert_int_equal(duplicates, count);
	json_find_duplicates(text, strlen(text), add_path, &found);
	assert_string_equal(found.text.data ? found.text.data : "", paths);
	buf_close(&found.text);
}

static void test_duplicates(void **state)
{
	(void)state;
	check_duplicates("{\"a\":1,\"b\":{\"a\":2}}", 0, "");
	check_duplicates("{\"a\":1,\"a\":2}", 1, "a;");
	check_duplicates("{\"a\":1,\"a\":2,\"a\":3}", 2, "a;");
	check_duplicates("{\"spec\": {\"containers\": [ {\"image\":\"x\",\"image\":\"y\"}, "
			 "{\"name\":1,\"n\\u0061me\":2} ] } }",
			 2, "spec.containers[0].image;spec.containers[1].name;");
	check_duplicates("[[{\"k\":\":\\\"{\",\"k\":[]}],{}]", 1, "[0][0].k;");
	check_duplicates("{\"\":1,\"\":2}", 1, ";");
}

static void test_duplicate_search_survives_anything(void **state)
{
	static const char *const wrong[] = {
		"", "{", "{\"a\"", "{\"a\":", "[", "{\"a\\", "{\"\\ud800\":1", "}", "{\"a\":1,", "[1"
	};
	struct paths found = { BUF_INIT };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		json_find_duplicates(wrong[i], strlen(wrong[i]), add_path, &found);
	assert_null(found.text.data);
}

static void test_last_duplicate_wins(void **state)
{
	CLEANUP(json_putp) struct json_object *obj = parse("{\"a\":[1],\"b\":0,\"a\":{},\"\\u0061\":2}");

	(void)state;
	assert_int_equal(json_int(obj, "a", 0), 2);
	assert_int_equal(json_object_object_length(obj), 2);
}

static void test_lookups(void **state)
{
	CLEANUP(json_putp)
	struct json_object *obj = parse("{\"s\":\"x\",\"n\":7,\"d\":2.9,\"t\":true,\"z\":null,\"o\":{\"p\":{"
					"\"q\":\"deep\"}},\"l\":[1,2]}");

	(void)state;
	assert_string_equal(json_str(obj, "s"), "x");
	assert_null(json_str(obj, "n"));
	assert_string_equal(json_str_or_empty(obj, "none"), "");
	assert_int_equal(json_int(obj, "n", 1), 7);
	assert_int_equal(json_int(obj, "d", 1), 2);
	assert_int_equal(json_int(obj, "s", 1), 1);
	assert_true(json_boolean(obj, "t", false));
	assert_true(json_boolean(obj, "n", true));
	assert_null(json_get(obj, "z"));
	assert_null(json_get(NULL, "z"));
	assert_null(json_get(json_get(obj, "l"), "z"));
	assert_string_equal(json_str(json_path(obj, "o", "p", NULL), "q"), "deep");
	assert_null(json_path(obj, "o", "none", "q", NULL));
	assert_int_equal(json_len(json_get(obj, "l")), 2);
	assert_int_equal(json_len(obj), 0);
	assert_int_equal(json_object_get_int(json_at(json_get(obj, "l"), 1)), 2);
	assert_null(json_at(json_get(obj, "l"), 2));
	assert_null(json_at(NULL, 0));
}

static void test_building(void **state)
{
	CLEANUP(json_putp) struct json_object *obj = json_object_new_object();
	CLEANUP(buf_close) struct buf b = BUF_INIT;

	(void)state;
	json_set_str(obj, "gone", "x");
	json_set_str(obj, "gone", NULL);
	json_set_str(json_ensure_object(obj, "meta"), "name", "web");
	assert_ptr_equal(json_ensure_object(obj, "meta"), json_get(obj, "meta"));
	json_set(obj, "list", NULL);
	json_object_array_add(json_ensure_array(obj, "list"), json_object_new_double(0.1));
	json_set_int(obj, "n", -5);
	json_set_bool(obj, "b", true);
	json_write(&b, obj);
	assert_string_equal(b.data, "{\"meta\":{\"name\":\"web\"},\"list\":[0.1],\"n\":-5,\"b\":true}");
}

static void test_clone_is_deep(void **state)
{
	CLEANUP(json_putp) struct json_object *obj = parse("{\"a\":{\"b\":1.10},\"n\":null}");
	CLEANUP(json_putp) struct json_object *copy = json_clone(obj);
	CLEANUP(buf_close) struct buf b = BUF_INIT;

	(void)state;
	json_write(&b, copy);
	assert_string_equal(b.data, "{\"a\":{\"b\":1.10},\"n\":null}");
	json_set_int(json_get(copy, "a"), "b", 2);
	assert_false(json_equal(obj, copy));
	assert_null(json_clone(NULL));
}

static void check_equal(const char *a, const char *b, bool expected)
{
	CLEANUP(json_putp) struct json_object *left = parse(a);
	CLEANUP(json_putp) struct json_object *right = parse(b);

	if (json_equal(left, right) != expected || json_equal(right, left) != expected)
		fail_msg("%s and %s", a, b);
}

static void test_equality(void **state)
{
	(void)state;
	check_equal("{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}", true);
	check_equal("{\"a\":1}", "{\"a\":1.0}", true);
	check_equal("{\"a\":null}", "{}", true);
	check_equal("{\"a\":null}", "{\"b\":null}", true);
	check_equal("{\"a\":1}", "{}", false);
	check_equal("[1,2]", "[2,1]", false);
	check_equal("[1]", "[1,1]", false);
	check_equal("\"1\"", "1", false);
	check_equal("\"a\\u0000b\"", "\"a\\u0000c\"", false);
	check_equal("true", "false", false);
	check_equal("{}", "[]", false);
	check_equal("18446744073709551615", "9223372036854775807", false);
	check_equal("null", "null", true);
	check_equal("null", "0", false);
}

static void test_pretty_and_sorted(void **state)
{
	CLEANUP(json_putp) struct json_object *obj = parse("{\"b\":[1,{\"d\":[],\"c\":{}}],\"a\":\"x\"}");
	CLEANUP(buf_close) struct buf pretty = BUF_INIT, sorted = BUF_INIT, indented = BUF_INIT;

	(void)state;
	json_write_indented(&indented, obj);
	assert_string_equal(indented.data, "{\n  \"b\": [\n    1,\n    {\n      \"d\": [],\n"
					   "      \"c\": {}\n    }\n  ],\n  \"a\": \"x\"\n}");
	json_write_pretty(&pretty, obj);
	assert_string_equal(pretty.data, "{\n    \"b\": [\n        1,\n        {\n            \"d\": [],\n"
					 "            \"c\": {}\n        }\n    ],\n    \"a\": \"x\"\n}");
	json_write_sorted(&sorted, obj);
	assert_string_equal(sorted.data, "{\"a\":\"x\",\"b\":[1,{\"c\":{},\"d\":[]}]}");
}

static void test_doubles_are_shortest(void **state)
{
	static const struct {
		double value;
		const char *text;
	} cases[] = { { 0.1, "0.1" },
		      { 1.0 / 3, "0.3333333333333333" },
		      { 1e21, "1e+21" },
		      { 5, "5" },
		      { 1.0 / 0.0, "null" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(json_putp) struct json_object *obj = json_object_new_double(cases[i].value);
		CLEANUP(buf_close) struct buf b = BUF_INIT;

		json_write(&b, obj);
		assert_string_equal(b.data, cases[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trips),
		cmocka_unit_test(test_half_a_surrogate_pair_is_replaced),
		cmocka_unit_test(test_integers_saturate),
		cmocka_unit_test(test_long_strings),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_faults_have_a_place),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_duplicates),
		cmocka_unit_test(test_duplicate_search_survives_anything),
		cmocka_unit_test(test_last_duplicate_wins),
		cmocka_unit_test(test_lookups),
		cmocka_unit_test(test_building),
		cmocka_unit_test(test_clone_is_deep),
		cmocka_unit_test(test_equality),
		cmocka_unit_test(test_pretty_and_sorted),
		cmocka_unit_test(test_doubles_are_shortest),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
