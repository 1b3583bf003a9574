#include "tests/unit/scheduler/fixture.h"

#include "scheduler/shape.h"

static struct shape *intern(struct shapes *shapes, const char *text)
{
	CLEANUP(json_putp) struct json_object *spec = fixture_json(text);

	return shape_intern(shapes, spec);
}

static void shared_by_what_decides(void **state)
{
	struct shapes shapes = { 0 };
	struct shape *a = intern(&shapes, "{'nodeName':'n','containers':[{'name':'x','image':'i','resources':{'requests':{'cpu':'1','memory':'2'}}}]}");
	struct shape *b = intern(&shapes, "{'containers':[{'name':'y','resources':{'requests':{'memory':'2','cpu':'1'}}}],'priority':3}");
	struct shape *c = intern(&shapes, "{'containers':[{'name':'y','resources':{'requests':{'memory':'2','cpu':'2'}}}]}");
	struct shape *d = intern(&shapes, "{'containers':[{'resources':{'requests':{'cpu':'1','memory':'2'}}}],'tolerations':[{'operator':'Exists'}]}");
	struct shape *e = intern(&shapes, "{'initContainers':[{'resources':{'requests':{'cpu':'1','memory':'2'}}}]}");

	(void)state;
	assert_ptr_equal(a, b);
	assert_ptr_not_equal(a, c);
	assert_ptr_not_equal(a, d);
	assert_ptr_not_equal(a, e);
	assert_int_equal(shapes.by_key.count, 4);
	shape_release(a);
	shape_release(c);
	shape_release(d);
	shape_release(e);
	assert_int_equal(shapes.by_key.count, 1);
	shape_release(b);
	shape_release(NULL);
	assert_int_equal(shapes.by_key.count, 0);
	assert_null(intern(&shapes, "{'affinity':{'nodeAffinity':{'requiredDuringSchedulingIgnoredDuringExecution':{'nodeSelectorTerms':["
				    "{'matchExpressions':[{'key':'a','operator':'?'}]}]}}}}"));
	map_close(&shapes.by_key);
}

static void host_ports(void **state)
{
	struct shapes shapes = { 0 };
	struct shape *s = intern(&shapes, "{'containers':[{'ports':[{'containerPort':80},{'hostPort':80,'hostIP':'127.0.0.1'},"
					  "{'hostPort':53,'protocol':'UDP'},{'hostPort':70000},{'hostPort':-1},null]}],"
					  "'initContainers':[{'restartPolicy':'Always','ports':[{'hostPort':80,'hostIP':'10.0.0.1','protocol':'TCP'}]}]}");
	const struct host_port any_tcp = { 80, 'T', "" }, any_udp = { 80, 'U', "0.0.0.0" }, dns = { 53, 'U', "::" };

	(void)state;
	assert_int_equal(s->n_ports, 3);
	assert_true(host_port_conflicts(&s->ports[0], &any_tcp));
	assert_false(host_port_conflicts(&s->ports[0], &any_udp));
	assert_true(host_port_conflicts(&s->ports[1], &dns));
	assert_false(host_port_conflicts(&s->ports[0], &s->ports[2])); /* other addresses */
	shape_release(s);
	map_close(&shapes.by_key);
}

/* Only so many shapes keep verdicts: the oldest loses its, and nobody uses them after. */
static void verdicts_are_bounded(void **state)
{
	struct shapes shapes = { 0 };
	struct shape *list[SHAPES_JUDGED + 1];

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(list); i++) {
		char text[64];
		snprintf(text, sizeof(text), "{'nodeSelector':{'n':'%u'}}", i);
		list[i] = intern(&shapes, text);
		shape_verdicts(list[i], 100)[99].static_generation = i + 1;
	}
	assert_null(list[0]->verdicts);
	assert_int_equal(list[1]->verdicts[99].static_generation, 2);
	assert_int_equal(shape_verdicts(list[1], 1000)[99].static_generation, 2);
	assert_int_equal(list[1]->verdicts[999].static_generation, 0);
	assert_int_equal(shape_verdicts(list[0], 100)[99].static_generation, 0);
	assert_null(list[1]->verdicts);
	for (unsigned i = 0; i < ARRAY_SIZE(list); i++)
		shape_release(list[i]);
	for (size_t i = 0; i < SHAPES_JUDGED; i++)
		assert_null(shapes.judged[i]);
	struct shape *without_nodes = intern(&shapes, "{}");
	assert_non_null(shape_verdicts(without_nodes, 0));
	shape_release(without_nodes);
	map_close(&shapes.by_key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shared_by_what_decides),
		cmocka_unit_test(host_ports),
		cmocka_unit_test(verdicts_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
