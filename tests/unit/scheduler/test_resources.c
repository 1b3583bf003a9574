#include "tests/unit/scheduler/fixture.h"

#include "scheduler/resources.h"

enum { MI = 1024 * 1024 };

static void add(struct resources *r, const char *text)
{
	CLEANUP(json_putp) struct json_object *obj = fixture_json(text);

	resources_add_json(r, obj);
}

static void sums(void **state)
{
	struct resources a = { 0 }, b = { 0 };

	(void)state;
	add(&a, "{'cpu':'250m','memory':'64Mi','ephemeral-storage':'1Gi','pods':'110','z.com/b':'1','a.com/a':'2'}");
	add(&b, "{'cpu':2,'memory':'1Mi','z.com/b':'3','m.com/c':'4'}");
	assert_int_equal(b.milli_cpu, 2000);
	resources_add(&a, &b);
	assert_int_equal(a.milli_cpu, 2250);
	assert_int_equal(a.memory, 65 * MI);
	assert_int_equal(a.n_named, 3);
	assert_string_equal(a.named[0].name, "a.com/a");
	assert_int_equal(resources_named(&a, "z.com/b"), 4);
	assert_int_equal(resources_named(&a, "m.com/c"), 4);
	assert_int_equal(resources_named(&a, "pods"), 0);
	resources_subtract(&a, &b);
	assert_int_equal(resources_named(&a, "m.com/c"), 0);
	resources_max(&a, &b);
	assert_int_equal(a.milli_cpu, 2000);
	assert_int_equal(resources_named(&a, "z.com/b"), 3);
	resources_close(&a);
	resources_close(&b);
}

/* Amounts that would overflow when added are cut; what is no quantity counts nothing. */
static void absurd_amounts(void **state)
{
	struct resources r = { 0 };

	(void)state;
	add(&r, "{'cpu':'9223372036854775807','memory':'9223372036854775807','x.com/y':'9223372036854775807'}");
	add(&r, "{'cpu':'9223372036854775807','memory':'9223372036854775807','x.com/y':'9223372036854775807'}");
	assert_int_equal(r.milli_cpu, RESOURCES_MOST);
	assert_int_equal(r.memory, RESOURCES_MOST);
	assert_int_equal(resources_named(&r, "x.com/y"), RESOURCES_MOST);
	resources_close(&r);
	add(&r, "{'cpu':'-1','memory':'nonsense','ephemeral-storage':null,'x.com/y':{}}");
	assert_int_equal(r.milli_cpu, 0);
	assert_int_equal(r.memory, 0);
	resources_close(&r);
	add(&r, "['cpu']");
	assert_int_equal(r.n_named, 0);
}

static const struct {
	const char *spec;
	int64_t milli_cpu, memory_mi, scored_milli_cpu, scored_memory_mi;
} pods[] = {
	{ "{}", 0, 0, 0, 0 },
	{ "{'containers':[{},{'resources':{'requests':{'cpu':'1'}}}]}", 1000, 0, 1100, 400 },
	/* The larger of the containers' sum and one init container. */
	{ "{'containers':[{'resources':{'requests':{'cpu':'1','memory':'10Mi'}}}],"
	  "'initContainers':[{'resources':{'requests':{'cpu':'3','memory':'1Mi'}}},{'resources':{'requests':{'cpu':'2','memory':'1Mi'}}}]}",
	  3000, 10, 3000, 10 },
	/* A sidecar runs beside what comes after it, and not before. */
	{ "{'containers':[{'resources':{'requests':{'cpu':'1','memory':'10Mi'}}}],"
	  "'initContainers':[{'resources':{'requests':{'cpu':'2','memory':'1Mi'}}},"
	  "{'restartPolicy':'Always','resources':{'requests':{'cpu':'500m','memory':'5Mi'}}},"
	  "{'resources':{'requests':{'cpu':'1200m','memory':'1Mi'}}}]}",
	  2000, 15, 2000, 15 },
	{ "{'overhead':{'cpu':'100m','memory':'2Mi'},'containers':[{'resources':{'requests':{'cpu':'1','memory':'10Mi'}}}]}", 1100, 12,
	  1100, 12 },
	{ "{'containers':[7,null,{'resources':[]},{'resources':{'requests':'x'}}]}", 0, 0, 400, 800 },
};

static void of_pods(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pods); i++) {
		CLEANUP(json_putp) struct json_object *spec = fixture_json(pods[i].spec);
		CLEANUP(resources_close) struct resources r = { 0 };
		int64_t cpu, memory;
		resources_of_pod(spec, &r, &cpu, &memory);
		assert_int_equal(r.milli_cpu, pods[i].milli_cpu);
		assert_int_equal(r.memory, pods[i].memory_mi * MI);
		assert_int_equal(cpu, pods[i].scored_milli_cpu);
		assert_int_equal(memory, pods[i].scored_memory_mi * MI);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sums),
		cmocka_unit_test(absurd_amounts),
		cmocka_unit_test(of_pods),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
