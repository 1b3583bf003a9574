/* Requests and their answers over pairs of sockets: what the server says to which bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/http_exchange.h"
#include "tests/support/http_fixture.h"

static void requests_follow_each_other(void **state)
{
	struct http_fixture *f = *state;

	peer_say(f, GET("/1"));
	peer_hear(f, "GET /1 ");
	peer_say(f, GET("/2"));
	peer_hear(f, "GET /2 ");
	assert_null(strstr(f->heard.data, "Connection:"));
	assert_non_null(strstr(f->heard.data, "\r\nDate: "));
	/* A value cannot end its line. */
	assert_null(strstr(f->heard.data, "\nSet-Cookie"));
	assert_int_equal(f->ended, 2);
}

static void pipelined_requests_are_answered_in_order(void **state)
{
	struct http_fixture *f = *state;
	CLEANUP(buf_close) struct buf all = BUF_INIT;

	for (int i = 0; i < 2000; i++)
		buf_printf(&all, "POST /%d HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab", i);
	peer_say(f, all.data);
	peer_hear(f, "POST /1999 ab");
	const char *at = f->heard.data;
	for (int i = 0; i < 2000; i++) {
		char text[32];

		snprintf(text, sizeof(text), "POST /%d ab", i);
		at = strstr(at, text);
		assert_non_null(at);
	}
	assert_int_equal(f->ended, 2000);
}

static void what_waits_holds_up_what_is_behind(void **state)
{
	struct http_fixture *f = *state;

	peer_say(f, GET("/wait") GET("/behind"));
	LOOP_UNTIL(f->loop, f->waiting);
	peer_listen(f);
	assert_int_equal(f->heard.len, 0);
	http_exchange_reply(f->waiting, 200, NULL, "waited", 6);
	peer_hear(f, "GET /behind ");
	assert_true(strstr(f->heard.data, "waited") < strstr(f->heard.data, "/behind"));
}

static void bodies_come_as_they_were_sent(void **state)
{
	struct http_fixture *f = *state;

	peer_say(f, "POST /b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
	peer_say(f, "2\r\nde\r\n0\r\n\r\n");
	peer_hear(f, "POST /b abcde");
}

static void heads_have_no_body(void **state)
{
	struct http_fixture *f = *state;

	peer_say(f, "HEAD /large HTTP/1.1\r\nHost: x\r\n\r\nHEAD /stream HTTP/1.1\r\nHost: x\r\n\r\n" GET(
			"/after"));
	peer_hear(f, "GET /after ");
	assert_non_null(strstr(f->heard.data, "Content-Length: 3000000\r\n"));
	assert_non_null(strstr(f->heard.data, "Transfer-Encoding: chunked\r\n"));
	assert_true(f->heard.len < 1000);
	assert_int_equal(f->released, 1);
	assert_null(f->stream.exchange);
}

static void no_content_has_no_length(void **state)
{
	struct http_fixture *f = *state;

	peer_say(f, GET("/nothing") GET("/after"));
	peer_hear(f, "GET /after ");
	assert_memory_equal(f->heard.data, "HTTP/1.1 204 No Content\r\n", 25);
	assert_true(strstr(f->heard.data, "Content-Length") > strstr(f->heard.data, "200 OK"));
}

static void old_clients_are_understood(void **state)
{
	struct http_fixture *f = *state;
	const char *answer = peer_answer_to(f, "GET /old HTTP/1.0\r\n\r\n");

	assert_non_null(strstr(answer, "\r\nConnection: close\r\n"));
	assert_non_null(strstr(answer, "GET /old "));
	answer =
	    peer_answer_to(f, "GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /b HTTP/1.0\r\n\r\n");
	assert_non_null(strstr(answer, "\r\nConnection: keep-alive\r\n"));
	assert_non_null(strstr(answer, "GET /b "));
	/* A stream ends with the connection. */
	close(f->peer);
	f->peer = peer_connect(f);
	buf_reset(&f->heard);
	peer_say(f, "GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
	LOOP_UNTIL(f->loop, f->stream.exchange);
	test_stream_write(&f->stream, "raw");
	peer_hear(f, "\r\n\r\nraw");
	test_stream_end(&f->stream);
	peer_hear_end(f);
	assert_null(strstr(f->heard.data, "chunked"));
}

static void the_last_answer_closes(void **state)
{
	struct http_fixture *f = *state;

	assert_non_null(strstr(peer_answer_to(f, GET("/last") GET("/never")), "\r\n\r\nbye"));
	assert_null(strstr(f->heard.data, "/never"));
	assert_int_equal(f->begun, 1);
	peer_answer_to(f, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" GET("/never"));
	assert_null(strstr(f->heard.data, "/never"));
}

static void senders_that_ask_first_are_told(void **state)
{
	struct http_fixture *f = *state;
	static const char head[] =
	    "POST /b HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";

	peer_say(f, head);
	peer_hear(f, "HTTP/1.1 100 Continue\r\n\r\n");
	peer_say(f, "ok");
	peer_hear(f, "POST /b ok");
	/* Who sends at once is not told. */
	CLEANUP(mem_freep) char *both = mem_printf("%sok", head);
	buf_reset(&f->heard);
	peer_say(f, both);
	peer_hear(f, "POST /b ok");
	assert_null(strstr(f->heard.data, "100 Continue"));
	/* Refused before it was sent, the body may come or not. */
	peer_answer_to(
	    f, "POST /early HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
	assert_memory_equal(f->heard.data, "HTTP/1.1 403", 12);
}

static void an_early_answer_waits_for_the_rest(void **state)
{
	struct http_fixture *f = *state;

	peer_say(f, "POST /early HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nab");
	peer_hear(f, "HTTP/1.1 403 Forbidden");
	assert_int_equal(f->ended, 0);
	peer_say(f, "cd" GET("/next"));
	peer_hear(f, "GET /next ");
	assert_int_equal(f->whole, 1);
	assert_int_equal(f->body.len, 0);
}

static void faults_are_told_in_the_handlers_words(void **state)
{
	struct http_fixture *f = *state;
	static const struct {
		const char *text, *begin, *body;
	} cases[] = {
		{ "rubbish\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n", "{400: invalid request line}" },
		{ "GET / HTTP/3.0\r\n\r\n", "HTTP/1.1 505 ", "{505: only" },
		{ "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n", "HTTP/1.1 413 ", "{413: " },
		{ "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", "HTTP/1.1 400 ",
		  "{400: invalid size of a chunk}" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *answer = peer_answer_to(f, cases[i].text);

		assert_memory_equal(answer, cases[i].begin, strlen(cases[i].begin));
		assert_non_null(strstr(answer, "Content-Type: text/x-fault\r\n"));
		assert_non_null(strstr(answer, "Connection: close\r\n"));
		assert_non_null(strstr(answer, cases[i].body));
	}
	assert_int_equal(f->begun, 1); /* the one with a sound head */
	assert_int_equal(f->whole, 0);
}

static void pieces_are_joined(void **state)
{
	struct http_fixture *f = *state;

	peer_say(f, GET("/pieces") GET("/after"));
	peer_hear(f, "GET /after ");
	assert_non_null(strstr(f->heard.data, "\r\n\r\none,two,threeHTTP/1.1 200"));
	assert_int_equal(f->released, 1);
	/* Less than was said is not covered up. */
	f->short_pieces = true;
	peer_answer_to(f, GET("/pieces") GET("/after"));
	assert_null(strstr(f->heard.data, "/after"));
	assert_int_equal(f->released, 2);
}

static void large_answers_wait_for_their_reader(void **state)
{
	struct http_fixture *f = *state;

	peer_say(f, GET("/large"));
	for (int i = 0; i < 50; i++)
		loop_turn(f->loop, 0);
	assert_int_equal(f->released, 0);
	LOOP_UNTIL(f->loop, (peer_listen(f), f->heard.len > HTTP_FIXTURE_LARGE));
	assert_int_equal(f->released, 1);
	assert_int_equal(f->hung_up, 0);
}

static void who_takes_nothing_is_cut(void **state)
{
	struct http_fixture *f = *state;

	peer_say(f, GET("/limited"));
	LOOP_UNTIL(f->loop, f->ended);
	assert_int_equal(f->released, 1);
	LOOP_UNTIL(f->loop, http_server_connections(f->server) == 0);
}

static void streams_say_what_they_have(void **state)
{
	struct http_fixture *f = *state;

	peer_say(f, GET("/stream") GET("/after"));
	LOOP_UNTIL(f->loop, f->stream.exchange);
	peer_hear(f, "\r\n\r\n"); /* the head does not wait */
	test_stream_write(&f->stream, "hello");
	peer_hear(f, "0005\r\nhello\r\n");
	CLEANUP(mem_freep) char *much = mem_alloc(100001);
	memset(much, 'm', 100000);
	much[100000] = '\0';
	test_stream_write(&f->stream, much);
	LOOP_UNTIL(f->loop, (peer_listen(f), f->heard.len > 100000));
	test_stream_end(&f->stream);
	peer_hear(f, "0\r\n\r\nHTTP/1.1 200 OK");
	peer_hear(f, "GET /after ");
}

#define TEST(fn_) cmocka_unit_test_setup_teardown(fn_, http_fixture_setup, http_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(requests_follow_each_other),
		TEST(pipelined_requests_are_answered_in_order),
		TEST(what_waits_holds_up_what_is_behind),
		TEST(bodies_come_as_they_were_sent),
		TEST(heads_have_no_body),
		TEST(no_content_has_no_length),
		TEST(old_clients_are_understood),
		TEST(the_last_answer_closes),
		TEST(senders_that_ask_first_are_told),
		TEST(an_early_answer_waits_for_the_rest),
		TEST(faults_are_told_in_the_handlers_words),
		TEST(pieces_are_joined),
		TEST(large_answers_wait_for_their_reader),
		TEST(who_takes_nothing_is_cut),
		TEST(streams_say_what_they_have),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
