#include "lib/http_exchange.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/http_connection.h"
#include "lib/mem.h"

/* Of a chunk: its size in four digits, and its ends. */
#define CHUNK_HEAD 6
#define CHUNK_TAIL 2
/* A stream's reader is not asked for less. */
#define CHUNK_MIN 512
/* Memory for an answer's head is kept for the next one up to this. */
#define KEEP_BYTES 1024

static const struct {
	int code;
	const char *phrase;
} phrases[] = {
	{ 101, "Switching Protocols" },
	{ 200, "OK" },
	{ 201, "Created" },
	{ 202, "Accepted" },
	{ 204, "No Content" },
	{ 206, "Partial Content" },
	{ 301, "Moved Permanently" },
	{ 302, "Found" },
	{ 304, "Not Modified" },
	{ 307, "Temporary Redirect" },
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 406, "Not Acceptable" },
	{ 409, "Conflict" },
	{ 410, "Gone" },
	{ 413, "Content Too Large" },
	{ 414, "URI Too Long" },
	{ 415, "Unsupported Media Type" },
	{ 422, "Unprocessable Content" },
	{ 429, "Too Many Requests" },
	{ 431, "Request Header Fields Too Large" },
	{ 500, "Internal Server Error" },
	{ 501, "Not Implemented" },
	{ 502, "Bad Gateway" },
	{ 503, "Service Unavailable" },
	{ 504, "Gateway Timeout" },
	{ 505, "HTTP Version Not Supported" },
};

static const char *phrase_of(int code)
{
	for (size_t i = 0; i < ARRAY_SIZE(phrases); i++)
		if (phrases[i].code == code)
			return phrases[i].phrase;
	return "";
}

struct http_connection *http_connection_of(const struct http_exchange *exchange)
{
	return CONTAINER_OF((struct http_exchange *)(uintptr_t)exchange, struct http_connection, exchange);
}

/* --- the request --- */

const char *http_exchange_method(const struct http_exchange *exchange)
{
	return http_request_method(&http_connection_of(exchange)->request);
}

const char *http_exchange_target(const struct http_exchange *exchange)
{
	return http_request_target(&http_connection_of(exchange)->request);
}

const char *http_exchange_header(const struct http_exchange *exchange, const char *name)
{
	return http_request_header(&http_connection_of(exchange)->request, name);
}

bool http_exchange_header_at(const struct http_exchange *exchange, size_t i, const char **ret_name,
			     const char **ret_value)
{
	return http_request_header_at(&http_connection_of(exchange)->request, i, ret_name, ret_value);
}

int64_t http_exchange_announced(const struct http_exchange *exchange)
{
	const struct http_request_reader *request = &http_connection_of(exchange)->request;

	return request->chunked ? -1 : (int64_t)request->length;
}

void http_exchange_set_data(struct http_exchange *exchange, void *data)
{
	exchange->data = data;
}

void *http_exchange_data(const struct http_exchange *exchange)
{
	return exchange->data;
}

void **http_exchange_kept(struct http_exchange *exchange)
{
	return &http_connection_of(exchange)->kept;
}

gnutls_session_t http_exchange_session(const struct http_exchange *exchange)
{
	return http_connection_of(exchange)->channel.session;
}

void http_exchange_peer(const struct http_exchange *exchange, char *text)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} peer = { 0 };
	socklen_t len = sizeof(peer);
	const char *told = NULL;

	if (getpeername(http_connection_of(exchange)->channel.fd, &peer.any, &len) == 0)
		told = peer.any.sa_family == AF_INET
			   ? inet_ntop(AF_INET, &peer.v4.sin_addr, text, HTTP_PEER_SIZE)
		       : peer.any.sa_family == AF_INET6
			   ? inet_ntop(AF_INET6, &peer.v6.sin6_addr, text, HTTP_PEER_SIZE)
			   : NULL;
	if (!told)
		*text = '\0';
}

struct http_server *http_exchange_server(const struct http_exchange *exchange)
{
	return http_connection_of(exchange)->server;
}

/* --- life --- */

void http_exchange_begin(struct http_connection *c)
{
	struct buf head = c->exchange.head;

	buf_reset(&head);
	c->exchange =
	    (struct http_exchange){ .state = EXCHANGE_READING, .is_head = c->request.is_head, .head = head };
}

static void release(struct http_exchange *exchange)
{
	void (*fn)(void *arg) = TAKE(exchange->release);

	if (fn)
		fn(exchange->release_arg);
	fn = TAKE(exchange->closed);
	if (fn)
		fn(exchange->stream_arg);
}

void http_exchange_end(struct http_connection *c)
{
	struct http_exchange *exchange = &c->exchange;

	release(exchange);
	if (c->server->handler->ended && !exchange->strange)
		c->server->handler->ended(exchange, c->server->arg);
	exchange->state = EXCHANGE_IDLE;
	if (exchange->head.cap > KEEP_BYTES || c->channel.broken)
		buf_close(&exchange->head);
}

/* --- the head of the answer --- */

/* Between the header lines and what is put before them. */
static void add_line(struct buf *b, const char *name, const char *value)
{
	buf_str(b, name);
	buf_str(b, ": ");
	size_t from = b->len;
	buf_str(b, value);
	for (size_t i = from; i < b->len; i++)
		if ((unsigned char)b->data[i] < ' ' || b->data[i] == 0x7f)
			b->data[i] = ' ';
	buf_str(b, "\r\n");
}

void http_exchange_add_header(struct http_exchange *exchange, const char *name, const char *value)
{
	add_line(&exchange->head, name, value);
}

void http_exchange_close_after(struct http_exchange *exchange)
{
	exchange->close = true;
}

void http_exchange_limit(struct http_exchange *exchange, int64_t timeout_ms)
{
	struct http_connection *c = http_connection_of(exchange);

	exchange->limit_ms = loop_now_ms(c->server->loop) + timeout_ms;
	http_connection_set_deadline(c, exchange->limit_ms);
}

static void write_connection(struct http_connection *c, int code, struct buf *b)
{
	struct http_exchange *exchange = &c->exchange;

	if (code == 101)
		buf_str(b, "Connection: Upgrade\r\n");
	else if (exchange->close || c->server->draining || !c->request.keep_alive)
		buf_str(b, "Connection: close\r\n");
	else if (c->request.minor == 0)
		buf_str(b, "Connection: keep-alive\r\n");
}

/* LEN < 0: a stream. */
static void begin_answer(struct http_exchange *exchange, int code, const char *content_type, int64_t len)
{
	struct http_connection *c = http_connection_of(exchange);
	CLEANUP(buf_close) struct buf added = exchange->head;
	struct buf *b = &exchange->head;

	*b = BUF_INIT;
	buf_reserve(b, 256 + added.len);
	buf_str(b, "HTTP/1.1 ");
	buf_int(b, code);
	buf_char(b, ' ');
	buf_str(b, phrase_of(code));
	buf_str(b, "\r\nDate: ");
	buf_str(b, http_server_date(c->server));
	buf_str(b, "\r\n");
	if (len < 0 && c->request.minor == 0)
		exchange->close = true;
	write_connection(c, code, b);
	if (content_type)
		add_line(b, "Content-Type", content_type);
	exchange->has_body = code >= 200 && code != 204 && code != 304 && !exchange->is_head;
	if (code >= 200 && code != 204 && code != 304 && len >= 0) {
		buf_str(b, "Content-Length: ");
		buf_int(b, len);
		buf_str(b, "\r\n");
	} else if (len < 0 && c->request.minor > 0) {
		buf_str(b, "Transfer-Encoding: chunked\r\n");
	}
	if (added.len)
		buf_add(b, added.data, added.len);
	buf_str(b, "\r\n");
	exchange->state = EXCHANGE_ANSWERING;
	if (!c->running)
		http_connection_post(c);
}

/* --- answers --- */

void http_exchange_reply(struct http_exchange *exchange, int code, const char *content_type, const void *data,
			 size_t len)
{
	begin_answer(exchange, code, content_type, (int64_t)len);
	if (exchange->has_body)
		buf_add(&exchange->head, data, len);
}

void http_exchange_fault(struct http_exchange *exchange, int code, const char *message)
{
	struct http_server *server = http_connection_of(exchange)->server;
	CLEANUP(buf_close) struct buf body = BUF_INIT;
	const char *type = "text/plain; charset=utf-8";

	if (server->handler->fault) {
		type = server->handler->fault(code, message, &body, server->arg);
	} else {
		buf_str(&body, message);
		buf_char(&body, '\n');
	}
	http_exchange_reply(exchange, code, type, body.data, body.len);
}

void http_exchange_send(struct http_exchange *exchange, int code, const char *content_type, const char *data,
			size_t len, void (*release_fn)(void *arg), void *release_arg)
{
	begin_answer(exchange, code, content_type, (int64_t)len);
	exchange->release = release_fn;
	exchange->release_arg = release_arg;
	if (!exchange->has_body)
		return;
	exchange->piece = data;
	exchange->piece_len = exchange->left = len;
}

void http_exchange_send_pieces(struct http_exchange *exchange, int code, const char *content_type,
			       uint64_t len, bool (*next)(const char **ret_data, size_t *ret_len, void *arg),
			       void (*release_fn)(void *arg), void *arg)
{
	begin_answer(exchange, code, content_type, (int64_t)len);
	exchange->release = release_fn;
	exchange->release_arg = arg;
	if (!exchange->has_body)
		return;
	exchange->next = next;
	exchange->left = len;
}

void http_exchange_stream(struct http_exchange *exchange, const char *content_type,
			  ssize_t (*read_fn)(char *data, size_t size, void *arg), void (*closed)(void *arg),
			  void *arg)
{
	http_exchange_stream_code(exchange, 200, content_type, read_fn, closed, arg);
}

void http_exchange_stream_code(struct http_exchange *exchange, int code, const char *content_type,
			       ssize_t (*read_fn)(char *data, size_t size, void *arg),
			       void (*closed)(void *arg), void *arg)
{
	begin_answer(exchange, code, content_type, -1);
	exchange->closed = closed;
	exchange->stream_arg = arg;
	exchange->read = read_fn;
	exchange->woken = true;
	exchange->stream_ended = !exchange->has_body;
}

void http_exchange_wake(struct http_exchange *exchange)
{
	exchange->woken = true;
	http_connection_post(http_connection_of(exchange));
}

void http_exchange_abort(struct http_exchange *exchange)
{
	exchange->aborted = true;
	exchange->state = EXCHANGE_ANSWERING;
	http_connection_post(http_connection_of(exchange));
}

/* --- sending --- */

/* The piece that is sent now; false at the end of the body, or when there is less than was said. */
static bool has_piece(struct http_exchange *exchange)
{
	while (exchange->piece_len == 0 && exchange->left > 0) {
		if (!exchange->next ||
		    !exchange->next(&exchange->piece, &exchange->piece_len, exchange->release_arg) ||
		    exchange->piece_len > exchange->left)
			return false;
	}
	return exchange->left > 0;
}

static size_t put(char *record, size_t at, const char *data, size_t len)
{
	size_t n = len < HTTP_RECORD_MAX - at ? len : HTTP_RECORD_MAX - at;

	if (n)
		memcpy(record + at, data, n);
	return n;
}

static size_t put_head(struct http_exchange *exchange, char *record)
{
	size_t n = exchange->head.len - exchange->head_at;

	if (!n)
		return 0;
	n = put(record, 0, exchange->head.data + exchange->head_at, n);
	exchange->head_at += n;
	return n;
}

static void take_piece(struct http_exchange *exchange, size_t n)
{
	exchange->piece += n;
	exchange->piece_len -= n;
	exchange->left -= n;
}

/* One record of an answer of known length. */
static size_t send_record(struct http_connection *c)
{
	struct http_exchange *exchange = &c->exchange;
	char *record = c->server->buffers.record;
	size_t len = put_head(exchange, record);

	if (len == 0 && has_piece(exchange) && exchange->piece_len >= HTTP_RECORD_MAX) {
		/* From where it lies. */
		http_channel_write(&c->channel, exchange->piece, HTTP_RECORD_MAX);
		take_piece(exchange, HTTP_RECORD_MAX);
		return HTTP_RECORD_MAX;
	}
	while (len < HTTP_RECORD_MAX && has_piece(exchange)) {
		size_t n = put(record, len, exchange->piece, exchange->piece_len);

		take_piece(exchange, n);
		len += n;
	}
	if (len == 0 && exchange->left > 0) {
		c->channel.broken = c->reset = true; /* it is shorter than it said */
		return 0;
	}
	http_channel_write(&c->channel, record, len);
	return len;
}

/* What the reader gives, as a chunk or, to HTTP/1.0, as it is; 0 when it has nothing now, or no more. */
static size_t put_chunk(struct http_exchange *exchange, bool chunked, char *at, size_t room)
{
	size_t before = chunked ? CHUNK_HEAD : 0, after = chunked ? CHUNK_TAIL : 0;
	static const char hex[] = "0123456789abcdef";
	ssize_t n = exchange->read(at + before, room - before - after, exchange->stream_arg);

	if (n < 0 || (n == 0 && exchange->told))
		exchange->stream_ended = true;
	if (n <= 0)
		return 0;
	if (chunked) {
		for (int i = 0; i < 4; i++)
			at[i] = hex[(size_t)n >> (4 * (3 - i)) & 15];
		at[4] = at[CHUNK_HEAD + n] = '\r';
		at[5] = at[CHUNK_HEAD + n + 1] = '\n';
	}
	return before + (size_t)n + after;
}

static size_t send_stream(struct http_connection *c)
{
	static const char end[] = "0\r\n\r\n";
	struct http_exchange *exchange = &c->exchange;
	char *record = c->server->buffers.record;
	bool chunked = c->request.minor > 0, ended = exchange->stream_ended;
	size_t len = put_head(exchange, record);

	while (!ended && exchange->woken && HTTP_RECORD_MAX - len >= CHUNK_MIN) {
		/* What comes to be while it reads wakes it anew. */
		exchange->woken = false;
		size_t n = put_chunk(exchange, chunked, record + len, HTTP_RECORD_MAX - len - sizeof(end));

		ended = exchange->stream_ended;
		len += n;
		exchange->woken |= n > 0;
	}
	if (ended && chunked && exchange->has_body) {
		exchange->has_body = false; /* said once */
		len += put(record, len, end, sizeof(end) - 1);
	}
	http_channel_write(&c->channel, record, len);
	return len;
}

bool http_exchange_produce(struct http_connection *c, size_t *budget)
{
	struct http_exchange *exchange = &c->exchange;

	exchange->woken |= exchange->told && exchange->read && !exchange->stream_ended;
	while (*budget > 0 && http_channel_ready(&c->channel)) {
		size_t n = exchange->read ? send_stream(c) : send_record(c);

		if (n == 0)
			break;
		*budget = n < *budget ? *budget - n : 0;
	}
	/* A stream may idle for long. */
	if (exchange->read && exchange->head_at == exchange->head.len && exchange->head.data &&
	    c->request.state == HTTP_REQUEST_WHOLE) {
		exchange->head_at = 0;
		buf_close(&exchange->head);
		http_request_close(&c->request);
	}
	if (exchange->head_at < exchange->head.len || exchange->left > 0 ||
	    (exchange->read && !exchange->stream_ended))
		return false;
	return http_channel_ready(&c->channel);
}
