#include "tests/unit/scheduler/fixture.h"

#include "scheduler/affinity.h"

#define REQUIRED(terms) "{'affinity':{'nodeAffinity':{'requiredDuringSchedulingIgnoredDuringExecution':{'nodeSelectorTerms':[" terms "]}}}}"
#define EXPRESSION(text) REQUIRED("{'matchExpressions':[" text "]}")

/* Against the node n1 with zone=a, cores=8. */
static const struct {
	const char *spec;
	bool matches;
} cases[] = {
	{ "{}", true },
	{ "{'nodeSelector':{'zone':'a'}}", true },
	{ "{'nodeSelector':{'zone':'a','disk':'ssd'}}", false },
	{ "{'nodeSelector':{'zone':null}}", false },
	{ EXPRESSION("{'key':'zone','operator':'In','values':['b','a']}"), true },
	{ EXPRESSION("{'key':'zone','operator':'In','values':['b','c']}"), false },
	{ EXPRESSION("{'key':'disk','operator':'In','values':['ssd']}"), false },
	{ EXPRESSION("{'key':'zone','operator':'NotIn','values':['b']}"), true },
	{ EXPRESSION("{'key':'disk','operator':'NotIn','values':['ssd']}"), true },
	{ EXPRESSION("{'key':'zone','operator':'Exists'}"), true },
	{ EXPRESSION("{'key':'disk','operator':'Exists'}"), false },
	{ EXPRESSION("{'key':'disk','operator':'DoesNotExist'}"), true },
	{ EXPRESSION("{'key':'cores','operator':'Gt','values':['7']}"), true },
	{ EXPRESSION("{'key':'cores','operator':'Gt','values':['8']}"), false },
	{ EXPRESSION("{'key':'cores','operator':'Lt','values':['16']}"), true },
	{ EXPRESSION("{'key':'cores','operator':'Lt','values':['8']}"), false },
	{ EXPRESSION("{'key':'zone','operator':'Gt','values':['1']}"), false }, /* a label that is no number */
	{ EXPRESSION("{'key':'zone','operator':'Exists'},{'key':'cores','operator':'Lt','values':['2']}"), false },
	/* Terms are alternatives; an empty one matches nothing. */
	{ REQUIRED("{'matchExpressions':[{'key':'zone','operator':'In','values':['b']}]},{'matchExpressions':[{'key':'cores','operator':'Exists'}]}"), true },
	{ REQUIRED("{}"), false },
	{ REQUIRED(""), false },
	{ REQUIRED("{'matchFields':[{'key':'metadata.name','operator':'In','values':['n1']}]}"), true },
	{ REQUIRED("{'matchFields':[{'key':'metadata.name','operator':'In','values':['n2']}]}"), false },
	{ REQUIRED("{'matchFields':[{'key':'metadata.name','operator':'NotIn','values':['n2']}],'matchExpressions':[{'key':'zone','operator':'In','values':['a']}]}"), true },
	{ "{'nodeSelector':{'zone':'b'},'affinity':{'nodeAffinity':{'requiredDuringSchedulingIgnoredDuringExecution':"
	  "{'nodeSelectorTerms':[{'matchExpressions':[{'key':'zone','operator':'Exists'}]}]}}}}", false },
};

static void required(void **state)
{
	CLEANUP(json_putp) struct json_object *labels = fixture_json("{'zone':'a','cores':'8'}");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(json_putp) struct json_object *spec = fixture_json(cases[i].spec);
		struct affinity affinity;
		assert_true(affinity_parse(spec, &affinity));
		if (affinity_matches(&affinity, labels, "n1") != cases[i].matches)
			fail_msg("wrong: %s", cases[i].spec);
		affinity_close(&affinity);
	}
}

/* What the API server lets nobody store; here it must neither crash nor match everything. */
static const char *const not_understood[] = {
	EXPRESSION("{'key':'zone','operator':'Near','values':['a']}"),
	EXPRESSION("{'key':'zone','operator':'In'}"),
	EXPRESSION("{'key':'zone','operator':'In','values':[]}"),
	EXPRESSION("{'key':'cores','operator':'Gt'}"),
	EXPRESSION("{'key':'cores','operator':'Gt','values':['1','2']}"),
	EXPRESSION("{'key':'cores','operator':'Lt','values':['many']}"),
	EXPRESSION("{'key':'cores','operator':'Lt','values':[null]}"),
	EXPRESSION("{'key':'zone','operator':'Exists','values':['a']}"),
	EXPRESSION("{'key':'zone','operator':'Exists'},null"),
};

static void hostile(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(not_understood); i++) {
		CLEANUP(json_putp) struct json_object *spec = fixture_json(not_understood[i]);
		struct affinity affinity;
		assert_false(affinity_parse(spec, &affinity));
		affinity_close(&affinity);
	}
}

static void preferred(void **state)
{
	CLEANUP(json_putp) struct json_object *labels = fixture_json("{'zone':'a'}");
	CLEANUP(json_putp) struct json_object *spec = fixture_json(
		"{'affinity':{'nodeAffinity':{'preferredDuringSchedulingIgnoredDuringExecution':["
		"{'weight':10,'preference':{'matchExpressions':[{'key':'zone','operator':'In','values':['a']}]}},"
		"{'weight':20,'preference':{'matchExpressions':[{'key':'zone','operator':'In','values':['b']}]}},"
		"{'weight':3,'preference':{'matchFields':[{'key':'metadata.name','operator':'In','values':['n1']}]}}]}}}");
	struct affinity affinity;

	(void)state;
	assert_true(affinity_parse(spec, &affinity));
	assert_true(affinity_matches(&affinity, NULL, "other"));
	assert_int_equal(affinity_preference(&affinity, labels, "n1"), 13);
	assert_int_equal(affinity_preference(&affinity, labels, "n2"), 10);
	assert_int_equal(affinity_preference(&affinity, NULL, "n2"), 0);
	affinity_close(&affinity);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(required),
		cmocka_unit_test(hostile),
		cmocka_unit_test(preferred),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
