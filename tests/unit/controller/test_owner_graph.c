#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "controller/owner_graph.h"
#include "lib/mem.h"

static struct meta object(const char *uid, struct owner_ref *owners, size_t n)
{
	return (struct meta){ .item.uid = (char *)uid, .owners = owners, .n_owners = n };
}

static void note_lost(const char *uid, void *arg)
{
	buf_printf(arg, "%s ", uid);
}

static size_t dependants(const struct owner_graph *graph, const char *uid)
{
	const struct owner_node *node = owner_graph_get(graph, uid);
	size_t n = 0;

	for (const struct owner_edge *e = node ? node->dependants : NULL; e; e = e->next)
		n++;
	return n;
}

static void test_comes_and_goes(void **state)
{
	CLEANUP(owner_graph_close) struct owner_graph graph = { 0 };
	CLEANUP(buf_close) struct buf lost = BUF_INIT;
	struct owner_ref ab[] = { { .uid = (char *)"a", .block_deletion = true }, { .uid = (char *)"b" } };
	struct meta owner = object("a", NULL, 0), both = object("x", ab, 2), one = object("x", ab + 1, 1);

	(void)state;
	owner_graph_change(&graph, NULL, &both, note_lost, &lost);
	assert_int_equal(dependants(&graph, "a"), 1);
	assert_int_equal(dependants(&graph, "b"), 1);
	assert_null(lost.data);
	/* The owner goes: remembered as long as somebody names it. */
	owner_graph_change(&graph, NULL, &owner, note_lost, &lost);
	owner_graph_change(&graph, &owner, NULL, note_lost, &lost);
	assert_true(owner_graph_get(&graph, "a")->gone);
	owner_graph_change(&graph, &both, &one, note_lost, &lost);
	assert_string_equal(lost.data, "a b ");
	assert_null(owner_graph_get(&graph, "a"));
	assert_int_equal(dependants(&graph, "b"), 1);
	owner_graph_change(&graph, &one, NULL, note_lost, &lost);
	assert_int_equal(graph.nodes.count, 0);
}

/* References that make no sense must not break the bookkeeping. */
static void test_self_and_twice(void **state)
{
	CLEANUP(owner_graph_close) struct owner_graph graph = { 0 };
	CLEANUP(buf_close) struct buf lost = BUF_INIT;
	struct owner_ref odd[] = { { .uid = (char *)"x" }, { .uid = (char *)"a" }, { .uid = (char *)"a" } };
	struct meta x = object("x", odd, 3);

	(void)state;
	owner_graph_change(&graph, NULL, &x, note_lost, &lost);
	assert_int_equal(dependants(&graph, "a"), 2);
	owner_graph_change(&graph, &x, NULL, note_lost, &lost);
	assert_int_equal(graph.nodes.count, 0);
}

static void test_blocking_changes(void **state)
{
	CLEANUP(owner_graph_close) struct owner_graph graph = { 0 };
	CLEANUP(buf_close) struct buf lost = BUF_INIT;
	struct owner_ref blocks[] = { { .uid = (char *)"a", .block_deletion = true } }, free_[] = { { .uid = (char *)"a" } };
	struct meta was = object("x", blocks, 1), is = object("x", free_, 1);

	(void)state;
	owner_graph_change(&graph, NULL, &was, note_lost, &lost);
	owner_graph_change(&graph, &was, &was, note_lost, &lost);
	assert_null(lost.data);
	owner_graph_change(&graph, &was, &is, note_lost, &lost);
	assert_string_equal(lost.data, "a ");
	assert_false(owner_graph_get(&graph, "a")->dependants->blocks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_comes_and_goes),
		cmocka_unit_test(test_self_and_twice),
		cmocka_unit_test(test_blocking_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
