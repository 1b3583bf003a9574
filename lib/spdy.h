/* SPDY/3.1 frames, as Kubernetes' remote commands and port-forwarding use them. Pure: bytes in, bytes out.
 * (https://www.chromium.org/spdy/spdy-protocol/spdy-protocol-draft3-1/ section 2.)
 *
 *     +-+-----------+------+---------+----------+      +-+--------------+---------+----------+
 *     |1| version   | type | flags:8 | length:24|      |0| stream:31    | flags:8 | length:24|
 *     +-+-----------+------+---------+----------+      +-+--------------+---------+----------+
 *
 * Control frames come whole and are bounded; data comes piece by piece. Header blocks are compressed in one
 * stream for a whole connection: lib/spdy_headers reads them.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/buf.h"

#define SPDY_CONTROL_MAX ((size_t)64 << 10) /* bytes of a control frame */
#define SPDY_WINDOW      65536              /* of a stream and of the connection, at first (section 2.6.8) */

enum spdy_type {
	SPDY_DATA = 0, /* not a number of the protocol: data frames have none */
	SPDY_SYN_STREAM = 1,
	SPDY_SYN_REPLY = 2,
	SPDY_RST_STREAM = 3,
	SPDY_SETTINGS = 4,
	SPDY_PING = 6,
	SPDY_GOAWAY = 7,
	SPDY_HEADERS = 8,
	SPDY_WINDOW_UPDATE = 9,
};

#define SPDY_FLAG_FIN 1

/* Section 2.6.3 */
enum spdy_status {
	SPDY_PROTOCOL_ERROR = 1,
	SPDY_INVALID_STREAM = 2,
	SPDY_REFUSED_STREAM = 3,
	SPDY_CANCEL = 5,
	SPDY_INTERNAL_ERROR = 6,
	SPDY_FLOW_CONTROL_ERROR = 7,
	SPDY_STREAM_ALREADY_CLOSED = 9,
};

struct spdy_reader {
	unsigned char head[8]; /* from here on: the reader's own */
	size_t head_len;
	bool in_frame, in_data, failed;
	unsigned char flags;
	unsigned type;
	uint32_t stream, left;
	struct buf body; /* of a control frame */
};

struct spdy_frame {
	enum spdy_type type;
	uint32_t
	    stream; /* that it is about; of a PING its number, of a GOAWAY the last good stream; 0: none */
	uint32_t value; /* status of RST_STREAM and GOAWAY, delta of WINDOW_UPDATE, the initial window of
			 * SETTINGS (0: not among them) */
	bool fin;       /* the stream's last frame from there; of data: on its last piece */
	/* Bytes of DATA, within the input; the header block of SYN_STREAM, SYN_REPLY and HEADERS, within the
	 * reader until the next call. */
	const unsigned char *data;
	size_t len;
};

enum spdy_event {
	SPDY_MORE, /* *P is at END: needs more bytes */
	SPDY_FRAME,
	SPDY_BAD, /* *err; the reader gives nothing else any more */
};
/* Reads on from *P, which it moves. Frames of unknown types are skipped. */
enum spdy_event spdy_next(struct spdy_reader *reader, const unsigned char **p, const unsigned char *end,
			  struct spdy_frame *ret, struct err *err);
void spdy_reader_close(struct spdy_reader *reader); /* all zero at first */

/* What is to be sent, appended to OUT. */
void spdy_write_data(struct buf *out, uint32_t stream, bool fin, const void *data, size_t len);
void spdy_write_rst(struct buf *out, uint32_t stream, enum spdy_status status);
void spdy_write_ping(struct buf *out, uint32_t number);
void spdy_write_goaway(struct buf *out, uint32_t last_good);
void spdy_write_window_update(struct buf *out, uint32_t stream, uint32_t delta);

struct spdy_header {
	const char *name; /* lower case */
	const char *value;
};
/* SYN_STREAM, SYN_REPLY or HEADERS with those headers. The header block is written without compression, in
 * stored blocks of the one zlib stream that a connection has in each direction: *BEGUN says whether it has
 * begun. At most 60,000 bytes of headers. */
void spdy_write_headers(struct buf *out, enum spdy_type type, uint32_t stream, bool fin,
			const struct spdy_header *headers, size_t n_headers, bool *begun);
