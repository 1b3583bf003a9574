/* A small HTTPS server on the loop (libmicrohttpd, its epoll descriptor as a source, no threads): metrics,
 * health and, in the node agent, logs. The apiserver has its own edge (apiserver/edge).
 *
 * Clients must show a certificate signed by client_ca; without one they get 401. /livez, /readyz and
 * /healthz are open to everyone.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/buf.h"
#include "lib/loop.h"

struct http_server_opts {
	const char *address; /* "127.0.0.1" or "0.0.0.0"... */
	uint16_t port;       /* 0: any free */
	const char *cert_pem;
	const char *key_pem;
	const char *client_ca_pem;
	unsigned max_connections; /* 0: 256 */
	size_t max_body_bytes;    /* of a request; more is answered 413. 0: none is taken */
};

struct http_server;
struct http_exchange; /* one request and its answer */

struct http_route {
	const char *method; /* NULL: any */
	const char *path;   /* exact, or a prefix when it ends with '/' */
	bool open;          /* needs no client certificate */
	void (*fn)(struct http_exchange *exchange, void *arg);
};

/* ROUTES ends with a row whose path is NULL; kept by pointer. GET /metrics, /livez, /readyz and /healthz
 * are there without a row. */
struct http_server *http_server_new(struct loop *loop, const struct http_server_opts *opts,
				    const struct http_route *routes, void *arg, struct err *err);
/* Ends all exchanges; none may be used after it. Not from within a route. */
void http_server_free(struct http_server *server);
uint16_t http_server_port(const struct http_server *server);

const char *http_exchange_method(const struct http_exchange *exchange);
const char *http_exchange_path(const struct http_exchange *exchange);
/* The request's body, whole and NUL-terminated ("" without one); valid until the exchange is answered. */
const char *http_exchange_body(const struct http_exchange *exchange, size_t *ret_len);
/* A request header, or NULL. */
const char *http_exchange_header(const struct http_exchange *exchange, const char *name);
/* Decoded query value, or NULL. */
const char *http_exchange_query(const struct http_exchange *exchange, const char *key);
/* The common name of the peer's certificate, "" without a verified one. That the certificate is good says who
 * asks; whether they may is for the route to decide. */
const char *http_exchange_client(const struct http_exchange *exchange);
/* A further header line of the answer that is to come. */
void http_exchange_add_header(struct http_exchange *exchange, const char *name, const char *value);
/* Answers whole. Copied. Once per exchange; from the route's call or later from the loop. A route that
 * answers later must answer also when the peer has gone meanwhile: the exchange lives until then. */
void http_exchange_reply(struct http_exchange *exchange, int code, const char *content_type, const void *data,
			 size_t len);
/* Hangs up on the peer: a whole answer that cannot be given, a stream that cannot go on. Ends the
 * exchange. */
void http_exchange_abort(struct http_exchange *exchange);
/* Answers as a stream: READ is called on the loop whenever the peer can take more and must return bytes
 * put into BUF (> 0), 0 for "nothing now" (then http_exchange_wake resumes it), or -1 for the end.
 * CLOSED is called once when the exchange is over for any reason. */
void http_exchange_stream(struct http_exchange *exchange, const char *content_type,
			  ssize_t (*read)(char *buf, size_t size, void *arg), void (*closed)(void *arg),
			  void *arg);
void http_exchange_wake(struct http_exchange *exchange);
