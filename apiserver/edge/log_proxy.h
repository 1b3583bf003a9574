/* Fetches container logs from node agents for clients: one thread with a loop and an HTTP client, and a
 * bounded buffer between the agent's answer and the client's connection that stops the reading of the one
 * when the other is slow.
 */
#pragma once

#include "apiserver/edge/attendant.h"
#include "lib/buf.h"
#include "lib/http_client.h"

struct log_proxy;
/* IDENTITY is how we show ourselves to agents; copied. */
int log_proxy_new(const struct http_identity *identity, struct log_proxy **ret, struct err *err);
void log_proxy_free(struct log_proxy *proxy); /* all streams are closed */

struct log_stream;
/* Asks for URL. READY is called once, on the proxy's thread, when the answer has begun. */
struct log_stream *log_stream_open(struct log_proxy *proxy, const char *url, void (*ready)(void *arg),
				   void *arg);
bool log_stream_begun(struct log_stream *stream);
/* HTTP code of the agent; 0: it could not be reached, ERR says why. BODY: of answers other than 2xx. Once it
 * has begun. */
int log_stream_code(const struct log_stream *stream, const char **ret_body, const struct err **ret_err);
/* Bytes put into DATA; 0: nothing now, ATTEND will be woken; -1: the end. */
ssize_t log_stream_read(struct log_stream *stream, struct attend *attend, char *data, size_t size);
/* Cancels what is under way. ATTEND of the reads is not woken any more. NULL is fine. */
void log_stream_close(struct log_stream *stream);
