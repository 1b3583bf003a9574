/* WebSocket frames (RFC 6455), as server and as client. Pure: bytes in, bytes out.
 *
 *     while (p < end)
 *             switch (websocket_next(&reader, &p, end, &piece, &err)) ...
 *
 * Messages come piece by piece as their bytes do, however they were cut into frames, so that a long one needs
 * no memory. Extensions are not spoken: a reserved bit is an error.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "lib/buf.h"

#define WEBSOCKET_CONTROL_MAX 125
#define WEBSOCKET_ACCEPT_SIZE 29
#define WEBSOCKET_KEY_SIZE    25

/* Section 5.2 */
enum websocket_opcode {
	WEBSOCKET_CONTINUATION = 0,
	WEBSOCKET_TEXT = 1,
	WEBSOCKET_BINARY = 2,
	WEBSOCKET_CLOSE = 8,
	WEBSOCKET_PING = 9,
	WEBSOCKET_PONG = 10,
};

/* Section 7.4.1 */
enum websocket_close_code {
	WEBSOCKET_NORMAL = 1000,
	WEBSOCKET_GOING_AWAY = 1001,
	WEBSOCKET_PROTOCOL_ERROR = 1002,
	WEBSOCKET_TOO_BIG = 1009,
	WEBSOCKET_INTERNAL_ERROR = 1011,
};

struct websocket_reader {
	bool server;          /* frames must be masked, or else must not */
	uint64_t max_message; /* bytes; more is an error. 0: no limit */

	/* from here on: the reader's own */
	unsigned char head[14];
	size_t head_len;
	bool in_frame, in_message, began; /* began: a piece of the message has been given */
	enum websocket_opcode opcode;     /* of the frame; of a message's later frames CONTINUATION */
	enum websocket_opcode message;
	bool last_frame;
	uint64_t left, message_len;
	unsigned char mask[4];
	unsigned mask_at;
	unsigned char control[WEBSOCKET_CONTROL_MAX];
	size_t control_len;
	bool failed;
};

struct websocket_piece {
	enum websocket_opcode opcode; /* TEXT or BINARY of a piece; CLOSE, PING, PONG */
	bool first, last;             /* of its message */
	unsigned char *data; /* within the input, unmasked there; of control frames within the reader */
	size_t len;          /* may be 0 */
};

enum websocket_event {
	WEBSOCKET_MORE,    /* *P is at END: needs more bytes */
	WEBSOCKET_PIECE,   /* of a message */
	WEBSOCKET_CONTROL, /* a whole CLOSE, PING or PONG */
	WEBSOCKET_BAD,     /* *err; the reader gives nothing else any more */
};
/* Reads on from *P, which it moves. The input is changed: unmasked. */
enum websocket_event websocket_next(struct websocket_reader *reader, unsigned char **p, unsigned char *end,
				    struct websocket_piece *ret, struct err *err);

/* Appends one whole message or control frame made of PARTS. MASK: four bytes that nobody can foretell, from a
 * client; NULL from a server. */
void websocket_write(struct buf *out, enum websocket_opcode opcode, const unsigned char *mask,
		     const struct iovec *parts, size_t n_parts);
/* A CLOSE frame; REASON "" for none. */
void websocket_write_close(struct buf *out, enum websocket_close_code code, const unsigned char *mask,
			   const char *reason);

/* The Sec-WebSocket-Accept that answers KEY (section 4.2.2). False: KEY is not 16 bytes in base64. */
bool websocket_accept(const char *key, char ret[WEBSOCKET_ACCEPT_SIZE]);
/* A key for a client's handshake, and four bytes for a mask. */
void websocket_new_key(char ret[WEBSOCKET_KEY_SIZE]);
void websocket_new_mask(unsigned char ret[4]);
