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
#include "lib/spdy_session.h"
#include "lib/websocket_session.h"
#include "nodeagent/streaming/channels.h"
#include "nodeagent/streaming/command_end.h"
#include "tests/support/test_server.h"

/* Channels with a program's side that keeps what it is told, and a client of handmade frames. */
struct fixture {
	struct loop *loop;
	struct channels *channels;
	struct buf input;
	bool ready, input_ended, gone;
	uint16_t columns, rows;

	struct websocket_session *ws;
	struct buf seen; /* messages from the server: "1:hello|3:{...}|" */
	bool ws_ended;
	struct spdy_session *spdy;
	struct spdy_stream *streams[CHANNELS];
};

static void on_ready(void *arg)
{
	((struct fixture *)arg)->ready = true;
}

static void on_input(const void *data, size_t len, void *arg)
{
	buf_add(&((struct fixture *)arg)->input, data, len);
}

static void on_input_ended(void *arg)
{
	((struct fixture *)arg)->input_ended = true;
}

static void on_resized(uint16_t columns, uint16_t rows, void *arg)
{
	struct fixture *f = arg;

	f->columns = columns;
	f->rows = rows;
}

static void on_writable(void *arg)
{
	(void)arg;
}

static void on_gone(void *arg)
{
	((struct fixture *)arg)->gone = true;
}

static const struct channels_user user = { on_ready,   on_input,    on_input_ended,
					   on_resized, on_writable, on_gone };

static void use(struct fixture *f, struct channels *channels)
{
	f->channels = channels;
	channels->user = &user;
	channels->arg = f;
}

static void open_pair(struct fixture *f, struct byte_pipe *ret[2])
{
	struct err err = ERR_INIT;
	int fd[2];

	f->loop = loop_new(NULL);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
	for (int i = 0; i < 2; i++)
		ret[i] = fd_pipe_new(f->loop, fd[i], fd[i], NULL, NULL, &err);
}

static void fixture_close(struct fixture *f)
{
	channels_close(f->channels);
	websocket_session_free(f->ws);
	spdy_session_free(f->spdy);
	buf_close(&f->input);
	buf_close(&f->seen);
	loop_free(f->loop);
}

/* --- WebSocket --- */

static void on_piece(const struct websocket_piece *piece, void *arg)
{
	struct fixture *f = arg;

	for (size_t i = 0; i < piece->len; i++) {
		unsigned char c = piece->data[i];
		if (piece->first && i == 0)
			buf_printf(&f->seen, "%d:", c < '0' ? c : c - '0');
		else
			buf_char(&f->seen, (char)c);
	}
	if (piece->last)
		buf_char(&f->seen, '|');
}

static void on_ws_ended(const struct err *err, void *arg)
{
	(void)err;
	((struct fixture *)arg)->ws_ended = true;
}

static const struct websocket_session_user ws_user = { on_piece, NULL, on_ws_ended };

static void open_websocket(struct fixture *f, const char *protocol, bool tty)
{
	const struct channels_wanted wanted = { .in = true, .out = true, .err = !tty, .tty = tty };
	struct byte_pipe *pipes[2];

	open_pair(f, pipes);
	f->ws = websocket_session_new(pipes[0], false, 0, &ws_user, f);
	use(f, channels_websocket_new(f->loop, pipes[1], protocol, &wanted));
	LOOP_UNTIL(f->loop, f->ready && f->seen.len > 0);
	assert_string_equal(f->seen.data, "1:|");
	buf_reset(&f->seen);
}

static void say(struct fixture *f, enum websocket_opcode opcode, const char *data, size_t len)
{
	const struct iovec part = { .iov_base = (void *)(uintptr_t)data, .iov_len = len };

	websocket_session_send(f->ws, opcode, &part, 1);
}

static void version_5(void **state)
{
	static const char *const argv[] = { "sh", "-c", "exit 3", NULL };
	struct fixture f = { 0 };

	(void)state;
	open_websocket(&f, "v5.channel.k8s.io", true);
	say(&f, WEBSOCKET_BINARY, "\4{\"Width\":91,\"Height\":33}\n", 26);
	say(&f, WEBSOCKET_BINARY, "\0hello", 6);
	say(&f, WEBSOCKET_BINARY, "\7unknown", 8);
	say(&f, WEBSOCKET_BINARY, "\377\0", 2);
	LOOP_UNTIL(f.loop, f.input_ended);
	assert_string_equal(f.input.data, "hello");
	assert_int_equal(f.columns, 91);
	assert_int_equal(f.rows, 33);
	channels_write(f.channels, CHANNEL_STDOUT, "out", 3);
	channels_write(f.channels, CHANNEL_STDERR, "not asked for", 13);
	command_end_code(f.channels, argv, 3);
	LOOP_UNTIL(f.loop, f.ws_ended && f.gone);
	assert_string_equal(
	    f.seen.data,
	    "1:out|3:{\"metadata\":{},\"status\":\"Failure\",\"message\":\"command terminated with "
	    "non-zero exit code: error executing command [sh -c exit 3], exit code 3\",\"reason\":"
	    "\"NonZeroExitCode\",\"details\":{\"causes\":[{\"reason\":\"ExitCode\",\"message\":"
	    "\"3\"}]}}|");
	fixture_close(&f);
}

/* Without the signal of version 5 a channel does not end. */
static void version_4(void **state)
{
	struct fixture f = { 0 };

	(void)state;
	open_websocket(&f, "v4.channel.k8s.io", false);
	say(&f, WEBSOCKET_BINARY, "\377\0", 2);
	say(&f, WEBSOCKET_BINARY, "\0x", 2);
	LOOP_UNTIL(f.loop, f.input.len == 1);
	assert_false(f.input_ended);
	channels_write(f.channels, CHANNEL_STDERR, "err", 3);
	command_end_well(f.channels);
	LOOP_UNTIL(f.loop, f.gone);
	assert_string_equal(f.seen.data, "2:err|3:{\"metadata\":{},\"status\":\"Success\"}|");
	fixture_close(&f);
}

static void base64_without_status(void **state)
{
	struct fixture f = { 0 };
	struct err err = ERR_INIT;

	(void)state;
	open_websocket(&f, "base64.channel.k8s.io", false);
	say(&f, WEBSOCKET_TEXT, "0aGVsbG8=", 9);
	say(&f, WEBSOCKET_TEXT, "0!!!", 4);
	say(&f, WEBSOCKET_TEXT, "0IQ==", 5);
	LOOP_UNTIL(f.loop, f.input.len == 6);
	assert_string_equal(f.input.data, "hello!");
	channels_write(f.channels, CHANNEL_STDOUT, "out", 3);
	err_set(&err, ERR_INTERNAL, "no such");
	command_end_error(f.channels, "executing command in", &err);
	LOOP_UNTIL(f.loop, f.gone);
	/* "Internal error occurred: error executing command in container: no such" */
	assert_string_equal(f.seen.data,
			    "1:b3V0|3:SW50ZXJuYWwgZXJyb3Igb2NjdXJyZWQ6IGVycm9yIGV4ZWN1dGluZyBjb21tYW5kIG"
			    "luIGNvbnRhaW5lcjogbm8gc3VjaA==|");
	fixture_close(&f);
}

/* --- SPDY --- */

static void on_data(const void *data, size_t len, void *arg)
{
	buf_add(&((struct fixture *)arg)->seen, data, len);
}

static void on_stream_ended(bool reset, void *arg)
{
	(void)reset;
	buf_char(&((struct fixture *)arg)->seen, '.');
}

static const struct spdy_stream_user stream_user = { on_data, on_stream_ended, NULL };

static void on_spdy_gone(const struct err *err, void *arg)
{
	(void)err;
	(void)arg;
}

static const struct spdy_session_user spdy_user = { NULL, NULL, NULL, on_spdy_gone };

static void open_stream(struct fixture *f, enum channel channel, const char *type)
{
	const struct spdy_header headers[] = { { "streamtype", type } };

	f->streams[channel] = spdy_session_open(f->spdy, headers, 1, &stream_user, f);
}

static void over_spdy(void **state)
{
	const struct channels_wanted wanted = { .in = true, .out = true, .tty = true };
	struct fixture f = { 0 };
	struct byte_pipe *pipes[2];

	(void)state;
	open_pair(&f, pipes);
	f.spdy = spdy_session_new(pipes[0], false, &spdy_user, &f);
	use(&f, channels_spdy_new(pipes[1], "v4.channel.k8s.io", &wanted));
	open_stream(&f, CHANNEL_ERROR, "error");
	open_stream(&f, CHANNEL_STDIN, "stdin");
	open_stream(&f, CHANNEL_STDOUT, "stdout");
	spdy_stream_write(f.streams[CHANNEL_STDIN], "early", 5);
	LOOP_UNTIL(f.loop, f.input.len == 5);
	assert_false(f.ready); /* the size has a stream of its own */
	open_stream(&f, CHANNEL_RESIZE, "resize");
	LOOP_UNTIL(f.loop, f.ready);
	/* In pieces, and twice: the last one counts. */
	spdy_stream_write(f.streams[CHANNEL_RESIZE], "{\"Width\":1,\"Height\":2}\n{\"Wid", 28);
	spdy_stream_write(f.streams[CHANNEL_RESIZE], "th\":80,\"Height\":24}\n", 20);
	LOOP_UNTIL(f.loop, f.columns == 80 && f.rows == 24);
	spdy_stream_finish(f.streams[CHANNEL_STDIN]);
	LOOP_UNTIL(f.loop, f.input_ended);
	channels_write(f.channels, CHANNEL_STDOUT, "out", 3);
	command_end_well(f.channels);
	/* Each of the four streams ends. */
	static const char said[] = "out{\"metadata\":{},\"status\":\"Success\"}";
	LOOP_UNTIL(f.loop, f.seen.len == sizeof(said) - 1 + 4);
	assert_memory_equal(f.seen.data, said, sizeof(said) - 1);
	fixture_close(&f);
}

static void sizes_that_are_none(void **state)
{
	static const char *const texts[] = { "{\"Width\":0,\"Height\":24}", "{\"Width\":70000,\"Height\":24}",
					     "{}", "}}}", "{\"Width\":\"80\",\"Height\":24}" };
	struct channels channels = { 0 };
	uint16_t columns, rows;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		assert_false(channels_read_size(&channels, texts[i], strlen(texts[i]), &columns, &rows));
	/* What is too long is dropped with it, and what follows is read again. */
	CLEANUP(mem_freep) char *much = mem_alloc(5000);
	memset(much, 'x', 5000);
	much[4999] = '}';
	assert_false(channels_read_size(&channels, much, 5000, &columns, &rows));
	assert_true(channels_read_size(&channels, "{\"Width\":8,\"Height\":9}", 22, &columns, &rows));
	assert_int_equal(columns, 8);
	buf_close(&channels.size);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(version_5),
		cmocka_unit_test(version_4),
		cmocka_unit_test(base64_without_status),
		cmocka_unit_test(over_spdy),
		cmocka_unit_test(sizes_that_are_none),
	};

	signal(SIGPIPE, SIG_IGN); /* as the agent does */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
