/* An HTTPS server on the loop: HTTP/1.0 and 1.1 over TLS 1.2 and 1.3, without threads of its own. A program
 * with many loops has a server on each, and one listener that shares connections out evenly between them.
 *
 *     connection ─▶ handshake ─▶ head ─▶ body ─▶ request ─▶ answer ─┬▶ the next request
 *                                 └───────── an exchange ──────────┘├▶ closed
 *                                                                   └▶ upgraded: http_upgrade.h
 *
 * What it knows by itself: keep-alive, pipelining (one exchange at a time), HEAD, Expect: 100-continue, Date,
 * limits and deadlines. What is no HTTP, or could be read in two ways, it refuses (http_request.h) with the
 * handler's words and closes. What a request means is the handler's business: http_exchange.h is its side.
 *
 * Fairness: in one turn of the loop a connection answers a bounded number of requests and sends a bounded
 * number of bytes, a bounded number of newcomers are taken, and handshakes come after all who are ready, a
 * few at a time. A peer that sends half of something costs nothing while it waits. Memory: an idle connection
 * holds no buffers but what GnuTLS holds; those bytes travel through are shared by all connections of the
 * server.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/buf.h"
#include "lib/http_listener.h"
#include "lib/loop_inbox.h"

struct http_server;
struct http_exchange;
struct http_credentials;

/* What a server does with requests; all on the loop's thread, ARG is http_server_new's. Those that may be
 * NULL say so. Within any of them the exchange may be answered; then the request's calls end, only `ended`
 * and what the answer asked for follow. */
struct http_handler {
	/* The head is there: method, path and headers can be read. A body is still to come, if any. NULL. */
	void (*begun)(struct http_exchange *exchange, void *arg);
	/* The next bytes of the body. NULL: they are dropped. */
	void (*body)(struct http_exchange *exchange, const char *data, size_t len, void *arg);
	/* The request is whole. The answer may come now or later. */
	void (*whole)(struct http_exchange *exchange, void *arg);
	/* The peer hung up, or the server is to stop, before the exchange has ended: what waits for something
	 * may stop waiting. An exchange that was not answered must be nevertheless: half a connection may
	 * still take the answer. Once at most. NULL. */
	void (*hung_up)(struct http_exchange *exchange, void *arg);
	/* The exchange is over, answered or not, and gone after this call. One whose request was whole, and
	 * that was not answered when its connection broke, lives on until it is, and ends then. NULL. */
	void (*ended)(struct http_exchange *exchange, void *arg);
	/* A connection is gone: what was kept for it (http_exchange_kept). NULL. */
	void (*forget)(void *kept, void *arg);
	/* The body of the answer to what is no request: CODE 400, 413, 414, 431, 501, 505 and why. Appends it
	 * to BODY and gives its content type. NULL: the message as text/plain. */
	const char *(*fault)(int code, const char *message, struct buf *body, void *arg);
};

struct http_server_opts {
	struct http_listener *listener;       /* outlives the server; NULL: http_server_adopt only */
	struct http_credentials *credentials; /* referenced; NULL: no TLS, which is for tests */
	unsigned max_connections;             /* 0: 256. More are closed at once. */
	uint64_t max_body_bytes;              /* of a request; more is a fault 413 */
	int64_t silence_ms; /* from a connection to its first request's head, and for each later head from its
			       first byte; 0: 32,000 */
	int64_t idle_ms;    /* without a byte of a request or its answer taken; 0: 120,000 */
};

/* HANDLER is kept by pointer. NULL and *err on failure. */
struct http_server *http_server_new(struct loop *loop, const struct http_server_opts *opts,
				    const struct http_handler *handler, void *arg, struct err *err);
/* Cuts all connections and ends their exchanges, also those not answered: none may be used after it. Not from
 * within a handler, and of servers with one listener when none of their loops runs any more. NULL is fine. */
void http_server_free(struct http_server *server);
struct loop *http_server_loop(const struct http_server *server);
/* Letters of other threads to what belongs to this server. */
struct loop_inbox *http_server_inbox(const struct http_server *server);
size_t http_server_connections(const struct http_server *server);
/* A connected socket becomes a connection of this server; FD is taken. */
void http_server_adopt(struct http_server *server, int fd);

/* The way to a stop in order: takes nobody new, closes idle connections, tells all exchanges that their peer
 * hung up, and closes each connection after its answer. EMPTY is called once when no connection is left. */
void http_server_drain(struct http_server *server, void (*empty)(void *arg), void *arg);
/* Cuts off all connections, of which those with an exchange that waits for its answer are gone when it is
 * given. */
void http_server_cut(struct http_server *server);

/* Certificate and key of the server, and who signs the clients' certificates; shared by servers and
 * connections, of any thread. PEM texts; CLIENT_CA_PEM NULL: clients are not asked for a certificate; with it
 * they are asked, not forced. ERR_BAD_REQUEST says which text is wrong. */
struct http_credentials *http_credentials_new(const char *cert_pem, const char *key_pem,
					      const char *client_ca_pem, struct err *err);
struct http_credentials *http_credentials_ref(struct http_credentials *credentials);
void http_credentials_unref(struct http_credentials *credentials); /* NULL is fine */
/* Handshakes from here on use CREDENTIALS (referenced); connections that stand keep theirs. */
void http_server_set_credentials(struct http_server *server, struct http_credentials *credentials);
