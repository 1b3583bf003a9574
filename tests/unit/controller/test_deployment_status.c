#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "controller/deployment_status.h"
#include "lib/timefmt.h"
#include "tests/support/cases.h"

/* One case a line: the sets of a Deployment and its status before, and its status after. */
#define CASES "tests/unit/controller/cases/deployment_status.jsonl"

#define NOW_US (1700000000LL * 1000000)

static void drop_times(struct json_object *status)
{
	struct json_object *conditions = json_get(status, "conditions");

	for (size_t i = 0; i < json_len(conditions); i++) {
		json_object_object_del(json_at(conditions, i), "lastUpdateTime");
		json_object_object_del(json_at(conditions, i), "lastTransitionTime");
	}
}

static void set_times(struct json_object *status, int64_t us)
{
	struct json_object *conditions = json_get(status, "conditions");
	char text[TIMEFMT_SIZE];

	for (size_t i = 0; i < json_len(conditions); i++) {
		json_set_str(json_at(conditions, i), "lastUpdateTime", time_format(us, text));
		json_set_str(json_at(conditions, i), "lastTransitionTime", text);
	}
}

static struct cached_replica_set set_of(const struct json_object *obj)
{
	const struct json_object *s = json_get(obj, "status");

	return (struct cached_replica_set){
		.meta.name = (char *)json_str(obj, "name"),
		.replicas = json_int(obj, "replicas", 0),
		.status = { .replicas = json_int(s, "replicas", 0), .ready = json_int(s, "readyReplicas", 0),
			    .available = json_int(s, "availableReplicas", 0), .terminating = json_int(s, "terminatingReplicas", -1),
			    .observed_generation = json_int(s, "observedGeneration", 0) },
	};
}

static void check_case(const char *name, struct json_object *c, void *arg)
{
	const struct json_object *list = json_get(c, "sets");
	struct cached_replica_set sets[8] = { 0 };
	const struct cached_replica_set *all[8];
	CLEANUP(buf_close) struct buf old = BUF_INIT, got = BUF_INIT, want = BUF_INIT;
	set_times(json_get(c, "old"), NOW_US - json_int(c, "since_s", 1) * 1000000);
	json_write(&old, json_get(c, "old"));
	struct cached_deployment d = { .meta.name = (char *)"web", .meta.generation = json_int(c, "generation", 0),
				       .replicas = json_int(c, "replicas", 0), .paused = json_boolean(c, "paused", false),
				       .progress_deadline_s = json_int(c, "deadline_s", 600), .collision_count = -1,
				       .status_json = old.data };
	struct deployment_facts facts = { .deployment = &d, .sets = all, .n_sets = json_len(list),
					  .created_set = json_str(c, "created"), .create_error = json_str(c, "create_error"),
					  .surge = json_int(c, "surge", 0), .unavailable = json_int(c, "unavailable", 0), .now_us = NOW_US };
	int64_t deadline_ms;

	(void)name;
	(void)arg;
	assert_true(facts.n_sets <= ARRAY_SIZE(sets));
	for (size_t i = 0; i < facts.n_sets; i++) {
		sets[i] = set_of(json_at(list, i));
		all[i] = &sets[i];
		if (json_boolean(json_at(list, i), "new", false))
			facts.new_set = &sets[i];
	}
	CLEANUP(json_putp) struct json_object *status = deployment_status(&facts, &deadline_ms);
	drop_times(status);
	json_write_sorted(&got, status);
	json_write_sorted(&want, json_get(c, "status"));
	if (strcmp(got.data, want.data) != 0)
		fail_msg("%s:\n%s\ninstead of\n%s", json_str(c, "about"), got.data, want.data);
}

static void test_cases(void **state)
{
	(void)state;
	assert_true(cases_each(CASES, check_case, NULL) > 80);
}

/* The deadline is counted from the last step forward, and looked at again when it comes. */
static void test_deadline(void **state)
{
	char old[] = "{\"replicas\":2,\"updatedReplicas\":2,\"conditions\":[{\"type\":\"Progressing\",\"status\":\"True\",\"reason\":\"ReplicaSetUpdated\","
		     "\"lastUpdateTime\":\"2023-11-14T22:13:15Z\"}]}"; /* 5 s ago */
	struct cached_replica_set set = { .meta.name = (char *)"web-1", .replicas = 2, .status.replicas = 2 };
	const struct cached_replica_set *sets[] = { &set };
	struct cached_deployment d = { .meta.name = (char *)"web", .replicas = 2, .progress_deadline_s = 8, .status_json = old };
	struct deployment_facts facts = { .deployment = &d, .new_set = &set, .sets = sets, .n_sets = 1, .now_us = NOW_US };
	int64_t deadline_ms;

	(void)state;
	json_object_put(deployment_status(&facts, &deadline_ms));
	assert_in_range(deadline_ms, 1, 3001);
	d.progress_deadline_s = INT32_MAX;
	CLEANUP(json_putp) struct json_object *status = deployment_status(&facts, &deadline_ms);
	assert_int_equal(deadline_ms, -1);
	assert_int_equal(json_len(json_get(status, "conditions")), 1); /* Available alone */
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_cases), cmocka_unit_test(test_deadline) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
