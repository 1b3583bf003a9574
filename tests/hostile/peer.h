/* A client of the misbehaving kind: one connection that does as its plan says, and counts what it is
 * answered.
 *
 *     connecting ──▶ handshake ──▶ open: sends, reads or does not ──▶ closed by the server
 *          └─── without TLS ────────▲
 */
#pragma once

#include <stdint.h>

#include "lib/buf.h"
#include "lib/loop.h"

struct peer_plan {
	bool tls;
	const char *text; /* what it sends; outlives the peer */
	size_t len;
	size_t piece;     /* bytes sent at once, each a TLS record of its own; 0: as much as fits */
	int64_t pause_ms; /* between pieces */
	bool deaf;        /* never reads, with a small receive buffer */
};

enum peer_state { PEER_CONNECTING, PEER_HANDSHAKE, PEER_OPEN, PEER_CLOSED };

struct peer {
	struct loop *loop;
	struct peer_plan plan;
	enum peer_state state;
	int fd;
	void *tls; /* gnutls_session_t */
	struct loop_io *io;
	struct loop_timer timer;
	size_t sent;
	size_t under_way;    /* bytes that GnuTLS has not got rid of */
	unsigned answers[6]; /* by the first digit of their codes */
	char tail[16];       /* what may be the beginning of one */
	size_t received;
};

/* Connects to 127.0.0.1:PORT. A peer that gets no socket is closed from the start. */
void peer_open(struct peer *peer, struct loop *loop, uint16_t port, const struct peer_plan *plan);
void peer_close(struct peer *peer);
/* The plan is carried out as far as the server lets it. */
bool peer_has_sent(const struct peer *peer);
