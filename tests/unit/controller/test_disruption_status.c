#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "controller/disruption_status.h"
#include "lib/timefmt.h"

#define NOW "2026-01-01T01:00:00Z"

static const struct disruption_pod pods[] = {
	{ "a", true, false },  { "b", true, false }, { "c", true, false },
	{ "d", false, false }, { "e", true, true },
};

static int64_t now_us(void)
{
	int64_t us;

	assert_true(time_parse(NOW, &us));
	return us;
}

/* The counts of the status of SPEC and STATUS for the first N pods: "allowed healthy desired expected". */
static char *counts(const char *spec, const char *status, size_t n, int64_t expected, int64_t *ret_recheck_ms,
		    struct json_object **ret)
{
	CLEANUP(mem_freep)
	char *text = mem_printf("{\"metadata\":{\"generation\":3},\"spec\":%s,\"status\":%s}", spec, status);
	CLEANUP(json_putp) struct json_object *budget = NULL;

	assert_int_equal(json_parse(text, strlen(text), &budget, NULL, NULL), 0);
	*ret = disruption_status(budget, pods, n, expected, now_us(), ret_recheck_ms);
	assert_int_equal(json_int(*ret, "observedGeneration", 0), 3);
	return mem_printf("%lld %lld %lld %lld", (long long)json_int(*ret, "disruptionsAllowed", -1),
			  (long long)json_int(*ret, "currentHealthy", -1),
			  (long long)json_int(*ret, "desiredHealthy", -1),
			  (long long)json_int(*ret, "expectedPods", -1));
}

static void test_counts(void **state)
{
	static const struct {
		const char *spec;
		size_t n;
		int64_t expected;
		const char *counts;
	} cases[] = {
		{ "{\"minAvailable\":2}", 5, 9, "1 3 2 5" },
		{ "{\"minAvailable\":3}", 5, 9, "0 3 3 5" },
		{ "{\"minAvailable\":0}", 0, 0, "0 0 0 0" },
		{ "{\"minAvailable\":\"50%\"}", 5, 5, "0 3 3 5" },
		{ "{\"minAvailable\":\"40%\"}", 5, 5, "1 3 2 5" },
		{ "{\"maxUnavailable\":1}", 3, 3, "1 3 2 3" },
		{ "{\"maxUnavailable\":1}", 3, 4, "0 3 3 4" },
		{ "{\"maxUnavailable\":\"10%\"}", 3, 3, "1 3 2 3" },
		{ "{\"maxUnavailable\":9}", 3, 3, "3 3 0 3" },
		{ "{}", 3, 3, "3 3 0 3" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(json_putp) struct json_object *status = NULL;
		int64_t recheck_ms;
		CLEANUP(mem_freep)
		char *got = counts(cases[i].spec, "{}", cases[i].n, cases[i].expected, &recheck_ms, &status);

		assert_string_equal(got, cases[i].counts);
		assert_true(recheck_ms == -1);
	}
}

/* Evicted a minute ago: still waited for; three minutes ago: forgotten; gone or going: no longer there. */
static void test_disrupted(void **state)
{
	static const char before[] =
	    "{\"disruptedPods\":{\"a\":\"2026-01-01T00:59:00Z\",\"b\":\"2026-01-01T00:57:00Z\","
	    "\"e\":\"2026-01-01T00:59:30Z\",\"gone\":\"2026-01-01T00:59:30Z\"}}";
	CLEANUP(json_putp) struct json_object *status = NULL;
	int64_t recheck_ms;
	CLEANUP(mem_freep) char *got = counts("{\"minAvailable\":1}", before, 5, 0, &recheck_ms, &status);

	(void)state;
	assert_string_equal(got, "1 2 1 5");
	assert_int_equal(json_object_object_length(json_get(status, "disruptedPods")), 1);
	assert_string_equal(json_str(json_get(status, "disruptedPods"), "a"), "2026-01-01T00:59:00Z");
	assert_true(recheck_ms > 59000 && recheck_ms <= 60001);
}

static const struct json_object *condition(const struct json_object *status)
{
	assert_int_equal(json_len(json_get(status, "conditions")), 1);
	return json_at(json_get(status, "conditions"), 0);
}

/* The time of a condition is that of its last change. */
static void test_condition(void **state)
{
	static const char before[] =
	    "{\"conditions\":[{\"type\":\"DisruptionAllowed\",\"status\":\"True\",\"reason\":"
	    "\"SufficientPods\",\"message\":\"\",\"lastTransitionTime\":\"2026-01-01T00:00:00Z\"}]}";
	CLEANUP(json_putp) struct json_object *kept = NULL, *turned = NULL, *unknown = NULL, *budget = NULL;
	int64_t recheck_ms;

	(void)state;
	free(counts("{\"minAvailable\":1}", before, 5, 0, &recheck_ms, &kept));
	assert_string_equal(json_str(condition(kept), "reason"), "SufficientPods");
	assert_string_equal(json_str(condition(kept), "lastTransitionTime"), "2026-01-01T00:00:00Z");
	assert_int_equal(json_int(condition(kept), "observedGeneration", 0), 3);
	free(counts("{\"minAvailable\":5}", before, 5, 0, &recheck_ms, &turned));
	assert_string_equal(json_str(condition(turned), "reason"), "InsufficientPods");
	assert_string_equal(json_str(condition(turned), "lastTransitionTime"), NOW);
	assert_int_equal(json_parse("{\"status\":{\"disruptionsAllowed\":4}}", 35, &budget, NULL, NULL), 0);
	unknown = disruption_status_unknown(budget, "no scale", now_us());
	assert_int_equal(json_int(unknown, "disruptionsAllowed", -1), 0);
	assert_string_equal(json_str(condition(unknown), "reason"), "SyncFailed");
	assert_string_equal(json_str(condition(unknown), "message"), "no scale");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_disrupted),
		cmocka_unit_test(test_condition),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
