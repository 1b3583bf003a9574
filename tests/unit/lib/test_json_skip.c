#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "lib/json_skip.h"

static void assert_picked(const char *text, const char *const *paths, const char *expected)
{
	CLEANUP(json_putp) struct json_object *obj = NULL;
	CLEANUP(buf_close) struct buf b = BUF_INIT;
	struct err err = ERR_INIT;

	if (json_pick(text, strlen(text), paths, &obj, &err) < 0)
		fail_msg("%s: %s", text, err.msg);
	json_write(&b, obj);
	assert_string_equal(b.data, expected);
}

static void test_picks(void **state)
{
	(void)state;
	static const char *const paths[] = { "metadata.name", "metadata.labels", "spec.nodeName", "type",
					     NULL };

	assert_picked("{}", paths, "{}");
	assert_picked("{\"metadata\":{ }}", paths, "{}");
	assert_picked("{\"a\":[{\"name\":\"}\"}],\"metadata\":{\"x\":{\"name\":1},\"name\":\"p\",\"labels\":{"
		      "\"a\":\"b\"}},"
		      "\"spec\":{\"nodeName\":\"n\",\"containers\":[{\"name\":\"\\\"]\"}]},\"type\":\"t\"}",
		      paths,
		      "{\"metadata\":{\"name\":\"p\",\"labels\":{\"a\":\"b\"}},\"spec\":{\"nodeName\":\"n\"},"
		      "\"type\":\"t\"}");
	assert_picked(" { \"metadata\" : { \"name\" : \"p\" , \"y\" : 1.5e3 } , \"z\" : null } ", paths,
		      "{\"metadata\":{\"name\":\"p\"}}");
	assert_picked("{\"metadata\":\"m\",\"metadata\":{\"name\":1},\"metadata\":{\"labels\":2}}", paths,
		      "{\"metadata\":{\"labels\":2}}");
	/* Into each element of an array, also of one in another. */
	assert_picked(
	    "{\"spec\":[{\"nodeName\":\"a\",\"x\":1},{\"x\":1},[ {\"nodeName\":\"b\"} ],5,[] , null]}", paths,
	    "{\"spec\":[{\"nodeName\":\"a\"},{},[{\"nodeName\":\"b\"}],5,[],null]}");
	/* A key is the whole one; what is no object has no members. */
	assert_picked("{\"met\":{\"name\":1},\"metadata\":{\"nam\":1,\"names\":1},\"spec\":7}", paths,
		      "{\"metadata\":{},\"spec\":7}");
}

/* Nothing wanted is reached by a key that only begins like one. */
static void test_key_with_nul(void **state)
{
	(void)state;
	static const char *const paths[] = { "a", NULL };
	static const char text[] = "{\"a\0b\":1}";
	CLEANUP(json_putp) struct json_object *obj = NULL;

	assert_int_equal(json_pick(text, sizeof(text) - 1, paths, &obj, NULL), 0);
	assert_int_equal(json_object_object_length(obj), 0);
}

static void test_is_cut_anywhere(void **state)
{
	(void)state;
	static const char *const paths[] = { "a.b", "c", NULL };
	static const char text[] =
	    "{\"a\":{\"b\":\"x\\\"\",\"d\":[1,{\"e\":2}]},\"a\":[{\"b\":1},{}],\"c\":true}";

	for (size_t len = 0; len <= strlen(text); len++) {
		CLEANUP(json_putp) struct json_object *obj = NULL;
		CLEANUP(mem_freep)
		char *part = mem_copy(text, len + 1); /* so that a sanitizer sees a step too far */
		struct err err = ERR_INIT;

		part = mem_realloc(part, len ? len : 1);
		assert_int_equal(json_pick(part, len, paths, &obj, &err), len == strlen(text) ? 0 : -1);
		assert_int_equal(err.kind, len == strlen(text) ? ERR_NONE : ERR_PARSE);
	}
}

static void test_refuses(void **state)
{
	(void)state;
	static const char *const paths[] = { "a", NULL };
	static const char *const bad[] = { "[]",         "1",          "{\"a\":1}x",
					   "{\"a\" 1}",  "{\"a\":1,}", "{\"a\":nul}",
					   "{\"a\":1;}", "{a:1}",      "{\"a\":}" };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct json_object *obj = NULL;

		assert_int_equal(json_pick(bad[i], strlen(bad[i]), paths, &obj, NULL), -1);
		assert_null(obj);
	}
}

static void test_parses_without(void **state)
{
	static const struct {
		const char *text, *path, *expected; /* NULL: no JSON */
	} cases[] = {
		{ "{\"a\":1,\"b\":{\"c\":[1,{\"x\":\"}\"}],\"d\":2}}", "b.c", "{\"a\":1,\"b\":{\"d\":2}}" },
		{ "{\"a\":1,\"b\":{\"d\":2,\"c\":3}}", "b.c", "{\"a\":1,\"b\":{\"d\":2}}" },
		{ "{\"a\":1,\"b\":{\"c\":3}}", "b.c", "{\"a\":1,\"b\":{}}" },
		{ " { \"c\" : [ ] , \"d\" : 2 } ", "c", "{\"d\":2}" },
		{ " { \"d\" : 2 , \"c\" : [ ] } ", "c", "{\"d\":2}" },
		{ "{\"a\":1,\"b\":7}", "b.c", "{\"a\":1,\"b\":7}" },
		{ "{\"a\":1,\"bc\":{\"c\":7}}", "b.c", "{\"a\":1,\"bc\":{\"c\":7}}" },
		{ "{\"a\":1}", "", "{\"a\":1}" },
		{ "[1]", "a", "[1]" },
		{ "{\"a\":1,\"b\":{\"c\":[1,", "b.c", NULL },
		{ "", "a", NULL },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CLEANUP(json_putp) struct json_object *obj = NULL;
		CLEANUP(buf_close) struct buf b = BUF_INIT;
		int result =
		    json_parse_without(cases[i].text, strlen(cases[i].text), cases[i].path, &obj, NULL);
		assert_int_equal(result, cases[i].expected ? 0 : -1);
		if (result < 0)
			continue;
		json_write(&b, obj);
		assert_string_equal(b.data, cases[i].expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_picks),        cmocka_unit_test(test_parses_without),
		cmocka_unit_test(test_key_with_nul), cmocka_unit_test(test_is_cut_anywhere),
		cmocka_unit_test(test_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
