#include "tests/unit/scheduler/fixture.h"

#include "scheduler/taint.h"

/* One toleration against the taint key=a value=b effect NoSchedule. */
static const struct {
	const char *toleration;
	bool tolerated;
} cases[] = {
	{ "{'key':'a','operator':'Equal','value':'b','effect':'NoSchedule'}", true },
	{ "{'key':'a','value':'b'}", true },
	{ "{'key':'a','value':'c'}", false },
	{ "{'key':'a'}", false },
	{ "{'key':'a','operator':'Exists'}", true },
	{ "{'key':'z','operator':'Exists'}", false },
	{ "{'operator':'Exists'}", true },
	{ "{'operator':'Exists','effect':'NoExecute'}", false },
	{ "{'key':'a','operator':'Exists','effect':'PreferNoSchedule'}", false },
	{ "{}", false },
	{ "7", false },
	{ "null", false },
};

static void tolerations(void **state)
{
	CLEANUP(json_putp) struct json_object *taint_list = fixture_json("[{'key':'a','value':'b','effect':'NoSchedule'}]");
	size_t n_taints;
	struct taint *taints = taints_parse(taint_list, &n_taints);

	(void)state;
	assert_int_equal(n_taints, 1);
	assert_false(taint_tolerated(taints, NULL, 0));
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(mem_freep) char *text = mem_printf("[%s]", cases[i].toleration);
		CLEANUP(json_putp) struct json_object *list = fixture_json(text);
		size_t n;
		struct toleration *parsed = tolerations_parse(list, &n);
		assert_int_equal(taint_tolerated(taints, parsed, n), cases[i].tolerated);
		tolerations_free(parsed, n);
	}
	taints_free(taints, n_taints);
}

static void several_tolerations(void **state)
{
	CLEANUP(json_putp) struct json_object *taint_list = fixture_json(
		"[{'key':'gone','effect':'NoExecute','timeAdded':'2026-01-01T00:00:00Z'},{'key':'odd','effect':'Unknown'},{},null]");
	CLEANUP(json_putp) struct json_object *list = fixture_json("[{'key':'other','operator':'Exists'},{'key':'gone'}]");
	size_t n_taints, n;
	struct taint *taints = taints_parse(taint_list, &n_taints);
	struct toleration *parsed = tolerations_parse(list, &n);

	(void)state;
	assert_int_equal(n_taints, 1); /* an effect that nobody knows has none */
	assert_int_equal(taints[0].effect, TAINT_NO_EXECUTE);
	assert_string_equal(taints[0].value, "");
	assert_true(taint_tolerated(&taints[0], parsed, n));
	taints_free(taints, n_taints);
	tolerations_free(parsed, n);
	assert_null(taints_parse(NULL, &n));
	assert_int_equal(n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tolerations),
		cmocka_unit_test(several_tolerations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
