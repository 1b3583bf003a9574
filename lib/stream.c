#include "lib/stream.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/mem.h"
#include "lib/resolve.h"

#define OPEN_TIMEOUT_MS   10000
#define IN_SIZE           4096
#define KEEPALIVE_IDLE_S  30
#define KEEPALIVE_INTVL_S 10

enum stream_state { STREAM_CONNECTING, STREAM_HANDSHAKE, STREAM_OPEN, STREAM_FAILED };

struct stream {
	struct loop *loop;
	const struct stream_user *user;
	void *arg;
	enum stream_state state;
	char *host, *name;
	uint16_t port;
	bool verify;
	bool stopped; /* reading is */
	bool *gone;   /* of `opened`, which calls a callback: the stream was freed by it */
	struct tls_identity *identity;
	struct resolve *resolve;
	struct addrinfo *addresses;
	const struct addrinfo *next; /* of them, to be tried */
	int fd;
	uint32_t watched;
	struct loop_io *io;
	gnutls_session_t session;
	/* What was received and GnuTLS has not taken: it asks for a record's head and then for the rest, and
	 * that would be two system calls for each. */
	unsigned char in[IN_SIZE];
	size_t in_at, in_len;
	bool drained;            /* the socket had no more than that */
	struct buf out;          /* as it goes out: what GnuTLS made, and is sent together */
	bool blocked;            /* the socket took less than there was */
	struct err err;          /* of FAILED, told by the task */
	struct loop_task task;   /* what cannot be told from within: a failure, and bytes that GnuTLS holds */
	struct loop_timer timer; /* OPEN_TIMEOUT_MS */
};

static void connect_next(struct stream *stream);
static void on_ready(struct loop_io *io, int fd, uint32_t events, void *arg);
static void flush(struct stream *stream);

/* --- states --- */

static void disconnect(struct stream *stream)
{
	loop_io_free(TAKE(stream->io));
	if (stream->session)
		gnutls_deinit(TAKE(stream->session));
	mem_closep(&stream->fd);
	stream->fd = -1;
}

/* stream->err says why. */
static void fail(struct stream *stream)
{
	disconnect(stream);
	stream->state = STREAM_FAILED;
	loop_timer_disarm(&stream->timer);
	loop_post(stream->loop, &stream->task);
}

static void watch(struct stream *stream)
{
	uint32_t events = 0;

	if (stream->state == STREAM_CONNECTING || stream->blocked)
		events |= EPOLLOUT;
	if (stream->state == STREAM_HANDSHAKE || (stream->state == STREAM_OPEN && !stream->stopped))
		events |= EPOLLIN;
	if (events == stream->watched)
		return;
	stream->watched = events;
	if (stream->io)
		loop_io_set(stream->io, events);
	else
		stream->io = loop_io_new(stream->loop, stream->fd, events, on_ready, stream, &stream->err);
	if (!stream->io)
		fail(stream);
}

/* What the handshake says last leaves with what the user writes first. */
static void opened(struct stream *stream)
{
	bool gone = false;

	stream->state = STREAM_OPEN;
	loop_timer_disarm(&stream->timer);
	/* Forgotten below, unless the stream is gone. */
	// cppcheck-suppress autoVariables
	stream->gone = &gone;
	stream->user->opened(stream->arg);
	if (gone)
		return;
	stream->gone = NULL;
	if (stream->state == STREAM_OPEN)
		flush(stream);
}

/* An alert, or the end of TLS: what the socket does not take of it is not worth waiting for. */
static void send_last(struct stream *stream)
{
	if (!stream->out.len || stream->blocked)
		return;
	ssize_t n = send(stream->fd, stream->out.data, stream->out.len, MSG_NOSIGNAL);
	(void)n;
}

static void shake_hands(struct stream *stream)
{
	int code;

	do {
		code = gnutls_handshake(stream->session);
	} while (code < 0 && code != GNUTLS_E_AGAIN && !gnutls_error_is_fatal(code));
	if (code == GNUTLS_E_AGAIN) {
		flush(stream);
	} else if (code < 0) {
		tls_identity_explain(stream->session, code, &stream->err);
		send_last(stream);
		fail(stream);
	} else {
		opened(stream);
	}
}

/* --- GnuTLS' transport --- */

static ssize_t receive(struct stream *stream, void *data, size_t size)
{
	ssize_t n = -1;

	errno = EAGAIN;
	if (!stream->drained) {
		do {
			n = recv(stream->fd, data, size, 0);
		} while (n < 0 && errno == EINTR);
		stream->drained = n > 0 && (size_t)n < size;
	}
	if (n < 0)
		gnutls_transport_set_errno(stream->session, errno);
	return n;
}

/* gnutls_pull_func */
static ssize_t pull(gnutls_transport_ptr_t arg, void *data, size_t size)
{
	struct stream *stream = arg;

	if (stream->in_at == stream->in_len) {
		if (size >= IN_SIZE)
			return receive(stream, data, size);
		ssize_t n = receive(stream, stream->in, IN_SIZE);
		if (n <= 0)
			return n;
		stream->in_at = 0;
		stream->in_len = (size_t)n;
	}
	if (size > stream->in_len - stream->in_at)
		size = stream->in_len - stream->in_at;
	memcpy(data, stream->in + stream->in_at, size);
	stream->in_at += size;
	return (ssize_t)size;
}

/* gnutls_vec_push_func. Never refuses, so that GnuTLS need not be given anything twice. */
static ssize_t push(gnutls_transport_ptr_t arg, const giovec_t *parts, int n)
{
	struct stream *stream = arg;
	ssize_t all = 0;

	for (int i = 0; i < n; i++) {
		buf_add(&stream->out, parts[i].iov_base, parts[i].iov_len);
		all += (ssize_t)parts[i].iov_len;
	}
	return all;
}

/* Bytes that have left the socket and wake nobody. */
static bool has_received(const struct stream *stream)
{
	return stream->session &&
	       (stream->in_at < stream->in_len || gnutls_record_check_pending(stream->session) > 0);
}

/* --- connecting --- */

static void connected(struct stream *stream)
{
	if (!stream->identity) {
		opened(stream);
		return;
	}
	stream->state = STREAM_HANDSHAKE;
	stream->session = tls_identity_session(stream->identity, stream->name ? stream->name : stream->host,
					       stream->verify, &stream->err);
	if (!stream->session) {
		fail(stream);
		return;
	}
	gnutls_transport_set_ptr(stream->session, stream);
	gnutls_transport_set_pull_function(stream->session, pull);
	gnutls_transport_set_vec_push_function(stream->session, push);
	stream->drained = true; /* TLS servers do not speak first */
	shake_hands(stream);
}

static void connect_failed(struct stream *stream, int errnum)
{
	err_set(&stream->err, ERR_CONNECTION, "connect: %s", strerror(errnum));
	stream->err.errnum = errnum;
	disconnect(stream);
	connect_next(stream);
}

static void set_options(int fd)
{
	static const struct {
		int level, name, value;
	} options[] = {
		{ IPPROTO_TCP, TCP_NODELAY, 1 },
		{ SOL_SOCKET, SO_KEEPALIVE, 1 },
		{ IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S },
		{ IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTVL_S },
	};

	/* One that the kernel does not know is no reason to fail. */
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		setsockopt(fd, options[i].level, options[i].name, &options[i].value,
			   sizeof(options[i].value));
}

static void connect_next(struct stream *stream)
{
	const struct addrinfo *address = stream->next;

	if (!address) {
		fail(stream);
		return;
	}
	stream->next = address->ai_next;
	stream->fd = socket(address->ai_family, address->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
			    address->ai_protocol);
	if (stream->fd < 0) {
		connect_failed(stream, errno);
		return;
	}
	set_options(stream->fd);
	if (connect(stream->fd, address->ai_addr, address->ai_addrlen) < 0 && errno != EINPROGRESS) {
		connect_failed(stream, errno);
		return;
	}
	/* Also when it stands at once: the loop then tells so in its next turn. */
	stream->watched = EPOLLOUT;
	stream->io = loop_io_new(stream->loop, stream->fd, EPOLLOUT, on_ready, stream, &stream->err);
	if (!stream->io)
		fail(stream);
}

static void resolved(struct addrinfo *addresses, const struct err *err, void *arg)
{
	struct stream *stream = arg;

	stream->resolve = NULL;
	stream->addresses = addresses;
	stream->next = addresses;
	stream->err = *err;
	connect_next(stream);
}

static void timed_out(struct loop_timer *timer, void *arg)
{
	struct stream *stream = arg;

	(void)timer;
	err_set(&stream->err, ERR_TIMEOUT, "no connection within %d seconds", OPEN_TIMEOUT_MS / 1000);
	fail(stream);
}

/* --- bytes --- */

static void flush(struct stream *stream)
{
	while (stream->out.len > 0 && !stream->blocked) {
		ssize_t n = send(stream->fd, stream->out.data, stream->out.len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN) {
			err_set(&stream->err, ERR_CONNECTION, "send: %s", strerror(errno));
			fail(stream);
			return;
		}
		buf_consume(&stream->out, n > 0 ? (size_t)n : 0);
		stream->blocked = stream->out.len > 0;
	}
	if (stream->out.len == 0)
		buf_close(&stream->out);
	watch(stream);
}

static void encrypt(struct stream *stream, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = gnutls_record_send(stream->session, data, len);

		if (n < 0) {
			tls_identity_explain(stream->session, (int)n, &stream->err);
			fail(stream);
			return;
		}
		data += n;
		len -= (size_t)n;
	}
}

void stream_write(struct stream *stream, const void *data, size_t len)
{
	if (stream->state != STREAM_OPEN)
		return;
	if (stream->session)
		encrypt(stream, data, len);
	else
		buf_add(&stream->out, data, len);
	if (stream->state == STREAM_OPEN)
		flush(stream);
}

size_t stream_unsent(const struct stream *stream)
{
	return stream->out.len;
}

ssize_t stream_read(struct stream *stream, void *data, size_t size, struct err *err)
{
	ssize_t n;

	*err = ERR_INIT;
	if (!stream->session) {
		n = recv(stream->fd, data, size, 0);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			err_set(err, ERR_CONNECTION, "receive: %s", strerror(errno));
		return n < 0 ? -1 : n;
	}
	n = gnutls_record_recv(stream->session, data, size);
	if (n >= 0)
		return n;
	if (gnutls_error_is_fatal((int)n))
		tls_identity_explain(stream->session, (int)n, err);
	return -1;
}

void stream_set_reading(struct stream *stream, bool reading)
{
	stream->stopped = !reading;
	if (stream->state != STREAM_OPEN)
		return;
	watch(stream);
	if (reading && has_received(stream))
		loop_post(stream->loop, &stream->task);
}

/* Posts before it calls: after the call the stream may be gone. */
static void readable(struct stream *stream)
{
	if (stream->session)
		loop_post(stream->loop, &stream->task);
	stream->user->readable(stream->arg);
}

static void on_task(struct loop_task *task, void *arg)
{
	struct stream *stream = arg;

	(void)task;
	if (stream->state == STREAM_FAILED)
		stream->user->failed(&stream->err, stream->arg);
	else if (stream->state == STREAM_OPEN && !stream->stopped && has_received(stream))
		readable(stream);
}

static void on_ready(struct loop_io *io, int fd, uint32_t events, void *arg)
{
	struct stream *stream = arg;
	int error = 0;
	socklen_t len = sizeof(error);

	(void)io;
	stream->drained = false;
	if (stream->state == STREAM_CONNECTING) {
		if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
			error = errno;
		if (error)
			connect_failed(stream, error);
		else
			connected(stream);
		return;
	}
	if (events & EPOLLOUT)
		stream->blocked = false;
	if (stream->state == STREAM_HANDSHAKE) {
		flush(stream);
		if (stream->state == STREAM_HANDSHAKE)
			shake_hands(stream);
		return;
	}
	if (events & EPOLLOUT) {
		bool waited = stream->out.len > 0;
		flush(stream);
		if (stream->state != STREAM_OPEN)
			return;
		if (waited && stream->out.len == 0 && stream->user->drained) {
			/* It may free the stream. What can be read is reported again. */
			if (stream->session && !stream->stopped && has_received(stream))
				loop_post(stream->loop, &stream->task);
			stream->user->drained(stream->arg);
			return;
		}
	}
	if (!(events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
		return;
	if (stream->stopped) {
		/* A hang-up is reported whether one asked or not: it waits until reading goes on. */
		loop_io_free(TAKE(stream->io));
		stream->watched = 0;
	} else {
		readable(stream);
	}
}

/* --- life --- */

struct stream *stream_new(struct loop *loop, const struct stream_peer *peer, const struct stream_user *user,
			  void *arg)
{
	struct stream *stream = mem_zalloc(sizeof(*stream));

	stream->loop = loop;
	stream->user = user;
	stream->arg = arg;
	stream->fd = -1;
	stream->host = mem_dup(peer->host);
	stream->name = mem_dup(peer->name);
	stream->port = peer->port;
	stream->identity = peer->identity;
	stream->verify = peer->verify;
	stream->task = (struct loop_task){ .fn = on_task, .arg = stream };
	loop_timer_init(&stream->timer, loop, timed_out, stream);
	loop_timer_arm(&stream->timer, OPEN_TIMEOUT_MS);
	stream->addresses = resolve_digits(peer->host, peer->port);
	stream->next = stream->addresses;
	if (stream->addresses) {
		connect_next(stream);
		return stream;
	}
	stream->resolve = resolve_begin(loop, peer->host, peer->port, resolved, stream, &stream->err);
	if (!stream->resolve)
		fail(stream);
	return stream;
}

void stream_free(struct stream *stream)
{
	if (!stream)
		return;
	if (stream->gone)
		*stream->gone = true;
	if (stream->session && stream->state == STREAM_OPEN) {
		gnutls_bye(stream->session, GNUTLS_SHUT_WR);
		send_last(stream);
	}
	disconnect(stream);
	loop_unpost(stream->loop, &stream->task);
	loop_timer_disarm(&stream->timer);
	resolve_cancel(stream->resolve);
	if (stream->addresses)
		freeaddrinfo(stream->addresses);
	buf_close(&stream->out);
	free(stream->host);
	free(stream->name);
	free(stream);
}
