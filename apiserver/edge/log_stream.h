/* A container's log on its way from a node agent to a client: a bounded buffer between the agent's answer and
 * the client's connection that stops the reading of the one when the other is slow. All on the edge's thread.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "lib/http_client.h"

struct log_stream;
/* Asks for URL. CHANGED is called when the answer has begun, and whenever there is more to read since a read
 * that found nothing. */
struct log_stream *log_stream_open(struct http_client *agents, const char *url, void (*changed)(void *arg),
				   void *arg);
bool log_stream_begun(const struct log_stream *stream);
/* HTTP code of the agent; 0: it could not be reached, ERR says why. BODY: of answers other than 2xx. Once it
 * has begun. */
int log_stream_code(const struct log_stream *stream, const char **ret_body, const struct err **ret_err);
/* Bytes put into DATA; 0: nothing now; -1: the end. */
ssize_t log_stream_read(struct log_stream *stream, char *data, size_t size);
/* Cancels what is under way. NULL is fine. */
void log_stream_close(struct log_stream *stream);
