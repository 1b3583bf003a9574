#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kubectl-lite/explain_text.h"
#include "lib/buf.h"

static const char text[] =
    "{\"components\":{\"schemas\":{\"x\":7,\"com.example.v1.CronTab\":{\"type\":\"object\",\"properties\":{"
    "\"metadata\":{\"allOf\":[{\"$ref\":\"#/components/schemas/io.ObjectMeta\"}]},"
    "\"time\":{\"$ref\":\"#/components/schemas/io.Time\"},"
    "\"lost\":{\"$ref\":\"#/components/schemas/io.Lost\"},"
    "\"steps\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{\"a\":{}}}},"
    "\"env\":{\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\"}},"
    "\"open\":{\"type\":\"object\",\"additionalProperties\":true},"
    "\"any\":{\"x-kubernetes-preserve-unknown-fields\":true}},"
    "\"x-kubernetes-group-version-kind\":[{\"group\":\"example.com\",\"version\":\"v1\",\"kind\":\"CronTab\"}"
    "]},"
    "\"io.ObjectMeta\":{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\"}}},"
    "\"io.Time\":{\"type\":\"string\"}}}}";

static void test_types(void **state)
{
	static const struct {
		const char *field, *type;
		bool has_fields;
	} cases[] = {
		{ "metadata", "<ObjectMeta>", true },
		{ "time", "<string>", false },
		{ "lost", "<Lost>", false },
		{ "steps", "<[]Object>", true },
		{ "env", "<map[string]string>", false },
		{ "open", "<Object>", false },
		{ "any", "<Object>", false },
	};
	const struct resource resource = { .group = "example.com", .version = "v1", .kind_name = "CronTab" };
	const struct resource other = { .group = "example.com", .version = "v2", .kind_name = "CronTab" };
	CLEANUP(json_putp) struct json_object *document = NULL;

	(void)state;
	assert_int_equal(json_parse(text, strlen(text), &document, NULL, NULL), 0);
	const struct json_object *schema = explain_openapi_schema(document, &resource);
	assert_non_null(schema);
	assert_null(explain_openapi_schema(document, &other));
	assert_null(explain_openapi_schema(NULL, &other));
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(buf_close) struct buf type = BUF_INIT;
		const struct json_object *inner;
		explain_openapi_type(document, json_path(schema, "properties", cases[i].field, NULL), &type,
				     &inner);
		assert_string_equal(type.data, cases[i].type);
		assert_int_equal(json_get(inner, "properties") != NULL, cases[i].has_fields);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
