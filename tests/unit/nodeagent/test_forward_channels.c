/* Ports forwarded over WebSocket channels: a client of handmade messages, ports of this machine. */
#include <arpa/inet.h>
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
#include "lib/websocket_session.h"
#include "nodeagent/streaming/forward_channels.h"
#include "tests/support/test_server.h"

enum { PORTS = 2 };

struct fixture {
	struct loop *loop;
	struct streaming streaming;
	int listeners[PORTS];
	uint16_t ports[PORTS];
	struct websocket_session *ws;
	struct buf channels[2 * PORTS]; /* what came on each */
	int channel;
	bool ended;
};

/* A port that nobody else has: it listens, or was closed again. */
static int listen_somewhere(bool stays, uint16_t *ret_port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	*ret_port = ntohs(at.sin_port);
	if (stays)
		assert_int_equal(listen(fd, 1), 0);
	return fd;
}

static void on_piece(const struct websocket_piece *piece, void *arg)
{
	struct fixture *f = arg;
	const unsigned char *data = piece->data;
	size_t len = piece->len;

	if (piece->first) {
		f->channel = *data++;
		len--;
	}
	assert_in_range(f->channel, 0, 2 * PORTS - 1);
	buf_add(&f->channels[f->channel], data, len);
}

static void on_ended(const struct err *err, void *arg)
{
	(void)err;
	((struct fixture *)arg)->ended = true;
}

static const struct websocket_session_user user = { on_piece, NULL, on_ended };

/* Whether each port is listened at. */
static void open_forward_in(struct fixture *f, const char *net_ns, bool first, bool second)
{
	struct err err = ERR_INIT;
	struct byte_pipe *pipes[2];
	int fd[2];

	*f = (struct fixture){ .loop = loop_new(NULL) };
	f->streaming.loop = f->loop;
	f->listeners[0] = listen_somewhere(first, &f->ports[0]);
	f->listeners[1] = listen_somewhere(second, &f->ports[1]);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
	for (int i = 0; i < 2; i++)
		pipes[i] = fd_pipe_new(f->loop, fd[i], fd[i], NULL, NULL, &err);
	f->ws = websocket_session_new(pipes[0], false, 0, &user, f);
	forward_channels_new(&f->streaming, pipes[1], "web", net_ns, f->ports, PORTS);
	for (size_t i = 0; i < 2 * (size_t)PORTS; i++) {
		LOOP_UNTIL(f->loop, f->channels[i].len >= 2);
		const unsigned char *port = (const unsigned char *)f->channels[i].data;
		assert_int_equal(port[0] | port[1] << 8, f->ports[i / 2]);
		buf_consume(&f->channels[i], 2);
	}
}

static void open_forward(struct fixture *f, bool first, bool second)
{
	open_forward_in(f, NULL, first, second);
}

static void fixture_close(struct fixture *f)
{
	while (!LIST_EMPTY(&f->streaming.sessions)) {
		struct session *session = LIST_FIRST(&f->streaming.sessions);
		session->free(session);
	}
	websocket_session_free(f->ws);
	/* What was still to leave finds nobody there. */
	for (int i = 0; i < 5; i++)
		loop_turn(f->loop, 10);
	for (int i = 0; i < PORTS; i++)
		close(f->listeners[i]);
	for (size_t i = 0; i < 2 * (size_t)PORTS; i++)
		buf_close(&f->channels[i]);
	loop_free(f->loop);
}

static void say(struct fixture *f, const char *data, size_t len)
{
	const struct iovec part = { .iov_base = (void *)(uintptr_t)data, .iov_len = len };

	websocket_session_send(f->ws, WEBSOCKET_BINARY, &part, 1);
}

static bool has(const struct buf *b, const char *text)
{
	return b->len == strlen(text) && memcmp(b->data, text, b->len) == 0;
}

/* What is waiting at FD, or "". */
static const char *received(int fd, char *text, size_t size)
{
	ssize_t n = recv(fd, text, size - 1, MSG_DONTWAIT);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void two_ports(void **state)
{
	struct fixture f;
	char text[32];
	int conn[PORTS];

	(void)state;
	open_forward(&f, true, true);
	for (int i = 0; i < PORTS; i++)
		conn[i] = accept(f.listeners[i], NULL, NULL);
	say(&f, "\0first", 6);
	say(&f, "\1nothing", 8); /* a channel of errors */
	say(&f, "\6nothing", 8); /* no channel */
	say(&f, "\2second", 7);
	LOOP_UNTIL(f.loop, strcmp(received(conn[1], text, sizeof(text)), "second") == 0);
	LOOP_UNTIL(f.loop, strcmp(received(conn[0], text, sizeof(text)), "first") == 0);
	assert_int_equal(write(conn[1], "answer", 6), 6);
	LOOP_UNTIL(f.loop, has(&f.channels[2], "answer"));
	/* One port ends, the other goes on; with the last the session ends. */
	close(conn[0]);
	say(&f, "\2more", 5);
	LOOP_UNTIL(f.loop, strcmp(received(conn[1], text, sizeof(text)), "more") == 0);
	assert_false(f.ended);
	close(conn[1]);
	LOOP_UNTIL(f.loop, f.ended && LIST_EMPTY(&f.streaming.sessions));
	assert_int_equal(f.channels[1].len, 0);
	assert_int_equal(f.channels[3].len, 0);
	fixture_close(&f);
}

/* Of a pod that is gone that is told behind the port, as of any that cannot be connected. */
static void no_network(void **state)
{
	struct fixture f;

	(void)state;
	open_forward_in(&f, "/nonexistent", true, true);
	LOOP_UNTIL(f.loop, f.ended);
	for (size_t i = 1; i < 2 * (size_t)PORTS; i += 2)
		assert_non_null(memmem(f.channels[i].data, f.channels[i].len, "/nonexistent", 12));
	fixture_close(&f);
}

static void nobody_listens(void **state)
{
	struct fixture f;

	(void)state;
	open_forward(&f, false, true);
	CLEANUP(mem_freep) char *intro = mem_printf("error forwarding port %u to pod web: ", f.ports[0]);
	LOOP_UNTIL(f.loop, f.channels[1].len > strlen(intro));
	assert_memory_equal(f.channels[1].data, intro, strlen(intro));
	assert_false(f.ended);
	fixture_close(&f);
}

/* What the pod does not take is not read from the client without a bound. */
static void a_pod_that_does_not_read(void **state)
{
	static char message[65536];
	struct fixture f;

	(void)state;
	open_forward(&f, true, true);
	int conn = accept(f.listeners[0], NULL, NULL);
	for (int i = 0; i < 1000 && websocket_session_unsent(f.ws) < 8 * BYTE_PIPE_HIGH; i++) {
		say(&f, message, sizeof(message)); /* channel 0 */
		loop_turn(f.loop, 0);
	}
	assert_true(websocket_session_unsent(f.ws) >= 8 * BYTE_PIPE_HIGH);
	close(conn);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_ports),
		cmocka_unit_test(no_network),
		cmocka_unit_test(nobody_listens),
		cmocka_unit_test(a_pod_that_does_not_read),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
