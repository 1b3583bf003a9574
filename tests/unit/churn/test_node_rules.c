/* Pods' lives that never were: each rule lets the right one pass and refuses the wrong one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/churn/node_rules.h"

struct told {
	struct node_rules *rules;
	char broken[128]; /* the last that broke */
};

static void on_broken(const char *what, void *arg)
{
	snprintf(((struct told *)arg)->broken, sizeof(((struct told *)arg)->broken), "%s", what);
}

static struct json_object *pod(const char *id, int restarts, bool ready, const char *phase)
{
	CLEANUP(mem_freep)
	char *text = mem_printf("{\"metadata\":{\"name\":\"p\",\"uid\":\"u\"},\"spec\":{\"restartPolicy\":"
				"\"Always\"},\"status\":{\"phase\":\"%s\","
				"\"conditions\":[{\"type\":\"Ready\","
				"\"status\":\"%s\"}],\"containerStatuses\":[{\"name\":\"c\",\"containerID\":"
				"\"%s\",\"restartCount\":%d}]}}",
				phase, ready ? "True" : "False", id, restarts);
	struct json_object *obj = NULL;

	assert_int_equal(json_parse(text, strlen(text), &obj, NULL, NULL), 0);
	return obj;
}

static void tell(struct told *told, const char *id, int restarts, bool ready, const char *phase)
{
	CLEANUP(json_putp) struct json_object *obj = pod(id, restarts, ready, phase);

	node_rules_pod(told->rules, obj, false);
}

static bool right(struct told *told, int restarts)
{
	CLEANUP(json_putp) struct json_object *obj = pod("runc://x", restarts, true, "Running");
	CLEANUP(buf_close) struct buf why = BUF_INIT;

	return node_rules_restarts_right(told->rules, obj, &why);
}

static int begin(void **state)
{
	struct told *told = mem_zalloc(sizeof(*told));

	told->rules = node_rules_new(on_broken, told);
	*state = told;
	return 0;
}

static int end(void **state)
{
	struct told *told = *state;

	node_rules_free(told->rules);
	free(told);
	return 0;
}

static void test_flicker(void **state)
{
	struct told *told = *state;

	tell(told, "runc://1", 0, false, "Pending");
	tell(told, "runc://1", 0, true, "Running");
	tell(told, "runc://1", 0, true, "Running");
	assert_string_equal(told->broken, "");
	tell(told, "runc://1", 0, false, "Running");
	assert_int_equal(strncmp(told->broken, "flicker", 7), 0);
}

static void test_completed(void **state)
{
	struct told *told = *state;

	tell(told, "runc://1", 0, true, "Running");
	tell(told, "runc://1", 0, false, "Succeeded");
	assert_string_equal(told->broken, "");
}

/* A hit is forgiven until its restart is shown, and no longer. */
static void test_hit(void **state)
{
	struct told *told = *state;

	tell(told, "runc://1", 0, true, "Running");
	node_rules_hit(told->rules, "u", "c", 0, true);
	tell(told, "runc://1", 0, true, "Running");
	tell(told, "runc://1", 0, false, "Running");
	tell(told, "runc://2", 1, true, "Running");
	assert_string_equal(told->broken, "");
	tell(told, "runc://2", 1, false, "Running");
	assert_int_equal(strncmp(told->broken, "flicker", 7), 0);
}

static void test_restart(void **state)
{
	struct told *told = *state;

	tell(told, "runc://1", 0, false, "Running");
	tell(told, "", 0, false, "Running");
	tell(told, "runc://1", 0, false, "Running");
	assert_string_equal(told->broken, "");
	tell(told, "runc://2", 0, false, "Running");
	assert_int_equal(strncmp(told->broken, "restart", 7), 0);
}

static void test_counts(void **state)
{
	struct told *told = *state;

	assert_true(right(told, 0));
	assert_false(right(told, 1));
	node_rules_hit(told->rules, "u", "c", 0, true);
	node_rules_hit(told->rules, "u", "c", 0, true); /* its shim and then itself: one attempt */
	assert_false(right(told, 0));
	assert_true(right(told, 1));
	assert_false(right(told, 2));
	node_rules_hit(told->rules, "u", "c", 1, false); /* it may never have started */
	assert_true(right(told, 1));
	assert_true(right(told, 2));
	assert_false(right(told, 3));
	assert_int_equal(node_rules_hits(told->rules, "u", "c"), 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(test_flicker), TEST(test_completed), TEST(test_hit),
		TEST(test_restart), TEST(test_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
