#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kubectl-lite/edit_text.h"

static struct json_object *parse(const char *text)
{
	struct json_object *value = NULL;

	assert_int_equal(json_parse(text, strlen(text), &value, NULL, NULL), 0);
	return value;
}

static void test_one(void **state)
{
	CLEANUP(json_putp)
	struct json_object *obj =
	    parse("{\"kind\":\"Pod\",\"metadata\":{\"name\":\"a\",\"managedFields\":[]}}");
	CLEANUP(json_putp) struct json_object *document = edit_document(&obj, 1, false);
	CLEANUP(buf_close) struct buf yaml = BUF_INIT, json = BUF_INIT;

	(void)state;
	edit_write(&yaml, document, false);
	assert_string_equal(yaml.data, "kind: Pod\nmetadata:\n  name: a\n");
	edit_write(&json, document, true);
	assert_string_equal(
	    json.data, "{\n    \"kind\": \"Pod\",\n    \"metadata\": {\n        \"name\": \"a\"\n    }\n}\n");
	/* The object itself keeps them. */
	assert_non_null(json_path(obj, "metadata", "managedFields", NULL));
	CLEANUP(json_putp) struct json_object *managed = edit_document(&obj, 1, true);
	assert_non_null(json_path(managed, "metadata", "managedFields", NULL));
}

static void test_several(void **state)
{
	struct json_object *objects[] = { parse("{\"kind\":\"A\"}"), parse("{\"kind\":\"B\"}") };
	CLEANUP(json_putp) struct json_object *document = edit_document(objects, 2, false);
	CLEANUP(buf_close) struct buf text = BUF_INIT;

	(void)state;
	edit_write(&text, document, false);
	assert_string_equal(text.data,
			    "apiVersion: v1\nitems:\n- kind: A\n- kind: B\nkind: List\nmetadata: {}\n");
	json_object_put(objects[0]);
	json_object_put(objects[1]);
}

static void test_head(void **state)
{
	CLEANUP(buf_close) struct buf plain = BUF_INIT, problems = BUF_INIT, left = BUF_INIT;

	(void)state;
	edit_write_head(&plain, "");
	assert_non_null(strstr(plain.data, "an empty file will abort the edit"));
	edit_write_head(&problems, "a was not valid:\n* b: Required value\n");
	assert_non_null(strstr(problems.data, "#\n# a was not valid:\n# * b: Required value\n#\n"));
	buf_str(&problems, "a: b\n # no comment: it does not begin the line\n#x\nc: |\n  d");
	edit_strip(&left, problems.data);
	assert_string_equal(left.data, "a: b\n # no comment: it does not begin the line\nc: |\n  d");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one),
		cmocka_unit_test(test_several),
		cmocka_unit_test(test_head),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
