#include "lib/http_connection.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "lib/mem.h"

/* What one connection may do in a turn of the loop before others have theirs. */
#define BYTES_PER_RUN    (64 * 1024)
#define REQUESTS_PER_RUN 16
/* After an answer that is the last, what the peer still sends is dropped for so long and so far, since
 * closing on it would take the answer from it. */
#define LINGER_MS    2000
#define LINGER_BYTES (16 * 1024 * 1024)
/* A request's memory that an idle connection keeps for the next one. */
#define KEEP_BYTES 1024

/* --- time --- */

static int64_t now_ms(const struct http_connection *c)
{
	return loop_now_ms(c->server->loop);
}

void http_connection_set_deadline(struct http_connection *c, int64_t at_ms)
{
	c->deadline_ms = at_ms;
	/* Most deadlines only move on: the timer then learns of it when it fires. */
	if (at_ms != INT64_MAX && (!loop_timer_armed(&c->timer) || c->timer.due_ms > at_ms))
		loop_timer_arm_at(&c->timer, at_ms);
}

static void set_idle_deadline(struct http_connection *c)
{
	int64_t at_ms = now_ms(c) + c->server->opts.idle_ms, limit_ms = c->exchange.limit_ms;

	http_connection_set_deadline(c, limit_ms && limit_ms < at_ms ? limit_ms : at_ms);
}

static bool is_idle(const struct http_connection *c)
{
	return !c->shaking && !c->lingering && !c->upgrade && c->exchange.state == EXCHANGE_IDLE &&
	       !c->request_begun;
}

static void say_end(struct http_connection *c)
{
	if (http_channel_ready(&c->channel))
		http_channel_end(&c->channel);
	http_channel_pause(&c->channel);
}

static void on_timer(struct loop_timer *timer, void *arg)
{
	struct http_connection *c = arg;

	if (c->deadline_ms == INT64_MAX)
		return;
	if (c->deadline_ms > now_ms(c)) {
		loop_timer_arm_at(timer, c->deadline_ms);
		return;
	}
	c->deadline_ms = INT64_MAX;
	if (is_idle(c))
		say_end(c);
	else
		c->reset = !c->lingering;
	http_connection_cut(c);
}

/* --- ends --- */

void http_connection_free(struct http_connection *c)
{
	struct http_server *server = c->server;

	c->channel.broken = true;
	if (c->upgrade)
		http_upgrade_gone(c);
	if (c->exchange.state != EXCHANGE_IDLE)
		http_exchange_end(c);
	if (c->kept && server->handler->forget)
		server->handler->forget(c->kept, server->arg);
	loop_io_free(c->io);
	loop_unpost(server->loop, &c->task);
	loop_timer_disarm(&c->timer);
	http_channel_close(&c->channel, c->reset);
	http_credentials_unref(c->credentials);
	http_request_close(&c->request);
	buf_close(&c->pipelined);
	buf_close(&c->exchange.head);
	http_server_forget(server, c);
	free(c);
}

void http_connection_cut(struct http_connection *c)
{
	c->channel.broken = true;
	http_connection_post(c);
}

static void tell_hung_up(struct http_connection *c)
{
	struct http_exchange *exchange = &c->exchange;

	if (exchange->state == EXCHANGE_IDLE || exchange->told)
		return;
	exchange->told = true;
	if (c->server->handler->hung_up && !exchange->strange)
		c->server->handler->hung_up(exchange, c->server->arg);
}

void http_connection_drain(struct http_connection *c)
{
	c->exchange.close = true;
	tell_hung_up(c);
	if (is_idle(c))
		say_end(c);
	if (c->upgrade || is_idle(c) || c->shaking)
		http_connection_cut(c);
	else
		http_connection_post(c);
}

/* No other request is read: what was answered is sent, and the peer told. */
static void begin_lingering(struct http_connection *c)
{
	c->lingering = true;
	http_request_close(&c->request);
	buf_close(&c->pipelined);
	c->in = c->in_end = NULL;
	http_connection_set_deadline(c, now_ms(c) + LINGER_MS);
}

static void linger(struct http_connection *c)
{
	struct http_channel *channel = &c->channel;

	http_channel_flush(channel);
	if (!http_channel_ready(channel))
		return;
	if (!channel->said_end)
		http_channel_end(channel);
	if (c->in_ended)
		channel->broken = true;
	while (!channel->broken && channel->readable && c->lingered < LINGER_BYTES)
		c->lingered += http_channel_discard(channel);
	if (c->lingered >= LINGER_BYTES)
		channel->broken = true;
}

/* --- requests --- */

/* What was read and not looked at lies in the server's buffer during a run. */
static void input_open(struct http_connection *c)
{
	struct http_buffers *buffers = &c->server->buffers;

	memcpy(buffers->plain, c->pipelined.len ? c->pipelined.data : "", c->pipelined.len);
	c->in = buffers->plain;
	c->in_end = c->in + c->pipelined.len;
	if (c->pipelined.len)
		buf_close(&c->pipelined);
}

static void input_close(struct http_connection *c)
{
	if (c->in < c->in_end) {
		c->pipelined.max = HTTP_RECORD_MAX;
		buf_add(&c->pipelined, c->in, (size_t)(c->in_end - c->in));
		if (c->pipelined.failed)
			c->channel.broken = true;
	}
	c->in = c->in_end = NULL;
}

/* Reads a record when all of the one before was looked at. True: there is something to look at. */
static bool input_more(struct http_connection *c)
{
	struct http_buffers *buffers = &c->server->buffers;
	ssize_t n;

	if (c->in < c->in_end)
		return true;
	if (c->in_ended)
		return false;
	n = http_channel_read(&c->channel, buffers->plain, sizeof(buffers->plain));
	if (n > 0) {
		c->in = buffers->plain;
		c->in_end = c->in + n;
		c->received += (size_t)n;
	}
	c->in_ended |= n == 0;
	return n > 0;
}

static void continue_100(struct http_connection *c)
{
	static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";

	if (c->request.expects && c->in == c->in_end && c->exchange.state == EXCHANGE_READING &&
	    (c->request.length > 0 || c->request.chunked) && http_channel_ready(&c->channel))
		http_channel_write(&c->channel, text, sizeof(text) - 1);
}

static void on_head(struct http_connection *c)
{
	http_exchange_begin(c);
	set_idle_deadline(c);
	if (c->server->handler->begun)
		c->server->handler->begun(&c->exchange, c->server->arg);
	continue_100(c);
}

static void on_body(struct http_connection *c, const char *data, size_t len)
{
	set_idle_deadline(c);
	if (c->exchange.state == EXCHANGE_READING && c->server->handler->body)
		c->server->handler->body(&c->exchange, data, len, c->server->arg);
}

static void on_whole(struct http_connection *c)
{
	if (c->exchange.state != EXCHANGE_READING)
		return;
	c->exchange.state = EXCHANGE_WAITING;
	http_connection_set_deadline(c, INT64_MAX);
	c->server->handler->whole(&c->exchange, c->server->arg);
}

static void on_fault(struct http_connection *c)
{
	if (c->exchange.state == EXCHANGE_IDLE) {
		http_exchange_begin(c);
		c->exchange.strange = true;
	}
	c->exchange.close = true;
	if (c->exchange.state == EXCHANGE_READING)
		http_exchange_fault(&c->exchange, c->request.code, c->request.fault);
}

/* Takes what comes next of a request; true when it came on. */
static bool take_request(struct http_connection *c)
{
	const char *body, *before;
	size_t n;

	if (c->request.state == HTTP_REQUEST_WHOLE || c->request.state == HTTP_REQUEST_BROKEN ||
	    (c->exchange.state == EXCHANGE_IDLE && c->exchange.close) || !input_more(c))
		return false;
	if (!c->request_begun) {
		c->request_begun = true;
		http_connection_set_deadline(c, now_ms(c) + c->server->opts.silence_ms);
	}
	before = c->in;
	switch (http_request_next(&c->request, &c->in, c->in_end, &body, &n)) {
	case HTTP_REQUEST_MORE:
		break;
	case HTTP_REQUEST_HEAD:
		on_head(c);
		if (c->request.state == HTTP_REQUEST_WHOLE)
			on_whole(c);
		return true;
	case HTTP_REQUEST_BODY:
		on_body(c, body, n);
		if (c->request.state == HTTP_REQUEST_WHOLE)
			on_whole(c);
		return true;
	case HTTP_REQUEST_END:
		on_whole(c);
		return true;
	case HTTP_REQUEST_FAILED:
		on_fault(c);
		return true;
	}
	return c->in > before;
}

/* --- one after the other --- */

static void next_request(struct http_connection *c)
{
	http_request_begin(&c->request, c->server->opts.max_body_bytes);
	c->request_begun = false;
	set_idle_deadline(c);
}

/* Sends of an answer what it can; true when the exchange is over. */
static bool answer(struct http_connection *c, size_t *budget)
{
	struct http_exchange *exchange = &c->exchange;
	size_t before = *budget;
	bool whole;

	if (exchange->aborted) {
		c->channel.broken = c->reset = true;
		return false;
	}
	whole = http_exchange_produce(c, budget);
	if (!whole) {
		if (exchange->read && !exchange->stream_ended)
			http_connection_set_deadline(c, exchange->limit_ms ? exchange->limit_ms : INT64_MAX);
		else if (*budget < before || c->deadline_ms == INT64_MAX)
			set_idle_deadline(c);
		return false;
	}
	/* An answer that came early waits for the rest of its request, or ends the connection. Who waits for
	 * 100 Continue may send the body or not. */
	if (c->request.state != HTTP_REQUEST_WHOLE && !exchange->close && !c->in_ended &&
	    !(c->request.expects && c->request.body_len == 0))
		return false;
	bool last = exchange->close || !c->request.keep_alive || c->server->draining ||
		    c->request.state != HTTP_REQUEST_WHOLE;
	http_exchange_end(c);
	if (last)
		begin_lingering(c);
	else
		next_request(c);
	return true;
}

static void serve(struct http_connection *c, size_t *budget)
{
	unsigned requests = 0;
	bool on = true;

	while (on && !c->channel.broken && !c->lingering && !c->upgrade) {
		if (c->received >= BYTES_PER_RUN) {
			*budget = 0;
			break;
		}
		on = take_request(c);
		if (c->channel.ended && c->exchange.state >= EXCHANGE_WAITING && !on)
			tell_hung_up(c);
		if (c->exchange.state == EXCHANGE_ANSWERING && !c->upgrade && answer(c, budget)) {
			on = true;
			if (++requests == REQUESTS_PER_RUN) {
				http_connection_post(c);
				break;
			}
		}
	}
	/* While it waits for the handler, a record ahead is read: it may be the peer's end. */
	if (c->exchange.state >= EXCHANGE_WAITING && !c->channel.broken && !input_more(c) && c->in_ended)
		tell_hung_up(c);
}

static void finish_run(struct http_connection *c)
{
	bool stuck = !http_channel_ready(&c->channel);

	if (c->in_ended && c->in == c->in_end && c->exchange.state <= EXCHANGE_READING && !c->lingering &&
	    !c->upgrade) {
		/* Nothing comes any more that could be answered. */
		c->channel.broken |= !stuck;
	}
	if (is_idle(c) && c->request.head.cap > KEEP_BYTES)
		buf_close(&c->request.head);
}

void http_connection_run(struct http_connection *c)
{
	size_t budget = BYTES_PER_RUN;

	c->running = true;
	c->received = 0;
	http_channel_flush(&c->channel);
	input_open(c);
	if (!c->lingering && !c->upgrade)
		serve(c, &budget);
	if (c->upgrade && !c->channel.broken)
		http_upgrade_run(c, &budget);
	http_channel_flush(&c->channel);
	if (c->lingering && !c->channel.broken)
		linger(c);
	input_close(c);
	finish_run(c);
	http_channel_pause(&c->channel);
	c->running = false;
	if (!c->channel.broken) {
		if (budget == 0)
			http_queue_add(&c->server->sending, c);
		return;
	}
	/* What the handler still has to answer keeps the memory, not the socket. */
	if (c->exchange.state == EXCHANGE_WAITING) {
		tell_hung_up(c);
		if (c->exchange.state == EXCHANGE_WAITING) {
			loop_io_free(TAKE(c->io));
			loop_timer_disarm(&c->timer);
			http_channel_close(&c->channel, c->reset);
			return;
		}
	}
	http_connection_free(c);
}

/* --- events --- */

void http_connection_post(struct http_connection *c)
{
	loop_post(c->server->loop, &c->task);
}

static void on_task(struct loop_task *task, void *arg)
{
	(void)task;
	http_connection_run(arg);
}

/* Whoever says nothing costs no session, which is ten times what else a connection takes. */
static bool begin_session(struct http_connection *c)
{
	gnutls_session_t session;

	if (!http_channel_fetch(&c->channel))
		return false;
	session = http_credentials_session(c->server->credentials);
	if (!session) {
		c->channel.broken = true;
		return false;
	}
	c->credentials = http_credentials_ref(c->server->credentials);
	http_channel_secure(&c->channel, session);
	return true;
}

void http_connection_shake(struct http_connection *c)
{
	int done;

	if (c->channel.session || begin_session(c))
		done = http_channel_handshake(&c->channel);
	else
		done = c->channel.broken ? -1 : 0;
	if (done != 1)
		http_channel_pause(&c->channel);
	if (done < 0) {
		http_connection_free(c);
		return;
	}
	if (done == 0)
		return;
	c->shaking = false;
	http_connection_run(c);
}

static void on_ready(struct loop_io *io, int fd, uint32_t events, void *arg)
{
	struct http_connection *c = arg;

	(void)io;
	(void)fd;
	c->channel.readable |= (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
	c->channel.writable |= (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0;
	c->channel.ended |= (events & (EPOLLRDHUP | EPOLLHUP)) != 0;
	/* While requests are read the socket says it as well, behind what is still to be read. */
	if (events & EPOLLERR || (events & EPOLLHUP && !c->upgrade))
		c->channel.broken |= c->exchange.state >= EXCHANGE_WAITING || c->lingering || c->upgrade;
	if (!c->shaking)
		http_connection_run(c);
	else if (c->channel.readable || c->channel.unsent.len)
		http_queue_add(&c->server->shaking, c);
}

void http_connection_new(struct http_server *server, int fd)
{
	struct http_connection *c = calloc(1, sizeof(*c));

	if (!c) {
		close(fd);
		server->n_connections--;
		return;
	}
	c->server = server;
	c->shaking = server->credentials != NULL;
	c->task = (struct loop_task){ .fn = on_task, .arg = c };
	loop_timer_init(&c->timer, server->loop, on_timer, c);
	http_channel_open(&c->channel, fd, &server->buffers);
	http_request_begin(&c->request, server->opts.max_body_bytes);
	TAILQ_INSERT_TAIL(&server->connections, c, link);
	http_connection_set_deadline(c, now_ms(c) + server->opts.silence_ms);
	/* Once for its whole life: nothing of it changes with what the connection waits for. */
	c->io = loop_io_new(server->loop, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, on_ready, c, NULL);
	if (!c->io)
		http_connection_free(c);
}
