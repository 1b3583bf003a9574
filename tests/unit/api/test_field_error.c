#include "api/field_error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_path(void **state)
{
	struct field_path path;

	(void)state;
	field_path_init(&path, NULL);
	assert_string_equal(path.text, "");
	size_t root = field_push(&path, "spec");
	size_t spec = field_push(&path, "containers");
	field_push_index(&path, 12);
	field_push(&path, "resources");
	field_push_key(&path, "memory");
	assert_string_equal(path.text, "spec.containers[12].resources[memory]");
	field_pop(&path, spec);
	assert_string_equal(path.text, "spec");
	field_pop(&path, root);
	assert_string_equal(path.text, "");
	field_path_init(&path, "metadata");
	field_push(&path, "name");
	assert_string_equal(path.text, "metadata.name");
}

static void test_long_path(void **state)
{
	struct field_path path;
	char key[300];

	(void)state;
	memset(key, 'k', sizeof(key) - 1);
	key[sizeof(key) - 1] = '\0';
	field_path_init(&path, "a");
	for (int i = 0; i < 5; i++)
		field_push_key(&path, key);
	assert_int_equal(strlen(path.text), sizeof(path.text) - 1);
	assert_string_equal(path.text + strlen(path.text) - 3, "...");
	field_pop(&path, 1);
	assert_string_equal(path.text, "a");
}

static void test_messages(void **state)
{
	static const char *const protocols[] = { "SCTP", "TCP", "UDP", NULL };
	struct field_errors errors CLEANUP(field_errors_close) = FIELD_ERRORS_INIT;
	struct json_object *list CLEANUP(json_putp) = json_tokener_parse("{\"a\":[1,\"b\"]}");
	struct json_object *three CLEANUP(json_putp) = json_object_new_int(3);
	struct field_path path;
	size_t i = 0;

	(void)state;
	field_path_init(&path, "f");
	field_error_required(&errors, &path, NULL);
	field_error_required(&errors, &path, "is required for apply patch");
	field_error_invalid_str(&errors, &path, "A \"b\"", "must be %s", "good");
	field_error_invalid_int(&errors, &path, 70000, "must be between 1 and %d, inclusive", 65535);
	field_error_duplicate(&errors, &path, "TCP//9");
	field_error_not_supported(&errors, &path, "XXX", protocols);
	field_error_forbidden(&errors, &path, "may not be set");
	field_error_add(&errors, FIELD_TOO_MANY, &path, three, "must have at most %d items", 2);
	field_error_add(&errors, FIELD_TOO_LONG, &path, NULL, "may not be more than %d bytes", 262144);
	field_error_add(&errors, FIELD_NOT_FOUND, &path, json_get(list, "none"), "%s", "");
	field_error_add(&errors, FIELD_INVALID, &path, list, "field is immutable");

	static const char *const messages[] = {
		"Required value",
		"Required value: is required for apply patch",
		"Invalid value: \"A \\\"b\\\"\": must be good",
		"Invalid value: 70000: must be between 1 and 65535, inclusive",
		"Duplicate value: \"TCP//9\"",
		"Unsupported value: \"XXX\": supported values: \"SCTP\", \"TCP\", \"UDP\"",
		"Forbidden: may not be set",
		"Too many: 3: must have at most 2 items",
		"Too long: may not be more than 262144 bytes",
		"Not found: null",
		"Invalid value: {\"a\":[1,\"b\"]}: field is immutable",
	};
	assert_int_equal(errors.n, ARRAY_SIZE(messages));
	for (; i < errors.n; i++) {
		assert_string_equal(errors.items[i].field, "f");
		assert_string_equal(errors.items[i].message, messages[i]);
	}
	assert_string_equal(field_error_cause_reason(errors.items[0].type), "FieldValueRequired");
}

static void test_write(void **state)
{
	struct field_errors errors CLEANUP(field_errors_close) = FIELD_ERRORS_INIT;
	struct buf text CLEANUP(buf_close) = BUF_INIT;
	struct field_path path;

	(void)state;
	field_path_init(&path, "spec.a");
	field_error_required(&errors, &path, "");
	field_errors_write(&text, &errors);
	assert_string_equal(text.data, "spec.a: Required value");
	buf_reset(&text);
	field_path_init(&path, "spec.b");
	field_error_forbidden(&errors, &path, "no");
	field_errors_write(&text, &errors);
	assert_string_equal(text.data, "[spec.a: Required value, spec.b: Forbidden: no]");
}

static void test_bounded(void **state)
{
	struct field_errors errors CLEANUP(field_errors_close) = FIELD_ERRORS_INIT;
	struct field_path path;

	(void)state;
	field_path_init(&path, "a");
	for (int i = 0; i < 1000; i++)
		field_error_duplicate(&errors, &path, "x");
	assert_int_equal(errors.n, 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_path),  cmocka_unit_test(test_long_path), cmocka_unit_test(test_messages),
		cmocka_unit_test(test_write), cmocka_unit_test(test_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
