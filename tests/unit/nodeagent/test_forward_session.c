/* Ports forwarded over SPDY: a client's session, ports of this machine. */
#include <arpa/inet.h>
#include <malloc.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/fd_pipe.h"
#include "lib/spdy_session.h"
#include "nodeagent/streaming/forward_session.h"
#include "tests/support/test_server.h"

struct fixture {
	struct loop *loop;
	struct streaming streaming;
	int listener;
	char port[8];
	struct spdy_session *client;
	bool gone;
};

/* A stream of the client's. */
struct end {
	struct spdy_stream *stream;
	struct buf in;
	bool ended, reset;
};

static void on_data(const void *data, size_t len, void *arg)
{
	buf_add(&((struct end *)arg)->in, data, len);
}

static void on_stream_ended(bool reset, void *arg)
{
	struct end *end = arg;

	end->ended = true;
	end->reset = reset;
}

static const struct spdy_stream_user stream_user = { on_data, on_stream_ended, NULL };

static void on_gone(const struct err *err, void *arg)
{
	(void)err;
	((struct fixture *)arg)->gone = true;
}

static const struct spdy_session_user session_user = { NULL, NULL, NULL, on_gone };

static int setup(void **state)
{
	struct fixture *f = mem_zalloc(sizeof(*f));
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(at);
	struct byte_pipe *pipes[2];
	int fd[2];

	f->loop = loop_new(NULL);
	f->streaming.loop = f->loop;
	f->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(f->listener, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(getsockname(f->listener, (struct sockaddr *)&at, &len), 0);
	assert_int_equal(listen(f->listener, 4), 0);
	snprintf(f->port, sizeof(f->port), "%u", ntohs(at.sin_port));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
	for (int i = 0; i < 2; i++)
		pipes[i] = fd_pipe_new(f->loop, fd[i], fd[i], NULL, NULL, NULL);
	f->client = spdy_session_new(pipes[0], false, &session_user, f);
	*state = f;
	forward_session_new(&f->streaming, pipes[1], "web", NULL);
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	spdy_session_free(f->client);
	LOOP_UNTIL(f->loop, LIST_EMPTY(&f->streaming.sessions));
	/* What was still to leave finds nobody there. */
	for (int i = 0; i < 5; i++)
		loop_turn(f->loop, 10);
	loop_free(f->loop);
	close(f->listener);
	free(f);
	return 0;
}

static void open_end(struct fixture *f, struct end *end, const char *type, const char *id)
{
	const struct spdy_header headers[] = { { "streamtype", type },
					       { "port", f->port },
					       { "requestid", id } };

	*end = (struct end){ .stream = NULL };
	end->stream = spdy_session_open(f->client, headers, ARRAY_SIZE(headers), &stream_user, end);
}

/* Also what came before there was a pair. */
static void bytes_go_both_ways(void **state)
{
	struct fixture *f = *state;
	struct end data, error;
	char text[16];

	open_end(f, &data, "data", "0");
	spdy_stream_write(data.stream, "early ", 6);
	open_end(f, &error, "error", "0");
	spdy_stream_write(data.stream, "late", 4);
	spdy_stream_finish(data.stream);
	for (int i = 0; i < 5; i++)
		loop_turn(f->loop, 10);
	int pod = accept(f->listener, NULL, NULL);
	LOOP_UNTIL(f->loop, recv(pod, text, sizeof(text), MSG_PEEK | MSG_DONTWAIT) == 10);
	assert_memory_equal(text, "early late", 10);
	assert_int_equal(recv(pod, text, sizeof(text), 0), 10);
	LOOP_UNTIL(f->loop, recv(pod, text, sizeof(text), MSG_DONTWAIT) == 0);
	assert_int_equal(send(pod, "back", 4, 0), 4);
	close(pod);
	LOOP_UNTIL(f->loop, data.ended);
	assert_false(data.reset);
	assert_int_equal(data.in.len, 4);
	assert_memory_equal(data.in.data, "back", 4);
	assert_int_equal(error.in.len, 0);
	buf_close(&data.in);
}

static void nobody_listens(void **state)
{
	struct fixture *f = *state;
	CLEANUP(mem_freep)
	char *want =
	    mem_printf("error forwarding port %s to pod web: failed to connect to localhost:%s inside the "
		       "pod: Connection refused",
		       f->port, f->port);
	struct end data, error;

	shutdown(f->listener, SHUT_RDWR);
	open_end(f, &error, "error", "0");
	open_end(f, &data, "data", "0");
	LOOP_UNTIL(f->loop, error.ended && data.ended);
	assert_int_equal(error.in.len, strlen(want));
	assert_memory_equal(error.in.data, want, error.in.len);
	buf_close(&error.in);
}

/* A pair is connected once, whatever becomes of its stream of errors. */
static void a_pair_is_made_once(void **state)
{
	struct fixture *f = *state;
	struct end data, error, again;

	open_end(f, &data, "data", "0");
	open_end(f, &error, "error", "0");
	for (int i = 0; i < 5; i++)
		loop_turn(f->loop, 10);
	spdy_stream_close(error.stream);
	open_end(f, &again, "error", "0");
	LOOP_UNTIL(f->loop, again.ended);
	assert_true(again.reset);
	int pod = accept(f->listener, NULL, NULL);
	assert_int_equal(send(pod, "still", 5, 0), 5);
	LOOP_UNTIL(f->loop, data.in.len == 5);
	close(pod);
	buf_close(&data.in);
}

/* What is refused leaves nothing behind, however much of it comes. */
static void refused_streams_leave_nothing(void **state)
{
	struct fixture *f = *state;
	CLEANUP(mem_freep) char *id = mem_printf("%08000d", 0);
	size_t before = mallinfo2().uordblks;

	for (int i = 0; i < 500; i++) {
		struct end end;

		memset(id, 'a' + i % 26, 1 + (size_t)i / 26);
		open_end(f, &end, i % 2 ? "data" : "no such type", id);
		LOOP_UNTIL(f->loop, end.ended);
		assert_true(end.reset);
		spdy_stream_close(end.stream);
	}
	assert_true(mallinfo2().uordblks < before + 1000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(bytes_go_both_ways, setup, teardown),
		cmocka_unit_test_setup_teardown(nobody_listens, setup, teardown),
		cmocka_unit_test_setup_teardown(a_pair_is_made_once, setup, teardown),
		cmocka_unit_test_setup_teardown(refused_streams_leave_nothing, setup, teardown),
	};

	signal(SIGPIPE, SIG_IGN); /* as all programs with a loop do */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
