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
	struct shape *a = intern(&shapes, "{'nodeName':'n','containers':[{'name':'x','image':'i','resources':"
					  "{'requests':{'cpu':'1','memory':'2'}}}]}");
	struct shape *b = intern(
	    &shapes,
	    "{'containers':[{'name':'y','resources':{'requests':{'memory':'2','cpu':'1'}}}],'priority':3}");
	struct shape *c = intern(
	    &shapes, "{'containers':[{'name':'y','resources':{'requests':{'memory':'2','cpu':'2'}}}]}");
	struct shape *d = intern(&shapes, "{'containers':[{'resources':{'requests':{'cpu':'1','memory':'2'}}}"
					  "],'tolerations':[{'operator':'Exists'}]}");
	struct shape *e =
	    intern(&shapes, "{'initContainers':[{'resources':{'requests':{'cpu':'1','memory':'2'}}}]}");

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
	assert_null(intern(&shapes, "{'affinity':{'nodeAffinity':{'"
				    "requiredDuringSchedulingIgnoredDuringExecution':{'nodeSelectorTerms':["
				    "{'matchExpressions':[{'key':'a','operator':'?'}]}]}}}}"));
	shapes_close(&shapes);
}

/* Of pods' texts: the names of volumes, images and members in another order make no other shape. */
static void shared_by_text(void **state)
{
#define PART(mount, cpu)                                                                                     \
	"'containers':[{'name':'x','volumeMounts':[{'name':'" mount                                          \
	"'}],'resources':{'requests':{'cpu':'" cpu "','memory':'2'}}}]"
	struct shapes shapes = { 0 };
	struct pod *a = fixture_pod(&shapes, "a", "", PART("m1", "1")),
		   *b = fixture_pod(&shapes, "b", "", PART("m2", "1"));
	struct pod *c = fixture_pod(&shapes, "c", "", PART("m1", "2"));
	struct pod *d = fixture_pod(&shapes, "d", "",
				    "'containers':[{'resources':{'requests':{'memory':'2','cpu':'1'}}}]");
	struct pod *e = fixture_pod(&shapes, "e", "", "'containers':[{'ports':[{'hostPort':1}]}]");
	struct pod *f = fixture_pod(&shapes, "f", "", "'initContainers':[{'ports':[{'hostPort':1}]}]");
	struct pod *pods[] = { a, b, c, d, e, f };

	(void)state;
	assert_ptr_equal(a->shape, b->shape);
	assert_ptr_equal(a->shape, d->shape);
	assert_ptr_not_equal(a->shape, c->shape);
	assert_ptr_not_equal(e->shape, f->shape);
	assert_int_equal(a->shape->requests.milli_cpu, 1000);
	assert_int_equal(c->shape->requests.milli_cpu, 2000);
	assert_int_equal(e->shape->n_ports, 1);
	assert_int_equal(shapes.by_seen.count, 4);
	for (size_t i = 0; i < ARRAY_SIZE(pods); i++)
		fixture_pod_free(pods[i]);
	assert_int_equal(shapes.by_seen.count, 0);
	shapes_close(&shapes);
#undef PART
}

static void host_ports(void **state)
{
	struct shapes shapes = { 0 };
	struct shape *s = intern(
	    &shapes, "{'containers':[{'ports':[{'containerPort':80},{'hostPort':80,'hostIP':'127.0.0.1'},"
		     "{'hostPort':53,'protocol':'UDP'},{'hostPort':70000},{'hostPort':-1},null]}],"
		     "'initContainers':[{'restartPolicy':'Always','ports':[{'hostPort':80,'hostIP':'10.0.0.1'"
		     ",'protocol':'TCP'}]}]}");
	const struct host_port any_tcp = { 80, 'T', "" }, any_udp = { 80, 'U', "0.0.0.0" },
			       dns = { 53, 'U', "::" };

	(void)state;
	assert_int_equal(s->n_ports, 3);
	assert_true(host_port_conflicts(&s->ports[0], &any_tcp));
	assert_false(host_port_conflicts(&s->ports[0], &any_udp));
	assert_true(host_port_conflicts(&s->ports[1], &dns));
	assert_false(host_port_conflicts(&s->ports[0], &s->ports[2])); /* other addresses */
	shape_release(s);
	shapes_close(&shapes);
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
	shapes_close(&shapes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shared_by_what_decides),
		cmocka_unit_test(shared_by_text),
		cmocka_unit_test(host_ports),
		cmocka_unit_test(verdicts_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
