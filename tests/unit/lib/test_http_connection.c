/* Connections that end: whose doing it is, and who is told. */
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

static void hang_ups_are_told(void **state)
{
	struct http_fixture *f = *state;

	peer_say(f, GET("/wait"));
	LOOP_UNTIL(f->loop, f->waiting);
	assert_int_equal(f->hung_up, 0);
	shutdown(f->peer, SHUT_WR);
	LOOP_UNTIL(f->loop, f->hung_up);
	/* Half a connection takes the answer. */
	http_exchange_reply(f->waiting, 200, NULL, "yet", 3);
	peer_hear(f, "\r\n\r\nyet");
	peer_hear_end(f);
	assert_int_equal(f->hung_up, 1);
}

static void a_stream_ends_when_its_reader_hangs_up(void **state)
{
	struct http_fixture *f = *state;

	peer_say(f, GET("/stream"));
	LOOP_UNTIL(f->loop, f->stream.exchange);
	test_stream_write(&f->stream, "before");
	shutdown(f->peer, SHUT_WR);
	peer_hear(f, "before\r\n0\r\n\r\n");
	peer_hear_end(f);
	assert_null(f->stream.exchange);
}

static void who_waits_outlives_the_connection(void **state)
{
	struct http_fixture *f = *state;

	peer_say(f, GET("/wait"));
	LOOP_UNTIL(f->loop, f->waiting);
	close(f->peer);
	f->peer = -1;
	LOOP_UNTIL(f->loop, f->hung_up);
	for (int i = 0; i < 5; i++)
		loop_turn(f->loop, 0);
	assert_non_null(f->waiting);
	http_exchange_send(f->waiting, 200, NULL, f->large, HTTP_FIXTURE_LARGE, http_fixture_release, f);
	LOOP_UNTIL(f->loop, f->ended);
	assert_int_equal(f->released, 1);
	assert_int_equal(http_server_connections(f->server), 0);
}

static void half_a_request_ends_with_its_sender(void **state)
{
	struct http_fixture *f = *state;

	peer_say(f, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf");
	LOOP_UNTIL(f->loop, f->begun);
	shutdown(f->peer, SHUT_WR);
	peer_hear_end(f);
	assert_int_equal(f->ended, 1);
	assert_int_equal(f->whole, 0);
}

static void an_abort_hangs_up(void **state)
{
	struct http_fixture *f = *state;

	peer_say(f, GET("/wait"));
	LOOP_UNTIL(f->loop, f->waiting);
	http_exchange_abort(f->waiting);
	peer_hear_end(f);
	assert_int_equal(f->heard.len, 0);
}

static void silence_has_an_end(void **state)
{
	struct http_fixture *f = *state;

	f->opts.silence_ms = 50;
	http_fixture_start(f);
	peer_hear_end(f); /* nothing was said */
	assert_non_null(f->server);
	close(f->peer);
	f->peer = peer_connect(f);
	peer_say(f, GET("/1"));
	peer_hear(f, "GET /1 ");
	peer_say(f, "GET /half");
	peer_hear_end(f);
	assert_int_equal(f->begun, 1);
}

static void idleness_has_an_end(void **state)
{
	struct http_fixture *f = *state;

	f->opts.idle_ms = 50;
	http_fixture_start(f);
	peer_say(f, GET("/1"));
	peer_hear(f, "GET /1 ");
	peer_hear_end(f);
	/* Of a body as well; not of a stream, and not of what the handler waits for. */
	peer_answer_to(f, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf");
	assert_int_equal(f->heard.len, 0);
	close(f->peer);
	f->peer = peer_connect(f);
	peer_say(f, GET("/wait"));
	int64_t until_ms = time_mono_ms() + 200;
	while (time_mono_ms() < until_ms)
		assert_true(peer_listen(f));
	http_exchange_reply(f->waiting, 200, NULL, "late", 4);
	peer_hear(f, "late");
}

#define TEST(fn_) cmocka_unit_test_setup_teardown(fn_, http_fixture_setup, http_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(hang_ups_are_told),
		TEST(a_stream_ends_when_its_reader_hangs_up),
		TEST(who_waits_outlives_the_connection),
		TEST(half_a_request_ends_with_its_sender),
		TEST(an_abort_hangs_up),
		TEST(silence_has_an_end),
		TEST(idleness_has_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
