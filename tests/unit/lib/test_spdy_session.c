#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/fd_pipe.h"
#include "lib/spdy_headers.h"
#include "lib/spdy_session.h"
#include "lib/websocket_pipe.h"
#include "tests/support/test_server.h"

#define STREAMS 4

struct side {
	struct spdy_session *session;
	struct spdy_headers *headers;
	struct end {
		struct side *side;
		struct spdy_stream *stream;
		struct buf in;
		bool ended, reset, writable, holds;
	} ends[STREAMS];
	size_t n;
	bool gone;
};

static struct loop *loop;

static void on_received(const void *data, size_t len, void *arg)
{
	struct end *end = arg;

	buf_add(&end->in, data, len);
	if (end->holds)
		spdy_stream_hold(end->stream, end->in.len);
}

static void on_ended(bool reset, void *arg)
{
	struct end *end = arg;

	assert_false(end->ended);
	end->ended = true;
	end->reset = reset;
}

static void on_writable(void *arg)
{
	((struct end *)arg)->writable = true;
}

static const struct spdy_stream_user stream_user = { on_received, on_ended, on_writable };

static int on_headers(const void *block, size_t len, struct err *err, void *arg)
{
	return spdy_headers_read(((struct side *)arg)->headers, block, len, err);
}

/* A stream of a type other than "data" is refused. */
static bool on_opened(struct spdy_stream *stream, void *arg)
{
	struct side *side = arg;
	const char *type = spdy_headers_get(side->headers, "streamtype");

	if (!type || strcmp(type, "data") != 0)
		return false;
	struct end *end = &side->ends[side->n++];
	end->side = side;
	end->stream = stream;
	spdy_stream_use(stream, &stream_user, end);
	return true;
}

static void on_gone(const struct err *err, void *arg)
{
	(void)err;
	((struct side *)arg)->gone = true;
}

static const struct spdy_session_user user = { on_headers, on_opened, NULL, on_gone };

static void side_open(struct side *side, int fd, bool server, bool tunnelled)
{
	struct err err = ERR_INIT;
	struct byte_pipe *pipe = fd_pipe_new(loop, fd, fd, NULL, NULL, &err);

	assert_non_null(pipe);
	if (tunnelled)
		pipe = websocket_pipe_new(pipe, server);
	side->headers = spdy_headers_new();
	side->session = spdy_session_new(pipe, server, &user, side);
}

static void side_close(struct side *side)
{
	spdy_session_free(side->session);
	spdy_headers_free(side->headers);
	for (size_t i = 0; i < STREAMS; i++)
		buf_close(&side->ends[i].in);
}

static struct end *open_stream(struct side *side, const char *type)
{
	const struct spdy_header headers[] = { { "streamtype", type } };
	struct end *end = &side->ends[side->n++];

	end->side = side;
	end->stream = spdy_session_open(side->session, headers, 1, &stream_user, end);
	return end;
}

struct pair {
	struct side client, server;
};

static struct pair *pair_new(bool tunnelled)
{
	struct pair *pair = mem_zalloc(sizeof(*pair));
	int fd[2];

	loop = loop_new(NULL);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
	side_open(&pair->client, fd[0], false, tunnelled);
	side_open(&pair->server, fd[1], true, tunnelled);
	return pair;
}

static void pair_free(struct pair *pair)
{
	side_close(&pair->client);
	LOOP_UNTIL(loop, pair->server.gone);
	side_close(&pair->server);
	free(pair);
	loop_free(loop);
}

static void talk(bool tunnelled)
{
	struct pair *pair = pair_new(tunnelled);
	struct end *ours = open_stream(&pair->client, "data"), *theirs = &pair->server.ends[0];
	CLEANUP(mem_freep) char *much = mem_zalloc(1000000);

	spdy_stream_write(ours->stream, "hello", 5);
	LOOP_UNTIL(loop, theirs->in.len == 5);
	assert_memory_equal(theirs->in.data, "hello", 5);
	spdy_stream_write(theirs->stream, much, 1000000);
	spdy_stream_finish(theirs->stream);
	LOOP_UNTIL(loop, ours->ended);
	assert_int_equal(ours->in.len, 1000000);
	assert_false(ours->reset || theirs->ended);
	/* The other direction is open still. */
	spdy_stream_write(ours->stream, "!", 1);
	spdy_stream_finish(ours->stream);
	LOOP_UNTIL(loop, theirs->ended);
	assert_int_equal(theirs->in.len, 6);
	spdy_stream_close(theirs->stream);
	spdy_stream_close(ours->stream);
	pair_free(pair);
}

static void streams(void **state)
{
	(void)state;
	talk(false);
}

static void within_websocket(void **state)
{
	(void)state;
	talk(true);
}

static void refused_and_reset(void **state)
{
	struct pair *pair = pair_new(false);
	struct end *bad = open_stream(&pair->client, "other"), *good = open_stream(&pair->client, "data");

	(void)state;
	LOOP_UNTIL(loop, bad->ended && pair->server.n == 1);
	assert_true(bad->reset);
	spdy_stream_close(bad->stream);
	spdy_stream_close(good->stream);
	LOOP_UNTIL(loop, pair->server.ends[0].ended);
	assert_true(pair->server.ends[0].reset);
	/* Nothing leaves on it any more. */
	spdy_stream_write(pair->server.ends[0].stream, "x", 1);
	spdy_stream_close(pair->server.ends[0].stream);
	pair_free(pair);
}

/* Who holds what it got is sent no more than its window, by a peer that has seen it counting: one stream does
 * not stop the others. */
static void windows(void **state)
{
	struct pair *pair = pair_new(false);
	struct end *slow = open_stream(&pair->client, "data"), *quick = open_stream(&pair->client, "data");
	CLEANUP(mem_freep) char *much = mem_zalloc(400000);

	(void)state;
	LOOP_UNTIL(loop, pair->server.n == 2);
	struct end *slow_end = &pair->server.ends[0], *quick_end = &pair->server.ends[1];
	/* Their windows open as it reads: from then on the client knows that it counts. */
	spdy_stream_write(quick->stream, much, 60000);
	LOOP_UNTIL(loop, quick_end->in.len == 60000);
	for (int i = 0; i < 20; i++)
		loop_turn(loop, 0);
	slow_end->holds = true;
	spdy_stream_write(slow->stream, much, 400000);
	for (int i = 0; i < 100; i++)
		loop_turn(loop, 0);
	assert_true(slow_end->in.len <= 2 * (size_t)SPDY_WINDOW);
	assert_int_equal(spdy_stream_room(slow->stream), 0);
	spdy_stream_write(quick->stream, "through", 7);
	LOOP_UNTIL(loop, quick_end->in.len == 60007);
	slow_end->holds = false;
	spdy_stream_hold(slow_end->stream, 0);
	LOOP_UNTIL(loop, slow_end->in.len == 400000);
	assert_true(slow->writable);
	pair_free(pair);
}

/* Garbage ends the connection, once. */
static void garbage(void **state)
{
	struct side server = { 0 };
	int fd[2];

	(void)state;
	loop = loop_new(NULL);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
	side_open(&server, fd[1], true, false);
	assert_int_equal(write(fd[0], "\x80\x02\x00\x01\x00\x00\x00\x00garbage", 15), 15);
	LOOP_UNTIL(loop, server.gone);
	close(fd[0]);
	side_close(&server);
	loop_free(loop);
}

/* Who asks without end and reads nothing is not answered without end. */
static void a_flood_of_pings(void **state)
{
	static const char ping[] = "\x80\x03\x00\x06\x00\x00\x00\x04\x00\x00\x00\x01";
	CLEANUP(buf_close) struct buf pings = BUF_INIT;
	struct side server = { 0 };
	int fd[2];
	size_t sent = 0;

	(void)state;
	for (int i = 0; i < 1000; i++)
		buf_add(&pings, ping, sizeof(ping) - 1);
	loop = loop_new(NULL);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fd), 0);
	side_open(&server, fd[1], true, false);
	while (!server.gone) {
		ssize_t n = write(fd[0], pings.data, pings.len);

		sent += n > 0 ? (size_t)n : 0;
		assert_true(sent < 64 << 20);
		loop_turn(loop, 0);
	}
	close(fd[0]);
	side_close(&server);
	/* What was still to leave finds nobody there. */
	for (int i = 0; i < 5; i++)
		loop_turn(loop, 10);
	loop_free(loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(streams),           cmocka_unit_test(within_websocket),
		cmocka_unit_test(refused_and_reset), cmocka_unit_test(windows),
		cmocka_unit_test(garbage),           cmocka_unit_test(a_flood_of_pings),
	};

	signal(SIGPIPE, SIG_IGN); /* as all programs with a loop do */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
