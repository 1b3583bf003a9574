/* Rules of custom resources against objects. The cases are data. */
#include "api/custom_rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/mem.h"
#include "tests/support/cases.h"

#define CASES "tests/unit/api/cases/custom_rules.jsonl"

static void check_case(const char *name, struct json_object *one, void *arg)
{
	struct field_errors errors = FIELD_ERRORS_INIT;
	struct structural *schema = NULL;
	struct custom_rules *rules;
	struct field_path path;
	struct err err = ERR_INIT;

	(void)arg;
	if (structural_new(json_get(one, "schema"), &schema, &err) < 0)
		fail_msg("%s: %s", name, err.msg);
	rules = custom_rules_new(json_get(one, "schema"), schema, true);
	assert_non_null(rules);
	field_path_init(&path, "");
	custom_rules_validate(rules, json_get(one, "value"), json_get(one, "old"), &path, &errors);
	assert_string_equal(path.text, "");
	cases_expect_errors(name, &errors, json_get(one, "errors"));
	field_errors_close(&errors);
	custom_rules_free(rules);
	structural_free(schema);
}

static void test_objects(void **state)
{
	(void)state;
	cases_each(CASES, check_case, NULL);
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
