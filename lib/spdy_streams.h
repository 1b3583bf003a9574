/* Inside of a SPDY session: spdy_session.c, which reads, and spdy_stream.c, its streams and what is written.
 */
#pragma once

#include <sys/queue.h>

#include "lib/spdy_session.h"

#define SPDY_BUCKETS 64

struct spdy_stream {
	LIST_ENTRY(spdy_stream) link;
	struct spdy_session *session;
	uint32_t id;
	const struct spdy_stream_user *user;
	void *arg;
	bool local_closed, remote_closed, was_reset;
	bool finishing; /* once the queue is sent */
	size_t held;    /* of SPDY_HELD_MAX */
	uint32_t ungranted;
	int64_t window; /* bytes that may be sent */
	struct buf queue;
	bool waits; /* for room */
};
LIST_HEAD(spdy_streams, spdy_stream);

struct spdy_session {
	struct byte_pipe *pipe;
	bool server;
	const struct spdy_session_user *user;
	void *arg;
	struct spdy_reader reader;
	struct spdy_streams streams[SPDY_BUCKETS];
	size_t n_streams, held;
	size_t answers; /* bytes of SPDY_ANSWERS_MAX */
	uint32_t next_id, last_peer_id, ungranted;
	int64_t window, initial_window;
	bool peer_counts; /* it knows about windows */
	bool headers_begun;
	bool over;
	bool *freed; /* set when it goes while it calls its user */
	struct buf out;
};

/* The stream of number ID, or NULL. */
struct spdy_stream *spdy_stream_find(struct spdy_session *s, uint32_t id);
/* A new one, open both ways. */
struct spdy_stream *spdy_stream_add(struct spdy_session *s, uint32_t id);
/* Frees it; the peer is told nothing. */
void spdy_stream_forget(struct spdy_stream *stream);
/* Puts into `out` what waits in its queue, as far as the windows let it. */
void spdy_stream_flush(struct spdy_stream *stream);
/* Opens the window of ID (0: the session's) again when much of it is used up. */
void spdy_session_grant(struct spdy_session *s, uint32_t id, uint32_t *ungranted);
/* Hands what was put into `out` to the pipe. */
void spdy_session_send(struct spdy_session *s);
