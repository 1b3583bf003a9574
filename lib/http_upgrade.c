#include "lib/http_upgrade.h"

#include <stdlib.h>
#include <string.h>

#include "lib/http_connection.h"
#include "lib/mem.h"

#define CLOSE_MS 5000

struct http_upgrade {
	struct http_connection *connection; /* NULL: gone, and only its last call is under way */
	const struct http_upgrade_user *user;
	void *arg;
	struct buf out;
	size_t out_at;
	bool begun;   /* 101 has been sent, and the exchange is over */
	bool stopped; /* reading is */
	bool lagging; /* something written has not left at once */
	bool ended;   /* the peer's end was told */
	bool shut;    /* nothing more is written */
	bool closing, aborted;
};

struct http_upgrade *http_upgrade_begin(struct http_exchange *exchange, const struct http_upgrade_user *user,
					void *arg)
{
	struct http_connection *c = http_connection_of(exchange);
	struct http_upgrade *upgrade;

	if (c->channel.broken || c->request.minor == 0 || c->request.state != HTTP_REQUEST_WHOLE ||
	    exchange->state != EXCHANGE_WAITING)
		return NULL;
	upgrade = mem_zalloc(sizeof(*upgrade));
	upgrade->connection = c;
	upgrade->user = user;
	upgrade->arg = arg;
	http_exchange_reply(exchange, 101, NULL, NULL, 0);
	c->upgrade = upgrade;
	http_connection_post(c);
	return upgrade;
}

size_t http_upgrade_unsent(const struct http_upgrade *upgrade)
{
	return upgrade->out.len - upgrade->out_at +
	       (upgrade->connection ? upgrade->connection->channel.unsent.len : 0);
}

void http_upgrade_write(struct http_upgrade *upgrade, const void *data, size_t len)
{
	if (!upgrade->connection || upgrade->shut || upgrade->closing)
		return;
	buf_add(&upgrade->out, data, len);
	upgrade->lagging = true; /* its user may have seen it unsent, and stopped */
	http_connection_post(upgrade->connection);
}

void http_upgrade_set_reading(struct http_upgrade *upgrade, bool reading)
{
	upgrade->stopped = !reading;
	if (upgrade->connection && reading)
		http_connection_post(upgrade->connection);
}

void http_upgrade_shutdown(struct http_upgrade *upgrade)
{
	upgrade->shut = true;
	if (upgrade->connection)
		http_connection_post(upgrade->connection);
}

void http_upgrade_close(struct http_upgrade *upgrade)
{
	struct http_connection *c = upgrade->connection;

	upgrade->closing = upgrade->shut = true;
	if (!c)
		return;
	http_connection_set_deadline(c, loop_now_ms(c->server->loop) + CLOSE_MS);
	http_connection_post(c);
}

void http_upgrade_abort(struct http_upgrade *upgrade)
{
	upgrade->aborted = true;
	if (!upgrade->connection)
		return;
	upgrade->connection->reset = true;
	http_connection_cut(upgrade->connection);
}

struct http_server *http_upgrade_server(const struct http_upgrade *upgrade)
{
	return upgrade->connection->server;
}

/* --- running --- */

/* Sends 101; the exchange is over with it. */
static bool begin(struct http_connection *c, struct http_upgrade *upgrade, size_t *budget)
{
	if (!http_exchange_produce(c, budget))
		return false;
	http_exchange_end(c);
	http_request_close(&c->request);
	buf_close(&c->exchange.head);
	http_connection_set_deadline(c, upgrade->closing ? c->deadline_ms : INT64_MAX);
	upgrade->begun = true;
	return true;
}

static void send_out(struct http_connection *c, struct http_upgrade *upgrade, size_t *budget)
{
	while (*budget > 0 && upgrade->out_at < upgrade->out.len && http_channel_ready(&c->channel)) {
		size_t n = upgrade->out.len - upgrade->out_at;

		n = n < HTTP_RECORD_MAX ? n : HTTP_RECORD_MAX;
		http_channel_write(&c->channel, upgrade->out.data + upgrade->out_at, n);
		upgrade->out_at += n;
		*budget = n < *budget ? *budget - n : 0;
	}
	http_channel_flush(&c->channel);
	if (upgrade->out_at == upgrade->out.len) {
		buf_close(&upgrade->out);
		upgrade->out_at = 0;
	} else if (upgrade->out_at > upgrade->out.len / 2) {
		buf_consume(&upgrade->out, upgrade->out_at);
		upgrade->out_at = 0;
	}
	if (http_upgrade_unsent(upgrade) > 0) {
		upgrade->lagging = true;
	} else if (upgrade->lagging) {
		upgrade->lagging = false;
		if (upgrade->user->drained && !upgrade->closing)
			upgrade->user->drained(upgrade->arg);
	}
	if (upgrade->shut && http_upgrade_unsent(upgrade) == 0)
		http_channel_end(&c->channel);
}

/* True when something was told. */
static bool receive(struct http_connection *c, struct http_upgrade *upgrade, size_t *budget)
{
	struct http_buffers *buffers = &c->server->buffers;
	ssize_t n;

	if (c->in < c->in_end) {
		const char *in = c->in;

		n = c->in_end - c->in;
		c->in = c->in_end;
		upgrade->user->data(in, (size_t)n, upgrade->arg);
		return true;
	}
	n = c->in_ended ? 0 : http_channel_read(&c->channel, buffers->plain, sizeof(buffers->plain));
	if (n > 0) {
		*budget = (size_t)n < *budget ? *budget - (size_t)n : 0;
		upgrade->user->data(buffers->plain, (size_t)n, upgrade->arg);
		return true;
	}
	if (n < 0)
		return false;
	c->in_ended = upgrade->ended = true;
	if (upgrade->user->ended)
		upgrade->user->ended(upgrade->arg);
	else
		http_upgrade_close(upgrade);
	return true;
}

/* What a peer sends to one that closes is dropped, a turn's share at a time. */
static void finish(struct http_connection *c, size_t *budget)
{
	struct http_channel *channel = &c->channel;

	while (!channel->broken && channel->readable && !c->in_ended && *budget > 0) {
		size_t n = http_channel_discard(channel);

		*budget = n < *budget ? *budget - n : 0;
	}
	if (channel->said_end && (c->in_ended || channel->ended))
		channel->broken = true;
}

void http_upgrade_run(struct http_connection *c, size_t *budget)
{
	struct http_upgrade *upgrade = c->upgrade;

	if (!upgrade->begun && !begin(c, upgrade, budget))
		return;
	send_out(c, upgrade, budget);
	while (!upgrade->stopped && !upgrade->closing && !upgrade->ended && !c->channel.broken && *budget > 0)
		if (!receive(c, upgrade, budget))
			break;
	/* What its user wrote in answer goes along. */
	if (upgrade->out.len > 0 || upgrade->shut)
		send_out(c, upgrade, budget);
	if (upgrade->closing)
		finish(c, budget);
	/* Both directions have ended. */
	if (upgrade->ended && c->channel.said_end && http_channel_ready(&c->channel))
		upgrade->closing = c->channel.broken = true;
}

void http_upgrade_gone(struct http_connection *c)
{
	struct http_upgrade *upgrade = TAKE(c->upgrade);
	struct err err = ERR_INIT;

	upgrade->connection = NULL;
	if (!upgrade->closing)
		err_set(&err, ERR_CONNECTION, "%s",
			c->server->draining ? "the server stops" : "the connection broke");
	if (!upgrade->aborted)
		upgrade->user->closed(&err, upgrade->arg);
	buf_close(&upgrade->out);
	free(upgrade);
}
