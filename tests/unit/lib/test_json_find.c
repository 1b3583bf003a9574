#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "lib/json_find.h"

enum { NAME, LABELS, METADATA, NODE, PHASE, ALL, N };
static const char *const wants[] = {
	"metadata.name", "metadata.labels", "metadata", "spec.nodeName", "status.phase", "", NULL
};

static void assert_span(struct json_span span, const char *expected)
{
	if (!expected) {
		assert_null(span.p);
		return;
	}
	assert_non_null(span.p);
	assert_int_equal(span.len, strlen(expected));
	assert_memory_equal(span.p, expected, span.len);
}

static void test_finds(void **state)
{
	struct json_paths *paths = json_paths_new(wants);
	struct json_span found[N];
	struct err err = ERR_INIT;
	static const char pod[] =
	    "{\"kind\":\"Pod\",\"metadata\":{\"x\":{\"name\":1},\"labels\": {\"a\":\"}\"} ,\"name\":\"p\"},"
	    "\"spec\":{\"containers\":[{\"nodeName\":\"no\"}],\"nodeName\":null},"
	    "\"status\":{\"phas\":1,\"phases\":2,\"phase\" : \"Running\" }}";

	(void)state;
	assert_int_equal(json_paths_count(paths), N);
	assert_int_equal(json_find(paths, pod, strlen(pod), found, &err), 0);
	assert_span(found[NAME], "\"p\"");
	assert_span(found[LABELS], "{\"a\":\"}\"}");
	assert_span(found[METADATA], "{\"x\":{\"name\":1},\"labels\": {\"a\":\"}\"} ,\"name\":\"p\"}");
	assert_span(found[NODE], NULL);
	assert_span(found[PHASE], "\"Running\"");
	assert_span(found[ALL], pod);

	/* What is no object has no members; nothing is left of another text. */
	assert_int_equal(json_find(paths, "{\"metadata\":[{\"name\":1}]}", 25, found, &err), 0);
	assert_span(found[NAME], NULL);
	assert_span(found[METADATA], "[{\"name\":1}]");
	assert_span(found[PHASE], NULL);
	assert_int_equal(json_find(paths, " {} ", 4, found, &err), 0);
	assert_span(found[METADATA], NULL);
	json_paths_free(paths);
}

/* Every beginning of a text is refused and nothing behind it is read (sanitizers see that). */
static void test_cut(void **state)
{
	struct json_paths *paths = json_paths_new(wants);
	struct json_span found[N];
	static const char text[] =
	    "{\"metadata\":{\"name\":\"p\",\"n\":[1,{}]},\"spec\":{\"a\":-1.5,\"nodeName\":\"n\"}}";
	static const char *const bad[] = { "",     "[]",           "{\"a\" 1}", "{\"metadata\":{\"name\" 1}}",
					   "{} x", "{\"spec\":{}]" };

	(void)state;
	for (size_t len = 0; len < strlen(text); len++) {
		CLEANUP(mem_freep) char *part = mem_dupn(text, len);
		assert_int_equal(json_find(paths, part, len, found, NULL), -1);
	}
	assert_int_equal(json_find(paths, text, strlen(text), found, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(json_find(paths, bad[i], strlen(bad[i]), found, NULL), -1);
	json_paths_free(paths);
}

static struct json_span span(const char *text)
{
	return (struct json_span){ text, strlen(text) };
}

static void test_goes_through(void **state)
{
	struct json_cursor c = json_span_begin(span("[ {\"a\":[1,2] , \"b\" : \"x\"},null, 3 ]"));
	struct json_span value, key;

	(void)state;
	assert_true(json_span_element(&c, &value));
	struct json_cursor members = json_span_begin(value);
	assert_true(json_span_member(&members, &key, &value));
	assert_true(json_key_is(key, "a"));
	assert_span(value, "[1,2]");
	assert_true(json_span_member(&members, &key, &value));
	assert_true(json_key_is(key, "b"));
	assert_false(json_key_is(key, "bb"));
	assert_span(value, "\"x\"");
	assert_false(json_span_member(&members, &key, &value));
	assert_true(json_span_element(&c, &value));
	assert_span(value, NULL);
	assert_true(json_span_element(&c, &value));
	assert_span(value, "3");
	assert_false(json_span_element(&c, &value));
	static const char *const nothing[] = { "", "[]", "{}", "7", "\"s\"" };
	for (size_t i = 0; i < ARRAY_SIZE(nothing); i++) {
		c = json_span_begin(span(nothing[i]));
		assert_false(json_span_element(&c, &value));
		c = json_span_begin(span(nothing[i]));
		assert_false(json_span_member(&c, &key, &value));
	}
	c = json_span_begin((struct json_span){ 0 });
	assert_false(json_span_element(&c, &value));
}

static void test_values(void **state)
{
	static const struct json_span none;
	CLEANUP(mem_freep)
	char *plain = json_span_dup(span("\"ab\"")),
	     *escaped = json_span_dup(span("\"a\\\"\\u00e9\""));
	CLEANUP(json_putp) struct json_object *object = json_span_parse(span("{\"a\":1}"));

	(void)state;
	assert_string_equal(plain, "ab");
	assert_string_equal(escaped, "a\"\u00e9");
	assert_null(json_span_dup(span("7")));
	assert_null(json_span_dup(none));
	assert_true(json_span_is(span("\"ab\""), "ab"));
	assert_true(json_span_is(span("\"a\\u0062\""), "ab"));
	assert_false(json_span_is(span("\"ab\""), "a"));
	assert_false(json_span_is(none, ""));
	assert_null(json_span_plain(span("\"a\\u0062\"")).p);
	assert_int_equal(json_span_int(span("-12,"), 5), -12);
	assert_int_equal(json_span_int(span("\"1\""), 5), 5);
	assert_int_equal(json_span_int(none, 5), 5);
	assert_true(json_span_true(span("true")));
	assert_false(json_span_true(span("false")));
	assert_int_equal(json_int(object, "a", 0), 1);
	assert_null(json_span_parse(span("{")));
	assert_null(json_span_parse(none));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_finds),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_goes_through),
		cmocka_unit_test(test_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
