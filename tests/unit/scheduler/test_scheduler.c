#include "tests/unit/scheduler/fixture.h"

#include "lib/log.h"
#include "scheduler/scheduler.h"
#include "tests/support/test_server.h"

/* The scheduler against a scripted API server: lists are empty, watches are written by the test. */
enum { MAX_HELD = 256 };

struct setup {
	struct test_server server;
	struct api_client *client;
	struct scheduler *scheduler;
	struct test_stream nodes, pods;
	bool synced;
	struct buf binds;           /* "pod>node;" in the order they came */
	unsigned n_binds;
	struct buf events;          /* "Reason pod: message;" */
	struct buf conditions;      /* the messages of status patches */
	unsigned n_conditions;
	bool hold;                  /* bindings stay unanswered: held */
	struct http_exchange *held[MAX_HELD];
	unsigned n_held;
	int bind_code;              /* 0: 201 */
	unsigned revision;
};

static void bind(struct setup *s, struct http_exchange *exchange, struct json_object *body)
{
	buf_printf(&s->binds, "%s>%s;", json_str_or_empty(json_get(body, "metadata"), "name"),
		   json_str_or_empty(json_get(body, "target"), "name"));
	s->n_binds++;
	assert_string_equal(json_str(body, "kind"), "Binding");
	assert_non_null(json_str(json_get(body, "metadata"), "uid"));
	if (s->hold) {
		assert_true(s->n_held < MAX_HELD);
		s->held[s->n_held++] = exchange;
	} else if (s->bind_code) {
		reply_json(exchange, s->bind_code, "{\"kind\":\"Status\",\"status\":\"Failure\",\"message\":\"no\",\"reason\":\"Conflict\"}");
	} else {
		reply_json(exchange, 201, "{\"kind\":\"Status\",\"status\":\"Success\"}");
	}
}

static void route(struct http_exchange *exchange, void *arg)
{
	struct setup *s = arg;
	CLEANUP(json_putp) struct json_object *body = NULL;
	const char *path = http_exchange_path(exchange);
	size_t len;
	const char *text = http_exchange_body(exchange, &len);

	if (len > 0)
		assert_int_equal(json_parse(text, len, &body, NULL, NULL), 0);
	if (http_exchange_query(exchange, "watch")) {
		bool of_pods = strstr(path, "pods");
		if (of_pods)
			assert_string_equal(http_exchange_query(exchange, "fieldSelector"), "status.phase!=Succeeded,status.phase!=Failed");
		test_stream_begin(of_pods ? &s->pods : &s->nodes, exchange, "application/json");
	} else if (strcmp(http_exchange_method(exchange), "GET") == 0) {
		reply_json(exchange, 200, "{\"metadata\":{\"resourceVersion\":\"1\"},\"items\":[]}");
	} else if (strstr(path, "/binding")) {
		bind(s, exchange, body);
	} else if (strstr(path, "/events")) {
		buf_printf(&s->events, "%s %s: %s;", json_str_or_empty(body, "reason"),
			   json_str_or_empty(json_get(body, "involvedObject"), "name"), json_str_or_empty(body, "message"));
		reply_json(exchange, 201, "{}");
	} else {
		const struct json_object *conditions = json_path(body, "status", "conditions", NULL);
		assert_non_null(strstr(path, "/status"));
		buf_printf(&s->conditions, "%s;", json_str_or_empty(json_at(conditions, 0), "message"));
		s->n_conditions++;
		reply_json(exchange, 200, "{}");
	}
}

static void synced(void *arg)
{
	((struct setup *)arg)->synced = true;
}

static int begin(void **state)
{
	struct setup *s = mem_zalloc(sizeof(*s));

	log_init("test", LOG_LEVEL_ERROR, false);
	test_server_start(&s->server, route, s);
	s->binds = s->events = s->conditions = BUF_INIT;
	buf_str(&s->binds, "");
	buf_str(&s->events, "");
	s->revision = 1;
	s->client = api_client_new(s->server.loop, &s->server.config, "test", NULL);
	s->scheduler = scheduler_new(s->server.loop, s->client, synced, s);
	LOOP_UNTIL(s->server.loop, s->synced && s->nodes.exchange && s->pods.exchange);
	*state = s;
	return 0;
}

static int end(void **state)
{
	struct setup *s = *state;

	scheduler_free(s->scheduler);
	api_client_free(s->client);
	test_server_close(&s->server);
	buf_close(&s->binds);
	buf_close(&s->events);
	buf_close(&s->conditions);
	free(s);
	return 0;
}

static void send_event(struct setup *s, struct test_stream *stream, const char *type, const char *object)
{
	CLEANUP(mem_freep) char *text = mem_printf("{'type':'%s','object':%s}\n", type, object);

	for (char *p = text; *p; p++)
		if (*p == '\'')
			*p = '"';
	s->revision++;
	test_stream_write(stream, text);
}

static void node(struct setup *s, const char *type, const char *name, const char *spec)
{
	CLEANUP(mem_freep)
	char *text = mem_printf("{'metadata':{'name':'%s','uid':'%s','resourceVersion':'%u'},'spec':{%s},"
				"'status':{'allocatable':{'cpu':'2','memory':'8Gi','pods':'100'}}}", name, name, s->revision + 1, spec);

	send_event(s, &s->nodes, type, text);
}

/* A pod that asks for one CPU; SPEC and STATUS are members. */
static void pod(struct setup *s, const char *type, const char *name, const char *spec, const char *status)
{
	CLEANUP(mem_freep)
	char *text = mem_printf("{'metadata':{'namespace':'default','name':'%s','uid':'uid-%s','resourceVersion':'%u'},"
				"'spec':{'schedulerName':'default-scheduler',%s%s},'status':{%s}}",
				name, name, s->revision + 1, FIXTURE_ASKS("1", "1Gi"), spec, status);

	send_event(s, &s->pods, type, text);
}

static bool has(const struct buf *b, const char *text)
{
	return b->data && strstr(b->data, text);
}

static void binds_and_tells(void **state)
{
	struct setup *s = *state;

	node(s, "ADDED", "n1", "");
	pod(s, "ADDED", "other", ",'schedulerName':'mine'", "");
	pod(s, "ADDED", "gated", ",'schedulingGates':[{'name':'g'}]", "");
	pod(s, "ADDED", "a", "", "");
	LOOP_UNTIL(s->server.loop, has(&s->events, "Scheduled a: Successfully assigned default/a to n1;"));
	pod(s, "MODIFIED", "a", ",'nodeName':'n1'", "");
	pod(s, "MODIFIED", "gated", "", "");
	LOOP_UNTIL(s->server.loop, s->n_binds == 2);
	assert_string_equal(s->binds.data, "a>n1;gated>n1;");
	assert_int_equal(s->n_conditions, 0);
}

/* What is assumed counts before the watch shows it: two pods of one CPU on a node of two, the third waits. */
static void assumed_pods_count(void **state)
{
	struct setup *s = *state;

	s->hold = true;
	node(s, "ADDED", "n1", "");
	LOOP_UNTIL(s->server.loop, s->nodes.out.len == 0);
	pod(s, "ADDED", "a", "", "");
	pod(s, "ADDED", "b", "", "");
	pod(s, "ADDED", "c", "", "");
	LOOP_UNTIL(s->server.loop, s->n_held == 2 && s->n_conditions == 1);
	assert_true(has(&s->conditions, "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate"));
	LOOP_UNTIL(s->server.loop, has(&s->events, "FailedScheduling c: 0/1 nodes are available: 1 Insufficient cpu."));
	/* Status writes by others, of assumed and of waiting pods, change nothing. */
	pod(s, "MODIFIED", "a", "", "'phase':'Pending'");
	pod(s, "MODIFIED", "c", "", "'conditions':[{'type':'PodScheduled','status':'False','message':'x'}]");
	for (unsigned i = 0; i < 2; i++)
		reply_json(s->held[i], 201, "{}");
	s->hold = false;
	pod(s, "MODIFIED", "a", ",'nodeName':'n1'", "");
	pod(s, "MODIFIED", "b", ",'nodeName':'n1'", "");
	LOOP_UNTIL(s->server.loop, s->pods.out.len == 0 && has(&s->events, "Scheduled b"));
	assert_int_equal(s->n_binds, 2);
	/* One ends: the watch tells of it as deleted. It makes room, after the back-off of a second. */
	pod(s, "DELETED", "a", ",'nodeName':'n1'", "'phase':'Succeeded'");
	LOOP_UNTIL(s->server.loop, s->n_binds == 3);
	assert_true(has(&s->binds, "c>n1;"));
}

static void a_refused_binding_is_taken_back(void **state)
{
	struct setup *s = *state;

	s->bind_code = 409;
	node(s, "ADDED", "n1", "");
	pod(s, "ADDED", "a", "", "");
	LOOP_UNTIL(s->server.loop, s->n_binds == 1);
	s->bind_code = 0;
	/* If the assumption stayed, the node would have room for one of these only. */
	pod(s, "ADDED", "b", "", "");
	pod(s, "ADDED", "c", "", "");
	LOOP_UNTIL(s->server.loop, s->n_binds == 3);
	assert_string_equal(s->binds.data, "a>n1;b>n1;c>n1;");
	/* Tried again after a second, it finds the node full. */
	LOOP_UNTIL(s->server.loop, s->n_conditions == 1);
	assert_false(has(&s->events, "Scheduled a"));
}

/* It ends while its binding is under way: a refusal does not bring it back. */
static void ending_pods_are_not_tried_again(void **state)
{
	struct setup *s = *state;
	CLEANUP(mem_freep) char *ending = NULL;

	s->hold = true;
	node(s, "ADDED", "n1", "");
	pod(s, "ADDED", "a", "", "");
	LOOP_UNTIL(s->server.loop, s->n_held == 1);
	ending = mem_printf("{'metadata':{'namespace':'default','name':'a','uid':'uid-a','resourceVersion':'%u',"
			    "'deletionTimestamp':'2026-01-01T00:00:00Z'},'spec':{'schedulerName':'default-scheduler'}}", s->revision + 1);
	send_event(s, &s->pods, "MODIFIED", ending);
	LOOP_UNTIL(s->server.loop, s->pods.out.len == 0);
	reply_json(s->held[0], 409, "{}");
	pod(s, "ADDED", "b", "", "");
	LOOP_UNTIL(s->server.loop, s->n_held == 2);
	reply_json(s->held[1], 201, "{}");
	LOOP_UNTIL(s->server.loop, has(&s->events, "Scheduled b"));
	int64_t until_ms = time_mono_ms() + 1100; /* longer than the first back-off */
	while (time_mono_ms() < until_ms)
		loop_turn(s->server.loop, 100);
	assert_string_equal(s->binds.data, "a>n1;b>n1;");
}

static void bound_by_somebody_else(void **state)
{
	struct setup *s = *state;

	s->hold = true;
	node(s, "ADDED", "n1", "");
	node(s, "ADDED", "n2", "'unschedulable':true");
	pod(s, "ADDED", "a", "", "");
	pod(s, "ADDED", "b", "", "");
	LOOP_UNTIL(s->server.loop, s->n_held == 2);
	pod(s, "ADDED", "c", "", "");
	LOOP_UNTIL(s->server.loop, s->n_conditions == 1);
	/* a was bound elsewhere: its place on n1 is free, and our own binding's refusal changes nothing any more. */
	pod(s, "MODIFIED", "a", ",'nodeName':'n2'", "");
	LOOP_UNTIL(s->server.loop, s->n_held == 3);
	reply_json(s->held[0], 409, "{}");
	reply_json(s->held[1], 201, "{}");
	reply_json(s->held[2], 201, "{}");
	LOOP_UNTIL(s->server.loop, has(&s->events, "Scheduled c: Successfully assigned default/c to n1"));
	assert_string_equal(s->binds.data, "a>n1;b>n1;c>n1;");
}

/* Deleted and made anew under the same name while the old binding is under way. */
static void another_uid(void **state)
{
	struct setup *s = *state;

	s->hold = true;
	node(s, "ADDED", "n1", "");
	pod(s, "ADDED", "a", "", "");
	LOOP_UNTIL(s->server.loop, s->n_held == 1);
	send_event(s, &s->pods, "ADDED",
		   "{'metadata':{'namespace':'default','name':'a','uid':'new','resourceVersion':'90'},'spec':{'schedulerName':'default-scheduler',"
		   FIXTURE_ASKS("2", "1Gi") "}}");
	LOOP_UNTIL(s->server.loop, s->n_held == 2); /* both CPUs are free for the new one */
	reply_json(s->held[0], 409, "{}");
	reply_json(s->held[1], 201, "{}");
	LOOP_UNTIL(s->server.loop, has(&s->events, "Scheduled a"));
	assert_int_equal(s->n_binds, 2);
}

static void a_new_node_wakes(void **state)
{
	struct setup *s = *state;

	pod(s, "ADDED", "a", "", "");
	LOOP_UNTIL(s->server.loop, has(&s->events, "FailedScheduling a: no nodes available to schedule pods;"));
	node(s, "ADDED", "n1", "'taints':[{'key':'node.kubernetes.io/not-ready','effect':'NoSchedule'}]");
	LOOP_UNTIL(s->server.loop, has(&s->events, "1 node(s) had untolerated taint(s)"));
	node(s, "MODIFIED", "n1", "");
	LOOP_UNTIL(s->server.loop, s->n_binds == 1);
}

/* Bindings go out together, and never more than the limit; every pod once. */
static void many_in_flight(void **state)
{
	enum { PODS = 200, LIMIT = 32 };
	struct setup *s = *state;
	unsigned answered = 0;

	s->hold = true;
	for (unsigned i = 0; i < PODS; i++) {
		char name[16];
		snprintf(name, sizeof(name), "n%u", i);
		node(s, "ADDED", name, "");
	}
	LOOP_UNTIL(s->server.loop, s->nodes.out.len == 0);
	for (unsigned i = 0; i < PODS; i++) {
		char name[16];
		snprintf(name, sizeof(name), "p%u", i);
		pod(s, "ADDED", name, "", "");
	}
	LOOP_UNTIL(s->server.loop, s->n_held == LIMIT && s->pods.out.len == 0);
	while (answered < PODS) {
		assert_true(s->n_held - answered <= LIMIT);
		reply_json(s->held[answered++], 201, "{}");
		LOOP_UNTIL(s->server.loop, s->n_held == (answered + LIMIT < PODS ? answered + LIMIT : PODS));
	}
	assert_int_equal(s->n_binds, PODS);
	for (unsigned i = 0; i < PODS; i++) {
		char text[16];
		snprintf(text, sizeof(text), ">n%u;", i);
		assert_non_null(strstr(s->binds.data, text)); /* least allocated: one on each */
	}
}

static const char *const odd_pods[] = {
	"{'metadata':{'namespace':'default','name':'o1','uid':'o1','resourceVersion':'50'}}",
	"{'metadata':{'namespace':'default','name':'o2','resourceVersion':'51'},'spec':{'schedulerName':'default-scheduler','containers':{},'tolerations':'x'}}",
	("{'metadata':{'namespace':'default','name':'o3','uid':'o3','resourceVersion':'52'},'spec':{'schedulerName':'default-scheduler','nodeSelector':[1],"
	 "'affinity':{'nodeAffinity':{'requiredDuringSchedulingIgnoredDuringExecution':{'nodeSelectorTerms':[{'matchExpressions':[{}]}]}}}}}"),
	"{'metadata':{'namespace':'default','name':'o4','uid':'o4','resourceVersion':'53','ownerReferences':[{'controller':true}]},'spec':7,'status':[]}",
};

/* Objects with missing and wrong fields are left alone or placed; nothing stops. */
static void odd_objects(void **state)
{
	struct setup *s = *state;

	send_event(s, &s->nodes, "ADDED", "{'metadata':{'name':'odd','resourceVersion':'40'},'spec':[],'status':{'allocatable':[]}}");
	node(s, "ADDED", "n1", "'taints':[7,{'key':1}]");
	for (size_t i = 0; i < ARRAY_SIZE(odd_pods); i++)
		send_event(s, &s->pods, "ADDED", odd_pods[i]);
	pod(s, "ADDED", "a", "", "");
	LOOP_UNTIL(s->server.loop, has(&s->binds, "a>n1;"));
	assert_true(has(&s->binds, "o2>n1;"));
	assert_false(has(&s->binds, "o3>"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(binds_and_tells, begin, end),
		cmocka_unit_test_setup_teardown(assumed_pods_count, begin, end),
		cmocka_unit_test_setup_teardown(a_refused_binding_is_taken_back, begin, end),
		cmocka_unit_test_setup_teardown(ending_pods_are_not_tried_again, begin, end),
		cmocka_unit_test_setup_teardown(bound_by_somebody_else, begin, end),
		cmocka_unit_test_setup_teardown(another_uid, begin, end),
		cmocka_unit_test_setup_teardown(a_new_node_wakes, begin, end),
		cmocka_unit_test_setup_teardown(many_in_flight, begin, end),
		cmocka_unit_test_setup_teardown(odd_objects, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
