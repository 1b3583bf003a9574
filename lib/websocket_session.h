/* A WebSocket connection on a byte pipe: messages both ways; pings are answered while the peer reads, and so
 * is its goodbye.
 */
#pragma once

#include "lib/byte_pipe.h"
#include "lib/websocket.h"

struct websocket_session;

/* Told from the loop, never from within a call; each may free the session. */
struct websocket_session_user {
	void (*piece)(const struct websocket_piece *piece, void *arg); /* of a message: TEXT or BINARY */
	/* What was written has left, down to BYTE_PIPE_LOW. NULL: nobody cares. */
	void (*drained)(void *arg);
	/* The peer said goodbye or is gone (ERR NULL), or something failed. Nothing follows. */
	void (*ended)(const struct err *err, void *arg);
};

/* PIPE is taken. SERVER: who accepted the connection. MAX_MESSAGE: bytes, 0: no limit. */
struct websocket_session *websocket_session_new(struct byte_pipe *pipe, bool server, uint64_t max_message,
						const struct websocket_session_user *user, void *arg);
/* Closes the connection, after what was written. NULL is fine. */
void websocket_session_free(struct websocket_session *session);
/* One message made of PARTS. Nothing is sent after the goodbye. */
void websocket_session_send(struct websocket_session *session, enum websocket_opcode opcode,
			    const struct iovec *parts, size_t n_parts);
/* Says goodbye; the peer answers it, and `ended` tells. */
void websocket_session_goodbye(struct websocket_session *session, enum websocket_close_code code,
			       const char *reason);
size_t websocket_session_unsent(const struct websocket_session *session);
void websocket_session_set_reading(struct websocket_session *session, bool reading);
