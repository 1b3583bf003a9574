/* Logs through the server: a node agent of this test's own answers on the other side. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/resource.h"
#include "lib/http_routes.h"
#include "lib/mem.h"
#include "lib/timefmt.h"
#include "tests/api/api_fixture.h"

#define POD "/api/v1/namespaces/default/pods/p"
#define LARGE ((size_t)64 * 1024 * 1024) /* more than the sockets on the way hold */

struct agent {
	struct api_fixture fixture;
	struct http_routes *http;
	char client[64];   /* as whom the server came */
	char asked[512];   /* path and what was asked for */
	size_t sent, total;/* of a stream */
	bool follow;       /* it waits at its end */
	bool closed;
};

static ssize_t stream_read(char *buf, size_t size, void *arg)
{
	struct agent *agent = arg;
	size_t n = agent->total - agent->sent < size ? agent->total - agent->sent : size;
	for (size_t i = 0; i < n; i++)
		buf[i] = (char)('a' + (agent->sent + i) % 26);
	agent->sent += n;
	return n ? (ssize_t)n : agent->follow ? 0 : -1;
}

static void stream_closed(void *arg)
{
	struct agent *agent = arg;
	agent->closed = true;
}

static void answer(struct http_exchange *exchange, void *arg)
{
	struct agent *agent = arg;
	const char *tail = http_exchange_query(exchange, "tailLines");
	snprintf(agent->client, sizeof(agent->client), "%s", http_exchange_client(exchange));
	snprintf(agent->asked, sizeof(agent->asked), "%s follow=%s tail=%s", http_exchange_path(exchange),
		 http_exchange_query(exchange, "follow"), tail ? tail : "");
	if (strstr(http_exchange_path(exchange), "/waiting")) {
		static const char text[] = "container \"waiting\" in pod \"p\" is waiting to start: ContainerCreating\n";
		http_exchange_reply(exchange, 400, "text/plain", text, sizeof(text) - 1);
		return;
	}
	agent->sent = 0;
	http_exchange_stream(exchange, "text/plain", stream_read, stream_closed, agent);
}

static const struct http_route routes[] = { { "GET", "/containerLogs/", false, answer }, { 0 } };

static void must(struct agent *agent, const char *method, const char *path, const char *type, const char *body)
{
	struct api_request request = { .method = method, .path = path, .type = type, .body = body, .body_len = strlen(body) };
	struct api_answer got;
	api_exchange(&agent->fixture, &request, &got);
	if (got.code / 100 != 2)
		fail_msg("%s: %s", path, got.text);
	api_answer_close(&got);
}

static int setup(void **state)
{
	struct agent *agent = mem_zalloc(sizeof(*agent));
	api_fixture_start(&agent->fixture);
	struct http_routes_opts opts = { .address = "127.0.0.1",
					 .cert_pem = agent->fixture.server_pair.cert_pem,
					 .key_pem = agent->fixture.server_pair.key_pem,
					 .client_ca_pem = agent->fixture.ca.pem.cert_pem };
	agent->http = http_routes_new(agent->fixture.loop, &opts, routes, agent, NULL);
	assert_non_null(agent->http);
	CLEANUP(mem_freep) char *status = mem_printf(
		"{\"status\":{\"addresses\":[{\"type\":\"InternalIP\",\"address\":\"127.0.0.1\"}],\"daemonEndpoints\":"
		"{\"kubeletEndpoint\":{\"Port\":%u}}}}",
		http_routes_port(agent->http));
	must(agent, "POST", "/api/v1/nodes", "application/json", "{\"metadata\":{\"name\":\"n\"}}");
	must(agent, "PATCH", "/api/v1/nodes/n/status", "application/merge-patch+json", status);
	must(agent, "POST", "/api/v1/namespaces/default/pods", "application/json",
	     "{\"metadata\":{\"name\":\"p\"},\"spec\":{\"nodeName\":\"n\",\"containers\":[{\"name\":\"c\",\"image\":\"i\"},"
	     "{\"name\":\"waiting\",\"image\":\"i\"}]}}");
	*state = agent;
	return 0;
}

static int teardown(void **state)
{
	struct agent *agent = *state;
	http_routes_free(agent->http);
	api_fixture_stop(&agent->fixture);
	free(agent);
	return 0;
}

static void a_log_is_passed_on(void **state)
{
	struct agent *agent = *state;
	struct api_request request = { .method = "GET", .path = POD "/log?container=c&tailLines=7" };
	struct api_answer got;
	agent->total = 30;
	api_exchange(&agent->fixture, &request, &got);
	assert_int_equal(got.code, 200);
	assert_string_equal(got.text, "abcdefghijklmnopqrstuvwxyzabcd");
	assert_string_equal(agent->asked, "/containerLogs/default/p/c follow=false tail=7");
	assert_string_equal(agent->client, "jane");
	api_answer_close(&got);
	/* Nothing in it is an answer as well. */
	agent->total = 0;
	api_exchange(&agent->fixture, &request, &got);
	assert_int_equal(got.code, 200);
	assert_string_equal(got.text, "");
	api_answer_close(&got);
}

static void refusals_are_told_in_the_agents_words(void **state)
{
	struct agent *agent = *state;
	struct api_request request = { .method = "GET", .path = POD "/log?container=waiting" };
	struct api_answer got;
	api_exchange(&agent->fixture, &request, &got);
	assert_int_equal(got.code, 400);
	assert_string_equal(json_str_or_empty(got.json, "message"),
			    "container \"waiting\" in pod \"p\" is waiting to start: ContainerCreating");
	assert_string_equal(json_str_or_empty(got.json, "reason"), "BadRequest");
	api_answer_close(&got);
}

struct reader {
	size_t got;
	bool wrong, done;
};

static bool read_on(const char *data, size_t len, void *arg)
{
	struct reader *reader = arg;
	for (size_t i = 0; i < len; i++)
		reader->wrong |= data[i] != (char)('a' + (reader->got + i) % 26);
	reader->got += len;
	return true;
}

static void read_done(const struct http_response *response, void *arg)
{
	struct reader *reader = arg;
	reader->done = true;
	reader->wrong |= response->code != 200;
}

static struct http_call *open_log(struct agent *agent, struct reader *reader)
{
	CLEANUP(mem_freep) char *url =
		mem_printf("https://127.0.0.1:%u" POD "/log?container=c&follow=true", server_port(agent->fixture.server));
	static const char *const headers[] = { "Authorization: Bearer " API_TOKEN, NULL };
	struct http_request request = { .method = "GET", .url = url, .headers = headers, .accept = "*/*" };
	return http_client_send(agent->fixture.client, &request, read_on, read_done, reader);
}

static void a_slow_reader_slows_the_agent(void **state)
{
	struct agent *agent = *state;
	struct reader reader = { 0 };
	agent->total = LARGE;
	struct http_call *call = open_log(agent, &reader);
	while (reader.got == 0)
		loop_turn(agent->fixture.loop, 100);
	http_call_pause(call, true);
	/* Until nothing moves any more: buffers on the way are full, far from all of it was sent. */
	size_t sent;
	do {
		sent = agent->sent;
		for (int i = 0; i < 20; i++)
			loop_turn(agent->fixture.loop, 10);
	} while (agent->sent != sent);
	assert_true(agent->sent < LARGE);
	http_call_pause(call, false);
	while (!reader.done)
		loop_turn(agent->fixture.loop, 100);
	assert_false(reader.wrong);
	assert_int_equal(reader.got, LARGE);
}

static void a_follower_that_hangs_up_ends_the_agents_stream(void **state)
{
	struct agent *agent = *state;
	struct reader reader = { 0 };
	agent->total = 10;
	agent->follow = true;
	struct http_call *call = open_log(agent, &reader);
	while (reader.got < 10)
		loop_turn(agent->fixture.loop, 100);
	assert_false(reader.done);
	http_call_cancel(call);
	int64_t until_ms = time_mono_ms() + 60000;
	/* The agent notices when it next has something to say. */
	while (!agent->closed && time_mono_ms() < until_ms) {
		agent->total++;
		loop_turn(agent->fixture.loop, 10);
	}
	assert_true(agent->closed);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_log_is_passed_on, setup, teardown),
		cmocka_unit_test_setup_teardown(refusals_are_told_in_the_agents_words, setup, teardown),
		cmocka_unit_test_setup_teardown(a_slow_reader_slows_the_agent, setup, teardown),
		cmocka_unit_test_setup_teardown(a_follower_that_hangs_up_ends_the_agents_stream, setup, teardown),
	};
	resource_all(&(size_t){ 0 });
	return cmocka_run_group_tests(tests, NULL, NULL);
}
