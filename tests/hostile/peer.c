#include "tests/hostile/peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <gnutls/gnutls.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define DEAF_BUFFER 4096

static const char answer_start[] = "HTTP/1.1 ";

/* --- TLS that trusts anybody --- */

static gnutls_session_t session_new(int fd)
{
	static gnutls_certificate_credentials_t credentials;
	static gnutls_priority_t priority;
	gnutls_session_t session;

	if (!credentials && (gnutls_certificate_allocate_credentials(&credentials) < 0 ||
			     gnutls_priority_init(&priority, "NORMAL:-VERS-ALL:+VERS-TLS1.3", NULL) < 0))
		abort();
	if (gnutls_init(&session, GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL) < 0)
		abort();
	gnutls_priority_set(session, priority);
	gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials);
	gnutls_transport_set_int(session, fd);
	return session;
}

/* --- the end of it --- */

static void end(struct peer *peer)
{
	loop_timer_disarm(&peer->timer);
	loop_io_free(TAKE(peer->io));
	if (peer->tls)
		gnutls_deinit(TAKE(peer->tls));
	if (peer->fd >= 0)
		close(peer->fd);
	peer->fd = -1;
	peer->state = PEER_CLOSED;
}

/* --- reading --- */

/* Counts the beginnings of answers in the stream, also those that are cut between two pieces of it. */
static void count_answers(struct peer *peer, const char *data, size_t len)
{
	const size_t need = sizeof(answer_start); /* with the first digit */
	size_t kept = strlen(peer->tail);
	CLEANUP(mem_freep) char *text = mem_alloc(kept + len);
	const char *at = text;

	memcpy(text, peer->tail, kept);
	memcpy(text + kept, data, len);
	len += kept;
	for (const char *stop = text + len; (at = memmem(at, (size_t)(stop - at), answer_start, need - 1));
	     at++) {
		if ((size_t)(stop - at) < need)
			break;
		if (at[need - 1] >= '1' && at[need - 1] <= '5')
			peer->answers[at[need - 1] - '0']++;
	}
	kept = len < need - 1 ? len : need - 1;
	memcpy(peer->tail, text + len - kept, kept);
	peer->tail[kept] = '\0';
}

static ssize_t receive(struct peer *peer, char *chunk, size_t size)
{
	ssize_t n = peer->tls ? gnutls_record_recv(peer->tls, chunk, size) : recv(peer->fd, chunk, size, 0);

	if (peer->tls && (n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED))
		return -1;
	if (!peer->tls && n < 0 && errno == EAGAIN)
		return -1;
	return n > 0 ? n : 0;
}

/* False at the end of the stream. */
static bool read_on(struct peer *peer)
{
	char chunk[16384];
	ssize_t n;

	while ((n = receive(peer, chunk, sizeof(chunk))) > 0) {
		count_answers(peer, chunk, (size_t)n);
		peer->received += (size_t)n;
	}
	return n < 0;
}

/* --- sending --- */

static bool is_again(const struct peer *peer, ssize_t n)
{
	return peer->tls ? n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED : n < 0 && errno == EAGAIN;
}

/* The bytes that went out, 0: none can now, -1: the connection is gone. */
static ssize_t send_piece(struct peer *peer)
{
	size_t left = peer->plan.len - peer->sent;
	size_t len = peer->plan.piece && peer->plan.piece < left ? peer->plan.piece : left;
	const char *text = peer->plan.text + peer->sent;
	ssize_t n;

	if (peer->under_way)
		n = gnutls_record_send(peer->tls, NULL, 0);
	else if (peer->tls)
		n = gnutls_record_send(peer->tls, text, len);
	else
		n = send(peer->fd, text, len, MSG_NOSIGNAL);
	if (is_again(peer, n)) {
		peer->under_way = peer->tls ? len : 0;
		return 0;
	}
	peer->under_way = 0;
	return n > 0 ? n : -1;
}

static uint32_t reading(const struct peer *peer)
{
	return peer->plan.deaf ? 0 : EPOLLIN;
}

/* False when the server does not take any more. It may have answered before it hung up. */
static bool send_on(struct peer *peer)
{
	while (!peer_has_sent(peer)) {
		ssize_t n = send_piece(peer);

		if (n < 0)
			return false;
		if (n == 0) {
			loop_io_set(peer->io, reading(peer) | EPOLLOUT);
			return true;
		}
		peer->sent += (size_t)n;
		if (peer->plan.pause_ms && !peer_has_sent(peer)) {
			loop_timer_arm(&peer->timer, peer->plan.pause_ms);
			break;
		}
	}
	loop_io_set(peer->io, reading(peer));
	return true;
}

static void go_on(struct peer *peer)
{
	bool open = peer->plan.deaf || read_on(peer);

	if (open && !send_on(peer)) {
		if (!peer->plan.deaf)
			read_on(peer);
		open = false;
	}
	if (!open)
		end(peer);
}

static void on_pause_over(struct loop_timer *timer, void *arg)
{
	(void)timer;
	go_on(arg);
}

/* --- from one state to the next --- */

static void handshake(struct peer *peer)
{
	int result = gnutls_handshake(peer->tls);

	if (result == GNUTLS_E_AGAIN || result == GNUTLS_E_INTERRUPTED) {
		loop_io_set(peer->io, gnutls_record_get_direction(peer->tls) ? EPOLLOUT : EPOLLIN);
	} else if (result < 0) {
		end(peer);
	} else {
		peer->state = PEER_OPEN;
		go_on(peer);
	}
}

static void connected(struct peer *peer)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(peer->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0 || error) {
		end(peer);
		return;
	}
	if (!peer->plan.tls) {
		peer->state = PEER_OPEN;
		go_on(peer);
		return;
	}
	peer->tls = session_new(peer->fd);
	peer->state = PEER_HANDSHAKE;
	handshake(peer);
}

static void on_io(struct loop_io *io, int fd, uint32_t events, void *arg)
{
	struct peer *peer = arg;

	(void)io;
	(void)fd;
	if (peer->state == PEER_CONNECTING)
		connected(peer);
	else if (peer->state == PEER_HANDSHAKE)
		handshake(peer);
	else if (peer->plan.deaf && events & (EPOLLHUP | EPOLLERR))
		end(peer);
	else
		go_on(peer);
}

/* --- for the modes --- */

void peer_open(struct peer *peer, struct loop *loop, uint16_t port, const struct peer_plan *plan)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
	int small = DEAF_BUFFER;

	*peer = (struct peer){ .loop = loop, .plan = *plan };
	loop_timer_init(&peer->timer, loop, on_pause_over, peer);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	peer->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (peer->fd >= 0 && plan->deaf)
		setsockopt(peer->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	if (peer->fd < 0 ||
	    (connect(peer->fd, (struct sockaddr *)&address, sizeof(address)) < 0 && errno != EINPROGRESS) ||
	    !(peer->io = loop_io_new(loop, peer->fd, EPOLLOUT, on_io, peer, NULL)))
		end(peer);
}

void peer_close(struct peer *peer)
{
	end(peer);
}

bool peer_has_sent(const struct peer *peer)
{
	return peer->sent == peer->plan.len;
}
