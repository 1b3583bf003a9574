#include "api/field_set.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct field_set *parse(struct field_arena *arena, const char *text)
{
	const struct field_set *set = NULL;
	struct err err = ERR_INIT;

	if (field_set_parse(arena, text, strlen(text), &set, &err) < 0)
		fail_msg("%s: %s", text, err.msg);
	return set;
}

static void expect(const struct field_set *set, const char *text)
{
	CLEANUP(buf_close) struct buf b = BUF_INIT;

	field_set_write(&b, set);
	assert_string_equal(b.data, text);
}

#define NAME_C "k:{\\\"name\\\":\\\"c\\\"}"

/* Sorted by kind and name, "." first; numbers in keys by value; keys in one form. */
static void test_written_in_order(void **state)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{ "{}", "{}" },
		{ "{\"f:b\":{},\"f:a\":{}}", "{\"f:a\":{},\"f:b\":{}}" },
		{ "{\"f:a\":{\"f:b\":{},\".\":{}}}", "{\"f:a\":{\".\":{},\"f:b\":{}}}" },
		{ "{ \"f:a\" : { } }", "{\"f:a\":{}}" },
		{ "{\"" NAME_C "\":{\".\":{}},\"f:x\":{}}", "{\"f:x\":{},\"" NAME_C "\":{}}" },
		{ "{\"v:\\\"b\\\"\":{},\"v:\\\"a\\\"\":{},\"i:0\":{}}",
		  "{\"v:\\\"a\\\"\":{},\"v:\\\"b\\\"\":{},\"i:0\":{}}" },
		{ "{\"k:{\\\"p\\\":100}\":{},\"k:{\\\"p\\\":9}\":{}}",
		  "{\"k:{\\\"p\\\":9}\":{},\"k:{\\\"p\\\":100}\":{}}" },
		{ "{\"k:{\\\"protocol\\\":\\\"TCP\\\", \\\"port\\\":80}\":{}}",
		  "{\"k:{\\\"port\\\":80,\\\"protocol\\\":\\\"TCP\\\"}\":{}}" },
		{ "{\"x:unknown\":{},\"f:a\":{}}", "{\"f:a\":{}}" },
		{ "{\"f:a\":{},\"f:a\":{\"f:b\":{}}}", "{\"f:a\":{\"f:b\":{}}}" },
		{ "{\"f:\\u0061\":{}}", "{\"f:a\":{}}" },
		{ "{\"f:a\\n\\\"b\\\\\":{}}", "{\"f:a\\n\\\"b\\\\\":{}}" },
		/* Where texts differ behind more than a word that is the same. */
		{ "{\"k:{\\\"type\\\":\\\"Ready\\\"}\":{},\"k:{\\\"type\\\":\\\"ReadyToo\\\"}\":{},"
		  "\"k:{\\\"type\\\":\\\"Read!\\\"}\":{},\"k:{\\\"type\\\":\\\"Read\\\"}\":{}}",
		  "{\"k:{\\\"type\\\":\\\"Read\\\"}\":{},\"k:{\\\"type\\\":\\\"Read!\\\"}\":{},"
		  "\"k:{\\\"type\\\":\\\"Ready\\\"}\":{},\"k:{\\\"type\\\":\\\"ReadyToo\\\"}\":{}}" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct field_arena arena = { 0 };
		expect(parse(&arena, cases[i].text), cases[i].expected);
		field_arena_close(&arena);
	}
}

static void test_refused(void **state)
{
	static const char *const cases[] = {
		"", "[]", "{", "{\"f:a\"}", "{\"f:a\":1}", "{\"k:x\":{}}", "{\"f:a\":{}} x", "{\"f:a\":{},}"
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct field_arena arena = { 0 };
		const struct field_set *set;
		struct err err = ERR_INIT;
		if (field_set_parse(&arena, cases[i], strlen(cases[i]), &set, &err) == 0)
			fail_msg("taken: %s", cases[i]);
		assert_int_equal(err.kind, ERR_PARSE);
		field_arena_close(&arena);
	}
}

static void test_algebra(void **state)
{
	enum { UNION, INTERSECTION, DIFFERENCE, DEEP };
	static const struct {
		int operation;
		const char *a, *b, *expected;
	} cases[] = {
		{ UNION, "{\"f:a\":{}}", "{\"f:b\":{}}", "{\"f:a\":{},\"f:b\":{}}" },
		{ UNION, "{\"f:a\":{}}", "{\"f:a\":{\"f:b\":{}}}", "{\"f:a\":{\".\":{},\"f:b\":{}}}" },
		{ UNION, "{}", "{\"f:b\":{}}", "{\"f:b\":{}}" },
		{ INTERSECTION, "{\"f:a\":{\"f:b\":{},\"f:c\":{}}}", "{\"f:a\":{\"f:c\":{}}}",
		  "{\"f:a\":{\"f:c\":{}}}" },
		{ INTERSECTION, "{\"f:a\":{\"f:b\":{}}}", "{\"f:a\":{}}", "{}" },
		{ DIFFERENCE, "{\"f:a\":{\".\":{},\"f:b\":{}}}", "{\"f:a\":{}}", "{\"f:a\":{\"f:b\":{}}}" },
		{ DIFFERENCE, "{\"f:a\":{\"f:b\":{}}}", "{\"f:a\":{\"f:b\":{}}}", "{}" },
		{ DIFFERENCE, "{\"f:a\":{\"f:b\":{}}}", "{}", "{\"f:a\":{\"f:b\":{}}}" },
		{ DEEP, "{\"f:a\":{\".\":{},\"f:b\":{}},\"f:c\":{}}", "{\"f:a\":{}}", "{\"f:c\":{}}" },
		{ DEEP, "{\"f:a\":{\"f:b\":{},\"f:c\":{}}}", "{\"f:a\":{\"f:b\":{}}}",
		  "{\"f:a\":{\"f:c\":{}}}" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct field_arena arena = { 0 };
		const struct field_set *a = parse(&arena, cases[i].a), *b = parse(&arena, cases[i].b);
		const struct field_set *result =
		    cases[i].operation == UNION          ? field_set_union(&arena, a, b)
		    : cases[i].operation == INTERSECTION ? field_set_intersection(&arena, a, b)
		    : cases[i].operation == DIFFERENCE   ? field_set_difference(&arena, a, b)
							 : field_set_difference_deep(&arena, a, b);
		expect(result, cases[i].expected);
		field_arena_close(&arena);
	}
}

/* What does not change is the same set: its text need not be written again. */
static void test_unchanged_is_shared(void **state)
{
	struct field_arena arena = { 0 };
	const struct field_set *a = parse(&arena, "{\"f:a\":{\"f:b\":{}},\"f:c\":{}}");
	const struct field_set *b = parse(&arena, "{\"f:a\":{\"f:x\":{}}}");
	(void)state;
	assert_ptr_equal(field_set_difference(&arena, a, b), a);
	assert_ptr_equal(field_set_union(&arena, a, a), a);
	assert_true(field_set_equal(a, parse(&arena, "{\"f:c\":{},\"f:a\":{\"f:b\":{}}}")));
	assert_false(field_set_equal(a, b));
	field_arena_close(&arena);
}

static void add_path(const char *path, void *arg)
{
	buf_str(arg, path);
	buf_char(arg, '\n');
}

/* Kubernetes' order: what ends at a step before what goes on from it. */
static void test_paths(void **state)
{
	struct field_arena arena = { 0 };
	CLEANUP(buf_close) struct buf b = BUF_INIT;
	(void)state;
	field_set_each(parse(&arena,
			     "{\"f:spec\":{\"f:c\":{\"" NAME_C
			     "\":{\".\":{},\"f:image\":{}},\"k:{\\\"a\\\":1,\\\"b\\\":\\\"x:,y\\\"}\":{}},"
			     "\"f:replicas\":{}},\"f:f\":{\"v:\\\"z\\\"\":{},\"i:3\":{}}}"),
		       add_path, &b);
	assert_string_equal(b.data, ".f[=\"z\"]\n.f[3]\n.spec.replicas\n.spec.c[a=1,b=\"x:,y\"]\n"
				    ".spec.c[name=\"c\"]\n.spec.c[name=\"c\"].image\n");
	field_arena_close(&arena);
}

/* Order and duplicates do not depend on how many nodes there are, nor does the time it takes grow with their
 * square: this would take minutes. */
static void test_many_in_reverse(void **state)
{
	enum { N = 100000 };
	struct field_arena arena = { 0 };
	struct field_builder builder = { .arena = &arena };
	char *names = mem_alloc((size_t)N * 8);
	(void)state;
	for (int i = N; i--;) {
		struct field_element element = { names + i * 8, 7, FIELD_ELEMENT_NAME };
		snprintf(names + i * 8, 8, "%07d", i);
		field_builder_add(&builder, &element, true, NULL);
	}
	const struct field_set *set = field_builder_end(&builder, 0);
	assert_int_equal(set->n, N);
	for (int i = 0; i < N; i++)
		assert_ptr_equal(set->nodes[i].element.text, names + i * 8);
	field_builder_close(&builder);
	field_arena_close(&arena);
	free(names);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_written_in_order),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_algebra),
		cmocka_unit_test(test_unchanged_is_shared),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_many_in_reverse),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
