/* A settled control plane, and the same with one thing wrong at a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/churn/judge.h"
#include "tests/churn/names.h"

#define NODE(status, taints)                                                                                 \
	"{\"items\":[{\"metadata\":{\"name\":\"n\"},\"spec\":{" taints                                       \
	"},\"status\":{\"allocatable\":{\"cpu\":\"4\","                                                      \
	"\"pods\":\"3\"},\"conditions\":[{\"type\":\"Ready\",\"status\":\"" status                           \
	"\"}]}},{\"metadata\":{\"name\":\"marker\"}}]}"
#define OWNED(uid) "\"ownerReferences\":[{\"controller\":true,\"uid\":\"" uid "\"}]"
#define POD(extra, owner, node, ready)                                                                       \
	"{\"metadata\":{\"name\":\"p\"," extra OWNED(                                                        \
	    owner) "},\"spec\":{\"nodeName\":\"" node "\",\"containers\":[{\"resources\":"                   \
		   "{\"requests\":{\"cpu\":\"1\"}}}]},\"status\":{\"phase\":\"Running\",\"conditions\":[{"   \
		   "\"type\":\"Ready\",\"status\":\"" ready "\"}]}}"
#define PODS(list) "{\"items\":[{\"metadata\":{\"name\":\"marker\"}}" list "]}"
#define SET(name, owner, image, n)                                                                           \
	"{\"metadata\":{\"name\":\"" name "\",\"uid\":\"u-" name                                             \
	"\",\"generation\":1," OWNED(owner) "},\"spec\":{\"replicas\":" n                                    \
					    ",\"template\":{\"spec\":{\"containers\":[{\"image\":\"" image   \
					    "\"}]}}},\"status\":{\"observedGeneration\":1,\"replicas\":" n   \
					    ",\"readyReplicas\":" n ",\"availableReplicas\":" n              \
					    ",\"fullyLabeledReplicas\":" n "}}"
#define SETS(list) "{\"items\":[" list "]}"
#define DEPLOYMENT(observed, n)                                                                              \
	"{\"metadata\":{\"name\":\"d\",\"uid\":\"u-d\",\"generation\":3},\"status\":{"                       \
	"\"observedGeneration\":" observed ",\"replicas\":" n ",\"updatedReplicas\":" n                      \
	",\"readyReplicas\":" n ",\"availableReplicas\":" n "}}"
#define DEPLOYMENTS(list) "{\"items\":[" list "]}"

static const struct {
	const char *nodes, *pods, *sets, *deployments;
	const char *why; /* NULL: settled */
} right = { NODE("True", ""), PODS("," POD("", "u-s", "n", "True")),
	    SETS(SET("s", "u-d", "played:2", "1") "," SET("old", "u-d", "played:1", "0")),
	    DEPLOYMENTS(DEPLOYMENT("3", "1")), NULL },
  wrong[] = {
	  { .nodes = NODE("Unknown", ""), .why = "node n is not ready" },
	  { .nodes = NODE("True", "\"taints\":[{}]"), .why = "node n has a taint" },
	  { .pods = PODS(""), .why = "replica set s has 0 pods, not 1" },
	  { .pods = PODS("," POD("", "u-s", "n", "False")), .why = "pod p on n is Running and not ready" },
	  { .pods = PODS("," POD("", "u-s", "", "True")), .why = "pod p is on no node (\"\")" },
	  { .pods = PODS("," POD("\"deletionTimestamp\":\"2026-01-01T00:00:00Z\",", "u-s", "n", "True")),
	    .why = "pod p is still terminating" },
	  { .pods = PODS("," POD("", "u-s", "n", "True") "," POD("", "u-gone", "n", "True")),
	    .why = "pod p has no owner that lives" },
	  { .sets = SETS(SET("s", "u-d", "played:1", "1")),
	    .why = "replica set s: spec.replicas is 1, not 0" },
	  { .sets = SETS(SET("s", "u-d", "played:2", "1") "," SET("old", "u-d", "played:1", "0") "," SET(
		"older", "u-d", "played:0", "0")),
	    .why = "deployment d has 2 old replica sets, and keeps 1" },
	  { .sets = SETS(SET("s", "u-d", "played:2", "1") "," SET("x", "u-gone", "played:2", "0")),
	    .why = "replica set x has no owner that lives" },
	  { .deployments = DEPLOYMENTS(""), .why = "deployment d does not exist" },
	  { .deployments = DEPLOYMENTS(DEPLOYMENT("2", "1")),
	    .why = "deployment d: status.observedGeneration is 2, not 3" },
	  { .deployments = DEPLOYMENTS(DEPLOYMENT("3", "0")),
	    .why = "deployment d: status.replicas is 0, not 1" },
	  { .deployments = DEPLOYMENTS(DEPLOYMENT("3", "1") ",{\"metadata\":{\"name\":\"e\"}}"),
	    .why = "a deleted deployment is still there" },
  };

static struct json_object *parse(const char *text, const char *otherwise)
{
	struct json_object *obj = NULL;

	if (!text)
		text = otherwise;
	assert_int_equal(json_parse(text, strlen(text), &obj, NULL, NULL), 0);
	return obj;
}

static void judge(size_t i, struct buf *why, bool *ret_settled, int *ret_room)
{
	const struct wanted wanted = {
		.deployments = { { .exists = true, .name = "d", .replicas = 1, .version = 2, .history = 1 } }
	};
	bool all = i == ARRAY_SIZE(wrong);
	CLEANUP(json_putp) struct json_object *nodes = parse(all ? NULL : wrong[i].nodes, right.nodes);
	CLEANUP(json_putp) struct json_object *pods = parse(all ? NULL : wrong[i].pods, right.pods);
	CLEANUP(json_putp) struct json_object *sets = parse(all ? NULL : wrong[i].sets, right.sets);
	CLEANUP(json_putp)
	struct json_object *deployments = parse(all ? NULL : wrong[i].deployments, right.deployments);
	const struct judge_state state = { nodes, pods, sets, deployments };

	*ret_settled = judge_settled(&state, &wanted, why);
	*ret_room = judge_room(&state, 2000);
}

static void test_settled(void **state)
{
	CLEANUP(buf_close) struct buf why = BUF_INIT;
	bool settled;
	int room;

	(void)state;
	judge(ARRAY_SIZE(wrong), &why, &settled, &room);
	if (!settled)
		fail_msg("%s", why.data);
	assert_int_equal(room, 1); /* 4 cores less 1 */
}

static void test_wrong(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		CLEANUP(buf_close) struct buf why = BUF_INIT;
		bool settled;
		int room;
		judge(i, &why, &settled, &room);
		assert_false(settled);
		assert_string_equal(why.data, wrong[i].why);
	}
}

static void test_names(void **state)
{
	CLEANUP(names_close) struct names a = { 0 };
	CLEANUP(names_close) struct names b = { 0 };
	CLEANUP(buf_close) struct buf why = BUF_INIT;

	(void)state;
	names_add(&a, "x", 1);
	names_add(&a, "x", 1);
	names_add(&b, "xy", 1);
	assert_true(names_equal("things", &a, &b, &why));
	names_add(&b, "xy", 2);
	assert_false(names_equal("things", &a, &b, &why));
	assert_string_equal(why.data, "things: xy is left over");
	buf_reset(&why);
	assert_false(names_equal("things", &b, &a, &why));
	assert_string_equal(why.data, "things: xy is missing");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_settled),
		cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
