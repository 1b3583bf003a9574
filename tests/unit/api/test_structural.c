/* Structural schemas: what one may say, and what one makes of values. The cases are data. */
#include "api/structural.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/decode.h"
#include "api/structural_def.h"
#include "lib/mem.h"
#include "tests/support/cases.h"

#define CASES "tests/unit/api/cases/"

static void check_schema(const char *name, struct json_object *test_case, void *arg)
{
	CLEANUP(json_putp) struct json_object *schema = json_clone(json_get(test_case, "schema"));
	struct field_errors errors = FIELD_ERRORS_INIT;
	struct field_path path;
	struct err err = ERR_INIT;

	(void)arg;
	if (decode_value(schema_def_find("apiextensions.v1.JSONSchemaProps"), NULL, "v1", schema,
			 FIELD_VALIDATION_STRICT, NULL, &err) < 0)
		fail_msg("%s: %s", name, err.msg);
	field_path_init(&path, "s");
	structural_check(schema, json_boolean(test_case, "status", false), &path, &errors);
	cases_expect_errors(name, &errors, json_get(test_case, "errors"));
	assert_string_equal(path.text, "s");
	field_errors_close(&errors);
}

static void test_schemas(void **state)
{
	(void)state;
	cases_each(CASES "structural_schemas.jsonl", check_schema, NULL);
}

struct unknown {
	struct buf paths;
};

static void note(const char *path, void *arg)
{
	struct unknown *unknown = arg;

	buf_printf(&unknown->paths, "%s%s", unknown->paths.len ? " " : "", path);
}

static void check_value(const char *name, struct json_object *test_case, void *arg)
{
	CLEANUP(json_putp) struct json_object *value = json_clone(json_get(test_case, "value"));
	const struct json_object *expect = json_get(test_case, "expect");
	struct field_errors errors = FIELD_ERRORS_INIT;
	struct structural *schema = NULL;
	struct unknown unknown = { BUF_INIT };
	struct field_path path;
	struct err err = ERR_INIT;

	(void)arg;
	if (structural_new(json_get(test_case, "schema"), &schema, &err) < 0)
		fail_msg("%s: %s", name, err.msg);
	structural_prune(schema, value, true, note, &unknown);
	structural_default(schema, value);
	field_path_init(&path, "");
	structural_validate(schema, value, json_get(test_case, "old"), &path, &errors);
	structural_validate_embedded(schema, value, &path, &errors);
	structural_validate_lists(schema, value, &path, &errors);
	cases_expect_errors(name, &errors, json_get(test_case, "errors"));
	if (expect && !json_equal(value, expect)) {
		CLEANUP(buf_close) struct buf got = BUF_INIT;
		json_write(&got, value);
		fail_msg("%s: got %s", name, got.data);
	}
	if (strcmp(unknown.paths.data ? unknown.paths.data : "", json_str_or_empty(test_case, "unknown")) !=
	    0)
		fail_msg("%s: unknown: %s", name, unknown.paths.data);
	buf_close(&unknown.paths);
	field_errors_close(&errors);
	structural_free(schema);
}

static void test_values(void **state)
{
	(void)state;
	cases_each(CASES "structural_values.jsonl", check_value, NULL);
}

static const struct {
	const char *format, *good, *bad;
} formats[] = {
	{ "date-time", "2024-02-29T10:00:00Z", "2023-02-29T10:00:00Z" },
	{ "datetime", "2024-02-29T10:00:00.5+01:00", "yesterday" },
	{ "date", "2024-02-29", "2024-2-29" },
	{ "duration", "1h30m", "1 fortnight" },
	{ "duration", "3 days", "days" },
	{ "ipv4", "10.0.0.1", "10.0.0.256" },
	{ "ipv6", "fe80::1", "fe80:::1" },
	{ "cidr", "10.0.0.0/8", "10.0.0.0/33" },
	{ "cidr", "fe80::/10", "fe80::" },
	{ "mac", "00:1b:44:11:3a:b7", "00:1b:44:11:3a" },
	{ "uuid", "4a14b823-9be7-4ae9-b013-5f2bc273fc1f", "4a14b823-9be7" },
	{ "uuid4", "4a14b823-9be7-4ae9-b013-5f2bc273fc1f", "4a14b823-9be7-3ae9-b013-5f2bc273fc1f" },
	{ "hostname", "a.example.com", "-a.example.com" },
	{ "email", "jane@example.com", "jane" },
	{ "uri", "https://example.com/a?b", "no uri" },
	{ "byte", "aGVsbG8=", "aGVsbG8" },
	{ "hexcolor", "#ff00aa", "#ff00a" },
	{ "rgbcolor", "rgb(1, 2,255)", "rgb(1,2,256)" },
	{ "isbn10", "0-306-40615-2", "0-306-40615-1" },
	{ "isbn13", "978-0-306-40615-7", "978-0-306-40615-8" },
	{ "creditcard", "4111 1111 1111 1111", "4111 1111 1111 1112" },
	{ "ssn", "111-11-1111", "111-11-111" },
	{ "bsonobjectid", "507f1f77bcf86cd799439011", "507f1f77" },
	{ "k8s-short-name", "a-b", "A" },
	{ "k8s-long-name", "a.b", "a..b" },
	{ "password", "anything", NULL },
	{ "of-our-own", "anything", NULL },
};

static void test_formats(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		if (!structural_format_holds(formats[i].format, formats[i].good))
			fail_msg("%s: %s", formats[i].format, formats[i].good);
		if (formats[i].bad && structural_format_holds(formats[i].format, formats[i].bad))
			fail_msg("%s: %s", formats[i].format, formats[i].bad);
	}
}

static const struct schema_field *field_of(const struct schema_def *def, const char *name)
{
	const struct schema_field *field = schema_field_find(def, name, strlen(name));

	assert_non_null(field);
	return field;
}

static void test_def(void **state)
{
	static const char text[] =
	    "{\"type\":\"object\",\"properties\":{\"spec\":{\"type\":\"object\",\"required\":[\"n\"],"
	    "\"properties\":{"
	    "\"n\":{\"type\":\"integer\",\"default\":1},\"labels\":{\"type\":\"object\","
	    "\"additionalProperties\":{\"type\":\"string\"}},\"any\":{\"type\":\"object\","
	    "\"x-kubernetes-preserve-unknown-fields\":true},\"ports\":{\"type\":\"array\","
	    "\"x-kubernetes-list-type\":\"map\",\"x-kubernetes-list-map-keys\":[\"a\",\"b\"],\"items\":{"
	    "\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"},\"b\":{\"type\":\"string\"}}}},"
	    "\"list\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}}}}}}";
	CLEANUP(json_putp) struct json_object *json = NULL;
	struct structural *schema = NULL;
	struct schema_def *def;
	const struct schema_def *spec;

	(void)state;
	assert_int_equal(json_parse(text, strlen(text), &json, NULL, NULL), 0);
	assert_int_equal(structural_new(json, &schema, NULL), 0);
	def = structural_def_of_object(schema, "dev.g.v1.Ship");
	structural_free(schema);
	assert_string_equal(def->name, "dev.g.v1.Ship");
	assert_string_equal(field_of(def, "metadata")->def->name, "meta.v1.ObjectMeta");
	assert_int_equal(field_of(def, "kind")->type, SCHEMA_STRING);
	spec = field_of(def, "spec")->def;
	assert_int_equal(field_of(spec, "n")->type, SCHEMA_INT64);
	assert_true(field_of(spec, "n")->required);
	assert_string_equal(schema_texts(field_of(spec, "n"))->default_value, "1");
	assert_int_equal(field_of(spec, "labels")->container, SCHEMA_MAP);
	assert_int_equal(field_of(spec, "any")->type, SCHEMA_ANY);
	assert_int_equal(field_of(spec, "ports")->list, SCHEMA_LIST_MAP);
	assert_string_equal(schema_texts(field_of(spec, "ports"))->list_map_keys, "a,b");
	assert_int_equal(field_of(spec, "list")->list, SCHEMA_LIST_ATOMIC);
	structural_def_free(def);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_schemas),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_formats),
		cmocka_unit_test(test_def),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
