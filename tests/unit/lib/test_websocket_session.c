/* Messages over pairs of sockets: a server and a peer of handmade frames. */
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
#include "tests/support/test_server.h"

struct fixture {
	struct loop *loop;
	struct websocket_session *ws;
	int peer;
	struct buf heard; /* messages, one after the other */
	unsigned ended;
};

static void on_piece(const struct websocket_piece *piece, void *arg)
{
	buf_add(&((struct fixture *)arg)->heard, piece->data, piece->len);
}

static void on_ended(const struct err *err, void *arg)
{
	(void)err;
	((struct fixture *)arg)->ended++;
}

static const struct websocket_session_user user = { on_piece, NULL, on_ended };

static int setup(void **state)
{
	struct fixture *f = mem_zalloc(sizeof(*f));
	int fd[2];

	f->loop = loop_new(NULL);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fd), 0);
	f->peer = fd[0];
	f->ws =
	    websocket_session_new(fd_pipe_new(f->loop, fd[1], fd[1], NULL, NULL, NULL), true, 0, &user, f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	close(f->peer);
	websocket_session_free(f->ws);
	/* What was still to leave finds nobody there. */
	for (int i = 0; i < 5; i++)
		loop_turn(f->loop, 10);
	loop_free(f->loop);
	buf_close(&f->heard);
	free(f);
	return 0;
}

/* N frames of OPCODE with TEXT. */
static void say(struct fixture *f, enum websocket_opcode opcode, const char *text, unsigned n)
{
	static const unsigned char mask[4] = { 1, 2, 3, 4 };
	const struct iovec part = { .iov_base = (void *)(uintptr_t)text, .iov_len = strlen(text) };
	CLEANUP(buf_close) struct buf out = BUF_INIT;

	while (n--)
		websocket_write(&out, opcode, mask, &part, 1);
	while (out.len) {
		ssize_t sent = send(f->peer, out.data, out.len, MSG_NOSIGNAL);

		if (sent > 0)
			buf_consume(&out, (size_t)sent);
		loop_turn(f->loop, 0);
	}
}

static void pings_are_answered(void **state)
{
	struct fixture *f = *state;
	char answer[16];

	say(f, WEBSOCKET_PING, "hello", 1);
	LOOP_UNTIL(f->loop, recv(f->peer, answer, sizeof(answer), 0) == 7);
	assert_memory_equal(answer, "\x8a\x05hello", 7);
}

/* Who reads nothing is not answered without end, and heard all the same. */
static void a_flood_of_pings(void **state)
{
	struct fixture *f = *state;
	CLEANUP(mem_freep) char *text = mem_printf("%0125d", 0);

	say(f, WEBSOCKET_PING, text, 20000);
	say(f, WEBSOCKET_BINARY, "yet", 1);
	LOOP_UNTIL(f->loop, f->heard.len == 3);
	assert_true(websocket_session_unsent(f->ws) < 2 * BYTE_PIPE_HIGH);
	assert_int_equal(f->ended, 0);
}

static void a_goodbye_is_answered_once(void **state)
{
	struct fixture *f = *state;

	say(f, WEBSOCKET_CLOSE, "\x03\xe8", 1);
	LOOP_UNTIL(f->loop, f->ended);
	websocket_session_goodbye(f->ws, WEBSOCKET_NORMAL, "");
	close(f->peer);
	f->peer = -1;
	for (int i = 0; i < 5; i++)
		loop_turn(f->loop, 0);
	assert_int_equal(f->ended, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(pings_are_answered, setup, teardown),
		cmocka_unit_test_setup_teardown(a_flood_of_pings, setup, teardown),
		cmocka_unit_test_setup_teardown(a_goodbye_is_answered_once, setup, teardown),
	};

	signal(SIGPIPE, SIG_IGN); /* as all programs with a loop do */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
