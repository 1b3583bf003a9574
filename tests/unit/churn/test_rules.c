/* Histories that never happened: each rule lets the right one pass and refuses the wrong one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/churn/rules.h"

struct told {
	struct rules *rules;
	uint64_t revision;
	char *broken; /* the first rule that broke, or NULL */
};

static void on_broken(const char *what, void *arg)
{
	struct told *told = arg;

	if (!told->broken)
		told->broken = mem_dup(what);
}

static void tell(struct told *told, enum rules_kind kind, bool deleted, const char *format, ...)
    PRINTF_LIKE(4, 5);
static void tell(struct told *told, enum rules_kind kind, bool deleted, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	CLEANUP(mem_freep) char *text = mem_vprintf(format, ap);
	va_end(ap);
	CLEANUP(json_putp) struct json_object *obj = NULL;
	assert_int_equal(json_parse(text, strlen(text), &obj, NULL, NULL), 0);
	CLEANUP(mem_freep) char *revision = mem_printf("%llu", (unsigned long long)++told->revision);
	json_set_str(json_ensure_object(obj, "metadata"), "resourceVersion", revision);
	rules_change(told->rules, kind, obj, deleted);
}

static void node(struct told *told, const char *name, const char *ready)
{
	tell(told, RULES_NODE, false,
	     "{\"metadata\":{\"name\":\"%s\"},\"status\":{\"allocatable\":{\"cpu\":\"1\",\"memory\":\"1Gi\","
	     "\"pods\":\"3\"},"
	     "\"conditions\":[{\"type\":\"Ready\",\"status\":\"%s\"}]}}",
	     name, ready);
}

#define OWNER(uid) "\"ownerReferences\":[{\"controller\":true,\"uid\":\"" uid "\"}]"
#define GOING      "\"deletionTimestamp\":\"2026-01-01T00:00:00Z\""

/* EXTRA goes into metadata; ends with a comma when not empty. */
static void pod(struct told *told, const char *uid, const char *node_name, bool ready, const char *extra)
{
	tell(told, RULES_POD, false,
	     "{\"metadata\":{%s\"name\":\"%s\",\"uid\":\"%s\"},\"spec\":{\"nodeName\":\"%s\",\"containers\":["
	     "{\"resources\":{"
	     "\"requests\":{\"cpu\":\"400m\",\"memory\":\"1Mi\"}}}]},\"status\":{\"phase\":\"Running\","
	     "\"conditions\":[{\"type\":"
	     "\"Ready\",\"status\":\"%s\"}]}}",
	     extra, uid, uid, node_name, ready ? "True" : "False");
}

static void pod_gone(struct told *told, const char *uid)
{
	tell(told, RULES_POD, true, "{\"metadata\":{\"name\":\"%s\",\"uid\":\"%s\"}}", uid, uid);
}

static void set(struct told *told, const char *uid, int replicas, int generation, int observed,
		const char *extra)
{
	tell(told, RULES_SET, false,
	     "{\"metadata\":{%s\"name\":\"%s\",\"uid\":\"%s\",\"generation\":%d},\"spec\":{\"replicas\":%d},"
	     "\"status\":{"
	     "\"observedGeneration\":%d,\"replicas\":%d}}",
	     extra, uid, uid, generation, replicas, observed, replicas);
}

/* maxSurge 1, maxUnavailable 0; complete when COMPLETE. */
static void deployment(struct told *told, int replicas, int generation, int observed, bool complete)
{
	tell(told, RULES_DEPLOYMENT, false,
	     "{\"metadata\":{\"name\":\"d\",\"uid\":\"d\",\"generation\":%d},\"spec\":{\"replicas\":%d,"
	     "\"strategy\":{\"type\":"
	     "\"RollingUpdate\",\"rollingUpdate\":{\"maxSurge\":\"25%%\",\"maxUnavailable\":0}}},\"status\":{"
	     "\"observedGeneration\":%d,"
	     "\"replicas\":%d,\"updatedReplicas\":%d,\"availableReplicas\":%d}}",
	     generation, replicas, observed, replicas, replicas, complete ? replicas : 0);
}

static int begin(void **state)
{
	struct told *told = mem_zalloc(sizeof(*told));

	told->rules = rules_new(on_broken, told);
	node(told, "n1", "True");
	node(told, "n2", "True");
	*state = told;
	return 0;
}

static int end(void **state)
{
	struct told *told = *state;

	rules_free(told->rules);
	free(told->broken);
	free(told);
	return 0;
}

static void assert_broken(const struct told *told, const char *rule)
{
	assert_non_null(told->broken);
	if (strncmp(told->broken, rule, strlen(rule)) != 0)
		fail_msg("expected rule %s, broken was: %s", rule, told->broken);
}

static void assert_kept(const struct told *told)
{
	if (told->broken)
		fail_msg("broken: %s", told->broken);
}

/* --- binding and room --- */

static void test_bound_once(void **state)
{
	struct told *told = *state;

	pod(told, "p", "", false, "");
	pod(told, "p", "n1", false, "");
	pod(told, "p", "n1", true, "");
	assert_kept(told);
	assert_int_equal(rules_counts(told->rules)->bound, 1);
	pod(told, "p", "n2", true, "");
	assert_broken(told, "binding");
}

static void test_unbound_again(void **state)
{
	pod(*state, "p", "n1", false, "");
	pod(*state, "p", "", false, "");
	assert_broken(*state, "binding");
}

static void test_bound_to_nothing(void **state)
{
	pod(*state, "p", "n3", false, "");
	assert_broken(*state, "binding");
}

static void test_room(void **state)
{
	struct told *told = *state;

	pod(told, "a", "n1", true, "");
	pod(told, "b", "n1", true, "");
	pod(told, "c", "n2", true, "");
	pod(told, "c", "n2", true, GOING ",");
	pod_gone(told, "c");
	assert_kept(told);
	pod(told, "d", "n1", false, "");
	assert_broken(told, "room");
}

static void test_room_of_pods_that_are_ending(void **state)
{
	pod(*state, "a", "n1", true, GOING ",");
	pod(*state, "b", "n1", true, GOING ",");
	pod(*state, "c", "n1", true, "");
	assert_broken(*state, "room");
}

/* --- loss --- */

static void test_loss(void **state)
{
	struct told *told = *state;

	pod(told, "asked", "n1", true, "");
	pod(told, "asked", "n1", true, GOING ",");
	pod_gone(told, "asked");
	pod(told, "ours", "n1", true, "");
	rules_we_delete(told->rules, "ours");
	pod_gone(told, "ours");
	pod(told, "unbound", "", true, "");
	pod_gone(told, "unbound");
	pod(told, "away", "n2", true, "");
	node(told, "n2", "Unknown");
	pod_gone(told, "away");
	assert_kept(told);
	pod(told, "lost", "n1", true, "");
	pod_gone(told, "lost");
	assert_broken(told, "loss");
}

/* --- surplus --- */

static void test_surplus(void **state)
{
	struct told *told = *state;

	set(told, "s", 1, 1, 0, "");
	pod(told, "a", "", false, OWNER("s") ",");
	assert_kept(told);
	pod(told, "b", "", false, OWNER("s") ",");
	assert_broken(told, "surplus");
}

static void test_surplus_of_a_spec_not_observed_yet(void **state)
{
	struct told *told = *state;

	set(told, "s", 2, 1, 1, "");
	pod(told, "a", "", false, OWNER("s") ",");
	set(told, "s", 1, 2, 1, "");
	pod(told, "b", "", false, OWNER("s") ","); /* the controller still acts on generation 1 */
	assert_kept(told);
	set(told, "s", 1, 2, 2, "");
	pod(told, "c", "", false, OWNER("s") ",");
	assert_broken(told, "surplus");
}

static void test_surplus_after_a_kill(void **state)
{
	struct told *told = *state;

	set(told, "s", 1, 1, 1, "");
	pod(told, "a", "", false, OWNER("s") ",");
	rules_killed(told->rules);
	pod(told, "b", "", false, OWNER("s") ",");
	assert_kept(told);
	assert_int_equal(rules_counts(told->rules)->surplus, 1);
	pod(told, "b", "", false, OWNER("s") "," GOING ",");
	set(told, "s", 1, 1, 1, "");
	pod(told, "c", "", false, OWNER("s") ","); /* still not known to be calm */
	assert_kept(told);
	pod(told, "c", "", false, OWNER("s") "," GOING ",");
	rules_calm_since(told->rules, told->revision);
	set(told, "s", 1, 1, 1, "");
	pod(told, "d", "", false, OWNER("s") ",");
	assert_broken(told, "surplus");
}

/* --- surge and floor --- */

/* Deployment d of two replicas, complete: both of s1. */
static void complete(struct told *told)
{
	deployment(told, 2, 1, 0, false);
	set(told, "s1", 2, 1, 1, OWNER("d") ",");
	pod(told, "a", "n1", true, OWNER("s1") ",");
	pod(told, "b", "n2", true, OWNER("s1") ",");
	deployment(told, 2, 1, 1, true);
	assert_kept(told);
}

static void test_surge(void **state)
{
	struct told *told = *state;

	complete(told);
	set(told, "s2", 1, 1, 0, OWNER("d") ","); /* 2 + 25 %, rounded up */
	assert_kept(told);
	assert_int_equal(rules_counts(told->rules)->rollouts, 1);
	set(told, "s2", 2, 2, 1, OWNER("d") ",");
	assert_broken(told, "surge");
}

static void test_surge_of_a_spec_not_observed_yet(void **state)
{
	struct told *told = *state;

	complete(told);
	deployment(told, 1, 2, 1, false);
	set(told, "s2", 1, 1, 0, OWNER("d") ",");
	assert_kept(told);
	deployment(told, 1, 2, 2, false);
	set(told, "s1", 1, 2, 1, OWNER("d") ",");
	set(told, "s2", 2, 2, 1, OWNER("d") ",");
	assert_broken(told, "surge");
}

static void test_surge_after_a_kill(void **state)
{
	struct told *told = *state;

	complete(told);
	rules_killed(told->rules);
	set(told, "s2", 5, 1, 0, OWNER("d") ",");
	assert_kept(told);
}

static void test_floor(void **state)
{
	struct told *told = *state;

	complete(told);
	set(told, "s2", 1, 1, 1, OWNER("d") ",");
	pod(told, "c", "n1", true, OWNER("s2") ",");
	pod(told, "b", "n2", true, OWNER("s1") "," GOING ",");
	assert_kept(told);
	assert_int_equal(rules_counts(told->rules)->floors, 1);
	pod(told, "a", "n1", true, OWNER("s1") "," GOING ",");
	assert_broken(told, "floor");
}

static void test_floor_and_faults_of_others(void **state)
{
	struct told *told = *state;

	complete(told);
	rules_we_delete(told->rules, "a");
	pod(told, "a", "n1", true, OWNER("s1") "," GOING ",");
	pod(told, "b", "n2", true, OWNER("s1") "," GOING ","); /* it may have counted on a */
	assert_kept(told);
}

static void test_floor_and_a_scale_amid_a_rollout(void **state)
{
	struct told *told = *state;

	complete(told);
	deployment(told, 2, 2, 2, false); /* rolls */
	deployment(told, 1, 3, 2, false);
	pod(told, "a", "n1", true, OWNER("s1") "," GOING ",");
	pod(told, "b", "n2", true, OWNER("s1") "," GOING ",");
	assert_kept(told);
}

static void test_floor_and_a_lost_node(void **state)
{
	struct told *told = *state;

	complete(told);
	node(told, "n1", "Unknown");
	pod(told, "a", "n1", false, OWNER("s1") ",");
	pod(told, "b", "n2", true, OWNER("s1") "," GOING ",");
	assert_kept(told);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(test_bound_once),
		TEST(test_unbound_again),
		TEST(test_bound_to_nothing),
		TEST(test_room),
		TEST(test_room_of_pods_that_are_ending),
		TEST(test_loss),
		TEST(test_surplus),
		TEST(test_surplus_of_a_spec_not_observed_yet),
		TEST(test_surplus_after_a_kill),
		TEST(test_surge),
		TEST(test_surge_of_a_spec_not_observed_yet),
		TEST(test_surge_after_a_kill),
		TEST(test_floor),
		TEST(test_floor_and_faults_of_others),
		TEST(test_floor_and_a_scale_amid_a_rollout),
		TEST(test_floor_and_a_lost_node),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
