/* Small HTTP/1.1 client over TLS for many connections at once, where lib/http_client's cost per connection
 * and request would be what is measured: non-blocking GnuTLS on the loop, one request at a time on a
 * connection, its answer told when it is whole, or line by line while it is a stream. Peers are not verified
 * (neither does wrk): that costs the client alone.
 */
#pragma once

#include <stddef.h>

#include "lib/kubeconfig.h"
#include "lib/loop.h"

struct tls_conn;
struct tls_events {
	void (*opened)(struct tls_conn *conn, void *arg); /* the handshake is done: it can be sent on */
	void (*answered)(struct tls_conn *conn, int code, void *arg); /* whole; the next may be sent */
	/* NULL, or gets the lines of chunked answers, without their end. */
	void (*line)(struct tls_conn *conn, const char *line, size_t len, void *arg);
};

struct tls_client;
/* CONFIG is copied, EVENTS kept by pointer. Any failure of a connection ends the program. */
struct tls_client *tls_client_new(struct loop *loop, const struct kubeconfig *config,
				  const struct tls_events *events);
void tls_client_free(struct tls_client *client); /* its connections are closed before */

/* Begins to connect. */
struct tls_conn *tls_conn_new(struct tls_client *client, void *arg);
void tls_conn_close(struct tls_conn *conn); /* not from one of its own events */
/* BODY NULL: none, else JSON. */
void tls_conn_send(struct tls_conn *conn, const char *method, const char *path, const char *body,
		   size_t body_len);
