/* A byte stream to a peer: TCP, with TLS when asked, on the loop. Connects, tries the peer's addresses in
 * turn, shakes hands, then carries bytes both ways without blocking. What the bytes mean is its user's
 * business.
 *
 *     CONNECTING ──▶ HANDSHAKE ──▶ OPEN ──▶ (failed or freed)
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/loop.h"
#include "lib/tls_identity.h"

struct stream_peer {
	const char *host; /* a name, or an address in digits */
	uint16_t port;
	struct tls_identity *identity; /* NULL: no TLS. Outlives the stream. */
	const char *name;              /* to verify instead of HOST, or NULL */
	bool verify;
};

/* Told from the loop, never from within a call. A callback may free the stream. */
struct stream_user {
	void (*opened)(void *arg);
	void (*readable)(void *arg); /* again and again while there is something and reading is not stopped */
	/* Connecting, the handshake or sending failed; nothing follows. ERR_CONNECTION, with the errno of a
	 * failed connect(2) in errnum; ERR_TIMEOUT when not open within ten seconds. */
	void (*failed)(const struct err *err, void *arg);
	/* All that was written has left, and there was a time when it had not. NULL: nobody cares. */
	void (*drained)(void *arg);
};

struct stream;
/* PEER is copied, but for the identity. */
struct stream *stream_new(struct loop *loop, const struct stream_peer *peer, const struct stream_user *user,
			  void *arg);
void stream_free(struct stream *stream); /* closes; NULL is fine */
/* As read(2): bytes; 0 at the peer's orderly end; -1 with *err, or with err->kind ERR_NONE when there is
 * nothing now. Only when open. */
ssize_t stream_read(struct stream *stream, void *data, size_t size, struct err *err);
/* Sends all of it, later what does not go at once. Only when open. */
void stream_write(struct stream *stream, const void *data, size_t len);
/* Bytes that were written and have not left. */
size_t stream_unsent(const struct stream *stream);
/* Whether `readable` is called: back pressure. On at first. */
void stream_set_reading(struct stream *stream, bool reading);
