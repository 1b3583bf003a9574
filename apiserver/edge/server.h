/* The HTTPS server: edges that share a listening socket, limits, what is counted, start and stop.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "apiserver/core/core.h"
#include "apiserver/edge/edge.h"
#include "lib/http_client.h"

struct audit;
struct authn;
struct authz;
struct definitions;
struct policies;
struct service_allocator;

struct server_opts {
	struct core *core;                   /* outlives the server */
	struct authn *authn;                 /* outlives the server */
	struct authz *authz;                 /* outlives the server */
	struct audit *audit;                 /* outlives the server; NULL: nothing is recorded */
	struct definitions *definitions;     /* outlives it as well; NULL: there are no custom resources */
	struct service_allocator *allocator; /* and so does it */
	const char *address;                 /* "127.0.0.1", "::1", "0.0.0.0" */
	uint16_t port;                       /* 0: any free */
	const char *cert_pem, *key_pem;
	const char *client_ca_pem;    /* NULL: no client certificates */
	struct http_identity kubelet; /* how we show ourselves to node agents; its texts outlive the server */
	unsigned threads;             /* edge threads; 0: 2 */
	unsigned max_connections;     /* 0: 25,000 */
	unsigned max_reads;           /* requests in flight, from when their body is there; 0: 400 */
	unsigned max_writes;          /* 0: 200 */
	int64_t silence_ms;           /* from a connection to the header of its first request; 0: 32,000 */
	int64_t answer_ms;            /* to take a large answer; 0: 60,000 */
};

struct server {
	struct core *core;
	struct authn *authn;
	struct authz *authz;
	struct audit *audit;
	struct definitions *definitions;
	struct policies *policies;
	struct service_allocator *allocator;
	struct http_listener *listener; /* NULL: connections are given to the edges (tests) */
	struct http_identity kubelet;
	bool asks_certificates;
	struct known_certificates *known_certificates;
	int64_t max_reads, max_writes, answer_ms;
	_Atomic int64_t reads, writes, watches; /* in flight, open */
	_Atomic int64_t body_bytes;             /* of requests on their way in or not answered yet */
	_Atomic int64_t answer_bytes;           /* of large answers that are not taken yet */
	atomic_bool stopping;
	struct edge *edges;
	size_t n_edges;
	/* Edges whose loops run. */
	pthread_mutex_t lock;
	pthread_cond_t ended;
	size_t running;
};

/* Listens and serves when it returns. ERR_SYSTEM with "listen on 127.0.0.1:6443: Address already in use". */
int server_new(const struct server_opts *opts, struct server **ret, struct err *err);
uint16_t server_port(const struct server *server);
/* Stops accepting, ends streams, lets what is under way finish. The core must still run. */
void server_stop_and_free(struct server *server);
/* Handshakes from soon on use other certificates; connections that stand keep theirs. Any thread but an
 * edge's. ERR_BAD_REQUEST says what is wrong with the texts; then nothing changes. */
int server_set_credentials(struct server *server, const char *cert_pem, const char *key_pem,
			   const char *client_ca_pem, struct err *err);
