/* The server over pairs of sockets: what it says to which bytes, and when it hangs up. With TLS only how that
 * begins: the rest is tested through its clients (test_http_routes.c, tests/api). */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/http_exchange.h"
#include "tests/support/test_server.h"

#define LARGE (3 * 1000 * 1000)

struct fixture {
	struct loop *loop;
	struct http_server_opts opts;
	struct http_server *server;
	int peer;
	struct buf heard, body;
	unsigned begun, whole, hung_up, ended, released, closed;
	struct http_exchange *waiting; /* for the test's answer */
	struct test_stream stream;
	char *large;
	size_t at; /* piece of an answer */
	bool short_pieces;
	bool empty;
};

/* --- a handler that does what the path says --- */

static void release(void *arg)
{
	((struct fixture *)arg)->released++;
}

static void on_begun(struct http_exchange *exchange, void *arg)
{
	struct fixture *f = arg;

	f->begun++;
	buf_reset(&f->body);
	if (strcmp(http_exchange_target(exchange), "/early") == 0)
		http_exchange_reply(exchange, 403, "text/plain", "no", 2);
}

static void on_body(struct http_exchange *exchange, const char *data, size_t len, void *arg)
{
	(void)exchange;
	buf_add(&((struct fixture *)arg)->body, data, len);
}

static bool next_piece(const char **ret_data, size_t *ret_len, void *arg)
{
	static const char *const pieces[] = { "one", "", ",two", ",three" };
	struct fixture *f = arg;

	if (f->at == ARRAY_SIZE(pieces) - f->short_pieces)
		return false;
	*ret_data = pieces[f->at++];
	*ret_len = strlen(*ret_data);
	return true;
}

static void on_whole(struct http_exchange *exchange, void *arg)
{
	struct fixture *f = arg;
	const char *target = http_exchange_target(exchange);

	f->whole++;
	f->at = 0;
	if (strcmp(target, "/wait") == 0) {
		f->waiting = exchange;
	} else if (strcmp(target, "/large") == 0) {
		http_exchange_send(exchange, 200, "text/plain", f->large, LARGE, release, f);
	} else if (strcmp(target, "/limited") == 0) {
		http_exchange_limit(exchange, 50);
		http_exchange_send(exchange, 200, "text/plain", f->large, LARGE, release, f);
	} else if (strcmp(target, "/pieces") == 0) {
		http_exchange_send_pieces(exchange, 200, "text/plain", 13, next_piece, release, f);
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
	((struct fixture *)arg)->hung_up++;
}

static void on_ended(struct http_exchange *exchange, void *arg)
{
	struct fixture *f = arg;

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

static const struct http_handler handler = { .begun = on_begun,
					     .body = on_body,
					     .whole = on_whole,
					     .hung_up = on_hung_up,
					     .ended = on_ended,
					     .fault = on_fault };

static int connect_peer(struct fixture *f)
{
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
	http_server_adopt(f->server, ends[0]);
	return ends[1];
}

static void start(struct fixture *f)
{
	http_server_free(f->server);
	f->server = http_server_new(f->loop, &f->opts, &handler, f, NULL);
	if (f->peer >= 0)
		close(f->peer);
	f->peer = connect_peer(f);
}

static int setup(void **state)
{
	struct fixture *f = mem_zalloc(sizeof(*f));

	f->loop = loop_new(NULL);
	f->peer = -1;
	f->opts.max_body_bytes = 1000;
	f->large = mem_zalloc(LARGE);
	start(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

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

static void say(struct fixture *f, const char *text)
{
	for (size_t at = 0, len = strlen(text); at < len;) {
		ssize_t n = send(f->peer, text + at, len - at, MSG_NOSIGNAL);

		assert_true(n > 0 || errno == EAGAIN);
		at += n > 0 ? (size_t)n : 0;
		loop_turn(f->loop, 0);
	}
}

/* Takes what has come; false at the end. */
static bool listen_to(struct fixture *f)
{
	char block[65536];
	ssize_t n;

	loop_turn(f->loop, 1);
	while ((n = recv(f->peer, block, sizeof(block), 0)) > 0)
		buf_add(&f->heard, block, (size_t)n);
	return n < 0 && errno == EAGAIN;
}

static bool has_heard(const struct fixture *f, const char *text)
{
	return f->heard.len && memmem(f->heard.data, f->heard.len, text, strlen(text));
}

static void hear(struct fixture *f, const char *text)
{
	int64_t until_ms = time_mono_ms() + 60000;

	while (!has_heard(f, text)) {
		if (!listen_to(f) && !has_heard(f, text))
			fail_msg("the server ended without \"%s\": %s", text, f->heard.data);
		if (time_mono_ms() > until_ms)
			fail_msg("not heard within a minute: %s", text);
	}
}

static void hear_end(struct fixture *f)
{
	int64_t until_ms = time_mono_ms() + 60000;

	while (listen_to(f))
		assert_true(time_mono_ms() < until_ms);
}

/* TEXT on a new connection, up to the server's end, which must come by itself. */
static const char *answer_to(struct fixture *f, const char *text)
{
	close(f->peer);
	f->peer = connect_peer(f);
	buf_reset(&f->heard);
	say(f, text);
	hear_end(f);
	return f->heard.data ? f->heard.data : "";
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"

/* --- tests --- */

static void requests_follow_each_other(void **state)
{
	struct fixture *f = *state;

	say(f, GET("/1"));
	hear(f, "GET /1 ");
	say(f, GET("/2"));
	hear(f, "GET /2 ");
	assert_null(strstr(f->heard.data, "Connection:"));
	assert_non_null(strstr(f->heard.data, "\r\nDate: "));
	/* A value cannot end its line. */
	assert_null(strstr(f->heard.data, "\nSet-Cookie"));
	assert_int_equal(f->ended, 2);
}

static void pipelined_requests_are_answered_in_order(void **state)
{
	struct fixture *f = *state;
	CLEANUP(buf_close) struct buf all = BUF_INIT;

	for (int i = 0; i < 2000; i++)
		buf_printf(&all, "POST /%d HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab", i);
	say(f, all.data);
	hear(f, "POST /1999 ab");
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
	struct fixture *f = *state;

	say(f, GET("/wait") GET("/behind"));
	LOOP_UNTIL(f->loop, f->waiting);
	listen_to(f);
	assert_int_equal(f->heard.len, 0);
	http_exchange_reply(f->waiting, 200, NULL, "waited", 6);
	hear(f, "GET /behind ");
	assert_true(strstr(f->heard.data, "waited") < strstr(f->heard.data, "/behind"));
}

static void bodies_come_as_they_were_sent(void **state)
{
	struct fixture *f = *state;

	say(f, "POST /b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
	say(f, "2\r\nde\r\n0\r\n\r\n");
	hear(f, "POST /b abcde");
}

static void heads_have_no_body(void **state)
{
	struct fixture *f = *state;

	say(f,
	    "HEAD /large HTTP/1.1\r\nHost: x\r\n\r\nHEAD /stream HTTP/1.1\r\nHost: x\r\n\r\n" GET("/after"));
	hear(f, "GET /after ");
	assert_non_null(strstr(f->heard.data, "Content-Length: 3000000\r\n"));
	assert_non_null(strstr(f->heard.data, "Transfer-Encoding: chunked\r\n"));
	assert_true(f->heard.len < 1000);
	assert_int_equal(f->released, 1);
	assert_null(f->stream.exchange);
}

static void no_content_has_no_length(void **state)
{
	struct fixture *f = *state;

	say(f, GET("/nothing") GET("/after"));
	hear(f, "GET /after ");
	assert_memory_equal(f->heard.data, "HTTP/1.1 204 No Content\r\n", 25);
	assert_true(strstr(f->heard.data, "Content-Length") > strstr(f->heard.data, "200 OK"));
}

static void old_clients_are_understood(void **state)
{
	struct fixture *f = *state;
	const char *answer = answer_to(f, "GET /old HTTP/1.0\r\n\r\n");

	assert_non_null(strstr(answer, "\r\nConnection: close\r\n"));
	assert_non_null(strstr(answer, "GET /old "));
	answer = answer_to(f, "GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /b HTTP/1.0\r\n\r\n");
	assert_non_null(strstr(answer, "\r\nConnection: keep-alive\r\n"));
	assert_non_null(strstr(answer, "GET /b "));
	/* A stream ends with the connection. */
	close(f->peer);
	f->peer = connect_peer(f);
	buf_reset(&f->heard);
	say(f, "GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
	LOOP_UNTIL(f->loop, f->stream.exchange);
	test_stream_write(&f->stream, "raw");
	hear(f, "\r\n\r\nraw");
	test_stream_end(&f->stream);
	hear_end(f);
	assert_null(strstr(f->heard.data, "chunked"));
}

static void the_last_answer_closes(void **state)
{
	struct fixture *f = *state;

	assert_non_null(strstr(answer_to(f, GET("/last") GET("/never")), "\r\n\r\nbye"));
	assert_null(strstr(f->heard.data, "/never"));
	assert_int_equal(f->begun, 1);
	answer_to(f, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" GET("/never"));
	assert_null(strstr(f->heard.data, "/never"));
}

static void senders_that_ask_first_are_told(void **state)
{
	struct fixture *f = *state;
	static const char head[] =
	    "POST /b HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";

	say(f, head);
	hear(f, "HTTP/1.1 100 Continue\r\n\r\n");
	say(f, "ok");
	hear(f, "POST /b ok");
	/* Who sends at once is not told. */
	CLEANUP(mem_freep) char *both = mem_printf("%sok", head);
	buf_reset(&f->heard);
	say(f, both);
	hear(f, "POST /b ok");
	assert_null(strstr(f->heard.data, "100 Continue"));
	/* Refused before it was sent, the body may come or not. */
	answer_to(f, "POST /early HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
	assert_memory_equal(f->heard.data, "HTTP/1.1 403", 12);
}

static void an_early_answer_waits_for_the_rest(void **state)
{
	struct fixture *f = *state;

	say(f, "POST /early HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nab");
	hear(f, "HTTP/1.1 403 Forbidden");
	assert_int_equal(f->ended, 0);
	say(f, "cd" GET("/next"));
	hear(f, "GET /next ");
	assert_int_equal(f->whole, 1);
	assert_int_equal(f->body.len, 0);
}

static void faults_are_told_in_the_handlers_words(void **state)
{
	struct fixture *f = *state;
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
		const char *answer = answer_to(f, cases[i].text);

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
	struct fixture *f = *state;

	say(f, GET("/pieces") GET("/after"));
	hear(f, "GET /after ");
	assert_non_null(strstr(f->heard.data, "\r\n\r\none,two,threeHTTP/1.1 200"));
	assert_int_equal(f->released, 1);
	/* Less than was said is not covered up. */
	f->short_pieces = true;
	answer_to(f, GET("/pieces") GET("/after"));
	assert_null(strstr(f->heard.data, "/after"));
	assert_int_equal(f->released, 2);
}

static void large_answers_wait_for_their_reader(void **state)
{
	struct fixture *f = *state;

	say(f, GET("/large"));
	for (int i = 0; i < 50; i++)
		loop_turn(f->loop, 0);
	assert_int_equal(f->released, 0);
	LOOP_UNTIL(f->loop, (listen_to(f), f->heard.len > LARGE));
	assert_int_equal(f->released, 1);
	assert_int_equal(f->hung_up, 0);
}

static void who_takes_nothing_is_cut(void **state)
{
	struct fixture *f = *state;

	say(f, GET("/limited"));
	LOOP_UNTIL(f->loop, f->ended);
	assert_int_equal(f->released, 1);
	LOOP_UNTIL(f->loop, http_server_connections(f->server) == 0);
}

static void streams_say_what_they_have(void **state)
{
	struct fixture *f = *state;

	say(f, GET("/stream") GET("/after"));
	LOOP_UNTIL(f->loop, f->stream.exchange);
	hear(f, "\r\n\r\n"); /* the head does not wait */
	test_stream_write(&f->stream, "hello");
	hear(f, "0005\r\nhello\r\n");
	CLEANUP(mem_freep) char *much = mem_alloc(100001);
	memset(much, 'm', 100000);
	much[100000] = '\0';
	test_stream_write(&f->stream, much);
	LOOP_UNTIL(f->loop, (listen_to(f), f->heard.len > 100000));
	test_stream_end(&f->stream);
	hear(f, "0\r\n\r\nHTTP/1.1 200 OK");
	hear(f, "GET /after ");
}

static void hang_ups_are_told(void **state)
{
	struct fixture *f = *state;

	say(f, GET("/wait"));
	LOOP_UNTIL(f->loop, f->waiting);
	assert_int_equal(f->hung_up, 0);
	shutdown(f->peer, SHUT_WR);
	LOOP_UNTIL(f->loop, f->hung_up);
	/* Half a connection takes the answer. */
	http_exchange_reply(f->waiting, 200, NULL, "yet", 3);
	hear(f, "\r\n\r\nyet");
	hear_end(f);
	assert_int_equal(f->hung_up, 1);
}

static void a_stream_ends_when_its_reader_hangs_up(void **state)
{
	struct fixture *f = *state;

	say(f, GET("/stream"));
	LOOP_UNTIL(f->loop, f->stream.exchange);
	test_stream_write(&f->stream, "before");
	shutdown(f->peer, SHUT_WR);
	hear(f, "before\r\n0\r\n\r\n");
	hear_end(f);
	assert_null(f->stream.exchange);
}

static void who_waits_outlives_the_connection(void **state)
{
	struct fixture *f = *state;

	say(f, GET("/wait"));
	LOOP_UNTIL(f->loop, f->waiting);
	close(f->peer);
	f->peer = -1;
	LOOP_UNTIL(f->loop, f->hung_up);
	for (int i = 0; i < 5; i++)
		loop_turn(f->loop, 0);
	assert_non_null(f->waiting);
	http_exchange_send(f->waiting, 200, NULL, f->large, LARGE, release, f);
	LOOP_UNTIL(f->loop, f->ended);
	assert_int_equal(f->released, 1);
	assert_int_equal(http_server_connections(f->server), 0);
}

static void half_a_request_ends_with_its_sender(void **state)
{
	struct fixture *f = *state;

	say(f, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf");
	LOOP_UNTIL(f->loop, f->begun);
	shutdown(f->peer, SHUT_WR);
	hear_end(f);
	assert_int_equal(f->ended, 1);
	assert_int_equal(f->whole, 0);
}

static void an_abort_hangs_up(void **state)
{
	struct fixture *f = *state;

	say(f, GET("/wait"));
	LOOP_UNTIL(f->loop, f->waiting);
	http_exchange_abort(f->waiting);
	hear_end(f);
	assert_int_equal(f->heard.len, 0);
}

static void silence_has_an_end(void **state)
{
	struct fixture *f = *state;

	f->opts.silence_ms = 50;
	start(f);
	hear_end(f); /* nothing was said */
	assert_non_null(f->server);
	close(f->peer);
	f->peer = connect_peer(f);
	say(f, GET("/1"));
	hear(f, "GET /1 ");
	say(f, "GET /half");
	hear_end(f);
	assert_int_equal(f->begun, 1);
}

static void idleness_has_an_end(void **state)
{
	struct fixture *f = *state;

	f->opts.idle_ms = 50;
	start(f);
	say(f, GET("/1"));
	hear(f, "GET /1 ");
	hear_end(f);
	/* Of a body as well; not of a stream, and not of what the handler waits for. */
	answer_to(f, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf");
	assert_int_equal(f->heard.len, 0);
	close(f->peer);
	f->peer = connect_peer(f);
	say(f, GET("/wait"));
	int64_t until_ms = time_mono_ms() + 200;
	while (time_mono_ms() < until_ms)
		assert_true(listen_to(f));
	http_exchange_reply(f->waiting, 200, NULL, "late", 4);
	hear(f, "late");
}

/* --- TLS --- */

static void start_with_tls(struct fixture *f)
{
	struct pki_ca ca;

	pki_ca_init(&ca, "CA");
	struct pki_pair pair = pki_server(&ca, NULL);
	f->opts.credentials = http_credentials_new(pair.cert_pem, pair.key_pem, NULL, NULL);
	start(f);
	http_credentials_unref(f->opts.credentials); /* the server has it */
	pki_pair_close(&pair);
	pki_ca_close(&ca);
}

/* A byte at a time. */
static ssize_t push_byte(gnutls_transport_ptr_t arg, const void *data, size_t size)
{
	struct fixture *f = arg;

	for (size_t i = 0; i < size; i++) {
		assert_int_equal(send(f->peer, (const char *)data + i, 1, MSG_NOSIGNAL), 1);
		loop_turn(f->loop, 0);
	}
	return (ssize_t)size;
}

static ssize_t pull_some(gnutls_transport_ptr_t arg, void *data, size_t size)
{
	struct fixture *f = arg;

	loop_turn(f->loop, 0);
	return recv(f->peer, data, size, 0);
}

static void tls_begins_a_byte_at_a_time(void **state)
{
	struct fixture *f = *state;
	gnutls_certificate_credentials_t credentials;
	gnutls_session_t session;
	char text[1000];
	ssize_t n;

	start_with_tls(f);
	gnutls_certificate_allocate_credentials(&credentials);
	gnutls_init(&session, GNUTLS_CLIENT | GNUTLS_NONBLOCK);
	gnutls_set_default_priority(session);
	gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials);
	gnutls_transport_set_ptr(session, f);
	gnutls_transport_set_push_function(session, push_byte);
	gnutls_transport_set_pull_function(session, pull_some);
	while ((n = gnutls_handshake(session)) != 0)
		assert_false(gnutls_error_is_fatal((int)n));
	gnutls_record_send(session, GET("/1"), strlen(GET("/1")));
	while ((n = gnutls_record_recv(session, text, sizeof(text) - 1)) < 0)
		assert_false(gnutls_error_is_fatal((int)n));
	text[n] = '\0';
	assert_non_null(strstr(text, "GET /1 "));
	gnutls_deinit(session);
	gnutls_certificate_free_credentials(credentials);
}

static void tls_that_does_not_begin_has_an_end(void **state)
{
	struct fixture *f = *state;

	f->opts.silence_ms = 50;
	start_with_tls(f);
	hear_end(f); /* nothing was said */
	close(f->peer);
	f->peer = connect_peer(f);
	say(f, "\x16\x03\x01\x01\xff\x01"); /* some of a hello */
	hear_end(f);
	close(f->peer);
	f->peer = connect_peer(f);
	say(f, "\x16\x03\x01\x01\xff\x01");
	shutdown(f->peer, SHUT_WR);
	hear_end(f);
	assert_int_equal(http_server_connections(f->server), 0);
}

static void what_is_not_tls_is_refused(void **state)
{
	struct fixture *f = *state;

	start_with_tls(f);
	say(f, GET("/1"));
	hear_end(f);
	assert_int_equal(f->begun, 0);
}

/* --- their number, and the end --- */

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
	struct fixture *f = *state;

	f->opts.max_connections = 2;
	f->opts.listener = http_listener_new("127.0.0.1", 0, NULL);
	start(f); /* its peer is one of them */
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
	struct fixture *f = *state;
	struct loop *loops[3];
	struct http_server *servers[3];
	int fds[33];

	f->opts.listener = http_listener_new("127.0.0.1", 0, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(loops); i++) {
		loops[i] = loop_new(NULL);
		servers[i] = http_server_new(loops[i], &f->opts, &handler, f, NULL);
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
	((struct fixture *)arg)->empty = true;
}

static void a_drain_lets_answers_end(void **state)
{
	struct fixture *f = *state;
	int idle = connect_peer(f), stream = connect_peer(f);

	say(f, GET("/wait"));
	LOOP_UNTIL(f->loop, f->waiting);
	assert_int_equal(send(stream, GET("/stream"), strlen(GET("/stream")), 0), strlen(GET("/stream")));
	LOOP_UNTIL(f->loop, f->stream.exchange);
	http_server_drain(f->server, on_empty, f);
	LOOP_UNTIL(f->loop, !f->stream.exchange);
	assert_int_equal(f->hung_up, 2);
	assert_false(f->empty);
	http_exchange_reply(f->waiting, 200, NULL, "last", 4);
	hear(f, "last");
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
	struct fixture *f = *state;

	say(f, GET("/large"));
	http_server_drain(f->server, on_empty, f);
	for (int i = 0; i < 5; i++)
		loop_turn(f->loop, 0);
	assert_false(f->empty);
	http_server_cut(f->server);
	LOOP_UNTIL(f->loop, f->empty);
	assert_int_equal(f->released, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(requests_follow_each_other, setup, teardown),
		cmocka_unit_test_setup_teardown(pipelined_requests_are_answered_in_order, setup, teardown),
		cmocka_unit_test_setup_teardown(what_waits_holds_up_what_is_behind, setup, teardown),
		cmocka_unit_test_setup_teardown(bodies_come_as_they_were_sent, setup, teardown),
		cmocka_unit_test_setup_teardown(heads_have_no_body, setup, teardown),
		cmocka_unit_test_setup_teardown(no_content_has_no_length, setup, teardown),
		cmocka_unit_test_setup_teardown(old_clients_are_understood, setup, teardown),
		cmocka_unit_test_setup_teardown(the_last_answer_closes, setup, teardown),
		cmocka_unit_test_setup_teardown(senders_that_ask_first_are_told, setup, teardown),
		cmocka_unit_test_setup_teardown(an_early_answer_waits_for_the_rest, setup, teardown),
		cmocka_unit_test_setup_teardown(faults_are_told_in_the_handlers_words, setup, teardown),
		cmocka_unit_test_setup_teardown(pieces_are_joined, setup, teardown),
		cmocka_unit_test_setup_teardown(large_answers_wait_for_their_reader, setup, teardown),
		cmocka_unit_test_setup_teardown(who_takes_nothing_is_cut, setup, teardown),
		cmocka_unit_test_setup_teardown(streams_say_what_they_have, setup, teardown),
		cmocka_unit_test_setup_teardown(hang_ups_are_told, setup, teardown),
		cmocka_unit_test_setup_teardown(a_stream_ends_when_its_reader_hangs_up, setup, teardown),
		cmocka_unit_test_setup_teardown(who_waits_outlives_the_connection, setup, teardown),
		cmocka_unit_test_setup_teardown(half_a_request_ends_with_its_sender, setup, teardown),
		cmocka_unit_test_setup_teardown(an_abort_hangs_up, setup, teardown),
		cmocka_unit_test_setup_teardown(silence_has_an_end, setup, teardown),
		cmocka_unit_test_setup_teardown(idleness_has_an_end, setup, teardown),
		cmocka_unit_test_setup_teardown(tls_begins_a_byte_at_a_time, setup, teardown),
		cmocka_unit_test_setup_teardown(tls_that_does_not_begin_has_an_end, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_not_tls_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(only_so_many_connect, setup, teardown),
		cmocka_unit_test_setup_teardown(connections_are_shared_out, setup, teardown),
		cmocka_unit_test_setup_teardown(a_drain_lets_answers_end, setup, teardown),
		cmocka_unit_test_setup_teardown(a_cut_ends_what_does_not_read, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
