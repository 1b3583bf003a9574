#include "tests/unit/scheduler/fixture.h"

#include "scheduler/cycle.h"

enum { MAX_PODS = 64 };

struct setup {
	struct shapes shapes;
	struct nodes nodes;
	struct node *list[8];
	size_t n;
	struct pod *pods[MAX_PODS];
	size_t n_pods;
	uint64_t turn;
};

static void add_node(struct setup *s, const char *name, const char *labels, const char *spec)
{
	struct node *node = fixture_node(name, labels, spec);

	s->list[s->n++] = node;
	node_added(&s->nodes, node);
}

/* Decides over a new pod and keeps it where it was put; gives the node's name or the message. */
static const char *place(struct setup *s, const char *metadata, const char *spec, unsigned *ret_waits_for)
{
	static char text[1024];
	struct pod *pod = fixture_pod(&s->shapes, "p", metadata, spec);
	struct decision decision;

	s->pods[s->n_pods++] = pod;
	cycle_decide(&s->nodes, pod, s->turn++, &decision);
	snprintf(text, sizeof(text), "%s", decision.chosen ? decision.chosen->name : decision.message.data);
	if (decision.chosen)
		node_account_add(&s->nodes, decision.chosen->name, pod);
	if (ret_waits_for)
		*ret_waits_for = decision.waits_for;
	buf_close(&decision.message);
	return text;
}

static void end(struct setup *s)
{
	for (size_t i = 0; i < s->n_pods; i++)
		fixture_pod_free(s->pods[i]);
	for (size_t i = 0; i < s->n; i++)
		fixture_node_free(s->list[i]);
	nodes_close(&s->nodes);
	shapes_close(&s->shapes);
	assert_int_equal(s->shapes.by_key.count, 0);
}

static void equal_nodes_fill_evenly(void **state)
{
	struct setup s = { 0 };

	(void)state;
	add_node(&s, "n1", "", "");
	add_node(&s, "n2", "", "");
	add_node(&s, "n3", "", "");
	for (int i = 0; i < 12; i++)
		place(&s, "", FIXTURE_ASKS("100m", "100Mi"), NULL);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(s.list[i]->account->n_pods, 4);
	end(&s);
}

static void emptier_and_better_balanced_wins(void **state)
{
	struct setup s = { 0 };

	(void)state;
	add_node(&s, "full", "", "");
	add_node(&s, "free", "", "");
	struct pod *big = s.pods[s.n_pods++] = fixture_pod(&s.shapes, "big", "", FIXTURE_ASKS("2", "4Gi"));
	node_account_add(&s.nodes, "full", big);
	for (int i = 0; i < 3; i++)
		assert_string_equal(place(&s, "", FIXTURE_ASKS("500m", "1Gi"), NULL), "free");
	end(&s);
}

/* A controller's pods go apart even to a node that is fuller. */
static void controllers_pods_are_spread(void **state)
{
	static const char owner[] = ",'ownerReferences':[{'uid':'rs','controller':true}]";
	struct setup s = { 0 };
	char first[32];

	(void)state;
	add_node(&s, "n1", "", "");
	add_node(&s, "n2", "", "");
	struct pod *other = s.pods[s.n_pods++] = fixture_pod(&s.shapes, "other", "", FIXTURE_ASKS("1", "2Gi"));
	node_account_add(&s.nodes, "n2", other);
	snprintf(first, sizeof(first), "%s", place(&s, owner, FIXTURE_ASKS("100m", "100Mi"), NULL));
	assert_string_equal(first, "n1");
	assert_string_equal(place(&s, owner, FIXTURE_ASKS("100m", "100Mi"), NULL), "n2");
	for (int i = 0; i < 4; i++)
		place(&s, owner, FIXTURE_ASKS("100m", "100Mi"), NULL);
	assert_int_equal(s.list[0]->account->n_pods, 3);
	assert_int_equal(s.list[1]->account->n_pods, 4);
	end(&s);
}

static void preferences(void **state)
{
	static const char prefers_b[] = FIXTURE_ASKS("100m", "100Mi")
		",'affinity':{'nodeAffinity':{'preferredDuringSchedulingIgnoredDuringExecution':[{'weight':1,'preference':"
		"{'matchExpressions':[{'key':'zone','operator':'In','values':['b']}]}}]}}";
	struct setup s = { 0 };

	(void)state;
	add_node(&s, "n1", "'zone':'a'", "");
	add_node(&s, "n2", "'zone':'b'", "'taints':[{'key':'x','effect':'PreferNoSchedule'}]");
	add_node(&s, "n3", "'zone':'b'", "");
	for (int i = 0; i < 5; i++)
		assert_string_equal(place(&s, "", prefers_b, NULL), "n3");
	end(&s);
}

static void reasons(void **state)
{
	struct setup s = { 0 };
	unsigned waits_for;

	(void)state;
	assert_string_equal(place(&s, "", FIXTURE_ASKS("1", "1"), &waits_for), "no nodes available to schedule pods");
	assert_int_equal(waits_for, WAKE_NODE_CHANGED);
	add_node(&s, "n1", "", "");
	add_node(&s, "n2", "", "'taints':[{'key':'a','effect':'NoSchedule'}]");
	add_node(&s, "n3", "", "'taints':[{'key':'a','effect':'NoExecute'}]");
	assert_string_equal(place(&s, "", FIXTURE_ASKS("100", "1Gi"), &waits_for),
			    "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had untolerated taint(s). no new claims to deallocate, "
			    "preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.");
	assert_int_equal(waits_for, WAKE_NODE_CHANGED | WAKE_POD_LEFT);
	assert_string_equal(place(&s, "", FIXTURE_ASKS("4", "1Gi"), NULL), "n1");
	assert_string_equal(place(&s, "", FIXTURE_ASKS("1", "8Gi"), NULL),
			    "0/3 nodes are available: 1 Insufficient cpu, 1 Insufficient memory, 2 node(s) had untolerated taint(s). no new claims to "
			    "deallocate, preemption: 0/3 nodes are available: 1 No preemption victims found for incoming pod, "
			    "2 Preemption is not helpful for scheduling.");
	assert_string_equal(place(&s, "", "'nodeSelector':{'disk':'ssd'}", &waits_for),
			    "0/3 nodes are available: 1 node(s) didn't match Pod's node affinity/selector, 2 node(s) had untolerated taint(s). no "
			    "new claims to deallocate, preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.");
	assert_int_equal(waits_for, WAKE_NODE_CHANGED);
	end(&s);
}

/* What is kept from decision to decision follows the nodes' and the pods' changes. */
static void kept_verdicts_follow_changes(void **state)
{
	struct setup s = { 0 };

	(void)state;
	add_node(&s, "n1", "", "'taints':[{'key':'a','effect':'NoSchedule'}]");
	assert_non_null(strstr(place(&s, "", FIXTURE_ASKS("3", "1Gi"), NULL), "1 node(s) had untolerated taint(s)"));
	struct node *untainted = fixture_node("n1", "", "");
	assert_true(node_updated(&s.nodes, s.list[0], untainted));
	fixture_node_free(s.list[0]);
	s.list[0] = untainted;
	assert_string_equal(place(&s, "", FIXTURE_ASKS("3", "1Gi"), NULL), "n1");
	assert_non_null(strstr(place(&s, "", FIXTURE_ASKS("3", "1Gi"), NULL), "1 Insufficient cpu"));
	node_account_remove(&s.nodes, s.list[0]->account, s.pods[1]);
	assert_string_equal(place(&s, "", FIXTURE_ASKS("3", "1Gi"), NULL), "n1");
	node_account_remove(&s.nodes, s.list[0]->account, s.pods[3]);
	/* Another node in the same slot. */
	node_deleted(&s.nodes, s.list[0]);
	add_node(&s, "n2", "", "'unschedulable':true");
	assert_int_equal(s.list[1]->account->slot, 0);
	assert_non_null(strstr(place(&s, "", FIXTURE_ASKS("3", "1Gi"), NULL), "1 node(s) were unschedulable"));
	end(&s);
}

/* A name that only pods know is no node. */
static void accounts_without_node_are_left_out(void **state)
{
	struct setup s = { 0 };

	(void)state;
	struct pod *lost = s.pods[s.n_pods++] = fixture_pod(&s.shapes, "lost", "", "'nodeName':'gone'");
	node_account_add(&s.nodes, "gone", lost);
	assert_string_equal(place(&s, "", FIXTURE_ASKS("1", "1"), NULL), "no nodes available to schedule pods");
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_nodes_fill_evenly),
		cmocka_unit_test(emptier_and_better_balanced_wins),
		cmocka_unit_test(controllers_pods_are_spread),
		cmocka_unit_test(preferences),
		cmocka_unit_test(reasons),
		cmocka_unit_test(kept_verdicts_follow_changes),
		cmocka_unit_test(accounts_without_node_are_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
