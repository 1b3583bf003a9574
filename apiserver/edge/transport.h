/* Between GnuTLS and a connection's socket: the head of an answer waits for its body, so that both leave in
 * one system call and, when they are small, in one packet. libmicrohttpd sends them as two TLS records one
 * right after the other, of which the first alone would be a packet.
 */
#pragma once

#include <gnutls/gnutls.h>
#include <stdbool.h>

#include "lib/buf.h"

struct transport {
	gnutls_session_t session;
	int fd;
	bool hold;       /* what is pushed next waits */
	struct buf held; /* for what is pushed after it */
};

/* Takes over the sending of SESSION, whose socket is FD. T must stay where it is until the session is gone.
 */
void transport_init(struct transport *t, gnutls_session_t session, int fd);
void transport_close(struct transport *t);
/* What is sent next goes along with what is sent after it, and there must be such. */
void transport_hold(struct transport *t);
/* gnutls_vec_push_func. */
ssize_t transport_push(gnutls_transport_ptr_t transport, const giovec_t *parts, int n);
