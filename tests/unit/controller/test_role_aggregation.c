/* ClusterRoles made of others: the arithmetic, and the reconciler against a scripted server. */
#include "controller/role_aggregation.h"

#include "tests/unit/controller/controller_fixture.h"

#define PATH "/apis/rbac.authorization.k8s.io/v1/clusterroles"
#define ROLE(name, version, labels, rest)                                                                    \
	"{\"metadata\":{\"name\":\"" name "\",\"uid\":\"u-" name "\",\"resourceVersion\":\"" version         \
	"\",\"labels\":{" labels "}}," rest "}"
#define RULES(...)   "\"rules\":[" __VA_ARGS__ "]"
#define RULE(verb)   "{\"verbs\":[\"" verb "\"],\"apiGroups\":[\"\"],\"resources\":[\"pods\"]}"
#define GATHERS(...) "\"aggregationRule\":{\"clusterRoleSelectors\":[" __VA_ARGS__ "]}"
#define SELECT(key)  "{\"matchLabels\":{\"" key "\":\"true\"}}"

#define LAST         ROLE("last", "11", "", GATHERS(SELECT("m")) "," RULES(RULE("old")))
#define LAST_REQUEST "PATCH " PATH "/last {\"metadata\":{\"resourceVersion\":\"11\"}," RULES("") "}\n"

static int accept_all(const char *method, const char *path, const char **ret_body)
{
	(void)method;
	(void)path;
	(void)ret_body;
	return 200;
}

struct story {
	const char *items;
	const char *requests;
};

/* What is written at the start. */
static const struct story stories[] = {
	{ ROLE("all", "5", "", GATHERS(SELECT("a") "," SELECT("b")) "," RULES("")) "," ROLE(
	      "z", "1", "\"a\":\"true\"",
	      RULES(RULE("z") "," RULE(
		  "get"))) "," ROLE("y", "1", "\"a\":\"true\"",
				    RULES(RULE("y") "," RULE(
					"get"))) "," ROLE("x", "1", "\"b\":\"true\"",
							  RULES(RULE("x") "," RULE(
							      "z"))) "," ROLE("no", "1", "\"c\":\"true\"",
									      RULES(RULE("no"))),
	  "PATCH " PATH "/all {\"metadata\":{\"resourceVersion\":\"5\"}," RULES(
	      RULE("y") "," RULE("get") "," RULE("z") "," RULE("x")) "}\n" },
	/* As it should be, and never its own. */
	{ ROLE("all", "5", "\"a\":\"true\"", GATHERS(SELECT("a")) "," RULES(RULE("y"))) "," ROLE(
	      "y", "1", "\"a\":\"true\"", RULES(RULE("y"))),
	  "" },
	{ ROLE("all", "5", "", GATHERS(SELECT("a")) ",\"rules\":null"), "" },
	{ ROLE("all", "5", "", GATHERS(SELECT("a")) "," RULES(RULE("old"))),
	  "PATCH " PATH "/all {\"metadata\":{\"resourceVersion\":\"5\"}," RULES("") "}\n" },
	{ ROLE("y", "1", "\"a\":\"true\"", RULES(RULE("y"))), "" },
};

static void test_start(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(stories) / sizeof(stories[0]); i++) {
		const struct fixture_list lists[] = { { PATH, stories[i].items }, { NULL, NULL } };
		struct fixture f;

		fixture_start(&f, lists, accept_all);
		struct role_aggregation *aggregation = role_aggregation_new(f.server.loop, f.client, f.cache);
		fixture_wait_synced(&f);
		role_aggregation_synced(aggregation);
		/* One that comes later is written last, when all else has been decided on. */
		fixture_event(&f, PATH, "{\"type\":\"ADDED\",\"object\":" LAST "}");
		LOOP_UNTIL(f.server.loop, fixture_has(&f, LAST_REQUEST));
		fixture_settle(&f);

		CLEANUP(mem_freep) char *expected = mem_printf("%s" LAST_REQUEST, stories[i].requests);

		assert_string_equal(f.requests.data, expected);
		role_aggregation_free(aggregation);
		fixture_stop(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_start) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
