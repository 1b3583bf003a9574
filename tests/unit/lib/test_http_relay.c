#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/http_relay.h"
#include "lib/upgrade_pipe.h"
#include "tests/support/test_server.h"

struct fixture {
	struct test_server server;
	struct http_client *client;
	struct byte_pipe *served; /* an upgraded connection at the server's end, which echoes */

	struct http_relay *relay;
	struct byte_pipe *pipe;
	int code;
	char *headers;
	struct buf body;
	bool done, frees_at_head;
	struct err err;
	unsigned drained;
};

/* --- the server --- */

static void on_served(void *data, size_t len, void *arg)
{
	const struct fixture *f = arg;

	byte_pipe_write(f->served, data, len);
}

static void on_served_end(const struct err *err, void *arg)
{
	struct fixture *f = arg;

	(void)err;
	byte_pipe_close(TAKE(f->served));
}

static const struct byte_pipe_user served_user = { on_served, NULL, on_served_end };

static void serve(struct http_exchange *exchange, void *arg)
{
	struct fixture *f = arg;
	size_t len = 0;
	const char *body = http_exchange_body(exchange, &len);

	http_exchange_add_header(exchange, "X-Method", http_exchange_method(exchange));
	if (strcmp(http_exchange_path(exchange), "/upgrade") != 0) {
		http_exchange_add_header(exchange, "X-Asked", http_exchange_header(exchange, "X-Ask"));
		http_exchange_reply(exchange, 418, "text/plain", body, len);
		return;
	}
	http_exchange_add_header(exchange, "Upgrade", "echo");
	f->served = upgrade_pipe_new(exchange);
	assert_non_null(f->served);
	f->served->user = &served_user;
	f->served->arg = f;
	/* Along with the head. */
	byte_pipe_write(f->served, "welcome", 7);
}

/* --- the relay --- */

static void on_received(void *data, size_t len, void *arg)
{
	buf_add(&((struct fixture *)arg)->body, data, len);
}

static void on_drained(void *arg)
{
	((struct fixture *)arg)->drained++;
}

static void on_ended(const struct err *err, void *arg)
{
	struct fixture *f = arg;

	f->done = true;
	if (err)
		f->err = *err;
}

static const struct byte_pipe_user pipe_user = { on_received, on_drained, on_ended };

static void on_head(int code, const char *headers, void *arg)
{
	struct fixture *f = arg;

	f->code = code;
	f->headers = mem_dup(headers);
	if (f->frees_at_head) {
		http_relay_free(TAKE(f->relay));
		f->done = true;
	} else if (code == 101) {
		f->pipe = http_relay_upgrade(TAKE(f->relay));
		f->pipe->user = &pipe_user;
		f->pipe->arg = f;
	}
}

static void on_body(const char *data, size_t len, void *arg)
{
	buf_add(&((struct fixture *)arg)->body, data, len);
}

static const struct http_relay_user relay_user = { on_head, on_body, on_ended };

static void fixture_open(struct fixture *f)
{
	const struct http_identity identity = { .ca_pem = f->server.config.ca_pem,
						.cert_pem = f->server.config.cert_pem,
						.key_pem = f->server.config.key_pem };
	struct err err = ERR_INIT;

	f->client = http_client_new(f->server.loop, &identity, 4, "test", &err);
	assert_non_null(f->client);
}

static void fixture_close(struct fixture *f)
{
	http_relay_free(f->relay);
	byte_pipe_close(f->pipe);
	LOOP_UNTIL(f->server.loop, !f->served);
	http_client_free(f->client);
	test_server_close(&f->server);
	buf_close(&f->body);
	free(f->headers);
}

static void ask(struct fixture *f, const char *method, const char *path, const char *const *headers,
		const char *body)
{
	CLEANUP(mem_freep) char *url = mem_printf("%s%s", f->server.config.server, path);
	const struct http_relay_request request = { .method = method,
						    .url = url,
						    .headers = headers,
						    .body = body,
						    .body_len = body ? strlen(body) : 0 };
	struct err err = ERR_INIT;

	f->relay = http_relay_new(f->client, &request, &relay_user, f, &err);
	assert_non_null(f->relay);
}

static void answers_are_passed_on(void **state)
{
	const char *const headers[] = { "X-Ask: what", NULL };
	struct fixture f = { 0 };

	(void)state;
	test_server_start(&f.server, serve, &f);
	fixture_open(&f);
	ask(&f, "DELETE", "/x?y=z", headers, NULL);
	LOOP_UNTIL(f.server.loop, f.done);
	assert_int_equal(f.err.kind, ERR_NONE);
	assert_int_equal(f.code, 418);
	CLEANUP(mem_freep) char *method = http_relay_header(f.headers, "x-method");
	CLEANUP(mem_freep) char *asked = http_relay_header(f.headers, "X-Asked");
	assert_string_equal(method, "DELETE");
	assert_string_equal(asked, "what");
	assert_null(http_relay_header(f.headers, "X"));
	fixture_close(&f);
}

static void upgrades(void **state)
{
	const char *const headers[] = { "Connection: Upgrade", "Upgrade: echo", NULL };
	CLEANUP(mem_freep) char *much = mem_zalloc(2000000);
	struct fixture f = { 0 };

	(void)state;
	test_server_start(&f.server, serve, &f);
	fixture_open(&f);
	ask(&f, "GET", "/upgrade", headers, NULL);
	LOOP_UNTIL(f.server.loop, f.body.len == 7);
	assert_int_equal(f.code, 101);
	assert_memory_equal(f.body.data, "welcome", 7);
	/* More than the sockets take. */
	size_t sent = 0;
	for (; byte_pipe_unsent(f.pipe) == 0; sent += 2000000)
		byte_pipe_write(f.pipe, much, 2000000);
	LOOP_UNTIL(f.server.loop, f.body.len == 7 + sent);
	assert_true(f.drained > 0);
	/* The server's end is told. */
	byte_pipe_close(TAKE(f.served));
	LOOP_UNTIL(f.server.loop, f.done);
	assert_int_equal(f.err.kind, ERR_NONE);
	fixture_close(&f);
}

static void closing_sends_what_was_written(void **state)
{
	const char *const headers[] = { "Connection: Upgrade", "Upgrade: echo", NULL };
	struct fixture f = { 0 };

	(void)state;
	test_server_start(&f.server, serve, &f);
	fixture_open(&f);
	ask(&f, "GET", "/upgrade", headers, NULL);
	LOOP_UNTIL(f.server.loop, f.body.len == 7);
	byte_pipe_close(TAKE(f.pipe));
	LOOP_UNTIL(f.server.loop, !f.served);
	fixture_close(&f);
}

static void a_relay_may_go_within_its_calls(void **state)
{
	const char *const headers[] = { "X-Ask: what", NULL };
	struct fixture f = { .frees_at_head = true };

	(void)state;
	test_server_start(&f.server, serve, &f);
	fixture_open(&f);
	ask(&f, "GET", "/", headers, NULL);
	LOOP_UNTIL(f.server.loop, f.done);
	fixture_close(&f);
}

static void nobody_answers(void **state)
{
	struct fixture f = { 0 };

	(void)state;
	test_server_start(&f.server, serve, &f);
	fixture_open(&f);
	test_server_stop(&f.server);
	ask(&f, "GET", "/", NULL, NULL);
	LOOP_UNTIL(f.server.loop, f.done);
	assert_int_equal(f.err.kind, ERR_CONNECTION);
	assert_int_equal(f.code, 0);
	test_server_restart(&f.server);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_are_passed_on),
		cmocka_unit_test(upgrades),
		cmocka_unit_test(closing_sends_what_was_written),
		cmocka_unit_test(a_relay_may_go_within_its_calls),
		cmocka_unit_test(nobody_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
