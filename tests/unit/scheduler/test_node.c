#include "tests/unit/scheduler/fixture.h"

static void decoding(void **state)
{
	struct node *n = fixture_node("n1", "'zone':'a'", "'unschedulable':true,'taints':[{'key':'k','effect':'NoSchedule'}]");
	CLEANUP(json_putp) struct json_object *bare = fixture_json("{'metadata':{'name':'x'},'status':{'capacity':{'cpu':'2','pods':5}}}");
	CLEANUP(json_putp) struct json_object *hostile = fixture_json("{'metadata':[],'spec':7,'status':{'allocatable':'all'}}");
	struct node other = { 0 };

	(void)state;
	assert_string_equal(n->name, "n1");
	assert_true(n->unschedulable);
	assert_int_equal(n->n_taints, 1);
	assert_int_equal(n->allocatable.milli_cpu, 4000);
	assert_int_equal(n->max_pods, 10);
	assert_int_equal(resources_named(&n->allocatable, "example.com/card"), 2);
	fixture_node_free(n);
	assert_true(node_decode(&other, bare, NULL)); /* without allocatable: capacity */
	assert_int_equal(other.allocatable.milli_cpu, 2000);
	assert_int_equal(other.max_pods, 5);
	node_close(&other);
	other = (struct node){ 0 };
	assert_true(node_decode(&other, hostile, NULL));
	assert_int_equal(other.max_pods, 0);
	node_close(&other);
}

/* Pods may be known before their node and after it; what they hold never gets lost. */
static void accounts_outlive_nodes(void **state)
{
	struct shapes shapes = { 0 };
	struct nodes nodes = { 0 };
	struct pod *a = fixture_pod(&shapes, "a", "", FIXTURE_ASKS("1", "1Gi") ",'nodeName':'n1'");
	struct pod *b = fixture_pod(&shapes, "b", "", FIXTURE_ASKS("500m", "1Gi") ",'nodeName':'n1'");
	struct node *n1 = fixture_node("n1", "", "");

	(void)state;
	struct node_account *account = node_account_add(&nodes, "n1", a);
	assert_null(account->node);
	node_added(&nodes, n1);
	assert_ptr_equal(n1->account, account);
	assert_ptr_equal(node_account_add(&nodes, "n1", b), account);
	assert_int_equal(account->used.milli_cpu, 1500);
	assert_int_equal(account->n_pods, 2);
	node_deleted(&nodes, n1);
	fixture_node_free(n1);
	assert_null(account->node);
	assert_int_equal(account->n_pods, 2);
	node_account_remove(&nodes, account, a);
	assert_int_equal(account->used.milli_cpu, 500);
	assert_null(a->on);
	node_account_remove(&nodes, account, b);
	assert_int_equal(nodes.accounts.count, 0);
	assert_int_equal(nodes.n_free, 1);
	fixture_pod_free(a);
	fixture_pod_free(b);
	nodes_close(&nodes);
	shapes_close(&shapes);
}

static void slots_are_used_again_but_not_generations(void **state)
{
	struct nodes nodes = { 0 };
	struct node *a = fixture_node("a", "", ""), *b = fixture_node("b", "", "");

	(void)state;
	node_added(&nodes, a);
	size_t slot = a->account->slot;
	uint64_t static_generation = a->account->static_generation, load_generation = a->account->load_generation;
	node_deleted(&nodes, a);
	node_added(&nodes, b);
	assert_int_equal(b->account->slot, slot);
	assert_true(b->account->static_generation > static_generation);
	assert_true(b->account->load_generation > load_generation);
	fixture_node_free(a);
	fixture_node_free(b);
	nodes_close(&nodes);
}

static const struct {
	const char *labels, *spec;
	bool matters;
} updates[] = {
	{ "'zone':'a'", "", false },
	{ "'zone':'a'", "'podCIDR':'10.0.0.0/24'", false },
	{ "'zone':'b'", "", true },
	{ "'zone':'a','x':'y'", "", true },
	{ "'zone':'a'", "'unschedulable':true", true },
	{ "'zone':'a'", "'taints':[{'key':'k','effect':'NoSchedule'}]", true },
};

static void updates_tell_what_matters(void **state)
{
	struct nodes nodes = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(updates); i++) {
		struct node *old = fixture_node("n", "'zone':'a'", ""), *new_ = fixture_node("n", updates[i].labels, updates[i].spec);
		node_added(&nodes, old);
		uint64_t before = old->account->static_generation;
		assert_int_equal(node_updated(&nodes, old, new_), updates[i].matters);
		assert_int_equal(new_->account->static_generation != before, updates[i].matters);
		assert_ptr_equal(new_->account->node, new_);
		fixture_node_free(old);
		node_deleted(&nodes, new_);
		fixture_node_free(new_);
	}
	/* More room changes the load's half only. */
	struct node *old = fixture_node("n", "", ""), *new_ = fixture_node("n", "", "");
	node_added(&nodes, old);
	uint64_t static_before = old->account->static_generation, load_before = old->account->load_generation;
	new_->allocatable.milli_cpu++;
	assert_true(node_updated(&nodes, old, new_));
	assert_int_equal(new_->account->static_generation, static_before);
	assert_true(new_->account->load_generation > load_before);
	fixture_node_free(old);
	fixture_node_free(new_);
	nodes_close(&nodes);
}

static void controllers_pods_are_counted(void **state)
{
	static const char owner[] = ",'ownerReferences':[{'uid':'no'},{'uid':'rs-1','controller':true}]";
	struct shapes shapes = { 0 };
	struct nodes nodes = { 0 };
	struct pod *a = fixture_pod(&shapes, "a", owner, "'containers':[]"), *b = fixture_pod(&shapes, "b", owner, "'containers':[]");
	struct pod *c = fixture_pod(&shapes, "c", owner, "'containers':[]"), *d = fixture_pod(&shapes, "c", owner, "'containers':[]");

	(void)state;
	struct node_account *n1 = node_account_add(&nodes, "n1", a), *n2 = node_account_add(&nodes, "n2", b);
	node_account_add(&nodes, "n1", c);
	assert_int_equal(node_owner_count(node_owner_group(&nodes, "rs-1"), n1->slot), 2);
	assert_int_equal(node_owner_count(node_owner_group(&nodes, "rs-1"), n2->slot), 1);
	assert_int_equal(node_owner_count(node_owner_group(&nodes, "rs-1"), 1000), 0);
	assert_null(node_owner_group(&nodes, "no"));
	assert_null(node_owner_group(&nodes, NULL));
	node_account_replace(&nodes, n1, c, d);
	assert_null(c->on);
	assert_ptr_equal(d->on, n1);
	assert_int_equal(node_owner_count(node_owner_group(&nodes, "rs-1"), n1->slot), 2);
	node_account_remove(&nodes, n1, a);
	node_account_remove(&nodes, n2, b);
	node_account_replace(&nodes, n1, d, c); /* the only one of its account */
	assert_int_equal(node_owner_count(node_owner_group(&nodes, "rs-1"), n1->slot), 1);
	node_account_remove(&nodes, n1, c);
	assert_null(node_owner_group(&nodes, "rs-1"));
	fixture_pod_free(a);
	fixture_pod_free(b);
	fixture_pod_free(c);
	fixture_pod_free(d);
	nodes_close(&nodes);
	shapes_close(&shapes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decoding),
		cmocka_unit_test(accounts_outlive_nodes),
		cmocka_unit_test(slots_are_used_again_but_not_generations),
		cmocka_unit_test(updates_tell_what_matters),
		cmocka_unit_test(controllers_pods_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
