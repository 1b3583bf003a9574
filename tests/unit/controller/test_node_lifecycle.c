#include "controller/node_lifecycle.h"
#include "controller/taint_eviction.h"
#include "tests/unit/controller/controller_fixture.h"

#define NODE(rv, status, taints) \
	"{\"metadata\":{\"name\":\"n1\",\"uid\":\"u-n1\",\"resourceVersion\":\"" rv "\"},\"spec\":{" taints "}," \
	"\"status\":{\"conditions\":[{\"type\":\"Ready\",\"status\":\"" status "\"}]}}"
#define POD_NAMED(name, rv, tolerations) \
	"{\"metadata\":{\"name\":\"" name "\",\"namespace\":\"ns\",\"uid\":\"u-" name "\",\"resourceVersion\":\"" rv "\"}," \
	"\"spec\":{\"nodeName\":\"n1\",\"tolerations\":[" tolerations "]}," \
	"\"status\":{\"phase\":\"Running\",\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"}]}}"
#define POD(rv) POD_NAMED("p", rv, "")
#define STAYS   "{\"operator\":\"Exists\",\"effect\":\"NoExecute\",\"tolerationSeconds\":300}"
#define TAINTED "\"taints\":[{\"key\":\"node.kubernetes.io/unreachable\",\"effect\":\"NoExecute\"}]"

static int answer(const char *method, const char *path, const char **ret_body)
{
	(void)method;
	(void)path;
	(void)ret_body;
	return 200;
}

/* No lease is ever renewed: the node's conditions become unknown; then, as the server shows that, taints follow, and the pods that
 * stay for them are marked. */
static void test_unreachable(void **state)
{
	static const struct fixture_list lists[] = {
		{ "/api/v1/nodes", NODE("1", "True", "") },
		{ "/api/v1/pods", POD("2") "," POD_NAMED("stays", "3", STAYS) },
		{ NULL, NULL },
	};
	struct fixture f;

	(void)state;
	fixture_start(&f, lists, answer);
	struct node_lifecycle *lifecycle = node_lifecycle_new(f.server.loop, f.client, f.cache, &f.node_pods, 50);
	fixture_wait_synced(&f);
	node_lifecycle_synced(lifecycle);
	LOOP_UNTIL(f.server.loop, fixture_has(&f, "PATCH /api/v1/nodes/n1/status {\"metadata\":{\"uid\":\"u-n1\",\"resourceVersion\":\"1\"},"
						  "\"status\":{\"conditions\":[{\"type\":\"Ready\",\"status\":\"Unknown\""));
	assert_false(fixture_has(&f, "/pods/"));
	fixture_event(&f, "/api/v1/nodes", "{\"type\":\"MODIFIED\",\"object\":" NODE("11", "Unknown", "") "}");
	LOOP_UNTIL(f.server.loop, fixture_has(&f, "PATCH /api/v1/namespaces/ns/pods/stays/status"));
	fixture_settle(&f);
	assert_false(fixture_has(&f, "/pods/p/"));
	node_lifecycle_free(lifecycle);
	fixture_stop(&f);
}

/* Renewals that keep coming keep a node well; the clock in them does not matter. */
static void test_renewed(void **state)
{
	static const struct fixture_list lists[] = { { "/api/v1/nodes", NODE("1", "True", "") }, { NULL, NULL } };
	struct fixture f;

	(void)state;
	fixture_start(&f, lists, answer);
	struct node_lifecycle *lifecycle = node_lifecycle_new(f.server.loop, f.client, f.cache, &f.node_pods, 2000);
	fixture_wait_synced(&f);
	node_lifecycle_synced(lifecycle);
	int64_t began_ms = time_mono_ms(), renewed_ms = began_ms, longest_ms = 0;
	for (int i = 0; time_mono_ms() - began_ms < 3000; i++) {
		CLEANUP(mem_freep) char *event = mem_printf(
		    "{\"type\":\"MODIFIED\",\"object\":{\"metadata\":{\"name\":\"n1\",\"namespace\":\"kube-node-lease\",\"uid\":\"u-l\",\"resourceVersion\":\"%d\"},"
		    "\"spec\":{\"renewTime\":\"1999-01-01T00:00:%02d.%06dZ\"}}}", 20 + i, 59 - i % 60, i);
		fixture_event(&f, "/apis/coordination.k8s.io/v1/leases", event);
		loop_turn(f.server.loop, 100);
		int64_t now_ms = time_mono_ms();
		if (now_ms - renewed_ms > longest_ms)
			longest_ms = now_ms - renewed_ms;
		renewed_ms = now_ms;
	}
	/* Unless the machine stood still, and the renewals with it. */
	if (longest_ms < 1000)
		assert_false(fixture_has(&f, "PATCH"));
	LOOP_UNTIL(f.server.loop, fixture_has(&f, "PATCH /api/v1/nodes/n1/status"));
	fixture_settle(&f);
	node_lifecycle_free(lifecycle);
	fixture_stop(&f);
}

/* A pod that tolerates nothing goes at once, and is ready no more since its node is not. */
static void test_eviction(void **state)
{
	static const struct fixture_list lists[] = {
		{ "/api/v1/nodes", NODE("1", "Unknown", TAINTED) }, { "/api/v1/pods", POD("2") }, { NULL, NULL },
	};
	struct fixture f;

	(void)state;
	fixture_start(&f, lists, answer);
	struct taint_eviction *eviction = taint_eviction_new(f.server.loop, f.client, f.cache, &f.node_pods);
	fixture_wait_synced(&f);
	taint_eviction_synced(eviction);
	LOOP_UNTIL(f.server.loop, fixture_has(&f, "DELETE /api/v1/namespaces/ns/pods/p"));
	assert_true(fixture_has(&f, "\"reason\":\"DeletionByTaintManager\""));
	assert_true(fixture_has(&f, "{\"type\":\"Ready\",\"status\":\"False\""));
	fixture_settle(&f);
	taint_eviction_free(eviction);
	fixture_stop(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unreachable),
		cmocka_unit_test(test_renewed),
		cmocka_unit_test(test_eviction),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
