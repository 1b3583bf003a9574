#include "apiserver/delete.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "lib/mem.h"

#define NOON_US 1795262400000000 /* 2026-11-21T12:00:00Z */

static enum delete_action decide(const char *plural, const char *text, const struct delete_options *options,
				 struct json_object **ret)
{
	const char *group = strcmp(plural, "deployments") == 0 ? "apps" : "";
	const struct resource *resource = resource_find(group, "v1", plural);
	CLEANUP(json_putp) struct json_object *stored = NULL, *before = NULL;
	assert_int_equal(json_parse(text, strlen(text), &stored, NULL, NULL), 0);
	before = json_clone(stored);
	*ret = delete_copy(resource, stored);
	enum delete_action action = delete_decide(resource, *ret, options, NOON_US);
	assert_true(json_equal(stored, before)); /* what the copy shares is left alone */
	return action;
}

static void expect(const char *plural, const char *before, struct delete_options options, enum delete_action action,
		   const char *after)
{
	CLEANUP(json_putp) struct json_object *obj = NULL, *wanted = NULL;
	enum delete_action got = decide(plural, before, &options, &obj);
	assert_int_equal(json_parse(after, strlen(after), &wanted, NULL, NULL), 0);
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	json_write(&text, obj);
	if (got != action || !json_equal(obj, wanted))
		fail_msg("action %d: %s\nshould be %d: %s", (int)got, text.data, (int)action, after);
}

/* A period that no time can hold ends with the years that a timestamp has. */
static void periods_of_any_size(void **state)
{
	struct delete_options longest = { .has_grace_period = true, .grace_period_s = INT64_MAX };

	(void)state;
	expect("pods", "{\"metadata\":{},\"spec\":{\"nodeName\":\"n\"}}", longest, DELETE_UPDATE,
	       "{\"metadata\":{\"deletionTimestamp\":\"9999-12-31T23:59:59Z\","
	       "\"deletionGracePeriodSeconds\":9223372036854775807},\"spec\":{\"nodeName\":\"n\"}}");
}

static void plain_objects_go_unless_held(void **state)
{
	(void)state;
	struct delete_options none = { 0 }, foreground = { .propagation = PROPAGATION_FOREGROUND },
			      background = { .propagation = PROPAGATION_BACKGROUND },
			      orphan = { .has_orphan_dependents = true, .orphan_dependents = true };
	expect("configmaps", "{\"metadata\":{\"name\":\"a\"}}", none, DELETE_REMOVE, "{\"metadata\":{\"name\":\"a\"}}");
	expect("configmaps", "{\"metadata\":{\"finalizers\":[\"x/y\"]}}", none, DELETE_UPDATE,
	       "{\"metadata\":{\"finalizers\":[\"x/y\"],\"deletionTimestamp\":\"2026-11-21T12:00:00Z\","
	       "\"deletionGracePeriodSeconds\":0}}");
	expect("deployments", "{\"metadata\":{\"generation\":4}}", foreground, DELETE_UPDATE,
	       "{\"metadata\":{\"generation\":5,\"finalizers\":[\"foregroundDeletion\"],"
	       "\"deletionTimestamp\":\"2026-11-21T12:00:00Z\",\"deletionGracePeriodSeconds\":0}}");
	expect("configmaps", "{\"metadata\":{}}", orphan, DELETE_UPDATE,
	       "{\"metadata\":{\"finalizers\":[\"orphan\"],\"deletionTimestamp\":\"2026-11-21T12:00:00Z\","
	       "\"deletionGracePeriodSeconds\":0}}");
	/* A later wish replaces the earlier one; the time stays. */
	expect("configmaps",
	       "{\"metadata\":{\"finalizers\":[\"foregroundDeletion\"],\"deletionTimestamp\":\"2026-11-21T11:00:00Z\","
	       "\"deletionGracePeriodSeconds\":0}}",
	       background, DELETE_REMOVE,
	       "{\"metadata\":{\"deletionTimestamp\":\"2026-11-21T11:00:00Z\",\"deletionGracePeriodSeconds\":0}}");
}

#define POD(node, phase, metadata)                                                                           \
	"{\"metadata\":{" metadata "},\"spec\":{" node "\"terminationGracePeriodSeconds\":30},\"status\":{\"phase\":\"" phase \
	"\"}}"
#define NODE "\"nodeName\":\"n\","
#define DELETED(time, seconds) "\"deletionTimestamp\":\"2026-11-21T" time "Z\",\"deletionGracePeriodSeconds\":" seconds

static void pods_get_their_grace(void **state)
{
	(void)state;
	struct delete_options none = { 0 }, five = { .has_grace_period = true, .grace_period_s = 5 },
			      long_ = { .has_grace_period = true, .grace_period_s = 99 },
			      now = { .has_grace_period = true, .grace_period_s = 0 },
			      negative = { .has_grace_period = true, .grace_period_s = -3 };
	expect("pods", POD("", "Pending", ""), none, DELETE_REMOVE, POD("", "Pending", DELETED("12:00:00", "0")));
	expect("pods", POD(NODE, "Failed", ""), none, DELETE_REMOVE, POD(NODE, "Failed", DELETED("12:00:00", "0")));
	expect("pods", POD(NODE, "Running", "\"generation\":1"), none, DELETE_UPDATE,
	       POD(NODE, "Running", "\"generation\":2," DELETED("12:00:30", "30")));
	expect("pods", POD(NODE, "Running", ""), five, DELETE_UPDATE, POD(NODE, "Running", DELETED("12:00:05", "5")));
	expect("pods", POD(NODE, "Running", ""), negative, DELETE_UPDATE, POD(NODE, "Running", DELETED("12:00:01", "1")));
	expect("pods", POD(NODE, "Running", ""), now, DELETE_REMOVE, POD(NODE, "Running", DELETED("12:00:00", "0")));
	/* Being deleted already. */
	expect("pods", POD(NODE, "Running", DELETED("11:59:40", "30")), none, DELETE_KEEP,
	       POD(NODE, "Running", DELETED("11:59:40", "30")));
	expect("pods", POD(NODE, "Running", DELETED("11:59:40", "30")), long_, DELETE_KEEP,
	       POD(NODE, "Running", DELETED("11:59:40", "30")));
	expect("pods", POD(NODE, "Running", DELETED("11:59:40", "30")), five, DELETE_UPDATE,
	       POD(NODE, "Running", DELETED("11:59:15", "5")));
	expect("pods", POD(NODE, "Running", DELETED("11:59:40", "30")), now, DELETE_REMOVE,
	       POD(NODE, "Running", DELETED("11:59:10", "0")));
	/* A finalizer holds it however short the grace. */
	expect("pods", POD("", "Pending", "\"finalizers\":[\"x/y\"]"), none, DELETE_UPDATE,
	       POD("", "Pending", "\"finalizers\":[\"x/y\"]," DELETED("12:00:00", "0")));
	/* Its time was up, and the finalizer is all that holds it. */
	expect("pods", POD(NODE, "Running", "\"finalizers\":[\"x/y\"]," DELETED("11:00:00", "0")), none, DELETE_UPDATE,
	       POD(NODE, "Running", "\"finalizers\":[\"x/y\"]," DELETED("11:00:00", "0")));
}

static void namespaces_wait_for_their_content(void **state)
{
	(void)state;
	struct delete_options none = { 0 };
	expect("namespaces", "{\"metadata\":{},\"spec\":{\"finalizers\":[\"kubernetes\"]},\"status\":{\"phase\":\"Active\"}}", none,
	       DELETE_UPDATE,
	       "{\"metadata\":{\"deletionTimestamp\":\"2026-11-21T12:00:00Z\"},\"spec\":{\"finalizers\":[\"kubernetes\"]},"
	       "\"status\":{\"phase\":\"Terminating\"}}");
	expect("namespaces",
	       "{\"metadata\":{\"deletionTimestamp\":\"2026-11-21T11:00:00Z\"},\"spec\":{\"finalizers\":[\"kubernetes\"]}}", none,
	       DELETE_KEEP,
	       "{\"metadata\":{\"deletionTimestamp\":\"2026-11-21T11:00:00Z\"},\"spec\":{\"finalizers\":[\"kubernetes\"]}}");
	expect("namespaces", "{\"metadata\":{\"deletionTimestamp\":\"2026-11-21T11:00:00Z\"},\"spec\":{}}", none, DELETE_REMOVE,
	       "{\"metadata\":{\"deletionTimestamp\":\"2026-11-21T11:00:00Z\"},\"spec\":{}}");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_objects_go_unless_held),
		cmocka_unit_test(periods_of_any_size),
		cmocka_unit_test(pods_get_their_grace),
		cmocka_unit_test(namespaces_wait_for_their_content),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
