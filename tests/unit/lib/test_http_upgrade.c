#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/http_upgrade.h"
#include "tests/support/test_server.h"

/* A server without TLS whose every request becomes an upgrade that keeps what it is told. */
struct fixture {
	struct loop *loop;
	struct http_server *server;
	int peer;
	struct http_upgrade *upgrade;
	struct buf in;
	bool ended, drained, closed, exchange_ended;
	bool closes_at_end;
	struct err err;
};

static void on_data(const char *data, size_t len, void *arg)
{
	struct fixture *f = arg;

	assert_true(f->exchange_ended);
	buf_add(&f->in, data, len);
}

static void on_ended(void *arg)
{
	struct fixture *f = arg;

	f->ended = true;
	if (f->closes_at_end)
		http_upgrade_close(f->upgrade);
}

static void on_drained(void *arg)
{
	((struct fixture *)arg)->drained = true;
}

static void on_closed(const struct err *err, void *arg)
{
	struct fixture *f = arg;

	f->closed = true;
	f->err = *err;
	f->upgrade = NULL;
}

static const struct http_upgrade_user user = { on_data, on_ended, on_drained, on_closed };

static void on_whole(struct http_exchange *exchange, void *arg)
{
	struct fixture *f = arg;

	http_exchange_add_header(exchange, "Upgrade", "echo");
	f->upgrade = http_upgrade_begin(exchange, &user, f);
	if (!f->upgrade)
		http_exchange_reply(exchange, 400, NULL, NULL, 0);
}

static void on_exchange_ended(struct http_exchange *exchange, void *arg)
{
	struct fixture *f = arg;

	(void)exchange;
	assert_false(f->exchange_ended); /* once, though 101 is an answer and an end */
	f->exchange_ended = true;
}

static const struct http_handler handler = { .whole = on_whole, .ended = on_exchange_ended };

static const char request[] = "GET /exec HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n";
static const char answer_begin[] = "HTTP/1.1 101 Switching Protocols\r\n";

static void say(struct fixture *f, const char *text)
{
	assert_int_equal(send(f->peer, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static int setup(void **state)
{
	struct fixture *f = mem_zalloc(sizeof(*f));
	struct http_server_opts opts = { 0 };
	int ends[2];

	f->loop = loop_new(NULL);
	f->server = http_server_new(f->loop, &opts, &handler, f, NULL);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
	http_server_adopt(f->server, ends[0]);
	f->peer = ends[1];
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	http_server_free(f->server);
	loop_free(f->loop);
	close(f->peer);
	buf_close(&f->in);
	free(f);
	return 0;
}

/* What the peer has received, until it ends with UNTIL. */
static void hear(struct fixture *f, struct buf *ret, const char *until)
{
	char block[65536];
	size_t len = strlen(until);

	while (ret->len < len || memcmp(ret->data + ret->len - len, until, len) != 0) {
		loop_turn(f->loop, 1);
		ssize_t n = recv(f->peer, block, sizeof(block), 0);
		if (n == 0)
			break;
		if (n > 0)
			buf_add(ret, block, (size_t)n);
	}
}

static void begin(struct fixture *f)
{
	CLEANUP(buf_close) struct buf head = BUF_INIT;

	say(f, request);
	hear(f, &head, "\r\n\r\n");
	assert_memory_equal(head.data, answer_begin, sizeof(answer_begin) - 1);
	assert_non_null(strstr(head.data, "\r\nConnection: Upgrade\r\n"));
	assert_non_null(strstr(head.data, "\r\nUpgrade: echo\r\n"));
	assert_null(strstr(head.data, "Content-Length"));
}

static void bytes_go_both_ways(void **state)
{
	struct fixture *f = *state;
	CLEANUP(buf_close) struct buf heard = BUF_INIT;

	begin(f);
	say(f, "hello");
	LOOP_UNTIL(f->loop, f->in.len == 5);
	assert_string_equal(f->in.data, "hello");
	http_upgrade_write(f->upgrade, "well", 4);
	http_upgrade_write(f->upgrade, " met", 4);
	hear(f, &heard, "well met");
	assert_int_equal(heard.len, 8);
	http_upgrade_close(f->upgrade);
	buf_reset(&heard);
	hear(f, &heard, "never");
	shutdown(f->peer, SHUT_WR);
	LOOP_UNTIL(f->loop, f->closed);
	assert_int_equal(f->err.kind, ERR_NONE);
	assert_false(f->ended);
}

static void what_came_with_the_head_comes_first(void **state)
{
	struct fixture *f = *state;
	CLEANUP(mem_freep) char *both = mem_printf("%sat once", request);

	say(f, both);
	LOOP_UNTIL(f->loop, f->in.len == 7);
	say(f, " and later");
	LOOP_UNTIL(f->loop, f->in.len == 17);
	assert_string_equal(f->in.data, "at once and later");
}

static void reading_stops_and_goes_on(void **state)
{
	struct fixture *f = *state;

	begin(f);
	http_upgrade_set_reading(f->upgrade, false);
	say(f, "patience");
	for (int i = 0; i < 5; i++)
		loop_turn(f->loop, 1);
	assert_int_equal(f->in.len, 0);
	http_upgrade_set_reading(f->upgrade, true);
	LOOP_UNTIL(f->loop, f->in.len == 8);
}

static void a_peer_that_does_not_read_is_waited_for(void **state)
{
	struct fixture *f = *state;
	CLEANUP(buf_close) struct buf heard = BUF_INIT;
	CLEANUP(mem_freep) char *block = mem_zalloc(1000000);

	begin(f);
	for (int i = 0; i < 3; i++)
		http_upgrade_write(f->upgrade, block, 1000000);
	for (int i = 0; i < 20; i++)
		loop_turn(f->loop, 0);
	assert_false(f->drained);
	assert_true(http_upgrade_unsent(f->upgrade) > 1000000);
	http_upgrade_write(f->upgrade, "end", 3);
	hear(f, &heard, "end");
	assert_int_equal(heard.len, 3000003);
	LOOP_UNTIL(f->loop, f->drained);
	assert_int_equal(http_upgrade_unsent(f->upgrade), 0);
}

static void each_direction_ends_by_itself(void **state)
{
	struct fixture *f = *state;
	CLEANUP(buf_close) struct buf heard = BUF_INIT;

	begin(f);
	say(f, "last words");
	shutdown(f->peer, SHUT_WR);
	LOOP_UNTIL(f->loop, f->ended);
	assert_int_equal(f->in.len, 10);
	http_upgrade_write(f->upgrade, "answered", 8);
	hear(f, &heard, "answered");
	assert_false(f->closed);
	http_upgrade_shutdown(f->upgrade);
	LOOP_UNTIL(f->loop, f->closed);
	assert_int_equal(f->err.kind, ERR_NONE);
	assert_int_equal(recv(f->peer, &(char){ 0 }, 1, 0), 0);
}

static void our_end_comes_first(void **state)
{
	struct fixture *f = *state;
	CLEANUP(buf_close) struct buf heard = BUF_INIT;

	begin(f);
	http_upgrade_write(f->upgrade, "all", 3);
	http_upgrade_shutdown(f->upgrade);
	hear(f, &heard, "never");
	assert_string_equal(heard.data, "all");
	say(f, "more");
	LOOP_UNTIL(f->loop, f->in.len == 4);
	shutdown(f->peer, SHUT_WR);
	LOOP_UNTIL(f->loop, f->closed);
	assert_true(f->ended);
}

static void the_end_may_be_the_close(void **state)
{
	struct fixture *f = *state;

	f->closes_at_end = true;
	begin(f);
	shutdown(f->peer, SHUT_WR);
	LOOP_UNTIL(f->loop, f->closed);
	assert_int_equal(f->err.kind, ERR_NONE);
}

static void a_broken_connection_is_told(void **state)
{
	struct fixture *f = *state;

	begin(f);
	http_upgrade_set_reading(f->upgrade, false);
	close(f->peer);
	f->peer = -1;
	http_upgrade_write(f->upgrade, "x", 1);
	LOOP_UNTIL(f->loop, f->closed);
	assert_int_equal(f->err.kind, ERR_CONNECTION);
}

static void an_aborted_one_tells_nothing(void **state)
{
	struct fixture *f = *state;

	begin(f);
	http_upgrade_abort(f->upgrade);
	LOOP_UNTIL(f->loop, http_server_connections(f->server) == 0);
	assert_false(f->closed);
}

static void it_ends_with_the_server(void **state)
{
	struct fixture *f = *state;

	begin(f);
	http_server_free(f->server);
	f->server = NULL;
	assert_true(f->closed);
	assert_int_equal(f->err.kind, ERR_CONNECTION);
}

static void old_http_is_not_upgraded(void **state)
{
	struct fixture *f = *state;
	CLEANUP(buf_close) struct buf heard = BUF_INIT;

	say(f, "GET / HTTP/1.0\r\n\r\n");
	hear(f, &heard, "\r\n\r\n");
	assert_memory_equal(heard.data, "HTTP/1.1 400", 12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(bytes_go_both_ways, setup, teardown),
		cmocka_unit_test_setup_teardown(what_came_with_the_head_comes_first, setup, teardown),
		cmocka_unit_test_setup_teardown(reading_stops_and_goes_on, setup, teardown),
		cmocka_unit_test_setup_teardown(a_peer_that_does_not_read_is_waited_for, setup, teardown),
		cmocka_unit_test_setup_teardown(each_direction_ends_by_itself, setup, teardown),
		cmocka_unit_test_setup_teardown(our_end_comes_first, setup, teardown),
		cmocka_unit_test_setup_teardown(the_end_may_be_the_close, setup, teardown),
		cmocka_unit_test_setup_teardown(a_broken_connection_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(an_aborted_one_tells_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(it_ends_with_the_server, setup, teardown),
		cmocka_unit_test_setup_teardown(old_http_is_not_upgraded, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
