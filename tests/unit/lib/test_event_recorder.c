#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/event_recorder.h"
#include "lib/json.h"
#include "lib/log.h"
#include "tests/support/test_server.h"

struct fixture {
	struct test_server server;
	struct api_client *client;
	struct event_recorder *recorder;
	struct buf log;   /* "METHOD reason count;" of each request */
	char path[256];   /* of the last one */
	char name[256];   /* of the last event posted */
	struct json_object *body;
	int codes[4];     /* what the next requests get; 0: 201 */
	struct http_exchange *held, *held_before;
	bool hold;
};

static void route(struct http_exchange *exchange, void *arg)
{
	struct fixture *f = arg;
	size_t len;
	const char *text = http_exchange_body(exchange, &len);
	int code = f->codes[0] ? f->codes[0] : 201;
	char status[128];

	json_object_put(f->body);
	f->body = NULL;
	assert_int_equal(json_parse(text, len, &f->body, NULL, NULL), 0);
	snprintf(f->path, sizeof(f->path), "%s", http_exchange_path(exchange));
	if (strcmp(http_exchange_method(exchange), "POST") == 0)
		snprintf(f->name, sizeof(f->name), "%s", json_str_or_empty(json_get(f->body, "metadata"), "name"));
	else
		assert_string_equal(http_exchange_header(exchange, "Content-Type"), "application/merge-patch+json");
	buf_printf(&f->log, "%s %s %d;", http_exchange_method(exchange), json_str_or_empty(f->body, "reason"),
		   (int)json_int(f->body, "count", 0));
	memmove(f->codes, f->codes + 1, sizeof(f->codes) - sizeof(f->codes[0]));
	if (f->hold) {
		f->held_before = f->held;
		f->held = exchange;
		return;
	}
	snprintf(status, sizeof(status), "{\"kind\":\"Status\",\"code\":%d,\"reason\":\"%s\"}", code,
		 code == 409 ? "AlreadyExists" : "");
	reply_json(exchange, code, status);
}

static int setup(void **state)
{
	struct fixture *f = mem_zalloc(sizeof(*f));

	log_init("test", LOG_LEVEL_ERROR, false);
	test_server_start(&f->server, route, f);
	f->client = api_client_new(f->server.loop, &f->server.config, "test/1", NULL);
	f->recorder = event_recorder_new(f->server.loop, f->client, "kubelet", "node-1");
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	event_recorder_free(f->recorder);
	api_client_free(f->client);
	test_server_close(&f->server);
	buf_close(&f->log);
	json_object_put(f->body);
	free(f);
	return 0;
}

static const struct event_object pod = {
	.api_version = "v1",
	.kind = "Pod",
	.namespace_ = "web",
	.name = "web-0",
	.uid = "u1",
	.revision = 17,
	.field_path = "spec.containers{web}",
};

static void expect(struct fixture *f, const char *expected)
{
	LOOP_UNTIL(f->server.loop, f->log.len >= strlen(expected));
	event_recorder_flush(f->recorder, 10000);
	assert_string_equal(f->log.data, expected);
	buf_reset(&f->log);
}

static const char *member(const struct fixture *f, const char *key, const char *inner)
{
	return inner ? json_str_or_empty(json_get(f->body, key), inner) : json_str_or_empty(f->body, key);
}

static void an_event_has_its_fields(void **state)
{
	struct fixture *f = *state;
	int64_t first, last;

	event_record(f->recorder, &pod, "Warning", "BackOff", "Back-off \"%s\"", "web");
	expect(f, "POST BackOff 1;");
	assert_string_equal(f->path, "/api/v1/namespaces/web/events");
	assert_string_equal(member(f, "kind", NULL), "Event");
	assert_string_equal(member(f, "apiVersion", NULL), "v1");
	assert_string_equal(member(f, "metadata", "namespace"), "web");
	assert_int_equal(strlen(f->name), strlen("web-0.") + 16);
	assert_int_equal(strspn(f->name + strlen("web-0."), "0123456789abcdef"), 16);
	assert_string_equal(member(f, "involvedObject", "apiVersion"), "v1");
	assert_string_equal(member(f, "involvedObject", "kind"), "Pod");
	assert_string_equal(member(f, "involvedObject", "namespace"), "web");
	assert_string_equal(member(f, "involvedObject", "name"), "web-0");
	assert_string_equal(member(f, "involvedObject", "uid"), "u1");
	assert_string_equal(member(f, "involvedObject", "resourceVersion"), "17");
	assert_string_equal(member(f, "involvedObject", "fieldPath"), "spec.containers{web}");
	assert_string_equal(member(f, "message", NULL), "Back-off \"web\"");
	assert_string_equal(member(f, "type", NULL), "Warning");
	assert_string_equal(member(f, "source", "component"), "kubelet");
	assert_string_equal(member(f, "source", "host"), "node-1");
	assert_string_equal(member(f, "reportingComponent", NULL), "kubelet");
	assert_true(time_parse(member(f, "firstTimestamp", NULL), &first));
	assert_true(time_parse(member(f, "lastTimestamp", NULL), &last));
	assert_true(last >= first);
}

static void of_the_cluster(void **state)
{
	struct fixture *f = *state;
	struct event_object node = { .kind = "Node", .name = "node-1", .uid = "node-1" };

	event_record(f->recorder, &node, "Normal", "Starting", "Starting kubelet.");
	expect(f, "POST Starting 1;");
	assert_string_equal(f->path, "/api/v1/namespaces/default/events");
	assert_null(json_get(json_get(f->body, "involvedObject"), "namespace"));
	assert_null(json_get(json_get(f->body, "involvedObject"), "resourceVersion"));
}

static void repeats_are_counted(void **state)
{
	struct fixture *f = *state;
	CLEANUP(mem_freep) char *path = NULL;

	event_record(f->recorder, &pod, "Warning", "BackOff", "again");
	expect(f, "POST BackOff 1;");
	path = mem_printf("/api/v1/namespaces/web/events/%s", f->name);
	event_record(f->recorder, &pod, "Warning", "BackOff", "again");
	expect(f, "PATCH  2;");
	assert_string_equal(f->path, path);
	assert_int_equal(json_object_object_length(f->body), 2);
	event_record(f->recorder, &pod, "Warning", "BackOff", "another message");
	expect(f, "POST BackOff 1;");
}

/* Sent all the same, and then not known any more: a repeat is a new event. */
static void of_what_is_gone(void **state)
{
	struct fixture *f = *state;

	event_record(f->recorder, &pod, "Normal", "Killing", "x");
	event_record(f->recorder, &pod, "Normal", "Killed", "x");
	event_recorder_forget(f->recorder, &pod);
	expect(f, "POST Killing 1;POST Killed 1;");
	event_record(f->recorder, &pod, "Normal", "Killed", "x");
	expect(f, "POST Killed 1;");
	event_recorder_forget(f->recorder, &pod);
	event_recorder_forget(f->recorder, &pod);
	event_record(f->recorder, &pod, "Normal", "Killed", "x");
	expect(f, "POST Killed 1;");
}

static void order_is_kept(void **state)
{
	struct fixture *f = *state;

	f->hold = true;
	event_record(f->recorder, &pod, "Normal", "Pulled", "x");
	event_record(f->recorder, &pod, "Normal", "Created", "x");
	event_record(f->recorder, &pod, "Normal", "Pulled", "x");
	LOOP_UNTIL(f->server.loop, f->held);
	event_record(f->recorder, &pod, "Normal", "Pulled", "x");
	event_recorder_flush(f->recorder, 20); /* gives up */
	assert_string_equal(f->log.data, "POST Pulled 1;");
	f->hold = false;
	reply_json(f->held, 201, "{}");
	expect(f, "POST Pulled 1;PATCH  3;POST Created 1;");
}

static void failures(void **state)
{
	struct fixture *f = *state;

	/* The server is overloaded: once more. */
	f->codes[0] = 503;
	event_record(f->recorder, &pod, "Normal", "A", "x");
	expect(f, "POST A 1;POST A 1;");
	/* The answer to the first attempt was lost. */
	f->codes[0] = 500;
	f->codes[1] = 409;
	event_record(f->recorder, &pod, "Normal", "B", "x");
	expect(f, "POST B 1;POST B 1;");
	event_record(f->recorder, &pod, "Normal", "B", "x");
	expect(f, "PATCH  2;");
	/* The event expired on the server: a new one, under a new name. */
	CLEANUP(mem_freep) char *name = mem_dup(f->name);
	f->codes[0] = 404;
	event_record(f->recorder, &pod, "Normal", "B", "x");
	expect(f, "PATCH  3;POST B 3;");
	assert_string_not_equal(name, f->name);
	/* Refused for good: dropped, and what follows goes on. */
	log_init("test", LOG_LEVEL_ERROR, false);
	f->codes[0] = 403;
	event_record(f->recorder, &pod, "Normal", "C", "x");
	event_record(f->recorder, &pod, "Normal", "D", "x");
	expect(f, "POST C 1;POST D 1;");
}

static void spam_is_dropped(void **state)
{
	struct fixture *f = *state;
	struct event_object other = pod;
	size_t n = 0;

	for (int i = 0; i < 40; i++)
		event_record(f->recorder, &pod, "Normal", "Spam", "number %d", i);
	event_recorder_flush(f->recorder, 10000);
	for (const char *p = f->log.data; (p = strstr(p, "POST")); p++)
		n++;
	assert_int_equal(n, 25);
	buf_reset(&f->log);
	other.uid = "u2";
	event_record(f->recorder, &other, "Normal", "Spam", "of another");
	expect(f, "POST Spam 1;");
}

static void messages_are_cut(void **state)
{
	struct fixture *f = *state;
	char text[3001];

	for (size_t i = 0; i < 3000; i += 3)
		memcpy(text + i, "\xe2\x82\xac", 4); /* a euro sign */
	event_record(f->recorder, &pod, "Normal", "Long", "%s", text);
	expect(f, "POST Long 1;");
	assert_in_range(strlen(member(f, "message", NULL)), 1020, 1024);
}

/* A burst about many objects goes out two at a time; freeing the recorder drops what waits. */
static void bursts_wait_their_turn(void **state)
{
	struct fixture *f = *state;
	char names[5][4];

	f->hold = true;
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(names[i], sizeof(names[i]), "p%u", i);
		struct event_object object = { .kind = "Pod", .namespace_ = "web", .name = names[i], .uid = names[i] };
		event_record(f->recorder, &object, "Normal", "Scheduled", "to n1");
	}
	LOOP_UNTIL(f->server.loop, f->held_before);
	for (int turn = 0; turn < 20; turn++)
		loop_turn(f->server.loop, 1);
	assert_string_equal(f->log.data, "POST Scheduled 1;POST Scheduled 1;");
	struct http_exchange *second = f->held;
	reply_json(f->held_before, 201, "{}");
	LOOP_UNTIL(f->server.loop, f->held != second);
	assert_string_equal(member(f, "involvedObject", "name"), "p2");
	f->hold = false;
	reply_json(second, 201, "{}");
	LOOP_UNTIL(f->server.loop, strcmp(member(f, "involvedObject", "name"), "p4") == 0);
	event_recorder_free(TAKE(f->recorder));
	reply_json(f->held, 201, "{}");
}

/* A server that takes long for an event has other work: the next one is kept for a multiple of that. */
static void busy_servers_get_pauses(void **state)
{
	struct fixture *f = *state;
	struct event_object other = pod;

	other.uid = "u2";
	f->hold = true;
	event_record(f->recorder, &pod, "Normal", "First", "held");
	LOOP_UNTIL(f->server.loop, f->held);
	int64_t held_ms = time_mono_ms();
	LOOP_UNTIL(f->server.loop, time_mono_ms() - held_ms >= 20);
	f->hold = false;
	int64_t answered_ms = time_mono_ms();
	reply_json(f->held, 201, "{}");
	LOOP_UNTIL(f->server.loop, http_client_in_flight(api_client_http(f->client)) == 0);
	event_record(f->recorder, &other, "Normal", "Second", "later");
	LOOP_UNTIL(f->server.loop, strstr(f->log.data, "Second"));
	assert_true(time_mono_ms() - answered_ms >= 8 * 20);
	expect(f, "POST First 1;POST Second 1;");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_event_has_its_fields, setup, teardown),
		cmocka_unit_test_setup_teardown(of_the_cluster, setup, teardown),
		cmocka_unit_test_setup_teardown(repeats_are_counted, setup, teardown),
		cmocka_unit_test_setup_teardown(of_what_is_gone, setup, teardown),
		cmocka_unit_test_setup_teardown(order_is_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(failures, setup, teardown),
		cmocka_unit_test_setup_teardown(spam_is_dropped, setup, teardown),
		cmocka_unit_test_setup_teardown(messages_are_cut, setup, teardown),
		cmocka_unit_test_setup_teardown(bursts_wait_their_turn, setup, teardown),
		cmocka_unit_test_setup_teardown(busy_servers_get_pauses, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
