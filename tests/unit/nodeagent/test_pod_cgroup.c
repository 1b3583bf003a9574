#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "nodeagent/pod_cgroup.h"

static struct json_object *parse(const char *text)
{
	struct json_object *obj = NULL;

	assert_int_equal(json_parse(text, strlen(text), &obj, NULL, NULL), 0);
	return obj;
}

#define CPU(request_, limit_) "{\"resources\":{\"requests\":{\"cpu\":\"" request_ "\"},\"limits\":{\"cpu\":\"" limit_ "\"}}}"
#define SIDECAR "{\"restartPolicy\":\"Always\",\"resources\":{\"requests\":{\"cpu\":\"10m\"},\"limits\":{\"cpu\":\"20m\"}}}"

static void test_totals(void **state)
{
	static const struct { const char *spec; int64_t requests, limits; } cases[] = {
		{ "{\"containers\":[{}]}", 0, 0 },
		{ "{\"containers\":[" CPU("100m", "200m") "," CPU("50m", "1") "]}", 150, 1200 },
		{ "{\"containers\":[" CPU("100m", "200m") ",{}]}", 100, 0 },
		{ "{\"containers\":[{\"resources\":{\"limits\":{\"cpu\":\"300m\"}}}]}", 300, 300 },
		{ "{\"initContainers\":[" CPU("500m", "2") "],\"containers\":[" CPU("100m", "200m") "]}", 500, 2000 },
		{ "{\"initContainers\":[" SIDECAR "," CPU("95m", "1") "],\"containers\":[" CPU("100m", "200m") "]}", 110, 1020 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(json_putp) struct json_object *spec = parse(cases[i].spec);
		assert_int_equal(pod_cgroup_total(spec, "requests", "cpu"), cases[i].requests);
		assert_int_equal(pod_cgroup_total(spec, "limits", "cpu"), cases[i].limits);
	}
}

static void test_names(void **state)
{
	CLEANUP(json_putp) struct json_object *best = parse("{\"containers\":[{}]}");
	CLEANUP(json_putp) struct json_object *burst = parse("{\"containers\":[" CPU("1", "2") "]}");
	CLEANUP(mem_freep) char *a = pod_cgroup_name(best, "u");
	CLEANUP(mem_freep) char *b = pod_cgroup_name(burst, "u");

	(void)state;
	assert_string_equal(a, "besteffort/podu");
	assert_string_equal(b, "burstable/podu");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_totals),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
