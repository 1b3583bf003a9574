#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bench/tls_client.h"
#include "tests/support/test_server.h"

struct fixture {
	struct test_server server;
	struct test_stream stream;
	struct tls_client *client;
	struct tls_conn *conn;
	bool opened;
	size_t answers;
	int code;
	char asked[256];
	struct buf lines; /* each with a '|' behind it */
};

static void route(struct http_exchange *exchange, void *arg)
{
	struct fixture *f = arg;

	snprintf(f->asked, sizeof(f->asked), "%s %s [%s]", http_exchange_method(exchange),
		 http_exchange_path(exchange), http_exchange_body(exchange, NULL));
	if (strcmp(http_exchange_path(exchange), "/stream") == 0)
		test_stream_begin(&f->stream, exchange, "application/json");
	else if (strcmp(http_exchange_path(exchange), "/gone") == 0)
		reply_json(exchange, 410, "{}");
	else
		reply_json(exchange, 200, "{\"a\":\"\\n0\\r\\n\\r\\nHTTP/1.1 500\"}");
}

static void opened(struct tls_conn *conn, void *arg)
{
	struct fixture *f = arg;

	assert_ptr_equal(conn, f->conn);
	f->opened = true;
}

static void answered(struct tls_conn *conn, int code, void *arg)
{
	struct fixture *f = arg;

	assert_ptr_equal(conn, f->conn);
	f->answers++;
	f->code = code;
}

static void line(struct tls_conn *conn, const char *text, size_t len, void *arg)
{
	struct fixture *f = arg;

	(void)conn;
	buf_add(&f->lines, text, len);
	buf_char(&f->lines, '|');
}

static const struct tls_events events = { .opened = opened, .answered = answered, .line = line };

static int setup(void **state)
{
	struct fixture *f = mem_zalloc(sizeof(*f));

	test_server_start(&f->server, route, f);
	f->client = tls_client_new(f->server.loop, &f->server.config, &events);
	f->conn = tls_conn_new(f->client, f);
	*state = f;
	LOOP_UNTIL(f->server.loop, f->opened);
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	tls_conn_close(f->conn);
	tls_client_free(f->client);
	test_server_close(&f->server);
	buf_close(&f->lines);
	free(f);
	return 0;
}

static void test_requests_one_after_the_other(void **state)
{
	struct fixture *f = *state;

	tls_conn_send(f->conn, "PUT", "/a", "{\"b\":1}", 7);
	LOOP_UNTIL(f->server.loop, f->answers == 1);
	assert_int_equal(f->code, 200);
	assert_string_equal(f->asked, "PUT /a [{\"b\":1}]");
	tls_conn_send(f->conn, "GET", "/gone", NULL, 0);
	LOOP_UNTIL(f->server.loop, f->answers == 2);
	assert_int_equal(f->code, 410);
	tls_conn_send(f->conn, "GET", "/a", NULL, 0);
	LOOP_UNTIL(f->server.loop, f->answers == 3);
	assert_int_equal(f->code, 200);
	assert_int_equal(f->lines.len, 0);
}

/* Chunks end where they like, lines where they must. */
static void test_lines_of_a_stream(void **state)
{
	struct fixture *f = *state;
	static const char text[] = "{\"type\":\"ADDED\"}\n\n{\"type\":\"BOOKMARK\"}\n";

	tls_conn_send(f->conn, "GET", "/stream", NULL, 0);
	LOOP_UNTIL(f->server.loop, f->stream.exchange != NULL);
	for (size_t i = 0; text[i]; i++) {
		test_stream_write(&f->stream, (char[]){ text[i], '\0' });
		loop_turn(f->server.loop, 0);
	}
	LOOP_UNTIL(f->server.loop, f->lines.len >= 38);
	assert_string_equal(f->lines.data, "{\"type\":\"ADDED\"}||{\"type\":\"BOOKMARK\"}|");
	assert_int_equal(f->answers, 0);
	test_stream_write(&f->stream, "one\ntwo\nthree");
	LOOP_UNTIL(f->server.loop, f->lines.len >= 46);
	assert_string_equal(f->lines.data, "{\"type\":\"ADDED\"}||{\"type\":\"BOOKMARK\"}|one|two|");
	test_stream_end(&f->stream);
	LOOP_UNTIL(f->server.loop, f->answers == 1);
	/* What had no end of line is not told, and not taken for the head of the next answer. */
	tls_conn_send(f->conn, "GET", "/a", NULL, 0);
	LOOP_UNTIL(f->server.loop, f->answers == 2);
	assert_int_equal(f->code, 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_requests_one_after_the_other, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lines_of_a_stream, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
