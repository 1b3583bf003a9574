/* The HTTPS server: libmicrohttpd's threads, connections and their identities, limits, counters, start and
 * stop.
 */
#pragma once

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "apiserver/authn/identity.h"
#include "apiserver/core/core.h"
#include "apiserver/edge/attendant.h"
#include "apiserver/edge/transport.h"
#include "lib/http_client.h"

struct authn;
struct authz;
struct log_proxy;
struct policies;
struct request;

struct server_opts {
	struct core *core;   /* outlives the server */
	struct authn *authn; /* outlives the server */
	struct authz *authz; /* outlives the server */
	const char *address; /* "127.0.0.1", "::1", "0.0.0.0" */
	uint16_t port;       /* 0: any free */
	const char *cert_pem, *key_pem;
	const char *client_ca_pem;    /* NULL: no client certificates */
	struct http_identity kubelet; /* how we show ourselves to node agents */
	unsigned threads;             /* edge threads; 0: 2 */
	unsigned max_connections;     /* 0: 25,000 */
	unsigned max_reads;           /* requests in flight, from when their body is there; 0: 400 */
	unsigned max_writes;          /* 0: 200 */
	int64_t silence_ms;           /* from a connection to the header of its first request; 0: 32,000 */
	int64_t answer_ms;            /* to take a large answer; 0: 60,000 */
};

struct server {
	struct core *core;
	struct MHD_Daemon *daemon;
	struct authn *authn;
	struct authz *authz;
	struct attendant *attendant;
	struct log_proxy *log_proxy;
	struct policies *policies;
	char *cert_pem, *key_pem, *client_ca_pem;
	uint16_t port;
	int64_t max_reads, max_writes, silence_ms, answer_ms;
	_Atomic int64_t reads, writes, watches; /* in flight, open */
	_Atomic int64_t body_bytes;             /* of requests on their way in or not answered yet */
	_Atomic int64_t answer_bytes;           /* of large answers that are not taken yet */
	atomic_bool stopping;
	/* Requests between begin and answer, and streams: none may be suspended when the daemon stops. */
	pthread_mutex_t lock;
	pthread_cond_t idle;
	size_t busy;
};

/* What is known about a connection. */
struct connection {
	struct transport transport;
	struct attend silence; /* until the header of its first request is there */
	bool silent;
	bool certificate_checked;
	struct identity *certificate; /* or NULL */
};

/* Listens and serves when it returns. ERR_SYSTEM with "listen on 127.0.0.1:6443: Address already in use". */
int server_new(const struct server_opts *opts, struct server **ret, struct err *err);
uint16_t server_port(const struct server *server);
/* Stops accepting, ends streams, lets what is under way finish. The core must still run. */
void server_stop_and_free(struct server *server);

/* Whom the client's certificate names, borrowed while the connection lasts; NULL: nobody we know. */
struct identity *server_certificate(struct server *server, struct MHD_Connection *connection);
/* The head of the answer that is queued now leaves with its body, of which there must be some. */
void server_hold_head(struct MHD_Connection *connection);
/* The header of a request has come over CONNECTION. */
void server_connection_speaks(struct MHD_Connection *connection);
void server_busy(struct server *server);
void server_unbusy(struct server *server);
