#include "lib/http_channel.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/mem.h"

/* More than a peer makes us hold: the rest of the shared buffer, and a record that was begun. */
#define UNSENT_MAX (256 * 1024)
#define STASH_MAX  (256 * 1024)
/* RFC 8446 section 5.1: type, version, length. */
#define RECORD_HEAD      5
#define RECORD_HANDSHAKE 22
/* Warnings that a peer may send in a row: more are not for us, but to keep us busy. */
#define WARNINGS_MAX 16

/* --- receiving --- */

static ssize_t receive(struct http_channel *channel, void *data, size_t size)
{
	ssize_t n;

	if (!channel->readable) {
		errno = EAGAIN;
		return -1;
	}
	do {
		n = recv(channel->fd, data, size, 0);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		channel->readable = false;
	/* Less than there was room for is all there was. The end would be announced anew, unless it was. */
	else if (n > 0 && (size_t)n < size && !channel->ended)
		channel->readable = false;
	return n;
}

static size_t take(char *data, size_t size, const char *from, size_t len)
{
	if (size > len)
		size = len;
	memcpy(data, from, size);
	return size;
}

static ssize_t pull(gnutls_transport_ptr_t arg, void *data, size_t size)
{
	struct http_channel *channel = arg;
	struct http_buffers *buffers = channel->buffers;

	if (channel->stash.len) {
		size = take(data, size, channel->stash.data, channel->stash.len);
		buf_consume(&channel->stash, size);
		return (ssize_t)size;
	}
	if (buffers->raw_at == buffers->raw_len) {
		ssize_t n = receive(channel, buffers->raw, sizeof(buffers->raw));

		if (n <= 0) {
			if (n < 0 && channel->session)
				gnutls_transport_set_errno(channel->session, errno);
			return n;
		}
		buffers->raw_at = 0;
		buffers->raw_len = (size_t)n;
	}
	size = take(data, size, buffers->raw + buffers->raw_at, buffers->raw_len - buffers->raw_at);
	buffers->raw_at += size;
	return (ssize_t)size;
}

/* Whether GnuTLS has something to take without the socket. */
static bool has_received(const struct http_channel *channel)
{
	return channel->readable || channel->stash.len ||
	       channel->buffers->raw_at < channel->buffers->raw_len ||
	       (channel->session && gnutls_record_check_pending(channel->session));
}

/* GnuTLS has dealt with something that is nothing to the caller. */
static bool is_passing(int code)
{
	return code == GNUTLS_E_INTERRUPTED || code == GNUTLS_E_WARNING_ALERT_RECEIVED;
}

static ssize_t read_plain(struct http_channel *channel, char *data, size_t size)
{
	ssize_t n = pull(channel, data, size);

	if (n < 0 && errno != EAGAIN)
		channel->broken = true;
	return n;
}

ssize_t http_channel_read(struct http_channel *channel, char *data, size_t size)
{
	unsigned warnings = 0;
	ssize_t n;

	if (channel->broken || !has_received(channel))
		return -1;
	if (!channel->session)
		return read_plain(channel, data, size);
	do {
		n = gnutls_record_recv(channel->session, data, size);
		/* A warning, or a message of the handshake that GnuTLS dealt with. */
	} while (is_passing((int)n) && ++warnings < WARNINGS_MAX);
	if (n >= 0)
		return n;
	if (n == GNUTLS_E_PREMATURE_TERMINATION) /* the peer closed without saying so */
		return 0;
	if (n != GNUTLS_E_AGAIN)
		channel->broken = true; /* a wish to negotiate anew as well: nobody needs that */
	return -1;
}

size_t http_channel_discard(struct http_channel *channel)
{
	struct http_buffers *buffers = channel->buffers;
	ssize_t n = receive(channel, buffers->raw, sizeof(buffers->raw));

	if (n > 0)
		return (size_t)n;
	if (n == 0 || errno != EAGAIN)
		channel->broken = true;
	return 0;
}

/* --- sending --- */

static void keep_unsent(struct http_channel *channel, const char *data, size_t len)
{
	channel->unsent.max = UNSENT_MAX;
	buf_add(&channel->unsent, data, len);
	if (channel->unsent.failed)
		channel->broken = true;
}

/* Bytes that the socket took. */
static size_t send_some(struct http_channel *channel, const char *data, size_t len)
{
	ssize_t n;

	if (!channel->writable || channel->broken)
		return 0;
	do {
		n = send(channel->fd, data, len, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	if (n < 0 && errno != EAGAIN)
		channel->broken = true;
	if (n < 0 || (size_t)n < len)
		channel->writable = false;
	return n > 0 ? (size_t)n : 0;
}

void http_channel_flush(struct http_channel *channel)
{
	struct http_buffers *buffers = channel->buffers;
	size_t sent;

	if (channel->unsent.len && channel->writable) {
		sent = send_some(channel, channel->unsent.data, channel->unsent.len);
		buf_consume(&channel->unsent, sent);
		if (channel->unsent.len == 0)
			buf_close(&channel->unsent);
	}
	if (!buffers->out_len)
		return;
	sent = channel->unsent.len ? 0 : send_some(channel, buffers->out, buffers->out_len);
	if (sent < buffers->out_len && !channel->broken)
		keep_unsent(channel, buffers->out + sent, buffers->out_len - sent);
	buffers->out_len = 0;
}

static void put(struct http_channel *channel, const void *data, size_t len)
{
	struct http_buffers *buffers = channel->buffers;

	if (len > sizeof(buffers->out) - buffers->out_len)
		http_channel_flush(channel);
	if (channel->unsent.len || len > sizeof(buffers->out)) {
		keep_unsent(channel, data, len);
		return;
	}
	memcpy(buffers->out + buffers->out_len, data, len);
	buffers->out_len += len;
}

/* Never refuses: GnuTLS need not be given anything twice. */
static ssize_t push(gnutls_transport_ptr_t arg, const giovec_t *parts, int n)
{
	ssize_t all = 0;

	for (int i = 0; i < n; i++) {
		put(arg, parts[i].iov_base, parts[i].iov_len);
		all += (ssize_t)parts[i].iov_len;
	}
	return all;
}

bool http_channel_ready(const struct http_channel *channel)
{
	return !channel->broken && channel->unsent.len == 0;
}

void http_channel_write(struct http_channel *channel, const void *data, size_t len)
{
	if (channel->broken || len == 0)
		return;
	if (!channel->session) {
		put(channel, data, len);
		return;
	}
	/* More than one record when the peer asked for smaller ones (RFC 8449). */
	for (const char *at = data; len > 0 && !channel->broken;) {
		ssize_t n = gnutls_record_send(channel->session, at, len);

		if (n <= 0) {
			channel->broken = true;
			return;
		}
		at += n;
		len -= (size_t)n;
	}
}

void http_channel_end(struct http_channel *channel)
{
	if (channel->said_end)
		return;
	channel->said_end = true;
	if (channel->session && !channel->broken)
		gnutls_bye(channel->session, GNUTLS_SHUT_WR);
	http_channel_flush(channel);
	shutdown(channel->fd, SHUT_WR);
}

/* --- life --- */

void http_channel_open(struct http_channel *channel, int fd, struct http_buffers *buffers)
{
	*channel = (struct http_channel){ .fd = fd, .buffers = buffers, .writable = true };
	channel->stash.max = STASH_MAX;
}

/* A TLS record, or what cannot become one, which GnuTLS then refuses. */
static bool is_record(const char *data, size_t len)
{
	const unsigned char *head = (const unsigned char *)data;
	size_t announced = len < RECORD_HEAD ? 0 : (size_t)head[3] << 8 | head[4];

	return len > 0 && (head[0] != RECORD_HANDSHAKE || announced > HTTP_RECORD_MAX ||
			   (len >= RECORD_HEAD && len - RECORD_HEAD >= announced));
}

bool http_channel_fetch(struct http_channel *channel)
{
	struct http_buffers *buffers = channel->buffers;
	ssize_t n;

	while ((n = receive(channel, buffers->raw, sizeof(buffers->raw))) > 0) {
		buffers->raw_len = (size_t)n;
		if (channel->stash.len == 0 && is_record(buffers->raw, buffers->raw_len))
			return true;
		http_channel_pause(channel);
		if (channel->broken || is_record(channel->stash.data, channel->stash.len))
			return !channel->broken;
	}
	if (n == 0 || errno != EAGAIN)
		channel->broken = true;
	return false;
}

void http_channel_secure(struct http_channel *channel, gnutls_session_t session)
{
	channel->session = session;
	gnutls_transport_set_ptr(session, channel);
	gnutls_transport_set_pull_function(session, pull);
	gnutls_transport_set_vec_push_function(session, push);
}

int http_channel_handshake(struct http_channel *channel)
{
	unsigned warnings = 0;
	int code;

	do {
		code = gnutls_handshake(channel->session);
	} while (is_passing(code) && ++warnings < WARNINGS_MAX);
	if (code < 0 && code != GNUTLS_E_AGAIN)
		gnutls_alert_send_appropriate(channel->session, code);
	return code == 0 ? 1 : code == GNUTLS_E_AGAIN && !channel->broken ? 0 : -1;
}

void http_channel_pause(struct http_channel *channel)
{
	struct http_buffers *buffers = channel->buffers;

	http_channel_flush(channel);
	if (buffers->raw_at < buffers->raw_len) {
		buf_add(&channel->stash, buffers->raw + buffers->raw_at, buffers->raw_len - buffers->raw_at);
		if (channel->stash.failed)
			channel->broken = true;
	} else if (channel->stash.len == 0) {
		buf_close(&channel->stash);
	}
	buffers->raw_at = buffers->raw_len = 0;
}

void http_channel_close(struct http_channel *channel, bool reset)
{
	static const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };

	if (channel->fd < 0)
		return;
	if (reset)
		setsockopt(channel->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	if (channel->session)
		gnutls_deinit(TAKE(channel->session));
	close(channel->fd);
	channel->fd = -1;
	channel->broken = true;
	buf_close(&channel->stash);
	buf_close(&channel->unsent);
}
