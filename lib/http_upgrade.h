/* A connection after 101 Switching Protocols: bytes both ways over the same TLS session, with back pressure.
 * RFC 9110 section 7.8. What the bytes mean is its user's business.
 *
 *     http_upgrade_begin ─▶ OPEN ─▶ one or both directions ended ─▶ closed() ─▶ gone
 *
 * All on the loop's thread of the connection's server.
 */
#pragma once

#include "lib/http_exchange.h"

struct http_upgrade;

/* Called from the loop, never from within a call of this header but where it says so. Within each of them any
 * call below is allowed. Those that may be NULL say so. */
struct http_upgrade_user {
	/* Bytes from the peer, at most 16 KiB, those first that came right behind the request's head. All of
	 * them are taken; who cannot take more calls http_upgrade_set_reading(false), after which this is not
	 * called until it is set again. */
	void (*data)(const char *data, size_t len, void *arg);
	/* The peer sends no more; it may still receive. NULL: that closes the connection. */
	void (*ended)(void *arg);
	/* All that was written has left, and there was a time when it had not: who stopped at
	 * http_upgrade_unsent goes on. NULL. */
	void (*drained)(void *arg);
	/* It is over, and this the last call: ERR says why, with kind ERR_NONE when both sides had ended or
	 * http_upgrade_close was called. The upgrade is gone after it. Also called when the server stops. */
	void (*closed)(const struct err *err, void *arg);
};

/* Answers EXCHANGE with 101 and the headers that were added to it (Upgrade, Sec-WebSocket-Accept...;
 * Connection: Upgrade is added here), and takes over its connection. The exchange ends (http_handler.ended)
 * before the first call of USER. For requests without a body, when they are whole. NULL when that cannot be
 * (the peer is gone already, or speaks HTTP/1.0); then the exchange must still be answered. USER is kept by
 * pointer. No deadline holds for an upgraded connection: its user sets its own. */
struct http_upgrade *http_upgrade_begin(struct http_exchange *exchange, const struct http_upgrade_user *user,
					void *arg);
/* Sends LEN bytes, copied; what does not go at once later and in order. Dropped after shutdown. */
void http_upgrade_write(struct http_upgrade *upgrade, const void *data, size_t len);
/* Bytes that were written and have not left yet. Unbounded: whoever passes bytes on stops reading its own
 * source at some limit until `drained`. */
size_t http_upgrade_unsent(const struct http_upgrade *upgrade);
/* Whether `data` is called: back pressure. On at first. While it is off a peer's end is noticed all the same
 * when its connection breaks. */
void http_upgrade_set_reading(struct http_upgrade *upgrade, bool reading);
/* No more is written: the peer sees the end after what was. */
void http_upgrade_shutdown(struct http_upgrade *upgrade);
/* Sends what was written, closes, and calls `closed` (from the loop) when that is done, after some seconds at
 * the latest. `data`, `ended` and `drained` are not called any more. */
void http_upgrade_close(struct http_upgrade *upgrade);
/* Cuts it off now: what was not sent is lost, and nothing of USER is called any more. */
void http_upgrade_abort(struct http_upgrade *upgrade);
struct http_server *http_upgrade_server(const struct http_upgrade *upgrade);
