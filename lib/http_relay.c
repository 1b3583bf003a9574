#include "lib/http_relay.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/http_answer.h"
#include "lib/http_url.h"
#include "lib/stream.h"

#define READ_SIZE       ((size_t)16 << 10)
#define READS_PER_TURN  16
#define HEAD_TIMEOUT_MS 30000
#define LINGER_MS       5000

struct http_relay {
	struct byte_pipe pipe; /* when upgraded */
	struct loop *loop;
	const struct http_relay_user *user;
	void *arg;
	char *url;
	struct stream *stream;
	struct buf request; /* until it is sent */
	struct http_answer answer;
	bool head_shown, upgraded, over;
	bool stopped; /* reading is */
	bool closed;  /* by the pipe's owner: what is unsent leaves, then all is freed */
	bool freed;   /* within a callback, which frees the memory when it returns */
	bool busy;
	struct buf rest;       /* of the pipe: what came behind the head */
	struct loop_task task; /* gives it */
	struct loop_timer timer;
	int64_t head_timeout_ms;
};

static void relay_destroy(struct http_relay *relay)
{
	stream_free(relay->stream);
	loop_timer_disarm(&relay->timer);
	loop_unpost(relay->loop, &relay->task);
	http_answer_close(&relay->answer);
	buf_close(&relay->request);
	buf_close(&relay->rest);
	free(relay->url);
	free(relay);
}

void http_relay_free(struct http_relay *relay)
{
	if (!relay)
		return;
	relay->freed = true;
	if (!relay->busy)
		relay_destroy(relay);
}

/* Around all that runs callbacks. */
static void leave(struct http_relay *relay)
{
	relay->busy = false;
	if (relay->freed)
		relay_destroy(relay);
}

static void finish(struct http_relay *relay, const struct err *err)
{
	struct err wrapped;

	relay->over = true;
	loop_timer_disarm(&relay->timer);
	stream_set_reading(relay->stream, false);
	if (relay->closed) {
		relay->freed = true;
		return;
	}
	if (err) {
		wrapped = *err;
		if (!relay->upgraded)
			err_wrap(&wrapped, "%.400s", relay->url);
		err = &wrapped;
	}
	if (relay->upgraded)
		relay->pipe.user->ended(err, relay->pipe.arg);
	else
		relay->user->done(err, relay->arg);
}

/* --- the answer --- */

static void show_head(struct http_relay *relay)
{
	const struct buf *headers = &relay->answer.headers;

	relay->head_shown = true;
	loop_timer_disarm(&relay->timer);
	relay->user->head(relay->answer.code, headers->data ? headers->data : "", relay->arg);
}

static void take_rest(struct http_relay *relay, const char *p, const char *end)
{
	if (relay->freed || p == end)
		return;
	buf_add(&relay->rest, p, (size_t)(end - p));
	stream_set_reading(relay->stream, false);
	if (!relay->stopped)
		loop_post(relay->loop, &relay->task);
}

static void take_answer(struct http_relay *relay, const char *p, const char *end)
{
	const char *body = NULL;
	size_t n = 0;
	struct err err = ERR_INIT;

	while (!relay->freed && !relay->over) {
		enum http_answer_event event = http_answer_next(&relay->answer, &p, end, &body, &n, &err);
		bool in_head = relay->answer.state == HTTP_ANSWER_STATUS_LINE ||
			       relay->answer.state == HTTP_ANSWER_HEADER;
		if (event == HTTP_ANSWER_BAD) {
			finish(relay, &err);
			return;
		}
		if (!in_head && !relay->head_shown)
			show_head(relay);
		if (relay->upgraded) {
			take_rest(relay, p, end);
			return;
		}
		if (relay->freed || event == HTTP_ANSWER_MORE)
			return;
		if (event == HTTP_ANSWER_DATA)
			relay->user->body(body, n, relay->arg);
		else
			finish(relay, NULL);
	}
}

/* True: there may be more to read. */
static bool read_some(struct http_relay *relay)
{
	char data[READ_SIZE];
	struct err err = ERR_INIT;
	ssize_t n = stream_read(relay->stream, data, sizeof(data), &err);

	if (n > 0) {
		if (relay->upgraded)
			relay->pipe.user->received(data, (size_t)n, relay->pipe.arg);
		else
			take_answer(relay, data, data + n);
		return !relay->freed && !relay->over && !relay->closed && !relay->stopped &&
		       relay->rest.len == 0;
	}
	if (n < 0 && err.kind == ERR_NONE)
		return false;
	if (n == 0 && (relay->upgraded || http_answer_eof(&relay->answer, &err) == HTTP_ANSWER_END))
		finish(relay, NULL);
	else
		finish(relay, &err);
	return false;
}

static void on_readable(void *arg)
{
	struct http_relay *relay = arg;

	relay->busy = true;
	for (int i = 0; i < READS_PER_TURN && read_some(relay); i++)
		;
	leave(relay);
}

static void on_opened(void *arg)
{
	struct http_relay *relay = arg;

	stream_write(relay->stream, relay->request.data, relay->request.len);
	/* There may be a token in it. */
	explicit_bzero(relay->request.data, relay->request.len);
	buf_close(&relay->request);
}

static void on_failed(const struct err *err, void *arg)
{
	struct http_relay *relay = arg;

	relay->busy = true;
	finish(relay, err);
	leave(relay);
}

static void on_drained(void *arg)
{
	struct http_relay *relay = arg;

	if (!relay->upgraded)
		return;
	relay->busy = true;
	if (relay->closed)
		relay->freed = true;
	else if (relay->pipe.user->drained)
		relay->pipe.user->drained(relay->pipe.arg);
	leave(relay);
}

static const struct stream_user stream_user = { on_opened, on_readable, on_failed, on_drained };

static void on_timer(struct loop_timer *timer, void *arg)
{
	struct http_relay *relay = arg;
	struct err err = ERR_INIT;

	(void)timer;
	relay->busy = true;
	err_set(&err, ERR_TIMEOUT, "no answer within %lld ms", (long long)relay->head_timeout_ms);
	finish(relay, &err); /* or what was unsent for too long is given up */
	leave(relay);
}

/* --- the request --- */

static bool among(const char *const *headers, const char *name)
{
	size_t len = strlen(name);

	for (; headers && *headers; headers++)
		if (strncasecmp(*headers, name, len) == 0 && (*headers)[len] == ':')
			return true;
	return false;
}

static void write_request(struct http_relay *relay, const struct http_relay_request *request,
			  const struct http_url *url, const struct http_access *access)
{
	struct buf *b = &relay->request;
	const char *const *headers = request->headers;

	buf_printf(b, "%s %s%.*s HTTP/1.1\r\n", request->method, *url->target == '/' ? "" : "/",
		   (int)(url->end - url->target), url->target);
	if (!among(headers, "Host"))
		buf_printf(b, "Host: %s\r\n", url->authority);
	if (!among(headers, "User-Agent"))
		buf_printf(b, "User-Agent: %s\r\n", access->user_agent);
	if (access->authorization && !among(headers, "Authorization"))
		buf_printf(b, "Authorization: %s\r\n", access->authorization);
	if (access->impersonation)
		buf_str(b, access->impersonation);
	if (!among(headers, "Connection"))
		buf_str(b, "Connection: close\r\n");
	if (request->body || strcmp(request->method, "POST") == 0 || strcmp(request->method, "PUT") == 0 ||
	    strcmp(request->method, "PATCH") == 0)
		buf_printf(b, "Content-Length: %zu\r\n", request->body ? request->body_len : 0);
	for (; headers && *headers; headers++)
		buf_printf(b, "%s\r\n", *headers);
	buf_str(b, "\r\n");
	if (request->body)
		buf_add(b, request->body, request->body_len);
}

static void on_task(struct loop_task *task, void *arg);

struct http_relay *http_relay_new(struct http_client *client, const struct http_relay_request *request,
				  const struct http_relay_user *user, void *arg, struct err *err)
{
	struct http_access access = http_client_access(client);
	CLEANUP(http_url_close) struct http_url url = { 0 };

	if (http_url_parse(request->url, &url, err) < 0)
		return NULL;
	struct http_relay *relay = mem_zalloc(sizeof(*relay));
	relay->loop = access.loop;
	relay->user = user;
	relay->arg = arg;
	relay->url = mem_dup(request->url);
	relay->task = (struct loop_task){ .fn = on_task, .arg = relay };
	relay->head_timeout_ms = request->head_timeout_ms ? request->head_timeout_ms : HEAD_TIMEOUT_MS;
	loop_timer_init(&relay->timer, relay->loop, on_timer, relay);
	loop_timer_arm(&relay->timer, relay->head_timeout_ms);
	http_answer_begin(&relay->answer, request->method);
	relay->answer.keep_headers = true;
	write_request(relay, request, &url, &access);
	const struct stream_peer peer = { .host = url.host,
					  .port = url.port,
					  .identity = url.tls ? access.identity : NULL,
					  .name = access.tls_server_name,
					  .verify = access.verify };
	relay->stream = stream_new(relay->loop, &peer, &stream_user, relay);
	return relay;
}

void http_relay_set_reading(struct http_relay *relay, bool reading)
{
	relay->stopped = !reading;
	if (!relay->over)
		stream_set_reading(relay->stream, reading);
}

char *http_relay_header(const char *headers, const char *name)
{
	size_t len = strlen(name);

	for (const char *line = headers; *line; line += strcspn(line, "\n") + 1)
		if (strncasecmp(line, name, len) == 0 && line[len] == ':')
			return mem_dupn(line + len + 2, strcspn(line, "\n") - len - 2);
	return NULL;
}

/* --- the pipe --- */

static struct http_relay *of(const struct byte_pipe *pipe)
{
	return CONTAINER_OF((uintptr_t)pipe, struct http_relay, pipe);
}

/* What came behind the head comes first. */
static void on_task(struct loop_task *task, void *arg)
{
	struct http_relay *relay = arg;
	CLEANUP(buf_close) struct buf rest = relay->rest;

	(void)task;
	relay->rest = BUF_INIT;
	if (relay->closed || relay->over || rest.len == 0)
		return;
	relay->busy = true;
	relay->pipe.user->received(rest.data, rest.len, relay->pipe.arg);
	if (!relay->freed && !relay->closed && !relay->stopped && !relay->over)
		stream_set_reading(relay->stream, true);
	leave(relay);
}

static void pipe_write(struct byte_pipe *pipe, const void *data, size_t len)
{
	if (!of(pipe)->over)
		stream_write(of(pipe)->stream, data, len);
}

static size_t pipe_unsent(const struct byte_pipe *pipe)
{
	return of(pipe)->over ? 0 : stream_unsent(of(pipe)->stream);
}

static void pipe_set_reading(struct byte_pipe *pipe, bool reading)
{
	struct http_relay *relay = of(pipe);

	if (relay->over)
		return;
	relay->stopped = !reading;
	stream_set_reading(relay->stream, reading && relay->rest.len == 0);
	if (reading && relay->rest.len > 0)
		loop_post(relay->loop, &relay->task);
}

static void pipe_finish(struct byte_pipe *pipe)
{
	(void)pipe;
}

static void pipe_close(struct byte_pipe *pipe)
{
	struct http_relay *relay = of(pipe);

	if (relay->over || stream_unsent(relay->stream) == 0) {
		http_relay_free(relay);
		return;
	}
	relay->closed = true;
	stream_set_reading(relay->stream, false);
	loop_timer_arm(&relay->timer, LINGER_MS);
}

static const struct byte_pipe_ops pipe_ops = { pipe_write, pipe_unsent, pipe_set_reading, pipe_finish,
					       pipe_close };

struct byte_pipe *http_relay_upgrade(struct http_relay *relay)
{
	relay->upgraded = true;
	relay->pipe.ops = &pipe_ops;
	return &relay->pipe;
}
