/* A server in the test's own loop (lib/http_server.h) whose handler does what a request's path says, and a
 * peer that speaks to it in bytes over a pair of sockets.
 *
 *     /wait      is answered by the test, through WAITING
 *     /large     HTTP_FIXTURE_LARGE bytes; /limited: the same, to be taken within 50 ms
 *     /pieces    "one,two,three" in pieces, or without the last one
 *     /stream    a stream that the test writes
 *     /last      after which the server closes; /nothing: 204; /early: 403 before the body is there
 *     other      method, path and body
 */
#pragma once

#include "lib/http_server.h"
#include "tests/support/test_server.h"

#define HTTP_FIXTURE_LARGE (3 * 1000 * 1000)
#define GET(path)          "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"

struct http_fixture {
	struct loop *loop;
	struct http_server_opts opts; /* to be changed before http_fixture_start */
	struct http_server *server;
	int peer; /* -1: there is none */
	struct buf heard, body;
	unsigned begun, whole, hung_up, ended, released; /* how often the handler was told */
	struct http_exchange *waiting;
	struct test_stream stream;
	char *large;
	size_t at; /* piece of an answer */
	bool short_pieces;
	bool empty; /* for the test of a drain */
};

extern const struct http_handler http_fixture_handler;

/* Setup and teardown of a cmocka test, whose state is the fixture. The teardown fails when an exchange that
 * began has not ended. */
int http_fixture_setup(void **state);
int http_fixture_teardown(void **state);
/* A new server with F's options, and a new peer. */
void http_fixture_start(struct http_fixture *f);
/* Another end of a connection to F's server, non-blocking. */
int peer_connect(struct http_fixture *f);
/* For http_exchange_send: counts. ARG: the fixture. */
void http_fixture_release(void *arg);

/* Sends TEXT while the server runs. */
void peer_say(struct http_fixture *f, const char *text);
/* A turn of the loop; takes what has come into F->heard. False at the server's end. */
bool peer_listen(struct http_fixture *f);
/* Listens until TEXT has been heard, or until the end; fails the test when that is not within a minute. */
void peer_hear(struct http_fixture *f, const char *text);
void peer_hear_end(struct http_fixture *f);
/* What comes for TEXT on a new connection, up to the server's end, which must come by itself. Borrowed until
 * more is heard. */
const char *peer_answer_to(struct http_fixture *f, const char *text);
