/* A SPDY/3.1 connection on a byte pipe: streams that are opened by either side, written, read, finished in
 * one direction and reset. One end of Kubernetes' remote commands and port-forwarding.
 *
 * Flow control: the windows of section 2.6.8 are kept for what is received. For what is sent they count only
 * with a peer that shows that it knows them, by a WINDOW_UPDATE or in its SETTINGS: kubectl's library never
 * does, and would wait for ever for what lies beyond the first 64 KiB. TCP holds such a peer back.
 */
#pragma once

#include "lib/byte_pipe.h"
#include "lib/spdy.h"

#define SPDY_STREAMS_MAX 2048 /* open at once; more are refused */
#define SPDY_ANSWERS_MAX                                                                                     \
	((size_t)256 << 10) /* bytes that a peer makes us say and does not read, before it is lost */
#define SPDY_HELD_MAX                                                                                        \
	((size_t)1 << 20) /* bytes held for all streams at which the connection is not read on */

struct spdy_session;
struct spdy_stream;

/* Told from the loop, never from within a call; each may free the session. */
struct spdy_session_user {
	/* NULL: nobody looks at header blocks. Else it gets each one, in order; before `opened`, that
	 * stream's. -1: the connection is lost. */
	int (*headers)(const void *block, size_t len, struct err *err, void *arg);
	/* The peer opened STREAM, which is the user's from here on, unless it returns false: then it is
	 * refused. It calls spdy_stream_use. */
	bool (*opened)(struct spdy_stream *stream, void *arg);
	/* There is room again. */
	void (*writable)(void *arg);
	/* The connection is over; ERR NULL at its orderly end. */
	void (*gone)(const struct err *err, void *arg);
};

struct spdy_stream_user {
	void (*received)(const void *data, size_t len, void *arg);
	void (*ended)(bool reset, void *arg); /* the peer sends nothing more; RESET: and takes nothing more */
	void (*writable)(void *arg);          /* room again in this stream; NULL: nobody cares */
};

/* PIPE is taken. SERVER: who accepted the connection. */
struct spdy_session *spdy_session_new(struct byte_pipe *pipe, bool server,
				      const struct spdy_session_user *user, void *arg);
/* Closes the connection, once all is sent as far as the peer takes it soon; frees all streams. NULL is fine.
 */
void spdy_session_free(struct spdy_session *session);
/* Says goodbye: the peer is to open no more streams, and to close. */
void spdy_session_goaway(struct spdy_session *session);

/* Opens a stream. */
struct spdy_stream *spdy_session_open(struct spdy_session *session, const struct spdy_header *headers,
				      size_t n_headers, const struct spdy_stream_user *user, void *arg);
/* Who is told what comes for a stream that the peer opened. */
void spdy_stream_use(struct spdy_stream *stream, const struct spdy_stream_user *user, void *arg);
/* Sends all of it. Copied. Who wants to be held back asks for the room first. */
void spdy_stream_write(struct spdy_stream *stream, const void *data, size_t len);
/* Bytes that may be written before one should wait for `writable`. */
size_t spdy_stream_room(const struct spdy_stream *stream);
/* Nothing more is written. */
void spdy_stream_finish(struct spdy_stream *stream);
/* UNSENT bytes of what was received wait at the user's, in a byte pipe; to be told after each `received` and
 * `drained` of that pipe. */
void spdy_stream_hold(struct spdy_stream *stream, size_t unsent);
/* Ends it, by a reset when it is open in any direction, and frees it. NULL is fine. */
void spdy_stream_close(struct spdy_stream *stream);
