#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "controller/node_health.h"

#define NOW_US (1700000000LL * 1000000)
#define NOW "2023-11-14T22:13:20Z"

static struct json_object *parsed(const char *text)
{
	struct json_object *value = NULL;

	if (text)
		assert_int_equal(json_parse(text, strlen(text), &value, NULL, NULL), 0);
	return value;
}

/* "key:effect" of each, in order; "same" when nothing is to change. */
static void expect_taints(const char *taints_text, const char *conditions_text, bool unschedulable, const char *expected)
{
	CLEANUP(json_putp) struct json_object *taints = parsed(taints_text), *conditions = parsed(conditions_text);
	CLEANUP(json_putp) struct json_object *result = node_health_taints(taints, conditions, unschedulable, NOW_US);
	CLEANUP(buf_close) struct buf text = BUF_INIT;

	buf_str(&text, result ? "" : "same");
	for (size_t i = 0; i < json_len(result); i++)
		buf_printf(&text, "%s%s:%s", i ? " " : "", json_str(json_at(result, i), "key"), json_str(json_at(result, i), "effect"));
	assert_string_equal(text.data ? text.data : "", expected);
}

#define READY(status) "[{\"type\":\"Ready\",\"status\":\"" status "\"}]"
#define NK "node.kubernetes.io/"

static void test_taints(void **state)
{
	(void)state;
	expect_taints(NULL, READY("True"), false, "same");
	expect_taints(NULL, NULL, false, "same");
	expect_taints(NULL, READY("Unknown"), false, NK "unreachable:NoSchedule " NK "unreachable:NoExecute");
	expect_taints(NULL, READY("False"), false, NK "not-ready:NoSchedule " NK "not-ready:NoExecute");
	expect_taints(NULL, READY("True"), true, NK "unschedulable:NoSchedule");
	/* A new node carries not-ready; the first Ready takes it away. */
	expect_taints("[{\"key\":\"" NK "not-ready\",\"effect\":\"NoSchedule\"}]", READY("True"), false, "");
	/* From not ready to unreachable, and what others put there stays. */
	expect_taints("[{\"key\":\"gpu\",\"value\":\"a\",\"effect\":\"NoSchedule\"},{\"key\":\"" NK "not-ready\",\"effect\":\"NoSchedule\"},"
		      "{\"key\":\"" NK "not-ready\",\"effect\":\"NoExecute\"}]",
		      READY("Unknown"), false, "gpu:NoSchedule " NK "unreachable:NoSchedule " NK "unreachable:NoExecute");
	expect_taints("[{\"key\":\"" NK "unreachable\",\"effect\":\"NoSchedule\"},{\"key\":\"" NK "unreachable\",\"effect\":\"NoExecute\"}]",
		      READY("Unknown"), false, "same");
	expect_taints(NULL, "[{\"type\":\"Ready\",\"status\":\"True\"},{\"type\":\"DiskPressure\",\"status\":\"True\"}]", false,
		      NK "disk-pressure:NoSchedule");
}

static void test_unknown(void **state)
{
	CLEANUP(json_putp) struct json_object *conditions =
	    parsed("[{\"type\":\"Ready\",\"status\":\"True\",\"reason\":\"KubeletReady\",\"lastHeartbeatTime\":\"2023-11-14T22:00:00Z\"},"
		   "{\"type\":\"MemoryPressure\",\"status\":\"False\"},{\"type\":\"Custom\",\"status\":\"True\"}]");
	CLEANUP(json_putp) struct json_object *result = node_health_unknown(conditions, NOW_US - 60000000, NOW_US);
	static const char *const expected[] = {
		"Ready Unknown NodeStatusUnknown",
		"MemoryPressure Unknown NodeStatusUnknown",
		"Custom True ",
		"DiskPressure Unknown NodeStatusNeverUpdated",
		"PIDPressure Unknown NodeStatusNeverUpdated",
	};

	(void)state;
	assert_int_equal(json_len(result), ARRAY_SIZE(expected));
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		const struct json_object *c = json_at(result, i);
		CLEANUP(mem_freep) char *text =
		    mem_printf("%s %s %s", json_str(c, "type"), json_str(c, "status"), json_str_or_empty(c, "reason"));
		assert_string_equal(text, expected[i]);
	}
	assert_string_equal(json_str(json_at(result, 0), "lastHeartbeatTime"), "2023-11-14T22:00:00Z");
	assert_string_equal(json_str(json_at(result, 0), "lastTransitionTime"), NOW);
	assert_string_equal(json_str(json_at(result, 0), "message"), "Kubelet stopped posting node status.");
	assert_null(node_health_unknown(result, NOW_US, NOW_US));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_taints), cmocka_unit_test(test_unknown) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
