/* Expressions: what they come to, and what is said of those that come to nothing. The cases are data: a line
 * with "schema" and "self" holds for those behind it, until the next. */
#include "api/cel/cel_program.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/cel/cel_functions.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "tests/support/cases.h"

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

/* A line with a schema is the setting of those behind it. */
static void take_line(const char *name, struct json_object *one, void *arg)
{
	struct setting *setting = arg;
	struct err err = ERR_INIT;

	(void)name;
	if (!json_get(one, "schema")) {
		check_case(setting, one);
		return;
	}
	setting_close(setting);
	*setting = (struct setting){ .json = json_object_get(one) };
	if (structural_new(json_get(one, "schema"), &setting->schema, &err) < 0)
		fail_msg("%s", err.msg);
}

static void test_expressions(void **state)
{
	CLEANUP(setting_close) struct setting setting = { NULL, NULL };

	(void)state;
	cases_each(CASES, take_line, &setting);
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

/* Runs EXPR for SELF, JSON; returns its steps. */
static uint64_t cost_of(const char *schema, const char *self, const char *expr)
{
	CLEANUP(setting_close) struct setting setting = { NULL, NULL };
	CLEANUP(json_putp) struct json_object *value = NULL;
	CLEANUP(buf_close) struct buf faults = BUF_INIT;
	struct cel_program *program = NULL;
	struct err err = ERR_INIT;
	uint64_t cost = 0;
	bool truth;

	if (json_parse(schema, strlen(schema), &setting.json, NULL, &err) < 0 ||
	    structural_new(setting.json, &setting.schema, &err) < 0 ||
	    json_parse(self, strlen(self), &value, NULL, &err) < 0)
		fail_msg("%s: %s", expr, err.msg);
	if (cel_program_new(expr, setting.schema, true, false, CEL_WANTS_BOOL, &program, &faults) < 0)
		fail_msg("%s: %s", expr, faults.data);
	if (cel_program_run(program, value, value, &cost, &truth, NULL, &err) < 0)
		fail_msg("%s: %s", expr, err.msg);
	cel_program_free(program);
	return cost;
}

/* Whatever goes over what a client sends is paid for by its size, also where nothing is found or shown. */
static void test_everything_costs(void **state)
{
	static const struct {
		const char *schema, *expr;
	} rows[] = {
		{ "{'l':{'type':'array','items':{'type':'integer'}}}", "!sets.intersects([], self.l)" },
		{ "{'o':{'type':'object','properties':{'l':{'x-kubernetes-preserve-unknown-fields':true}}}}",
		  "self.o == oldSelf.o" },
		{ "{'u':{'type':'object','x-kubernetes-preserve-unknown-fields':true,'properties':{'a':"
		  "{'type':'string'}}}}",
		  "self.u == oldSelf.u" },
	};
	CLEANUP(buf_close) struct buf list = BUF_INIT, members = BUF_INIT, self = BUF_INIT;

	(void)state;
	for (int i = 0; i < 5000; i++) {
		buf_printf(&list, "%s%d", i ? "," : "", i);
		buf_printf(&members, "%s\"k%d\":1", i ? "," : "", i);
	}
	buf_printf(&self, "{\"l\":[%s],\"o\":{\"l\":[%s]},\"u\":{%s}}", list.data, list.data, members.data);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(mem_freep)
		char *schema = mem_printf("{\"type\":\"object\",\"properties\":%s}", rows[i].schema);

		for (char *c = schema; *c; c++)
			*c = *c == '\'' ? '"' : *c;
		if (cost_of(schema, self.data, rows[i].expr) < 500)
			fail_msg("%s costs next to nothing", rows[i].expr);
	}
}

/* Of a literal too: a rule can be run for each of many items. */
static void test_a_run_costs(void **state)
{
	(void)state;
	assert_true(cost_of("{\"type\":\"object\"}", "{}", "true") > 0);
}

/* What the checker says of a type is no longer than the expression that has it. */
static void test_fault_stays_short(void **state)
{
	CLEANUP(setting_close) struct setting setting = { json_object_new_object(), NULL };
	CLEANUP(buf_close) struct buf expr = BUF_INIT, faults = BUF_INIT;
	struct cel_program *program = NULL;

	(void)state;
	json_object_object_add(setting.json, "type", json_object_new_string("object"));
	assert_int_equal(structural_new(setting.json, &setting.schema, NULL), 0);
	buf_str(&expr, "[[1]]");
	for (int i = 0; i < 16; i++)
		buf_str(&expr, ".map(a, {a: a})");
	assert_int_equal(
	    cel_program_new(expr.data, setting.schema, true, false, CEL_WANTS_BOOL, &program, &faults), -1);
	assert_true(faults.len < 20 * (expr.len + 200));
}

/* EXPR for a whole object without properties: what it comes to, "true", "false" or an error. */
static void expect_of_nothing(const char *expr, const char *want)
{
	CLEANUP(setting_close) struct setting setting = { json_object_new_object(), NULL };
	CLEANUP(buf_close) struct buf faults = BUF_INIT;
	struct cel_program *program = NULL;
	struct err err = ERR_INIT;
	uint64_t cost = 0;
	bool truth = false;

	json_object_object_add(setting.json, "type", json_object_new_string("object"));
	assert_int_equal(structural_new(setting.json, &setting.schema, NULL), 0);
	if (cel_program_new(expr, setting.schema, true, false, CEL_WANTS_BOOL, &program, &faults) < 0)
		fail_msg("%s: %s", expr, faults.data);
	if (cel_program_run(program, NULL, NULL, &cost, &truth, NULL, &err) < 0)
		expect_text(expr, "error", err.msg, want);
	else
		expect_text(expr, "result", truth ? "true" : "false", want);
	cel_program_free(program);
}

/* The lowest sum that there is room for has no positive counterpart. */
static void test_lowest_quantity(void **state)
{
	CLEANUP(buf_close) struct buf expr = BUF_INIT;

	(void)state;
	buf_str(&expr, "[quantity('-9007199254740992n')]");
	for (int i = 53; i < 127; i++)
		buf_str(&expr, ".map(q, q.add(q))");
	buf_str(&expr, ".all(q, quantity('0').sub(q).sign() > 0)");
	expect_of_nothing(expr.data, "quantity overflow");
}

static void test_long_number(void **state)
{
	CLEANUP(buf_close) struct buf expr = BUF_INIT;

	(void)state;
	buf_str(&expr, "0.");
	for (int i = 0; i < 600; i++)
		buf_char(&expr, '0');
	buf_str(&expr, "5e601 == 5.0");
	expect_of_nothing(expr.data, "true");
}

static struct cel_eval evaluation(void)
{
	return (struct cel_eval){ .arena = CEL_ARENA_INIT, .limit = (uint64_t)CEL_COST_OF_RULE * CEL_STEP };
}

/* A list or map that is too large is refused before there is memory for it. */
static void test_large_lists(void **state)
{
	struct cel_eval lists = evaluation(), maps = evaluation();
	struct cel_value *items, list = cel_new_list(&lists, 10000000, &items);
	struct cel_map *map;
	struct cel_value made = cel_new_map(&maps, 10000000, &map);

	(void)state;
	assert_true(cel_is_exhausted(&list) && cel_is_exhausted(&made));
	assert_int_equal(lists.arena.total + maps.arena.total, 0);
	cel_arena_close(&lists.arena);
	cel_arena_close(&maps.arena);
}

/* What a query comes to is about as large as itself, however many names it has. */
static void test_large_query(void **state)
{
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	struct cel_eval e = evaluation();
	struct cel_value url, query, key = cel_text("k7", 2), values;

	(void)state;
	buf_str(&text, "/?k7=0");
	for (int i = 0; i < 1000; i++)
		buf_printf(&text, "&k%d=%d", i, i);
	url = cel_text(text.data, text.len);
	url = cel_url(&e, NULL, &url, 1);
	query = cel_url_query(&e, NULL, &url, 1);
	assert_int_equal(query.kind, CEL_MAP);
	assert_int_equal(cel_map_len(&query), 1000);
	assert_true(cel_map_find(&e, &query, &key, &values));
	assert_int_equal(cel_list_len(&values), 2);
	assert_true(e.arena.total < 1 << 20);
	cel_arena_close(&e.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_expressions),       cmocka_unit_test(test_budget),
		cmocka_unit_test(test_everything_costs),  cmocka_unit_test(test_a_run_costs),
		cmocka_unit_test(test_fault_stays_short), cmocka_unit_test(test_lowest_quantity),
		cmocka_unit_test(test_long_number),       cmocka_unit_test(test_large_lists),
		cmocka_unit_test(test_large_query),       cmocka_unit_test(test_bounds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
