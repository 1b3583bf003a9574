#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/http_client.h"
#include "tests/support/test_server.h"

#define MANY 200

struct fixture {
	struct test_server server;
	struct http_client *client;
	struct http_exchange *held[MANY];
	size_t n_held;
	struct test_stream stream;
	size_t requests;
	char last[256]; /* what the last request was */
};

/* What became of one request. */
struct outcome {
	struct fixture *f;
	struct http_call *call, *other;
	size_t done;
	int code;
	long retry_after_s;
	struct err err;
	char data[256];
	char warning[256];
	size_t bytes; /* of a stream */
	size_t stop_at;
	bool free_client, cancel_other, cancel_self, send_more;
};

static void route(struct http_exchange *exchange, void *arg)
{
	struct fixture *f = arg;
	const char *path = http_exchange_path(exchange);
	const char *type = http_exchange_header(exchange, "Content-Type");
	const char *token = http_exchange_header(exchange, "Authorization");

	f->requests++;
	snprintf(f->last, sizeof(f->last), "%s %s %s %s [%s]", http_exchange_method(exchange), path,
		 type ? type : "-", token ? token : "-", http_exchange_body(exchange, NULL));
	if (strcmp(path, "/hold") == 0) {
		assert_true(f->n_held < MANY);
		f->held[f->n_held++] = exchange;
	} else if (strcmp(path, "/stream") == 0) {
		test_stream_begin(&f->stream, exchange, "text/plain");
	} else if (strcmp(path, "/warn") == 0) {
		http_exchange_add_header(exchange, "Warning", "299 - \"unknown field \\\"a\\\"\"");
		http_exchange_add_header(exchange, "Warning", "299 - \"second\"");
		http_exchange_add_header(exchange, "Retry-After", "7");
		http_exchange_reply(exchange, 429, "text/plain", "slow down", 9);
	} else if (strcmp(path, "/moved") == 0) {
		http_exchange_add_header(exchange, "Location", "/there");
		http_exchange_reply(exchange, 302, "text/plain", "moved", 5);
	} else if (strcmp(path, "/tear") == 0) {
		http_exchange_abort(exchange);
	} else if (strcmp(path, "/large") == 0) {
		char *text = mem_zalloc(100000);

		memset(text, 'x', 99999);
		http_exchange_reply(exchange, 200, "text/plain", text, 99999);
		free(text);
	} else {
		http_exchange_reply(exchange, 200, "text/plain", path, strlen(path));
	}
}

static struct outcome send_outcome(struct fixture *f)
{
	return (struct outcome){ .f = f, .retry_after_s = -2 };
}

static bool on_data(const char *data, size_t len, void *arg);
static void on_done(const struct http_response *response, void *arg);

static struct http_call *send_to(struct outcome *outcome, const char *path, bool stream,
				 const struct http_request *base)
{
	struct fixture *f = outcome->f;
	CLEANUP(mem_freep) char *url = mem_printf("%s%s", f->server.config.server, path);
	struct http_request request =
	    base ? *base : (struct http_request){ .method = "GET", .timeout_ms = 50000 };

	request.url = url;
	outcome->call = http_client_send(f->client, &request, stream ? on_data : NULL, on_done, outcome);
	return outcome->call;
}

static bool on_data(const char *data, size_t len, void *arg)
{
	struct outcome *outcome = arg;

	(void)data;
	outcome->bytes += len;
	if (outcome->cancel_other)
		http_call_cancel(TAKE(outcome->other));
	if (outcome->cancel_self)
		http_call_cancel(TAKE(outcome->call));
	if (outcome->free_client)
		http_client_free(TAKE(outcome->f->client));
	if (outcome->send_more) {
		outcome->send_more = false;
		send_to(outcome, "/more", false, NULL);
	}
	return outcome->stop_at == 0 || outcome->bytes < outcome->stop_at;
}

static void on_done(const struct http_response *response, void *arg)
{
	struct outcome *outcome = arg;

	outcome->done++;
	outcome->code = response->code;
	outcome->err = response->err;
	outcome->retry_after_s = response->retry_after_s;
	snprintf(outcome->data, sizeof(outcome->data), "%s", response->data);
	snprintf(outcome->warning, sizeof(outcome->warning), "%s",
		 response->warning ? response->warning : "none");
	if (outcome->cancel_other)
		http_call_cancel(TAKE(outcome->other));
	if (outcome->free_client)
		http_client_free(TAKE(outcome->f->client));
	else if (outcome->send_more) {
		outcome->send_more = false;
		send_to(outcome, "/more", false, NULL);
	}
}

static struct http_client *client_of(struct fixture *f, const struct http_identity *identity,
				     long connections)
{
	struct http_client *client = http_client_new(f->server.loop, identity, connections, "test/1", NULL);

	assert_non_null(client);
	return client;
}

static struct http_identity identity_of(const struct fixture *f)
{
	return (struct http_identity){ .ca_pem = f->server.config.ca_pem,
				       .cert_pem = f->server.config.cert_pem,
				       .key_pem = f->server.config.key_pem };
}

static int setup(void **state)
{
	struct fixture *f = mem_zalloc(sizeof(*f));
	struct http_identity identity;

	test_server_start(&f->server, route, f);
	identity = identity_of(f);
	f->client = client_of(f, &identity, 16);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	http_client_free(f->client);
	test_server_close(&f->server);
	free(f);
	return 0;
}

static struct outcome roundtrip(struct fixture *f, const char *path, const struct http_request *base)
{
	struct outcome outcome = send_outcome(f);

	send_to(&outcome, path, false, base);
	assert_int_equal(outcome.done, 0); /* never from within */
	LOOP_UNTIL(f->server.loop, outcome.done);
	return outcome;
}

static void methods_and_bodies(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *method, *type, *body, *seen;
	} cases[] = {
		{ "GET", NULL, NULL, "GET /x - - []" },
		{ "POST", NULL, "{}", "POST /x application/json - [{}]" },
		{ "POST", NULL, NULL, "POST /x application/json - []" },
		{ "PATCH", "application/merge-patch+json", "{\"a\":1}",
		  "PATCH /x application/merge-patch+json - [{\"a\":1}]" },
		{ "DELETE", NULL, NULL, "DELETE /x - - []" },
		{ "DELETE", "application/json", "{}", "DELETE /x application/json - [{}]" },
		{ "HEAD", NULL, NULL, "HEAD /x - - []" },
		{ "PUT", "text/plain", "abc", "PUT /x text/plain - [abc]" },
		{ "GET", NULL, NULL, "GET /x - - []" },
	};

	/* One after another through the same pooled handle: nothing of a request stays for the next. */
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct http_request request = { .method = cases[i].method,
						.content_type = cases[i].type,
						.body = cases[i].body,
						.body_len = cases[i].body ? strlen(cases[i].body) : 0 };
		struct outcome outcome = roundtrip(f, "/x", &request);

		assert_int_equal(outcome.code, 200);
		assert_int_equal(outcome.err.kind, ERR_NONE);
		assert_string_equal(f->last, cases[i].seen);
		assert_string_equal(outcome.data, strcmp(cases[i].method, "HEAD") == 0 ? "" : "/x");
	}
}

static void headers_of_an_answer(void **state)
{
	struct fixture *f = *state;
	struct outcome outcome = roundtrip(f, "/warn", NULL);

	assert_int_equal(outcome.code, 429);
	assert_int_equal(outcome.retry_after_s, 7);
	assert_string_equal(outcome.warning, "unknown field \"a\"\nsecond");
	assert_string_equal(outcome.data, "slow down");
	outcome = roundtrip(f, "/x", NULL);
	assert_int_equal(outcome.retry_after_s, -1);
	assert_string_equal(outcome.warning, "none");
}

static void redirects_are_not_followed(void **state)
{
	struct outcome outcome = roundtrip(*state, "/moved", NULL);

	assert_int_equal(outcome.code, 302);
	assert_string_equal(outcome.data, "moved");
}

static void large_answers_are_capped(void **state)
{
	struct fixture *f = *state;
	struct http_request request = { .method = "GET", .max_response_bytes = 50000 };
	struct outcome outcome = roundtrip(f, "/large", &request);

	assert_int_equal(outcome.err.kind, ERR_LIMIT);
	request.max_response_bytes = 99999;
	assert_int_equal(roundtrip(f, "/large", &request).err.kind, ERR_NONE);
}

static void many_share_few_connections(void **state)
{
	struct fixture *f = *state;
	struct outcome outcomes[MANY];
	size_t done = 0;

	for (size_t i = 0; i < MANY; i++) {
		outcomes[i] = send_outcome(f);
		send_to(&outcomes[i], "/x", false, NULL);
	}
	assert_int_equal(http_client_in_flight(f->client), MANY);
	LOOP_UNTIL(f->server.loop, http_client_in_flight(f->client) == 0);
	for (size_t i = 0; i < MANY; i++)
		done += outcomes[i].done == 1 && outcomes[i].code == 200;
	assert_int_equal(done, MANY);
	assert_int_equal(f->requests, MANY);
}

static void cancelled_calls_are_silent(void **state)
{
	struct fixture *f = *state;
	struct outcome queued = send_outcome(f), active = send_outcome(f);

	send_to(&queued, "/x", false, NULL);
	http_call_cancel(queued.call);
	send_to(&active, "/hold", false, NULL);
	LOOP_UNTIL(f->server.loop, f->n_held == 1);
	http_call_cancel(active.call);
	assert_int_equal(http_client_in_flight(f->client), 0);
	http_exchange_reply(f->held[0], 200, "text/plain", "late", 4);
	assert_int_equal(roundtrip(f, "/x", NULL).code, 200);
	assert_int_equal(queued.done + active.done, 0);
}

static void callbacks_cancel_others(void **state)
{
	struct fixture *f = *state;
	struct outcome held = send_outcome(f), killer = send_outcome(f), stream = send_outcome(f);

	send_to(&held, "/hold", false, NULL);
	killer.other = held.call;
	killer.cancel_other = true;
	send_to(&killer, "/x", false, NULL);
	LOOP_UNTIL(f->server.loop, killer.done);
	assert_int_equal(http_client_in_flight(f->client), 0);

	/* From a data callback, and itself, too. */
	send_to(&held, "/hold", false, NULL);
	stream.other = held.call;
	stream.cancel_other = stream.cancel_self = true;
	send_to(&stream, "/stream", true, NULL);
	LOOP_UNTIL(f->server.loop, f->stream.exchange);
	test_stream_write(&f->stream, "x");
	LOOP_UNTIL(f->server.loop, stream.bytes == 1);
	LOOP_UNTIL(f->server.loop, !f->stream.exchange);
	assert_int_equal(http_client_in_flight(f->client), 0);
	assert_int_equal(held.done + stream.done, 0);
	assert_int_equal(roundtrip(f, "/x", NULL).code, 200);
}

static void callbacks_send_more(void **state)
{
	struct fixture *f = *state;
	struct outcome outcome = send_outcome(f);

	outcome.send_more = true;
	send_to(&outcome, "/x", false, NULL);
	LOOP_UNTIL(f->server.loop, outcome.done == 2);
	assert_string_equal(outcome.data, "/more");

	struct outcome stream = send_outcome(f);
	stream.send_more = true;
	send_to(&stream, "/stream", true, NULL);
	LOOP_UNTIL(f->server.loop, f->stream.exchange);
	test_stream_write(&f->stream, "x");
	LOOP_UNTIL(f->server.loop, stream.done == 1);
	assert_string_equal(stream.data, "/more");
	test_stream_end(&f->stream);
	LOOP_UNTIL(f->server.loop, stream.done == 2);
}

static void callbacks_free_the_client(void **state)
{
	struct fixture *f = *state;
	struct http_identity identity = identity_of(f);
	struct outcome held = send_outcome(f), last = send_outcome(f), stream = send_outcome(f);

	send_to(&held, "/hold", false, NULL);
	last.free_client = true;
	send_to(&last, "/x", false, NULL);
	LOOP_UNTIL(f->server.loop, last.done);
	assert_null(f->client);

	f->client = client_of(f, &identity, 4);
	send_to(&held, "/hold", false, NULL);
	stream.free_client = true;
	send_to(&stream, "/stream", true, NULL);
	LOOP_UNTIL(f->server.loop, f->stream.exchange);
	test_stream_write(&f->stream, "x");
	LOOP_UNTIL(f->server.loop, !f->client);
	LOOP_UNTIL(f->server.loop, !f->stream.exchange);
	assert_int_equal(held.done + stream.done, 0);
}

static void streams(void **state)
{
	struct fixture *f = *state;
	struct outcome outcome = send_outcome(f);

	send_to(&outcome, "/stream", true, NULL);
	LOOP_UNTIL(f->server.loop, f->stream.exchange);
	for (size_t i = 1; i <= 5; i++) {
		test_stream_write(&f->stream, "piece");
		LOOP_UNTIL(f->server.loop, outcome.bytes == i * 5);
	}
	test_stream_end(&f->stream);
	LOOP_UNTIL(f->server.loop, outcome.done);
	assert_int_equal(outcome.err.kind, ERR_NONE);
	assert_int_equal(outcome.code, 200);

	/* The reader has enough. */
	outcome = send_outcome(f);
	outcome.stop_at = 3;
	send_to(&outcome, "/stream", true, NULL);
	LOOP_UNTIL(f->server.loop, f->stream.exchange);
	test_stream_write(&f->stream, "piece");
	LOOP_UNTIL(f->server.loop, outcome.done);
	assert_int_equal(outcome.err.kind, ERR_CONNECTION);
	LOOP_UNTIL(f->server.loop, !f->stream.exchange);

	/* The connection breaks. */
	outcome = send_outcome(f);
	send_to(&outcome, "/stream", true, NULL);
	LOOP_UNTIL(f->server.loop, f->stream.exchange);
	test_stream_write(&f->stream, "piece");
	LOOP_UNTIL(f->server.loop, outcome.bytes == 5);
	test_stream_tear(&f->stream);
	LOOP_UNTIL(f->server.loop, outcome.done);
	assert_int_equal(outcome.err.kind, ERR_CONNECTION);

	/* What is no success is no stream. */
	outcome = send_outcome(f);
	send_to(&outcome, "/warn", true, NULL);
	LOOP_UNTIL(f->server.loop, outcome.done);
	assert_int_equal(outcome.bytes, 0);
	assert_string_equal(outcome.data, "slow down");
}

static void streams_take_no_turns(void **state)
{
	struct fixture *f = *state;
	struct http_client *good = f->client;
	struct http_identity identity = identity_of(f);
	struct outcome held[3];

	f->client = client_of(f, &identity, 1);
	for (size_t i = 0; i < ARRAY_SIZE(held); i++) {
		held[i] = send_outcome(f);
		send_to(&held[i], "/hold", true, NULL);
	}
	LOOP_UNTIL(f->server.loop, f->n_held == ARRAY_SIZE(held));
	assert_int_equal(roundtrip(f, "/x", NULL).code, 200);
	http_client_free(f->client);
	f->client = good;
}

static void paused_streams_wait(void **state)
{
	struct fixture *f = *state;
	struct outcome outcome = send_outcome(f);

	send_to(&outcome, "/stream", true, NULL);
	http_call_pause(outcome.call, true);
	LOOP_UNTIL(f->server.loop, f->stream.exchange);
	test_stream_write(&f->stream, "piece");
	LOOP_UNTIL(f->server.loop, f->stream.out.len == 0);
	assert_int_equal(roundtrip(f, "/x", NULL).code, 200);
	assert_int_equal(outcome.bytes, 0);
	http_call_pause(outcome.call, false);
	LOOP_UNTIL(f->server.loop, outcome.bytes == 5);
	test_stream_end(&f->stream);
	LOOP_UNTIL(f->server.loop, outcome.done);
}

static void failures_have_kinds(void **state)
{
	struct fixture *f = *state;
	struct http_request request = { .method = "GET", .timeout_ms = 50 };
	struct outcome outcome = roundtrip(f, "/hold", &request);

	assert_int_equal(outcome.err.kind, ERR_TIMEOUT);
	assert_int_equal(outcome.code, 0);
	outcome = roundtrip(f, "/tear", NULL);
	assert_int_equal(outcome.err.kind, ERR_CONNECTION);
	f->n_held = 0;
	test_server_stop(&f->server);
	outcome = roundtrip(f, "/x", NULL);
	assert_int_equal(outcome.err.kind, ERR_CONNECTION);
	assert_int_equal(outcome.err.errnum, ECONNREFUSED);
	assert_non_null(strstr(outcome.err.msg, f->server.config.server));
	/* And back: kept connections of the old server are no trouble. */
	test_server_restart(&f->server);
	assert_int_equal(roundtrip(f, "/x", NULL).code, 200);
}

static void strangers_are_refused(void **state)
{
	struct fixture *f = *state;
	struct http_client *good = f->client;
	struct pki_ca other;
	struct http_request insecure = { .method = "GET", .insecure_peer = true };

	pki_ca_init(&other, "other CA");
	struct http_identity identity = identity_of(f);
	identity.ca_pem = other.pem.cert_pem;
	f->client = client_of(f, &identity, 2);
	assert_int_equal(roundtrip(f, "/x", NULL).err.kind, ERR_CONNECTION);
	assert_int_equal(roundtrip(f, "/x", &insecure).code, 200);
	assert_int_equal(roundtrip(f, "/x", NULL).err.kind, ERR_CONNECTION); /* not by the kept connection */
	http_client_free(f->client);
	/* Nor do the system's CAs vouch for it. */
	identity.ca_pem = NULL;
	f->client = client_of(f, &identity, 2);
	assert_int_equal(roundtrip(f, "/x", &insecure).code, 200);
	assert_int_equal(roundtrip(f, "/x", NULL).err.kind, ERR_CONNECTION);
	http_client_free(f->client);
	identity.insecure_skip_verify = true;
	f->client = client_of(f, &identity, 2);
	assert_int_equal(roundtrip(f, "/x", NULL).code, 200);
	http_client_free(f->client);
	f->client = good;
	pki_ca_close(&other);
}

static void a_key_of_another_certificate_is_told(void **state)
{
	struct fixture *f = *state;
	struct pki_pair other = pki_client(&f->server.ca, "tester", NULL);
	struct http_identity identity = identity_of(f);
	struct err err = ERR_INIT;

	identity.cert_pem = other.cert_pem;
	identity.key_pem = f->server.client_pair.key_pem;
	assert_null(http_client_new(f->server.loop, &identity, 1, "test/1", &err));
	assert_string_equal(err.msg,
			    "client certificate and key: The certificate and the given key do not match.");
	identity.key_pem = "no key";
	assert_null(http_client_new(f->server.loop, &identity, 1, "test/1", &err));
	pki_pair_close(&other);
}

static void names_and_tokens(void **state)
{
	struct fixture *f = *state;
	struct http_client *good = f->client;
	struct http_identity identity = identity_of(f);

	identity.tls_server_name = "api.test";
	identity.token = "secret";
	f->client = client_of(f, &identity, 2);
	assert_int_equal(roundtrip(f, "/x", NULL).code, 200);
	assert_string_equal(f->last, "GET /x - Bearer secret []");
	http_client_free(f->client);
	identity.tls_server_name = "other.test";
	f->client = client_of(f, &identity, 2);
	assert_int_equal(roundtrip(f, "/x", NULL).err.kind, ERR_CONNECTION);
	http_client_free(f->client);
	f->client = good;
}

static struct http_client *ahead_of(struct fixture *f, const char *url, const struct http_identity *identity)
{
	return http_client_new_ahead(f->server.loop, identity, url, 2, "test/1", NULL);
}

static void a_connection_ahead_says_hello_and_is_used(void **state)
{
	struct fixture *f = *state;
	struct http_client *good = f->client;
	struct http_identity identity = identity_of(f);
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), fd;
	char url[64], head[3];

	assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(listener, 4), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &len), 0);
	snprintf(url, sizeof(url), "https://127.0.0.1:%d", ntohs(address.sin_port));
	f->client = ahead_of(f, url, &identity);
	assert_non_null(f->client);
	fd = accept4(listener, (struct sockaddr *)&address, &len, SOCK_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(recv(fd, head, sizeof(head), MSG_WAITALL), sizeof(head));
	assert_memory_equal(head, "\x16\x03", 2); /* a handshake record */

	struct outcome outcome = send_outcome(f);
	struct http_request request = { .method = "GET", .url = url };
	http_client_send(f->client, &request, NULL, on_done, &outcome);
	loop_turn(f->server.loop, 0);
	assert_int_equal(accept4(listener, (struct sockaddr *)&address, &len, SOCK_CLOEXEC), -1);
	close(fd);
	LOOP_UNTIL(f->server.loop, outcome.done);
	assert_int_equal(outcome.err.kind, ERR_CONNECTION);
	http_client_free(f->client);
	close(listener);
	f->client = good;
}

static void a_client_ahead_is_as_any(void **state)
{
	struct fixture *f = *state;
	struct http_client *good = f->client;
	struct http_identity identity = identity_of(f);
	struct http_request post = {
		.method = "POST", .content_type = "text/plain", .body = "x", .body_len = 1
	};

	f->client = ahead_of(f, f->server.config.server, &identity);
	assert_int_equal(roundtrip(f, "/x", &post).code, 200);
	assert_int_equal(roundtrip(f, "/x", NULL).code, 200);
	http_client_free(f->client);

	/* The server went away and came back before anything was asked. */
	f->client = ahead_of(f, f->server.config.server, &identity);
	for (int i = 0; i < 20; i++)
		loop_turn(f->server.loop, 10);
	test_server_stop(&f->server);
	test_server_restart(&f->server);
	assert_int_equal(roundtrip(f, "/x", NULL).code, 200);
	http_client_free(f->client);

	identity.key_pem = "no key";
	assert_null(ahead_of(f, f->server.config.server, &identity));
	identity = identity_of(f);
	test_server_stop(&f->server);
	f->client = ahead_of(f, f->server.config.server, &identity);
	assert_non_null(f->client);
	assert_int_equal(roundtrip(f, "/x", NULL).err.errnum, ECONNREFUSED);
	http_client_free(f->client);
	f->client = ahead_of(f, "no url", &identity);
	assert_non_null(f->client);
	http_client_free(f->client);
	test_server_restart(&f->server);
	f->client = good;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(methods_and_bodies, setup, teardown),
		cmocka_unit_test_setup_teardown(headers_of_an_answer, setup, teardown),
		cmocka_unit_test_setup_teardown(redirects_are_not_followed, setup, teardown),
		cmocka_unit_test_setup_teardown(large_answers_are_capped, setup, teardown),
		cmocka_unit_test_setup_teardown(many_share_few_connections, setup, teardown),
		cmocka_unit_test_setup_teardown(cancelled_calls_are_silent, setup, teardown),
		cmocka_unit_test_setup_teardown(callbacks_cancel_others, setup, teardown),
		cmocka_unit_test_setup_teardown(callbacks_send_more, setup, teardown),
		cmocka_unit_test_setup_teardown(callbacks_free_the_client, setup, teardown),
		cmocka_unit_test_setup_teardown(streams, setup, teardown),
		cmocka_unit_test_setup_teardown(streams_take_no_turns, setup, teardown),
		cmocka_unit_test_setup_teardown(paused_streams_wait, setup, teardown),
		cmocka_unit_test_setup_teardown(failures_have_kinds, setup, teardown),
		cmocka_unit_test_setup_teardown(strangers_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(a_key_of_another_certificate_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(names_and_tokens, setup, teardown),
		cmocka_unit_test_setup_teardown(a_connection_ahead_says_hello_and_is_used, setup, teardown),
		cmocka_unit_test_setup_teardown(a_client_ahead_is_as_any, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
