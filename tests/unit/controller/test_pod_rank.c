#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "controller/pod_rank.h"
#include "lib/mem.h"

#define S 1000000LL
#define NOW (1000000 * S)

static char node_a[] = "a", node_b[] = "b";

/* Each: the pod named "go" is to be deleted before "stay", for that reason. */
static void test_pairs(void **state)
{
	const struct {
		const char *why;
		struct cached_pod go, stay;
	} cases[] = {
		{ "without a node", { .phase = PHASE_PENDING }, { .node_name = node_a, .phase = PHASE_PENDING } },
		{ "pending", { .node_name = node_a, .phase = PHASE_PENDING }, { .node_name = node_b, .phase = PHASE_RUNNING } },
		{ "not ready", { .node_name = node_a, .phase = PHASE_RUNNING }, { .node_name = node_b, .phase = PHASE_RUNNING, .ready = true } },
		{ "cheaper", { .node_name = node_a, .phase = PHASE_RUNNING, .ready = true, .deletion_cost = -1 },
		  { .node_name = node_b, .phase = PHASE_RUNNING, .ready = true } },
		{ "readiness counts before cost", { .node_name = node_a, .phase = PHASE_RUNNING, .deletion_cost = 100 },
		  { .node_name = node_b, .phase = PHASE_RUNNING, .ready = true } },
		{ "ready for less time", { .node_name = node_a, .phase = PHASE_RUNNING, .ready = true, .ready_since_us = NOW - 10 * S },
		  { .node_name = node_b, .phase = PHASE_RUNNING, .ready = true, .ready_since_us = NOW - 1000 * S } },
		{ "restarted more", { .node_name = node_a, .phase = PHASE_RUNNING, .ready = true, .restarts = 3 },
		  { .node_name = node_b, .phase = PHASE_RUNNING, .ready = true } },
		{ "younger", { .node_name = node_a, .phase = PHASE_RUNNING, .ready = true, .meta.created_us = NOW - 10 * S },
		  { .node_name = node_b, .phase = PHASE_RUNNING, .ready = true, .meta.created_us = NOW - 5000 * S } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		for (int order = 0; order < 2; order++) {
			struct cached_pod go = cases[i].go, stay = cases[i].stay;
			struct cached_pod *pods[] = { order ? &go : &stay, order ? &stay : &go };
			go.meta.item.uid = (char *)(order ? "1" : "2");
			stay.meta.item.uid = (char *)(order ? "2" : "1");
			pod_rank_sort(pods, 2, NOW);
			if (pods[0] != &go)
				fail_msg("%s", cases[i].why);
		}
}

static void test_crowded_node(void **state)
{
	struct cached_pod pods[] = {
		{ .meta.item.uid = (char *)"1", .node_name = node_b, .phase = PHASE_RUNNING, .ready = true },
		{ .meta.item.uid = (char *)"2", .node_name = node_a, .phase = PHASE_RUNNING, .ready = true },
		{ .meta.item.uid = (char *)"3", .node_name = node_a, .phase = PHASE_RUNNING, .ready = true },
	};
	struct cached_pod *order[] = { &pods[0], &pods[1], &pods[2] };

	(void)state;
	pod_rank_sort(order, 3, NOW);
	assert_ptr_equal(order[2], &pods[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_pairs), cmocka_unit_test(test_crowded_node) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
