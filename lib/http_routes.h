/* A server (http_server.h) whose requests go to a table of routes: what every program but the apiserver has
 * for metrics and health, and the node agent for logs and streams.
 *
 * Clients must show a certificate signed by client_ca; without one they get 401. /livez, /readyz and
 * /healthz are open to everyone.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/http_exchange.h"

struct http_routes_opts {
	const char *address; /* "127.0.0.1" or "0.0.0.0"... */
	uint16_t port;       /* 0: any free */
	const char *cert_pem;
	const char *key_pem;
	const char *client_ca_pem;
	unsigned max_connections; /* 0: 256 */
	size_t max_body_bytes;    /* of a request; more is answered 413. 0: none is taken */
};

struct http_routes;

struct http_route {
	const char *method; /* NULL: any */
	const char *path;   /* exact, or a prefix when it ends with '/' */
	bool open;          /* needs no client certificate */
	/* The request is whole. Answers now or later: http_exchange.h. */
	void (*fn)(struct http_exchange *exchange, void *arg);
};

/* TABLE ends with a row whose path is NULL; kept by pointer. GET /metrics, /livez, /readyz and /healthz are
 * there without a row. */
struct http_routes *http_routes_new(struct loop *loop, const struct http_routes_opts *opts,
				    const struct http_route *table, void *arg, struct err *err);
/* Ends all exchanges; none may be used after it. Not from within a route. NULL is fine. */
void http_routes_free(struct http_routes *routes);
uint16_t http_routes_port(const struct http_routes *routes);
/* For http_server_set_credentials. */
struct http_server *http_routes_server(struct http_routes *routes);

/* Of an exchange that a route was given; valid until it is answered. The target's path, decoded. */
const char *http_exchange_path(const struct http_exchange *exchange);
/* The request's body, whole and NUL-terminated ("" without one). */
const char *http_exchange_body(const struct http_exchange *exchange, size_t *ret_len);
/* Decoded query value, or NULL. */
const char *http_exchange_query(const struct http_exchange *exchange, const char *key);
/* The values of a key that stands more than once: *CURSOR is 0 at first. NULL: no more. */
const char *http_exchange_query_next(const struct http_exchange *exchange, const char *key, size_t *cursor);
/* The common name of the peer's certificate, "" without a verified one. That the certificate is good says who
 * asks; whether they may is for the route to decide. */
const char *http_exchange_client(const struct http_exchange *exchange);
/* When the peer hangs up before the answer has ended FN(ARG) is called once. */
void http_exchange_on_hang_up(struct http_exchange *exchange, void (*fn)(void *arg), void *arg);
