/* Which protocol a client and we speak after an upgrade: from the request's headers to 101 with the right
 * ones.
 *
 *     Upgrade: websocket   Sec-WebSocket-Protocol: a, b                  (RFC 6455 section 4)
 *     Upgrade: SPDY/3.1    X-Stream-Protocol-Version: a, once for each   (k8s.io/apimachinery httpstream)
 */
#pragma once

#include "lib/byte_pipe.h"
#include "lib/http_exchange.h"

struct negotiated {
	bool websocket;
	const char *protocol; /* one of those offered to it; "": the client named none */
};

/* WEBSOCKET and SPDY: what we speak, NULL-terminated. Answers 101 and gives the connection; or answers why
 * not: 400, 403 or 426, and gives NULL. */
struct byte_pipe *negotiate(struct http_exchange *exchange, const char *const *websocket,
			    const char *const *spdy, struct negotiated *ret);
