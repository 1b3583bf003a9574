#include "tests/unit/scheduler/fixture.h"

#include "scheduler/plugins.h"

struct setup {
	struct shapes shapes;
	struct nodes nodes;
	struct node *node;
	struct pod *pod;
	struct pod *others[12];
	size_t n_others;
};

static void begin(struct setup *s, const char *labels, const char *node_spec, const char *pod_spec)
{
	*s = (struct setup){ 0 };
	s->node = fixture_node("n1", labels, node_spec);
	node_added(&s->nodes, s->node);
	s->pod = fixture_pod(&s->shapes, "new", "", pod_spec);
}

static void run(struct setup *s, const char *spec)
{
	struct pod *pod = fixture_pod(&s->shapes, "other", "", spec);

	s->others[s->n_others++] = pod;
	node_account_add(&s->nodes, "n1", pod);
}

static void end(struct setup *s)
{
	fixture_pod_free(s->pod);
	for (size_t i = 0; i < s->n_others; i++)
		fixture_pod_free(s->others[i]);
	fixture_node_free(s->node);
	nodes_close(&s->nodes);
	shapes_close(&s->shapes);
}

static void collect(const char *text, void *arg)
{
	buf_printf(arg, "%s;", text);
}

/* Every filter's refusals, in order: "NodeUnschedulable;Insufficient cpu;". */
static void expect(struct setup *s, const char *refusals)
{
	CLEANUP(buf_close) struct buf got = BUF_INIT;

	buf_str(&got, "");
	for (size_t i = 0; i < n_static_filters; i++)
		if (!static_filters[i].fits(s->pod->shape, s->node->account, NULL, NULL))
			buf_printf(&got, "%s;", static_filters[i].name);
	for (size_t i = 0; i < n_dynamic_filters; i++) {
		const struct filter *f = &dynamic_filters[i];
		bool fits = f->fits(s->pod->shape, s->node->account, NULL, NULL);
		assert_int_equal(fits, f->fits(s->pod->shape, s->node->account, f->reason ? NULL : collect, &got));
		if (!fits && f->reason)
			buf_printf(&got, "%s;", f->name);
	}
	assert_string_equal(got.data, refusals);
	end(s);
}

static void static_ones(void **state)
{
	static const char cordoned[] = "'unschedulable':true,'taints':[{'key':'node.kubernetes.io/unschedulable','effect':'NoSchedule'}]";
	static const char not_ready[] = "'taints':[{'key':'node.kubernetes.io/not-ready','effect':'NoSchedule'},{'key':'node.kubernetes.io/not-ready','effect':'NoExecute'}]";
	struct setup s;

	(void)state;
	begin(&s, "", "", "'containers':[]");
	expect(&s, "");
	begin(&s, "", cordoned, "'containers':[]");
	expect(&s, "NodeUnschedulable;TaintToleration;");
	begin(&s, "", cordoned, "'tolerations':[{'key':'node.kubernetes.io/unschedulable','operator':'Exists'}]");
	expect(&s, "");
	/* What the API server gives every pod tolerates NoExecute for a while, not NoSchedule. */
	begin(&s, "", not_ready, "'tolerations':[{'key':'node.kubernetes.io/not-ready','operator':'Exists','effect':'NoExecute','tolerationSeconds':300}]");
	expect(&s, "TaintToleration;");
	begin(&s, "", "'taints':[{'key':'a','effect':'PreferNoSchedule'}]", "'containers':[]");
	expect(&s, "");
	begin(&s, "'disk':'hdd'", "", "'nodeSelector':{'disk':'ssd'}");
	expect(&s, "NodeAffinity;");
}

static void resources_fit(void **state)
{
	struct setup s;

	(void)state;
	begin(&s, "", "", FIXTURE_ASKS("1", "2Gi"));
	run(&s, FIXTURE_ASKS("3", "6Gi"));
	expect(&s, ""); /* exactly full */
	begin(&s, "", "", FIXTURE_ASKS("1001m", "2049Mi"));
	run(&s, FIXTURE_ASKS("3", "6Gi"));
	expect(&s, "Insufficient cpu;Insufficient memory;");
	begin(&s, "", "", "'containers':[{'resources':{'requests':{'example.com/card':'2','other.com/x':'1','ephemeral-storage':'1'}}}]");
	run(&s, "'containers':[{'resources':{'requests':{'example.com/card':'1'}}}]");
	expect(&s, "Insufficient ephemeral-storage;Insufficient example.com/card;Insufficient other.com/x;");
	begin(&s, "", "", "'containers':[]");
	for (int i = 0; i < 10; i++)
		run(&s, "'containers':[]");
	expect(&s, "Too many pods;");
	/* A full node takes what asks for nothing; bound by force, it may hold more than it has. */
	begin(&s, "", "", "'containers':[]");
	run(&s, FIXTURE_ASKS("9223372036854775807", "9223372036854775807"));
	run(&s, FIXTURE_ASKS("9223372036854775807", "9223372036854775807"));
	expect(&s, "");
}

static void ports(void **state)
{
	struct setup s;

	(void)state;
	begin(&s, "", "", "'containers':[{'ports':[{'hostPort':80}]}]");
	run(&s, "'containers':[{'ports':[{'hostPort':80,'hostIP':'10.0.0.1'}]}]");
	expect(&s, "NodePorts;");
	begin(&s, "", "", "'containers':[{'ports':[{'hostPort':80,'hostIP':'10.0.0.2'},{'hostPort':443}]}]");
	run(&s, "'containers':[{'ports':[{'hostPort':80,'hostIP':'10.0.0.1'},{'containerPort':443}]}]");
	expect(&s, "");
}

static int64_t score(const char *name, const struct score_input *input)
{
	for (size_t i = 0; i < n_scores; i++)
		if (strcmp(scores[i].name, name) == 0)
			return scores[i].of(input);
	fail_msg("no score %s", name);
	return 0;
}

static void scores_of_load(void **state)
{
	struct setup s;

	(void)state;
	begin(&s, "", "", FIXTURE_ASKS("1", "2Gi"));
	struct score_input input = { .shape = s.pod->shape, .account = s.node->account };
	assert_int_equal(score("NodeResourcesFit", &input), 75);
	assert_int_equal(score("NodeResourcesBalancedAllocation", &input), 100);
	run(&s, FIXTURE_ASKS("2", "0"));
	assert_int_equal(score("NodeResourcesFit", &input), 50); /* (25 % + 75 %) / 2 are free */
	assert_int_equal(score("NodeResourcesBalancedAllocation", &input), 75);
	run(&s, FIXTURE_ASKS("100", "100Gi"));
	assert_int_equal(score("NodeResourcesFit", &input), 0);
	assert_int_equal(score("NodeResourcesBalancedAllocation", &input), 100);
	s.node->allocatable.milli_cpu = s.node->allocatable.memory = 0;
	assert_int_equal(score("NodeResourcesFit", &input), 0);
	end(&s);
}

static void scores_of_preference(void **state)
{
	struct shape_verdict v = { .preference = 30, .prefer_taints = 1 };
	struct score_input input = { .verdict = &v };

	(void)state;
	assert_int_equal(score("TaintToleration", &input), 100);
	assert_int_equal(score("NodeAffinity", &input), 0);
	assert_int_equal(score("PodTopologySpread", &input), 100);
	input.most_prefer_taints = 4;
	input.most_preference = 120;
	input.most_owner_pods = 3;
	input.owner_pods = 3;
	assert_int_equal(score("TaintToleration", &input), 75);
	assert_int_equal(score("NodeAffinity", &input), 25);
	assert_int_equal(score("PodTopologySpread", &input), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(static_ones),
		cmocka_unit_test(resources_fit),
		cmocka_unit_test(ports),
		cmocka_unit_test(scores_of_load),
		cmocka_unit_test(scores_of_preference),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
