/* How many connections a server has, how several servers share them, and how it stops. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/http_exchange.h"
#include "tests/support/http_fixture.h"

static int connect_to(uint16_t port)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_port = htons(port),
				  .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	return fd;
}

static void only_so_many_connect(void **state)
{
	struct http_fixture *f = *state;

	f->opts.max_connections = 2;
	f->opts.listener = http_listener_new("127.0.0.1", 0, NULL);
	http_fixture_start(f); /* its peer is one of them */
	int second = connect_to(http_listener_port(f->opts.listener));
	LOOP_UNTIL(f->loop, http_server_connections(f->server) == 2);
	int third = connect_to(http_listener_port(f->opts.listener));
	LOOP_UNTIL(f->loop, recv(third, &(char){ 0 }, 1, MSG_DONTWAIT) == 0);
	close(second);
	LOOP_UNTIL(f->loop, http_server_connections(f->server) == 1);
	int fourth = connect_to(http_listener_port(f->opts.listener));
	LOOP_UNTIL(f->loop, http_server_connections(f->server) == 2);
	close(third);
	close(fourth);
	http_server_free(TAKE(f->server));
	http_listener_free(f->opts.listener);
}

/* Whoever of them is awake and takes newcomers, each has its share. */
static void connections_are_shared_out(void **state)
{
	struct http_fixture *f = *state;
	struct loop *loops[3];
	struct http_server *servers[3];
	int fds[33];

	f->opts.listener = http_listener_new("127.0.0.1", 0, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(loops); i++) {
		loops[i] = loop_new(NULL);
		servers[i] = http_server_new(loops[i], &f->opts, &http_fixture_handler, f, NULL);
	}
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = connect_to(http_listener_port(f->opts.listener));
		loop_turn(loops[0], 0);
	}
	LOOP_UNTIL(loops[0], http_server_connections(servers[0]) + http_server_connections(servers[1]) +
				     http_server_connections(servers[2]) ==
				 ARRAY_SIZE(fds));
	for (size_t i = 0; i < ARRAY_SIZE(loops); i++) {
		assert_int_equal(http_server_connections(servers[i]), ARRAY_SIZE(fds) / ARRAY_SIZE(loops));
		loop_turn(loops[i], 0); /* it takes what it was given */
		assert_int_equal(http_server_connections(servers[i]), ARRAY_SIZE(fds) / ARRAY_SIZE(loops));
	}
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
	for (size_t i = 0; i < ARRAY_SIZE(loops); i++) {
		http_server_free(servers[i]);
		loop_free(loops[i]);
	}
	http_listener_free(TAKE(f->opts.listener));
}

static void on_empty(void *arg)
{
	((struct http_fixture *)arg)->empty = true;
}

static void a_drain_lets_answers_end(void **state)
{
	struct http_fixture *f = *state;
	int idle = peer_connect(f), stream = peer_connect(f);

	peer_say(f, GET("/wait"));
	LOOP_UNTIL(f->loop, f->waiting);
	assert_int_equal(send(stream, GET("/stream"), strlen(GET("/stream")), 0), strlen(GET("/stream")));
	LOOP_UNTIL(f->loop, f->stream.exchange);
	http_server_drain(f->server, on_empty, f);
	LOOP_UNTIL(f->loop, !f->stream.exchange);
	assert_int_equal(f->hung_up, 2);
	assert_false(f->empty);
	http_exchange_reply(f->waiting, 200, NULL, "last", 4);
	peer_hear(f, "last");
	assert_non_null(strstr(f->heard.data, "Connection: close\r\n"));
	shutdown(f->peer, SHUT_WR);
	shutdown(stream, SHUT_WR);
	LOOP_UNTIL(f->loop, f->empty);
	assert_int_equal(recv(idle, &(char){ 0 }, 1, 0), 0);
	close(idle);
	close(stream);
}

static void a_cut_ends_what_does_not_read(void **state)
{
	struct http_fixture *f = *state;

	peer_say(f, GET("/large"));
	http_server_drain(f->server, on_empty, f);
	for (int i = 0; i < 5; i++)
		loop_turn(f->loop, 0);
	assert_false(f->empty);
	http_server_cut(f->server);
	LOOP_UNTIL(f->loop, f->empty);
	assert_int_equal(f->released, 1);
}

#define TEST(fn_) cmocka_unit_test_setup_teardown(fn_, http_fixture_setup, http_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(only_so_many_connect),
		TEST(connections_are_shared_out),
		TEST(a_drain_lets_answers_end),
		TEST(a_cut_ends_what_does_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
