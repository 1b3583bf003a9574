#include "tests/support/http_fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/http_exchange.h"
#include "lib/mem.h"

/* --- a handler that does what the path says --- */

void http_fixture_release(void *arg)
{
	((struct http_fixture *)arg)->released++;
}

static void on_begun(struct http_exchange *exchange, void *arg)
{
	struct http_fixture *f = arg;

	f->begun++;
	buf_reset(&f->body);
	if (strcmp(http_exchange_target(exchange), "/early") == 0)
		http_exchange_reply(exchange, 403, "text/plain", "no", 2);
}

static void on_body(struct http_exchange *exchange, const char *data, size_t len, void *arg)
{
	(void)exchange;
	buf_add(&((struct http_fixture *)arg)->body, data, len);
}

static bool next_piece(const char **ret_data, size_t *ret_len, void *arg)
{
	static const char *const pieces[] = { "one", "", ",two", ",three" };
	struct http_fixture *f = arg;

	if (f->at == ARRAY_SIZE(pieces) - f->short_pieces)
		return false;
	*ret_data = pieces[f->at++];
	*ret_len = strlen(*ret_data);
	return true;
}

static void on_whole(struct http_exchange *exchange, void *arg)
{
	struct http_fixture *f = arg;
	const char *target = http_exchange_target(exchange);

	f->whole++;
	f->at = 0;
	if (strcmp(target, "/wait") == 0) {
		f->waiting = exchange;
	} else if (strcmp(target, "/large") == 0) {
		http_exchange_send(exchange, 200, "text/plain", f->large, HTTP_FIXTURE_LARGE,
				   http_fixture_release, f);
	} else if (strcmp(target, "/limited") == 0) {
		http_exchange_limit(exchange, 50);
		http_exchange_send(exchange, 200, "text/plain", f->large, HTTP_FIXTURE_LARGE,
				   http_fixture_release, f);
	} else if (strcmp(target, "/pieces") == 0) {
		http_exchange_send_pieces(exchange, 200, "text/plain", 13, next_piece, http_fixture_release,
					  f);
	} else if (strcmp(target, "/stream") == 0) {
		test_stream_begin(&f->stream, exchange, "text/plain");
	} else if (strcmp(target, "/last") == 0) {
		http_exchange_close_after(exchange);
		http_exchange_reply(exchange, 200, NULL, "bye", 3);
	} else if (strcmp(target, "/nothing") == 0) {
		http_exchange_reply(exchange, 204, NULL, NULL, 0);
	} else {
		CLEANUP(buf_close) struct buf text = BUF_INIT;

		buf_printf(&text, "%s %s %.*s", http_exchange_method(exchange), target, (int)f->body.len,
			   f->body.data ? f->body.data : "");
		http_exchange_add_header(exchange, "X-Line", "a\r\nSet-Cookie: b");
		http_exchange_reply(exchange, 200, "text/plain", text.data, text.len);
	}
}

static void on_hung_up(struct http_exchange *exchange, void *arg)
{
	(void)exchange;
	((struct http_fixture *)arg)->hung_up++;
}

static void on_ended(struct http_exchange *exchange, void *arg)
{
	struct http_fixture *f = arg;

	f->ended++;
	if (f->waiting == exchange)
		f->waiting = NULL;
}

static const char *on_fault(int code, const char *message, struct buf *body, void *arg)
{
	(void)arg;
	buf_printf(body, "{%d: %s}", code, message);
	return "text/x-fault";
}

const struct http_handler http_fixture_handler = { .begun = on_begun,
						   .body = on_body,
						   .whole = on_whole,
						   .hung_up = on_hung_up,
						   .ended = on_ended,
						   .fault = on_fault };

int peer_connect(struct http_fixture *f)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
	http_server_adopt(f->server, ends[0]);
	return ends[1];
}

void http_fixture_start(struct http_fixture *f)
{
	http_server_free(f->server);
	f->server = http_server_new(f->loop, &f->opts, &http_fixture_handler, f, NULL);
	if (f->peer >= 0)
		close(f->peer);
	f->peer = peer_connect(f);
}

int http_fixture_setup(void **state)
{
	struct http_fixture *f = mem_zalloc(sizeof(*f));

	f->loop = loop_new(NULL);
	f->peer = -1;
	f->opts.max_body_bytes = 1000;
	f->large = mem_zalloc(HTTP_FIXTURE_LARGE);
	http_fixture_start(f);
	*state = f;
	return 0;
}

int http_fixture_teardown(void **state)
{
	struct http_fixture *f = *state;

	http_server_free(f->server);
	/* Whatever happened, what began has ended, and only once. */
	assert_int_equal(f->begun, f->ended);
	loop_free(f->loop);
	if (f->peer >= 0)
		close(f->peer);
	buf_close(&f->heard);
	buf_close(&f->body);
	free(f->large);
	free(f);
	return 0;
}

/* --- the peer --- */

void peer_say(struct http_fixture *f, const char *text)
{
	for (size_t at = 0, len = strlen(text); at < len;) {
		ssize_t n = send(f->peer, text + at, len - at, MSG_NOSIGNAL);

		assert_true(n > 0 || errno == EAGAIN);
		at += n > 0 ? (size_t)n : 0;
		loop_turn(f->loop, 0);
	}
}

/* Takes what has come; false at the end. */
bool peer_listen(struct http_fixture *f)
{
	char block[65536];
	ssize_t n;

	loop_turn(f->loop, 1);
	while ((n = recv(f->peer, block, sizeof(block), 0)) > 0)
		buf_add(&f->heard, block, (size_t)n);
	return n < 0 && errno == EAGAIN;
}

static bool has_heard(const struct http_fixture *f, const char *text)
{
	return f->heard.len && memmem(f->heard.data, f->heard.len, text, strlen(text));
}

void peer_hear(struct http_fixture *f, const char *text)
{
	int64_t until_ms = time_mono_ms() + 60000;

	while (!has_heard(f, text)) {
		if (!peer_listen(f) && !has_heard(f, text))
			fail_msg("the server ended without \"%s\": %s", text, f->heard.data);
		if (time_mono_ms() > until_ms)
			fail_msg("not heard within a minute: %s", text);
	}
}

void peer_hear_end(struct http_fixture *f)
{
	int64_t until_ms = time_mono_ms() + 60000;

	while (peer_listen(f))
		assert_true(time_mono_ms() < until_ms);
}

/* TEXT on a new connection, up to the server's end, which must come by itself. */
const char *peer_answer_to(struct http_fixture *f, const char *text)
{
	close(f->peer);
	f->peer = peer_connect(f);
	buf_reset(&f->heard);
	peer_say(f, text);
	peer_hear_end(f);
	return f->heard.data ? f->heard.data : "";
}
