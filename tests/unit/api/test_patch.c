#include "api/patch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct json_object *parse(const char *text)
{
	struct json_object *obj = NULL;
	struct err err = ERR_INIT;

	if (json_parse(text, strlen(text), &obj, NULL, &err) < 0)
		fail_msg("%s: %s", text, err.msg);
	return obj;
}

struct patch_case {
	const char *doc, *patch;
	const char *result; /* sorted; NULL: refused with KIND */
	enum err_kind kind;
	const char *message; /* NULL: not looked at */
};

typedef int (*patch_fn)(const struct json_object *doc, const struct json_object *patch, struct json_object **ret,
			struct err *err);

static void run(const struct patch_case *c, patch_fn fn)
{
	struct json_object *doc CLEANUP(json_putp) = parse(c->doc);
	struct json_object *patch CLEANUP(json_putp) = parse(c->patch);
	struct json_object *doc_before CLEANUP(json_putp) = json_clone(doc);
	struct json_object *patch_before CLEANUP(json_putp) = json_clone(patch);
	struct json_object *result CLEANUP(json_putp) = NULL;
	struct buf text CLEANUP(buf_close) = BUF_INIT;
	struct err err = ERR_INIT;

	int r = fn(doc, patch, &result, &err);
	assert_true(json_equal(doc, doc_before) && json_equal(patch, patch_before));
	if (c->result == NULL) {
		assert_int_equal(r, -1);
		assert_int_equal(err.kind, c->kind);
		if (c->message != NULL)
			assert_string_equal(err.msg, c->message);
		return;
	}
	if (r < 0)
		fail_msg("%s on %s: %s", c->patch, c->doc, err.msg);
	json_write_sorted(&text, result);
	assert_string_equal(text.data, c->result);
}

#define REFUSED NULL, ERR_INVALID, NULL

static const struct patch_case json_cases[] = {
	/* RFC 6902 appendix A. */
	{ "{\"a\":1}", "[{\"op\":\"add\",\"path\":\"/b\",\"value\":2}]", "{\"a\":1,\"b\":2}", 0, NULL },
	{ "{\"a\":[1,3]}", "[{\"op\":\"add\",\"path\":\"/a/1\",\"value\":2}]", "{\"a\":[1,2,3]}", 0, NULL },
	{ "{\"a\":[1,3]}", "[{\"op\":\"add\",\"path\":\"/a/0\",\"value\":null}]", "{\"a\":[null,1,3]}", 0, NULL },
	{ "{\"a\":[1]}", "[{\"op\":\"add\",\"path\":\"/a/-\",\"value\":[2]}]", "{\"a\":[1,[2]]}", 0, NULL },
	{ "{\"a\":[1]}", "[{\"op\":\"add\",\"path\":\"/a/2\",\"value\":2}]", REFUSED },
	{ "{\"a\":[1]}", "[{\"op\":\"add\",\"path\":\"/a/01\",\"value\":2}]", REFUSED },
	{ "{\"a\":[1]}", "[{\"op\":\"add\",\"path\":\"/a/-1\",\"value\":2}]", REFUSED },
	{ "{\"a\":[1]}", "[{\"op\":\"add\",\"path\":\"/a/99999999999999999999\",\"value\":2}]", REFUSED },
	{ "{\"a\":1}", "[{\"op\":\"add\",\"path\":\"/b/c\",\"value\":2}]", NULL, ERR_INVALID, "path \"/b\" does not exist" },
	{ "{\"a\":1}", "[{\"op\":\"add\",\"path\":\"/a/c\",\"value\":2}]", REFUSED },
	{ "{\"a\":1}", "[{\"op\":\"add\",\"path\":\"\",\"value\":{\"z\":1}}]", "{\"z\":1}", 0, NULL },
	{ "{\"a\":1,\"b\":2}", "[{\"op\":\"remove\",\"path\":\"/b\"}]", "{\"a\":1}", 0, NULL },
	{ "{\"a\":[1,2,3]}", "[{\"op\":\"remove\",\"path\":\"/a/1\"}]", "{\"a\":[1,3]}", 0, NULL },
	{ "{\"metadata\":{}}", "[{\"op\":\"remove\",\"path\":\"/metadata/nope\"}]", REFUSED },
	{ "{\"a\":1}", "[{\"op\":\"remove\",\"path\":\"\"}]", REFUSED },
	{ "{\"spec\":{\"replicas\":1}}", "[{\"op\":\"replace\",\"path\":\"/spec/replicas\",\"value\":4}]",
	  "{\"spec\":{\"replicas\":4}}", 0, NULL },
	{ "{\"a\":[1,2]}", "[{\"op\":\"replace\",\"path\":\"/a/0\",\"value\":9}]", "{\"a\":[9,2]}", 0, NULL },
	{ "{\"a\":1}", "[{\"op\":\"replace\",\"path\":\"/b\",\"value\":4}]", REFUSED },
	{ "{\"a\":[1]}", "[{\"op\":\"replace\",\"path\":\"/a/-\",\"value\":4}]", REFUSED },
	{ "{\"l\":{\"x\":\"y\"}}",
	  "[{\"op\":\"copy\",\"from\":\"/l/x\",\"path\":\"/l/z\"},{\"op\":\"remove\",\"path\":\"/l/x\"}]",
	  "{\"l\":{\"z\":\"y\"}}", 0, NULL },
	{ "{\"a\":{\"b\":[1]}}", "[{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/a/c\"},{\"op\":\"add\",\"path\":\"/a/b/-\",\"value\":2}]",
	  "{\"a\":{\"b\":[1,2],\"c\":{\"b\":[1]}}}", 0, NULL },
	{ "{\"a\":{\"b\":1}}", "[{\"op\":\"move\",\"from\":\"/a/b\",\"path\":\"/c\"}]", "{\"a\":{},\"c\":1}", 0, NULL },
	{ "{\"a\":[1,2,3]}", "[{\"op\":\"move\",\"from\":\"/a/0\",\"path\":\"/a/2\"}]", "{\"a\":[2,3,1]}", 0, NULL },
	{ "{\"a\":{\"b\":1}}", "[{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/a/b/c\"}]", REFUSED },
	{ "{\"a\":1}", "[{\"op\":\"move\",\"from\":\"/b\",\"path\":\"/a\"}]", REFUSED },
	{ "{\"a\":1}", "[{\"op\":\"move\",\"path\":\"/a\"}]", REFUSED },
	{ "{\"a\":{\"b\":[1.0]}}", "[{\"op\":\"test\",\"path\":\"/a\",\"value\":{\"b\":[1]}}]", "{\"a\":{\"b\":[1.0]}}", 0, NULL },
	{ "{\"a\":null}", "[{\"op\":\"test\",\"path\":\"/a\",\"value\":null}]", "{\"a\":null}", 0, NULL },
	{ "{\"spec\":{\"replicas\":1}}", "[{\"op\":\"test\",\"path\":\"/spec/replicas\",\"value\":9}]", REFUSED },
	/* Nothing is kept of a patch that fails halfway; escapes; what is no operation. */
	{ "{\"l\":{}}", "[{\"op\":\"add\",\"path\":\"/l/a.b~1c\",\"value\":\"e\"},{\"op\":\"add\",\"path\":\"/l/~0~01\",\"value\":1}]",
	  "{\"l\":{\"a.b/c\":\"e\",\"~~1\":1}}", 0, NULL },
	{ "{\"\":{\"\":1}}", "[{\"op\":\"replace\",\"path\":\"//\",\"value\":2}]", "{\"\":{\"\":2}}", 0, NULL },
	{ "{\"a\":1}", "[]", "{\"a\":1}", 0, NULL },
	{ "{\"a\":1}", "[{\"op\":\"frob\",\"path\":\"/x\"}]", REFUSED },
	{ "{\"a\":1}", "[{\"path\":\"/x\"}]", REFUSED },
	{ "{\"a\":1}", "[{\"op\":\"add\",\"value\":1}]", REFUSED },
	{ "{\"a\":1}", "[{\"op\":\"add\",\"path\":\"/x\"}]", REFUSED },
	{ "{\"a\":1}", "[{\"op\":\"add\",\"path\":\"x\",\"value\":1}]", REFUSED },
	{ "{}", "{\"op\":\"add\"}", NULL, ERR_BAD_REQUEST,
	  "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp" },
	{ "{}", "[1]", NULL, ERR_BAD_REQUEST,
	  "error decoding patch: json: cannot unmarshal number into Go value of type handlers.jsonPatchOp" },
	{ "{}", "[{\"op\":true}]", NULL, ERR_BAD_REQUEST,
	  "error decoding patch: json: cannot unmarshal bool into Go struct field jsonPatchOp.op of type string" },
};

static void test_json(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(json_cases); i++)
		run(&json_cases[i], patch_json);
}

/* Each operation COUNT times: a patch must not cost more than it says. */
static void repeat(const char *doc, const char *operation, int count, enum err_kind kind)
{
	struct buf patch CLEANUP(buf_close) = BUF_INIT;

	buf_char(&patch, '[');
	for (int i = 0; i < count; i++)
		buf_printf(&patch, "%s%s", i == 0 ? "" : ",", operation);
	buf_char(&patch, ']');
	if (kind == ERR_NONE) {
		struct json_object *from CLEANUP(json_putp) = parse(doc);
		struct json_object *operations CLEANUP(json_putp) = parse(patch.data);
		struct json_object *result CLEANUP(json_putp) = NULL;
		assert_int_equal(patch_json(from, operations, &result, NULL), 0);
		return;
	}
	run(&(struct patch_case){ .doc = doc, .patch = patch.data, .kind = kind }, patch_json);
}

static void test_json_bounds(void **state)
{
	(void)state;
	repeat("{}", "{\"op\":\"test\",\"path\":\"\",\"value\":{}}", 10001, ERR_TOO_LARGE);
	/* Each copy doubles the document, and makes it deeper. */
	repeat("{\"a\":[1,2,3,4]}", "{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/a/-\"}", 40, ERR_INVALID);
	repeat("{\"a\":{}}", "{\"op\":\"copy\",\"from\":\"\",\"path\":\"/a/b\"}", 200, ERR_INVALID);
	repeat("{\"a\":[{}]}", "{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/a\"}", 10000, ERR_NONE);
	repeat("{\"a\":[]}", "{\"op\":\"add\",\"path\":\"/a/0\",\"value\":1}", 10000, ERR_NONE);
}

static const struct patch_case merge_cases[] = {
	/* RFC 7386 appendix A. */
	{ "{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}", 0, NULL },
	{ "{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}", 0, NULL },
	{ "{\"a\":\"b\"}", "{\"a\":null}", "{}", 0, NULL },
	{ "{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":null}", "{\"b\":\"c\"}", 0, NULL },
	{ "{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}", 0, NULL },
	{ "{\"a\":\"c\"}", "{\"a\":[\"b\"]}", "{\"a\":[\"b\"]}", 0, NULL },
	{ "{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}", "{\"a\":{\"b\":\"d\"}}", 0, NULL },
	{ "{\"a\":[{\"b\":\"c\"}]}", "{\"a\":[1]}", "{\"a\":[1]}", 0, NULL },
	{ "{\"e\":null}", "{\"a\":1}", "{\"a\":1,\"e\":null}", 0, NULL },
	{ "{}", "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}", 0, NULL },
	{ "{\"a\":[1,2]}", "{\"a\":{\"a\":\"b\",\"c\":null}}", "{\"a\":{\"a\":\"b\"}}", 0, NULL },
	{ "{\"metadata\":{\"annotations\":{\"a\":\"b\"}}}", "{\"metadata\":{\"annotations\":null}}", "{\"metadata\":{}}", 0, NULL },
	{ "{}", "[]", NULL, ERR_BAD_REQUEST,
	  "error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}" },
};

/* A text is one value, and may be as large as a request. */
static void test_json_copies_of_texts(void **state)
{
	char text[400001];
	CLEANUP(mem_freep) char *doc = NULL;

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	doc = mem_printf("{\"a\":\"%s\",\"b\":[]}", text);
	repeat(doc, "{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/b/-\"}", 10, ERR_NONE);
	repeat(doc, "{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/b/-\"}", 100, ERR_INVALID);
	free(doc);
	doc = mem_printf("{\"a\":{\"%s\":1},\"b\":[]}", text);
	repeat(doc, "{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/b/-\"}", 100, ERR_INVALID);
}

/* What is taken from the front of a list moves all behind it. */
static void test_json_removals_from_the_front(void **state)
{
	CLEANUP(buf_close) struct buf doc = BUF_INIT;

	(void)state;
	buf_str(&doc, "{\"a\":[0");
	for (int i = 1; i < 100000; i++)
		buf_str(&doc, ",1");
	buf_str(&doc, "]}");
	repeat(doc.data, "{\"op\":\"remove\",\"path\":\"/a/0\"}", 100, ERR_NONE);
	repeat(doc.data, "{\"op\":\"remove\",\"path\":\"/a/0\"}", 10000, ERR_INVALID);
}

static void test_merge(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(merge_cases); i++)
		run(&merge_cases[i], patch_merge);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_json_bounds),
		cmocka_unit_test(test_json_copies_of_texts),
		cmocka_unit_test(test_json_removals_from_the_front),
		cmocka_unit_test(test_merge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
