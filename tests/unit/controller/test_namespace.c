#include "controller/namespace.h"
#include "tests/unit/controller/controller_fixture.h"

#define GOING                                                                                                       \
	"{\"metadata\":{\"name\":\"t\",\"uid\":\"u-t\",\"resourceVersion\":\"1\",\"deletionTimestamp\":\"2023-11-14T22:13:20Z\"}," \
	"\"spec\":{\"finalizers\":[\"kubernetes\",\"other\"]},\"status\":{\"phase\":\"Terminating\"}}"
#define POD "{\"metadata\":{\"name\":\"p\",\"namespace\":\"t\",\"uid\":\"u-p\",\"resourceVersion\":\"2\"}}"

static int answer(const char *method, const char *path, const char **ret_body)
{
	if (strcmp(path, "/api/v1/namespaces/t") == 0 || strcmp(path, "/api/v1/namespaces/t/status") == 0)
		*ret_body = GOING;
	(void)method;
	return 200;
}

/* While a pod is left the namespace waits; when the cache sees it go, the namespace is let go, others' finalizers kept. */
static void test_emptied(void **state)
{
	static struct fixture_list lists[] = {
		{ "/api/v1/namespaces", GOING }, { "/api/v1/pods", POD }, { "/api/v1/namespaces/t/pods", POD }, { NULL, NULL },
	};
	struct fixture f;

	(void)state;
	fixture_start(&f, lists, answer);
	struct namespaces *namespaces = namespaces_new(f.server.loop, f.client, f.cache);
	fixture_wait_synced(&f);
	namespaces_synced(namespaces);
	LOOP_UNTIL(f.server.loop, fixture_has(&f, "PUT /api/v1/namespaces/t/status"));
	assert_true(fixture_has(&f, "DELETE /api/v1/namespaces/t/pods "));
	assert_true(fixture_has(&f, "DELETE /apis/apps/v1/namespaces/t/deployments "));
	assert_true(fixture_has(&f, "Some resources are remaining: pods. has 1 resource instances"));
	fixture_settle(&f);
	assert_false(fixture_has(&f, "/finalize"));
	lists[2].items = "";
	fixture_event(&f, "/api/v1/pods", "{\"type\":\"DELETED\",\"object\":" POD "}");
	LOOP_UNTIL(f.server.loop, fixture_has(&f, "PUT /api/v1/namespaces/t/finalize"));
	assert_true(fixture_has(&f, "\"spec\":{\"finalizers\":[\"other\"]}"));
	fixture_settle(&f);
	namespaces_free(namespaces);
	fixture_stop(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_emptied) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
