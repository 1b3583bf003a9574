/* One request and its answer, as the handler of a server (http_server.h) sees them. All on the loop's thread.
 */
#pragma once

#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/http_server.h"

/* --- the request: strings valid until the answer begins --- */

/* "GET", as sent. */
const char *http_exchange_method(const struct http_exchange *exchange);
/* As sent, the query included: "/a/b?c=d". */
const char *http_exchange_target(const struct http_exchange *exchange);
/* A header's value, the first of that name, without white space around it; or NULL. NAME in any case. */
const char *http_exchange_header(const struct http_exchange *exchange, const char *name);
/* The I-th header; false when there is none. Lets one see all of a name. */
bool http_exchange_header_at(const struct http_exchange *exchange, size_t i, const char **ret_name,
			     const char **ret_value);
/* The length that the sender announced for the body; 0 when there is none, -1 when it comes in chunks. */
int64_t http_exchange_announced(const struct http_exchange *exchange);

/* The handler's own of this exchange; NULL at first. */
void http_exchange_set_data(struct http_exchange *exchange, void *data);
void *http_exchange_data(const struct http_exchange *exchange);
/* The handler's own of the connection: *it is NULL at first; http_handler.forget takes it back. */
void **http_exchange_kept(struct http_exchange *exchange);
/* The TLS session, to look at the peer's certificate: valid during a call of the handler; NULL without TLS.
 */
gnutls_session_t http_exchange_session(const struct http_exchange *exchange);
/* The peer's address in digits, without its port; "" when it has none. TEXT holds HTTP_PEER_SIZE bytes. */
#define HTTP_PEER_SIZE 46
void http_exchange_peer(const struct http_exchange *exchange, char *text);
struct http_server *http_exchange_server(const struct http_exchange *exchange);

/* --- the answer: exactly one of reply, send, send_pieces, stream, abort, http_upgrade_begin --- */

/* A further header line of the answer that is to come. Bytes that would end the line become spaces. */
void http_exchange_add_header(struct http_exchange *exchange, const char *name, const char *value);
/* The connection takes no other request after this one. */
void http_exchange_close_after(struct http_exchange *exchange);
/* From now on the peer has TIMEOUT_MS to take the whole answer; then its connection is cut. */
void http_exchange_limit(struct http_exchange *exchange, int64_t timeout_ms);

/* Answers with LEN bytes that are copied. CONTENT_TYPE may be NULL. */
void http_exchange_reply(struct http_exchange *exchange, int code, const char *content_type, const void *data,
			 size_t len);
/* Answers with LEN bytes that stay where they are until RELEASE(RELEASE_ARG), which is called once, from the
 * loop. */
void http_exchange_send(struct http_exchange *exchange, int code, const char *content_type, const char *data,
			size_t len, void (*release)(void *arg), void *release_arg);
/* Answers with LEN bytes that lie in many places: NEXT gives one piece after the other, all of which stay
 * where they are until RELEASE(ARG). Together they are LEN bytes long, else the connection is cut. */
void http_exchange_send_pieces(struct http_exchange *exchange, int code, const char *content_type,
			       uint64_t len, bool (*next)(const char **ret_data, size_t *ret_len, void *arg),
			       void (*release)(void *arg), void *arg);
/* Answers 200 with a stream (chunked; to a peer of HTTP/1.0 it ends with the connection). READ is called on
 * the loop whenever the peer can take more and must return bytes put into DATA (> 0), 0 for "nothing now"
 * (then http_exchange_wake goes on), or -1 for the end. Other than an answer of known length a stream may
 * idle for ever: its deadline is the user's. CLOSED (may be NULL) is called once when the exchange is over
 * for any reason, before http_handler.ended. When the peer hangs up, or the server stops,
 * "nothing now" is the end: what there is, is still read and sent. */
void http_exchange_stream(struct http_exchange *exchange, const char *content_type,
			  ssize_t (*read)(char *data, size_t size, void *arg), void (*closed)(void *arg),
			  void *arg);
/* The same with another code: an answer that is passed on. */
void http_exchange_stream_code(struct http_exchange *exchange, int code, const char *content_type,
			       ssize_t (*read)(char *data, size_t size, void *arg), void (*closed)(void *arg),
			       void *arg);
void http_exchange_wake(struct http_exchange *exchange);
/* Hangs up on the peer: a whole answer that cannot be given, a stream that cannot go on. */
void http_exchange_abort(struct http_exchange *exchange);
