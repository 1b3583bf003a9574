/* Expressions: what they come to, and what is said of those that come to nothing. The cases are data: a line
 * with "schema" and "self" holds for those behind it, until the next. */
#include "api/cel/cel_program.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/json.h"
#include "lib/mem.h"

#define CASES "tests/unit/api/cases/cel.jsonl"

struct setting {
	struct json_object *json;
	struct structural *schema;
};

static void setting_close(struct setting *setting)
{
	structural_free(setting->schema);
	json_object_put(setting->json);
}

static void expect_text(const char *expr, const char *what, const char *got, const char *want)
{
	if (strcmp(got, want) != 0)
		fail_msg("%s: %s: wanted\n%s\ngot\n%s", expr, what, want, got);
}

static void check_result(const struct setting *setting, const struct json_object *one,
			 const struct cel_program *program, bool wants_text)
{
	const char *expr = json_str(one, "expr"), *error = json_str(one, "error");
	const struct json_object *is = json_get(one, "is");
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	struct err err = ERR_INIT;
	uint64_t cost = 0;
	bool truth = false;

	if (cel_program_run(program, json_get(setting->json, "self"), json_get(setting->json, "old"), &cost,
			    &truth, wants_text ? &text : NULL, &err) < 0) {
		expect_text(expr, "error", err.msg, error ? error : "no error");
		return;
	}
	if (error)
		fail_msg("%s: wanted the error %s", expr, error);
	if (wants_text)
		expect_text(expr, "text", text.data ? text.data : "", json_str_or_empty(one, "text"));
	else if (truth != (is ? json_object_get_boolean(is) : true))
		fail_msg("%s: is %s", expr, truth ? "true" : "false");
}

static void check_case(const struct setting *setting, const struct json_object *one)
{
	const char *expr = json_str(one, "expr"), *fault = json_str(one, "fault");
	bool wants_text = json_get(one, "text") != NULL;
	CLEANUP(buf_close) struct buf faults = BUF_INIT;
	struct cel_program *program = NULL;

	if (cel_program_new(expr, setting->schema, true, json_boolean(one, "optional", false),
			    wants_text ? CEL_WANTS_STRING : CEL_WANTS_BOOL, &program, &faults) < 0) {
		expect_text(expr, "fault", faults.data, fault ? fault : "no fault");
		return;
	}
	if (fault)
		fail_msg("%s: wanted the fault %s", expr, fault);
	check_result(setting, one, program, wants_text);
	cel_program_free(program);
}

static void test_expressions(void **state)
{
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	CLEANUP(setting_close) struct setting setting = { NULL, NULL };
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
		if (!json_get(one, "schema")) {
			check_case(&setting, one);
			n++;
			continue;
		}
		setting_close(&setting);
		setting = (struct setting){ .json = TAKE(one) };
		if (structural_new(json_get(setting.json, "schema"), &setting.schema, &err) < 0)
			fail_msg("%s", err.msg);
	}
	assert_true(n > 0);
}

/* What a hostile rule does stops by its budget. */
static void test_budget(void **state)
{
	static const char *const rules[] = {
		"self.l.all(a, self.l.all(b, self.l.all(c, self.l.all(d, a + b + c + d >= 0))))",
		"self.l.map(a, self.l.map(b, self.l.map(c, self.l.map(d, [a, b, c, d])))).size() > 0",
		"self.l.map(a, self.l.map(b, self.l.map(c, string(a) + string(b) + string(c)))).size() > 0",
		"self.l.all(a, self.l.all(b, !self.s.matches('(a|aa){1,500}b')))",
		"self.l.all(a, self.l.all(b, self.s.replace('a', self.s) != self.s))",
		"self.l.all(a, self.s.replace('', self.s + self.s).replace('', self.s) != self.s)",
		"self.l.all(a, self.l.all(b, self.s.lastIndexOf('aaaaaaaaaaaaaaaaaaaaaab') < 0))",
		"self.l.all(a, self.l.all(b, self.s.findAll('a|a.*b').size() > 0))",
		"self.l.all(a, self.l.all(b, self.l == self.l.map(x, x)))",
		"self.l.all(a, self.l.all(b, self.l.all(c, true)))",
	};
	CLEANUP(json_putp) struct json_object *self = json_object_new_object();
	struct json_object *definition = NULL, *list = json_object_new_array();
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	struct structural *schema = NULL;
	static const char json[] = "{\"type\":\"object\",\"properties\":{\"l\":{\"type\":\"array\",\"items\":"
				   "{\"type\":\"integer\"}},\"s\":{\"type\":\"string\"}}}";

	(void)state;
	assert_int_equal(json_parse(json, strlen(json), &definition, NULL, NULL), 0);
	assert_int_equal(structural_new(definition, &schema, NULL), 0);
	for (int i = 0; i < 1000; i++) {
		json_object_array_add(list, json_object_new_int(i));
		buf_str(&text, "aaa");
	}
	json_object_object_add(self, "l", list);
	json_object_object_add(self, "s", json_object_new_string(text.data));
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		CLEANUP(buf_close) struct buf faults = BUF_INIT;
		struct cel_program *program = NULL;
		struct err err = ERR_INIT;
		uint64_t cost = 0;
		bool truth;

		if (cel_program_new(rules[i], schema, true, false, CEL_WANTS_BOOL, &program, &faults) < 0)
			fail_msg("%s: %s", rules[i], faults.data);
		if (cel_program_run(program, self, NULL, &cost, &truth, NULL, &err) == 0 ||
		    err.kind != ERR_LIMIT)
			fail_msg("%s: not stopped after %llu steps: %s", rules[i], (unsigned long long)cost,
				 err.msg);
		assert_true(cost <= CEL_COST_OF_RULE);
		cel_program_free(program);
	}
	structural_free(schema);
	json_object_put(definition);
}

/* N times BEFORE, then MIDDLE, then N times AFTER. */
static char *nested(const char *before, const char *middle, const char *after, size_t n)
{
	struct buf text = BUF_INIT;

	for (size_t i = 0; i < n; i++)
		buf_str(&text, before);
	buf_str(&text, middle);
	for (size_t i = 0; i < n; i++)
		buf_str(&text, after);
	return buf_take(&text);
}

static void test_bounds(void **state)
{
	static const struct {
		const char *before, *middle, *after;
		size_t n;
		bool fits;
	} rows[] = {
		{ "(", "true", ")", 100, true },
		{ "(", "true", ")", 10000, false },
		{ "[", "1", "] == []", 1000, false },
		{ "!", "true", "", 10000, true },
		{ "", "true", " && true", 9000, true },
		{ "", "1 == 1", " + 1", 1000, false },
		{ "true ? ", "true", " : true", 1000, false },
		{ "[1].exists(x, ", "x > 0", ")", 100, true },
		{ "[1].exists(x, ", "x > 0", ")", 1000, false },
		{ " ", "true", "", 200000, false },
		{ "-", "1 < 5", "", 40000, true },
	};
	struct structural *schema = NULL;

	(void)state;
	assert_int_equal(structural_new(NULL, &schema, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(mem_freep)
		char *text = nested(rows[i].before, rows[i].middle, rows[i].after, rows[i].n);
		CLEANUP(buf_close) struct buf faults = BUF_INIT;
		struct cel_program *program = NULL;
		int result = cel_program_new(text, schema, true, false, CEL_WANTS_BOOL, &program, &faults);

		if ((result == 0) != rows[i].fits)
			fail_msg("%s %s %s, %zu times: %.200s", rows[i].before, rows[i].middle, rows[i].after,
				 rows[i].n, faults.data ? faults.data : "compiled");
		cel_program_free(program);
	}
	structural_free(schema);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_expressions),
		cmocka_unit_test(test_budget),
		cmocka_unit_test(test_bounds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
