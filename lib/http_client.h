/* HTTP client of the cluster's own traffic: API servers, node agents, probes of containers. Connections are
 * kept and shared, many requests are in flight, answers come whole or as a stream. TLS 1.2 at least, peer
 * verified. No proxies and no redirects: what is asked is what answers.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/buf.h"
#include "lib/loop.h"

/* Whom to trust and who we are. PEM texts, not paths; all may be NULL. Copied. */
struct http_identity {
	const char *ca_pem;
	const char *cert_pem;
	const char *key_pem;
	const char *token;           /* sent as Authorization: Bearer */
	const char *impersonation;   /* header lines with their ends, of each request; or NULL */
	const char *tls_server_name; /* name to verify instead of the URL's host */
	bool insecure_skip_verify;
};

struct http_client;
/* At most MAX_CONNECTIONS requests are under way at once, and further ones wait their turn. Streams come on
 * top: they last, and what waits for one of them to end would wait for ever. */
struct http_client *http_client_new(struct loop *loop, const struct http_identity *identity,
				    long max_connections, const char *user_agent, struct err *err);
/* The same for a program whose whole life is an exchange or two: it connects to the server of URL at once,
 * and reads certificates and keys while that answers, as should the caller do what else it has to. Runs a
 * turn of the loop. */
struct http_client *http_client_new_ahead(struct loop *loop, const struct http_identity *identity,
					  const char *url, long max_connections, const char *user_agent,
					  struct err *err);
void http_client_free(struct http_client *client); /* cancels what is under way */

struct http_request {
	const char *method;
	const char *url;            /* http or https */
	const char *content_type;   /* of the body; NULL without a body */
	const char *accept;         /* NULL: application/json */
	const char *const *headers; /* further "Name: value" lines, NULL-terminated, or NULL */
	const void *body;           /* copied */
	size_t body_len;
	int64_t timeout_ms;        /* whole exchange, from its turn on; 0: none (watches, followed logs) */
	size_t max_response_bytes; /* 0: 256 MiB; more fails with ERR_LIMIT. Not applied to streams. */
	bool insecure_peer;        /* do not verify the peer's certificate: kubelet-style HTTPS probes */
	void (*release)(
	    void *arg); /* NULL, or called last with ARG when the call is gone: done or cancelled */
};

struct http_response {
	int code;                 /* 0: no answer, see err */
	const char *content_type; /* or "" */
	const char *warning;      /* Warning headers' texts joined by newlines, or NULL */
	long retry_after_s;       /* Retry-After, or -1 */
	const char *data;         /* body of a whole answer, NUL-terminated; streams: "" */
	size_t len;
	struct err err; /* kind ERR_NONE when an answer of any code arrived whole; ERR_CONNECTION has
			   the errno of a failed connect in errnum (ECONNREFUSED), or 0 */
};

struct http_call;
/* Sends. A GET or HEAD whose kept connection turns out to be closed goes out again on a new one; nothing else
 * does, for it may have been carried out. DONE is called once from the loop (never from within), then the
 * call is gone. When DATA is not NULL it gets the body of 2xx answers piece by piece instead; returning false
 * there ends the call (DONE follows with ERR_CONNECTION). Bodies of other codes always come whole with DONE.
 */
struct http_call *http_client_send(struct http_client *client, const struct http_request *request,
				   bool (*data)(const char *data, size_t len, void *arg),
				   void (*done)(const struct http_response *response, void *arg), void *arg);
/* Ends it silently: neither callback is called again. */
void http_call_cancel(struct http_call *call);
/* Stops and resumes the reading of a stream (back pressure). What was read already still comes. */
void http_call_pause(struct http_call *call, bool paused);
/* What a connection of one's own needs to be as this client's are (http_relay.h). Valid as long as the
 * client. */
struct tls_identity;
struct http_access {
	struct loop *loop;
	struct tls_identity *identity;
	const char *authorization; /* its value, or NULL */
	const char *impersonation; /* header lines, or NULL */
	const char *user_agent;
	const char *tls_server_name; /* or NULL */
	bool verify;
};
struct http_access http_client_access(struct http_client *client);
/* Requests under way or waiting. */
size_t http_client_in_flight(const struct http_client *client);
