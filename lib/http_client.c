#include "lib/http_client.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>

#include "lib/http_answer.h"
#include "lib/http_url.h"
#include "lib/mem.h"
#include "lib/stream.h"
#include "lib/timefmt.h"

#define DEFAULT_MAX_RESPONSE ((size_t)256 << 20)
#define READ_SIZE            ((size_t)16 << 10) /* the most that a TLS record holds */
#define HEAD_ROOM            ((size_t)512)      /* most heads fit: one allocation for head and body */
#define READS_PER_TURN       64                 /* then others get a turn */
#define KEPT_IDLE            2                  /* connections kept for good */
#define IDLE_MS              10000 /* the others are closed after that time without use, or half */
#define AHEAD_MS             1000  /* in which one that was begun ahead has to be made use of */

/* Where a call is:
 *
 *   QUEUED ──task──▶ ACTIVE, on a connection ──▶ done() ──▶ gone
 *      ▲                │          │
 *      └── a kept connection that was closed; GET and HEAD only
 *
 * Sending only queues, so that callbacks never run within a call of the user's. */
struct http_call {
	TAILQ_ENTRY(http_call) link; /* of `queued` or `active` */
	struct http_client *client;
	struct conn *conn; /* NULL: queued */
	bool (*data)(const char *data, size_t len, void *arg);
	void (*done)(const struct http_response *response, void *arg); /* NULL: being told */
	void (*release)(void *arg);
	void *arg;
	char *url;
	char *method;
	struct http_url parts;
	bool verify;
	bool may_repeat;
	bool paused;
	struct buf request; /* head and body */
	struct buf body;    /* of the answer */
	int64_t timeout_ms;
	struct loop_timer timer;
};
TAILQ_HEAD(call_list, http_call);

/* A connection: opening for a call or busy with it, idle, or closed and waiting for the callbacks that run
 * within it to return. */
enum conn_state { CONN_BUSY, CONN_IDLE, CONN_CLOSED, CONN_STATES };

struct conn {
	TAILQ_ENTRY(conn) link; /* of the client's list of its state */
	enum conn_state state;
	struct http_client *client;
	struct stream *stream;
	struct http_call *call; /* NULL unless busy */
	char *host;
	uint16_t port;
	bool tls, verify;
	bool streams; /* what it carries is a stream */
	bool open;    /* to be written to */
	bool used;    /* it has carried an exchange before this one */
	bool answers; /* a byte of the answer has come */
	int64_t idle_since_ms;
	struct http_answer answer;
};
TAILQ_HEAD(conn_list, conn);

struct http_client {
	struct loop *loop;
	struct loop_task task; /* starts what is queued */
	struct loop_timer trim;
	char *user_agent;
	char *authorization, *impersonation; /* or NULL */
	char *tls_server_name;
	struct tls_identity identity;
	bool insecure;
	struct call_list queued[2], active;  /* queued: whole answers, and streams */
	struct conn_list conns[CONN_STATES]; /* of idle ones the last used first */
	size_t n_conns[CONN_STATES];
	size_t n_streams; /* of the busy ones */
	size_t max_busy, in_flight;
	unsigned depth; /* of callbacks under way */
	bool freed;     /* by one of them */
	char *read_buf; /* READ_SIZE; NULL while in use */
};

static void on_opened(void *arg);
static void on_readable(void *arg);
static void on_failed(const struct err *err, void *arg);
static const struct stream_user stream_user = { on_opened, on_readable, on_failed, NULL };

/* --- connections --- */

static void conn_move(struct conn *conn, enum conn_state state)
{
	struct http_client *client = conn->client;

	TAILQ_REMOVE(&client->conns[conn->state], conn, link);
	client->n_conns[conn->state]--;
	client->n_streams -= conn->state == CONN_BUSY && conn->streams;
	conn->state = state;
	TAILQ_INSERT_HEAD(&client->conns[state], conn, link);
	client->n_conns[state]++;
	client->n_streams += conn->state == CONN_BUSY && conn->streams;
}

static void conn_close(struct conn *conn)
{
	struct http_client *client = conn->client;

	if (conn->call)
		conn->call->conn = NULL;
	conn->call = NULL;
	stream_free(TAKE(conn->stream));
	conn_move(conn, CONN_CLOSED);
	loop_post(client->loop, &client->task); /* its place is free, and its memory is to go */
}

static void free_closed(struct http_client *client)
{
	struct conn *conn;

	while ((conn = TAILQ_FIRST(&client->conns[CONN_CLOSED]))) {
		TAILQ_REMOVE(&client->conns[CONN_CLOSED], conn, link);
		client->n_conns[CONN_CLOSED]--;
		http_answer_close(&conn->answer);
		free(conn->host);
		free(conn);
	}
}

/* Closes connections that a burst left behind; with the first those that would follow it soon, so that they
 * wake us and the server once. */
static void trim_due(struct loop_timer *timer, void *arg)
{
	struct http_client *client = arg;
	int64_t before_ms = time_mono_ms() - IDLE_MS / 2;

	while (client->n_conns[CONN_IDLE] > KEPT_IDLE) {
		struct conn *oldest = TAILQ_LAST(&client->conns[CONN_IDLE], conn_list);

		if (oldest->idle_since_ms > before_ms) {
			loop_timer_arm_at(timer, oldest->idle_since_ms + IDLE_MS);
			return;
		}
		conn_close(oldest);
	}
}

/* Ready for the next exchange. */
static void conn_idle(struct conn *conn)
{
	struct http_client *client = conn->client;

	conn->used = true;
	conn->idle_since_ms = time_mono_ms();
	conn_move(conn, CONN_IDLE);
	if (client->n_conns[CONN_IDLE] > KEPT_IDLE && !loop_timer_armed(&client->trim))
		loop_timer_arm(&client->trim, IDLE_MS);
}

/* One that was begun ahead and left alone meanwhile: the server will not have waited. */
static bool is_stale(const struct conn *conn)
{
	return !conn->open && time_mono_ms() - conn->idle_since_ms > AHEAD_MS;
}

static struct conn *find_idle(struct http_client *client, const struct http_call *call)
{
	struct conn *conn;

	TAILQ_FOREACH(conn, &client->conns[CONN_IDLE], link)
	{
		if (conn->tls == call->parts.tls && conn->verify == call->verify &&
		    conn->port == call->parts.port && strcmp(conn->host, call->parts.host) == 0 &&
		    !is_stale(conn))
			return conn;
	}
	return NULL;
}

/* Begins to connect. */
static struct conn *conn_new(struct http_client *client, const struct http_url *to, bool verify)
{
	struct conn *conn = mem_zalloc(sizeof(*conn));
	struct stream_peer peer = { .host = to->host,
				    .port = to->port,
				    .identity = to->tls ? &client->identity : NULL,
				    .name = client->tls_server_name,
				    .verify = verify };

	conn->client = client;
	conn->state = CONN_IDLE;
	TAILQ_INSERT_HEAD(&client->conns[CONN_IDLE], conn, link);
	client->n_conns[CONN_IDLE]++;
	conn->host = mem_dup(to->host);
	conn->port = to->port;
	conn->tls = to->tls;
	conn->verify = verify;
	conn->idle_since_ms = time_mono_ms();
	conn->stream = stream_new(client->loop, &peer, &stream_user, conn);
	return conn;
}

/* --- calls --- */

static void call_free(struct http_call *call)
{
	loop_timer_disarm(&call->timer);
	if (call->release)
		call->release(call->arg);
	free(call->url);
	free(call->method);
	http_url_close(&call->parts);
	if (call->request.data)
		explicit_bzero(call->request.data, call->request.len); /* there may be a token in it */
	buf_close(&call->request);
	buf_close(&call->body);
	free(call);
}

static struct call_list *queue_of(struct http_call *call)
{
	return &call->client->queued[call->data != NULL];
}

/* Out of its list and not counted any more. */
static void call_end(struct http_call *call)
{
	struct http_client *client = call->client;

	TAILQ_REMOVE(call->conn ? &client->active : queue_of(call), call, link);
	loop_timer_disarm(&call->timer);
	client->in_flight--;
}

static void client_destroy(struct http_client *client);

/* Around all that runs callbacks. */
static void enter(struct http_client *client)
{
	client->depth++;
}

static void leave(struct http_client *client)
{
	if (--client->depth == 0 && client->freed)
		client_destroy(client);
}

/* Tells how a call ended. */
static void tell(struct http_call *call, const struct http_response *response)
{
	TAKE(call->done)(response, call->arg);
	call_free(call);
}

static void fail(struct http_call *call, const struct err *err)
{
	struct http_client *client = call->client;
	struct http_response response = { .content_type = "", .retry_after_s = -1, .data = "", .err = *err };

	err_wrap(&response.err, "%.400s", call->url);
	enter(client);
	call_end(call);
	if (call->conn)
		conn_close(call->conn);
	tell(call, &response);
	leave(client);
}

static void timed_out(struct loop_timer *timer, void *arg)
{
	struct http_call *call = arg;
	struct err err = ERR_INIT;

	(void)timer;
	err_set(&err, ERR_TIMEOUT, "no answer within %lld ms", (long long)call->timeout_ms);
	fail(call, &err);
}

/* The answer is whole. It lies in the connection, which therefore stays busy until it is told. */
static void complete(struct conn *conn)
{
	struct http_call *call = conn->call;
	struct http_client *client = conn->client;
	const struct http_answer *answer = &conn->answer;
	struct http_response response = {
		.code = answer->code,
		.content_type = answer->content_type.len > 0 ? answer->content_type.data : "",
		.warning = answer->warnings.len > 0 ? answer->warnings.data : NULL,
		.retry_after_s = answer->retry_after_s,
		.data = call->body.data ? call->body.data : "",
		.len = call->body.len,
	};

	call_end(call);
	call->conn = NULL;
	conn->call = NULL;
	tell(call, &response);
	if (conn->state == CONN_CLOSED)
		return;
	if (answer->keep_alive)
		conn_idle(conn);
	else
		conn_close(conn);
	if (!TAILQ_EMPTY(&client->queued[0]))
		loop_post(client->loop, &client->task);
}

/* The connection is of no use any more. */
static void broken(struct conn *conn, const struct err *err)
{
	struct http_call *call = conn->call;
	struct http_client *client = conn->client;

	if (!call) {
		conn_close(conn);
	} else if (conn->used && !conn->answers && call->may_repeat) {
		TAILQ_REMOVE(&client->active, call, link);
		conn_close(conn);
		call->may_repeat = false;
		TAILQ_INSERT_HEAD(queue_of(call), call, link);
	} else {
		fail(call, err);
	}
}

/* A piece of the body; false when the call is over. */
static bool take_body(struct conn *conn, const char *data, size_t len)
{
	struct http_call *call = conn->call;
	struct err err = ERR_INIT;

	if (call->data && conn->answer.code >= 200 && conn->answer.code < 300) {
		bool more = call->data(data, len, call->arg);

		if (conn->state == CONN_CLOSED)
			return false; /* cancelled within */
		if (more)
			return true;
		err_set(&err, ERR_CONNECTION, "ended by its reader");
	} else {
		/* No more than its length is needed; a server that lies about it is not believed far. */
		if (call->body.len == 0 && conn->answer.length > 0 &&
		    (uint64_t)conn->answer.length <= call->body.max)
			buf_reserve(&call->body, (size_t)conn->answer.length);
		buf_add(&call->body, data, len);
		if (!call->body.failed)
			return true;
		err_set(&err, ERR_LIMIT, "the answer is larger than %zu bytes", call->body.max);
	}
	fail(call, &err);
	return false;
}

/* Reads what came; the rest when it is paused within waits in the connection's answer. False when the call is
 * over, whichever way. */
static bool take_bytes(struct conn *conn, const char *p, const char *end)
{
	const char *body = NULL;
	struct err err = ERR_INIT;
	size_t n = 0;

	for (;;) {
		switch (http_answer_next(&conn->answer, &p, end, &body, &n, &err)) {
		case HTTP_ANSWER_DATA:
			if (!take_body(conn, body, n))
				return false;
			break;
		case HTTP_ANSWER_MORE:
			return true;
		case HTTP_ANSWER_END:
			if (p < end)
				conn->answer.keep_alive = false; /* bytes that nobody asked for */
			complete(conn);
			return false;
		case HTTP_ANSWER_BAD:
			fail(conn->call, &err);
			return false;
		}
	}
}

/* True: there may be more to read. */
static bool read_some(struct conn *conn, char *buffer)
{
	struct err err;
	ssize_t n = stream_read(conn->stream, buffer, READ_SIZE, &err);

	if (n > 0 && conn->call) {
		conn->answers = true;
		return take_bytes(conn, buffer, buffer + n) && !conn->call->paused;
	}
	if (n < 0 && err.kind == ERR_NONE)
		return false;
	if (n == 0 && conn->call && http_answer_eof(&conn->answer, &err) == HTTP_ANSWER_END)
		complete(conn);
	else
		broken(conn, &err); /* an idle one that says something is of no use either */
	return false;
}

static void on_readable(void *arg)
{
	struct conn *conn = arg;
	struct http_client *client = conn->client;
	/* A callback may run the loop, and that may read from another connection. */
	char *buffer = client->read_buf ? TAKE(client->read_buf) : mem_alloc(READ_SIZE);

	enter(client);
	for (int i = 0; i < READS_PER_TURN && read_some(conn, buffer); i++)
		;
	if (client->read_buf)
		free(buffer);
	else
		client->read_buf = buffer;
	leave(client);
}

static void send_request(struct conn *conn)
{
	stream_set_reading(conn->stream, !conn->call->paused);
	stream_write(conn->stream, conn->call->request.data, conn->call->request.len);
}

static void on_opened(void *arg)
{
	struct conn *conn = arg;

	conn->open = true;
	if (conn->call)
		send_request(conn);
	else
		conn->used = true; /* as good as: the peer may be tired of it when it is */
}

static void on_failed(const struct err *err, void *arg)
{
	struct conn *conn = arg;
	struct http_client *client = conn->client;

	enter(client);
	broken(conn, err);
	leave(client);
}

/* --- sending --- */

static void start(struct http_call *call)
{
	struct http_client *client = call->client;
	struct conn *conn = find_idle(client, call);

	TAILQ_REMOVE(queue_of(call), call, link);
	TAILQ_INSERT_TAIL(&client->active, call, link);
	if (!conn)
		conn = conn_new(client, &call->parts, call->verify);
	conn->streams = call->data != NULL;
	conn_move(conn, CONN_BUSY);
	conn->call = call;
	conn->answers = false;
	call->conn = conn;
	http_answer_begin(&conn->answer, call->method);
	if (call->timeout_ms > 0 && !loop_timer_armed(&call->timer))
		loop_timer_arm(&call->timer, call->timeout_ms);
	if (conn->open)
		send_request(conn);
}

static void start_queued(struct loop_task *task, void *arg)
{
	struct http_client *client = arg;
	struct http_call *call;

	(void)task;
	if (client->depth == 0)
		free_closed(client);
	enter(client);
	while ((call = TAILQ_FIRST(&client->queued[1])) ||
	       (client->n_conns[CONN_BUSY] - client->n_streams < client->max_busy &&
		(call = TAILQ_FIRST(&client->queued[0])))) {
		struct err err = ERR_INIT;

		if (call->parts.host)
			start(call);
		else if (http_url_parse(call->url, &call->parts, &err) < 0)
			fail(call, &err);
	}
	leave(client);
}

static const char *header_value(const char *const *headers, const char *name)
{
	size_t len = strlen(name);

	for (const char *const *h = headers; h && *h; h++) {
		if (strncasecmp(*h, name, len) == 0 && (*h)[len] == ':')
			return *h + len + 1;
	}
	return NULL;
}

/* Unless the caller gives one of that name. */
static void add_header(struct buf *b, const char *const *headers, const char *name, const char *value)
{
	if (!value || header_value(headers, name))
		return;
	buf_str(b, name);
	buf_str(b, ": ");
	buf_str(b, value);
	buf_str(b, "\r\n");
}

static void write_request(struct http_call *call, const struct http_request *request)
{
	const struct http_client *client = call->client;
	const struct http_url *url = &call->parts;
	struct buf *b = &call->request;
	bool has_body = request->body_len > 0 || request->content_type ||
			strcmp(request->method, "POST") == 0 || strcmp(request->method, "PUT") == 0 ||
			strcmp(request->method, "PATCH") == 0;

	buf_reserve(b, HEAD_ROOM + request->body_len);
	buf_str(b, request->method);
	buf_str(b, *url->target == '/' ? " " : " /");
	buf_add(b, url->target, (size_t)(url->end - url->target));
	buf_str(b, " HTTP/1.1\r\n");
	add_header(b, request->headers, "Host", url->authority);
	add_header(b, request->headers, "User-Agent", client->user_agent);
	add_header(b, request->headers, "Accept", request->accept ? request->accept : "application/json");
	add_header(b, request->headers, "Authorization", client->authorization);
	if (client->impersonation)
		buf_str(b, client->impersonation);
	if (has_body) {
		add_header(b, request->headers, "Content-Type",
			   request->content_type ? request->content_type : "application/json");
		buf_str(b, "Content-Length: ");
		buf_uint(b, request->body_len);
		buf_str(b, "\r\n");
	}
	for (const char *const *h = request->headers; h && *h; h++) {
		/* What would be a second line is none. */
		buf_add(b, *h, strcspn(*h, "\r\n"));
		buf_str(b, "\r\n");
	}
	buf_str(b, "\r\n");
	buf_add(b, request->body, request->body_len);
}

struct http_call *http_client_send(struct http_client *client, const struct http_request *request,
				   bool (*data)(const char *data, size_t len, void *arg),
				   void (*done)(const struct http_response *response, void *arg), void *arg)
{
	struct http_call *call = mem_zalloc(sizeof(*call));

	call->client = client;
	call->data = data;
	call->done = done;
	call->release = request->release;
	call->arg = arg;
	call->url = mem_dup(request->url);
	call->method = mem_dup(request->method);
	call->verify = !client->insecure && !request->insecure_peer;
	call->may_repeat = strcmp(request->method, "GET") == 0 || strcmp(request->method, "HEAD") == 0;
	call->body.max = request->max_response_bytes ? request->max_response_bytes : DEFAULT_MAX_RESPONSE;
	call->timeout_ms = request->timeout_ms;
	loop_timer_init(&call->timer, client->loop, timed_out, call);
	if (http_url_parse(call->url, &call->parts, NULL) == 0)
		write_request(call, request);
	TAILQ_INSERT_TAIL(queue_of(call), call, link);
	client->in_flight++;
	loop_post(client->loop, &client->task);
	return call;
}

void http_call_cancel(struct http_call *call)
{
	if (!call || !call->done)
		return;
	call_end(call);
	if (call->conn)
		conn_close(call->conn);
	call_free(call);
}

void http_call_pause(struct http_call *call, bool paused)
{
	call->paused = paused;
	if (call->conn)
		stream_set_reading(call->conn->stream, !paused);
}

struct http_access http_client_access(struct http_client *client)
{
	return (struct http_access){ .loop = client->loop,
				     .identity = &client->identity,
				     .authorization = client->authorization,
				     .impersonation = client->impersonation,
				     .user_agent = client->user_agent,
				     .tls_server_name = client->tls_server_name,
				     .verify = !client->insecure };
}

size_t http_client_in_flight(const struct http_client *client)
{
	return client->in_flight;
}

/* --- life --- */

/* The one turn is for the hello: a socket on this machine is connected at once. What fails is told to whoever
 * sends a request there. */
static void connect_ahead(struct http_client *client, const char *url)
{
	struct http_url to = { 0 };

	if (http_url_parse(url, &to, NULL) < 0)
		return;
	conn_new(client, &to, !client->insecure);
	http_url_close(&to);
	loop_turn(client->loop, 0);
}

/* CONNECT_TO: an URL, or NULL. */
static struct http_client *client_new(struct loop *loop, const struct http_identity *identity,
				      long max_connections, const char *user_agent, const char *connect_to,
				      struct err *err)
{
	static const struct http_identity nobody;
	struct http_client *client = mem_zalloc(sizeof(*client));

	if (!identity)
		identity = &nobody;
	client->loop = loop;
	client->max_busy = (size_t)max_connections;
	client->user_agent = mem_dup(user_agent);
	client->tls_server_name = mem_dup(identity->tls_server_name);
	client->insecure = identity->insecure_skip_verify;
	client->task = (struct loop_task){ .fn = start_queued, .arg = client };
	loop_timer_init(&client->trim, loop, trim_due, client);
	if (identity->token)
		client->authorization = mem_printf("Bearer %s", identity->token);
	client->impersonation = mem_dup(identity->impersonation);
	TAILQ_INIT(&client->queued[0]);
	TAILQ_INIT(&client->queued[1]);
	TAILQ_INIT(&client->active);
	for (size_t i = 0; i < CONN_STATES; i++)
		TAILQ_INIT(&client->conns[i]);
	if (tls_identity_init(&client->identity, identity->ca_pem != NULL, err) < 0)
		goto fail;
	if (connect_to)
		connect_ahead(client, connect_to);
	if (tls_identity_read(&client->identity, identity->ca_pem, identity->cert_pem, identity->key_pem,
			      err) < 0)
		goto fail;
	return client;
fail:
	http_client_free(client);
	return NULL;
}

struct http_client *http_client_new(struct loop *loop, const struct http_identity *identity,
				    long max_connections, const char *user_agent, struct err *err)
{
	return client_new(loop, identity, max_connections, user_agent, NULL, err);
}

struct http_client *http_client_new_ahead(struct loop *loop, const struct http_identity *identity,
					  const char *url, long max_connections, const char *user_agent,
					  struct err *err)
{
	return client_new(loop, identity, max_connections, user_agent, url, err);
}

static void client_destroy(struct http_client *client)
{
	free_closed(client);
	loop_unpost(client->loop, &client->task);
	loop_timer_disarm(&client->trim);
	tls_identity_close(&client->identity);
	free(client->user_agent);
	if (client->authorization)
		explicit_bzero(client->authorization, strlen(client->authorization));
	free(client->authorization);
	free(client->impersonation);
	free(client->tls_server_name);
	free(client->read_buf);
	free(client);
}

void http_client_free(struct http_client *client)
{
	if (!client)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(client->queued); i++) {
		while (!TAILQ_EMPTY(&client->queued[i]))
			http_call_cancel(TAILQ_FIRST(&client->queued[i]));
	}
	while (!TAILQ_EMPTY(&client->active))
		http_call_cancel(TAILQ_FIRST(&client->active));
	for (enum conn_state state = CONN_BUSY; state <= CONN_IDLE; state++) {
		while (!TAILQ_EMPTY(&client->conns[state]))
			conn_close(TAILQ_FIRST(&client->conns[state]));
	}
	client->freed = true;
	if (client->depth == 0)
		client_destroy(client);
}
