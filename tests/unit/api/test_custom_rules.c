/* Rules of custom resources against objects. The cases are data. */
#include "api/custom_rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/mem.h"

#define CASES "tests/unit/api/cases/custom_rules.jsonl"

static void check_case(const struct json_object *one)
{
	const struct json_object *wanted = json_get(one, "errors");
	const char *name = json_str(one, "name");
	struct field_errors errors = FIELD_ERRORS_INIT;
	struct structural *schema = NULL;
	struct custom_rules *rules;
	struct field_path path;
	struct err err = ERR_INIT;

	if (structural_new(json_get(one, "schema"), &schema, &err) < 0)
		fail_msg("%s: %s", name, err.msg);
	rules = custom_rules_new(json_get(one, "schema"), schema, true);
	assert_non_null(rules);
	field_path_init(&path, "");
	custom_rules_validate(rules, json_get(one, "value"), json_get(one, "old"), &path, &errors);
	assert_string_equal(path.text, "");
	for (size_t i = 0; i < errors.n; i++) {
		CLEANUP(mem_freep)
		char *got = mem_printf("%s: %s", errors.items[i].field, errors.items[i].message);
		const char *want =
		    i < json_len(wanted) ? json_object_get_string(json_at(wanted, i)) : "nothing";

		if (strcmp(got, want) != 0)
			fail_msg("%s: wanted\n%s\ngot\n%s", name, want, got);
	}
	if (errors.n < json_len(wanted))
		fail_msg("%s: %s is missing", name, json_object_get_string(json_at(wanted, errors.n)));
	field_errors_close(&errors);
	custom_rules_free(rules);
	structural_free(schema);
}

static void test_objects(void **state)
{
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	struct err err = ERR_INIT;
	char *save;
	size_t n = 0;

	(void)state;
	if (buf_read_file(&text, CASES, 1 << 20, &err) != 0)
		fail_msg("%s", err.msg);
	for (char *line = strtok_r(text.data, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		CLEANUP(json_putp) struct json_object *one = NULL;

		if (json_parse(line, strlen(line), &one, NULL, &err) != 0)
			fail_msg("%s in %.100s", err.msg, line);
		check_case(one);
		n++;
	}
	assert_true(n > 0);
}

/* A schema without rules has nothing to run. */
static void test_none(void **state)
{
	static const char json[] = "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"}}}";
	CLEANUP(json_putp) struct json_object *definition = NULL;
	struct structural *schema = NULL;

	(void)state;
	assert_int_equal(json_parse(json, strlen(json), &definition, NULL, NULL), 0);
	assert_int_equal(structural_new(definition, &schema, NULL), 0);
	assert_null(custom_rules_new(definition, schema, true));
	structural_free(schema);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_objects),
		cmocka_unit_test(test_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
