/* An HTTPS server in the test's own loop whose every request goes to one function of the test, and a client
 * that trusts it and that it trusts.
 */
#pragma once

#include "lib/api_client.h"
#include "lib/http_routes.h"
#include "lib/loop.h"
#include "lib/timefmt.h"
#include "tests/support/pki.h"

/* Turns LOOP until CONDITION holds; fails the test when it does not within a minute. */
#define LOOP_UNTIL(loop, condition)                                                        \
	do {                                                                               \
		int64_t until_ms_ = time_mono_ms() + 60000;                                \
		while (!(condition)) {                                                     \
			if (time_mono_ms() > until_ms_)                                    \
				fail_msg("not within a minute: %s", #condition);           \
			loop_turn((loop), 100);                                            \
		}                                                                          \
	} while (0)

struct test_server {
	struct loop *loop;
	struct pki_ca ca;
	struct pki_pair server_pair, client_pair;
	struct http_route routes[2];
	void *arg;
	struct http_routes *http; /* NULL while stopped */
	uint16_t port;
	struct kubeconfig config; /* to it, as its client */
};

void test_server_start(struct test_server *server, void (*fn)(struct http_exchange *exchange, void *arg), void *arg);
/* Stops answering, hanging up on all; and listens again on the same port. */
void test_server_stop(struct test_server *server);
void test_server_restart(struct test_server *server);
void test_server_close(struct test_server *server);

/* A streamed answer that the test writes piece by piece. */
struct test_stream {
	struct http_exchange *exchange; /* NULL when over */
	struct buf out;
	bool ended;
};
void test_stream_begin(struct test_stream *stream, struct http_exchange *exchange, const char *content_type);
void test_stream_write(struct test_stream *stream, const char *text);
void test_stream_end(struct test_stream *stream);
/* Breaks the connection. */
void test_stream_tear(struct test_stream *stream);

void reply_json(struct http_exchange *exchange, int code, const char *json);
