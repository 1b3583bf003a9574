/* HTTP/1.x answers read piece by piece (RFC 9112): the head, then a body by Content-Length, in chunks, or up
 * to the end of the connection. Pure: bytes in, bytes out.
 *
 *     while (p < end || ...)
 *             switch (http_answer_next(&answer, &p, end, &body, &n, &err)) ...
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/buf.h"

enum http_answer_state {
	HTTP_ANSWER_STATUS_LINE,
	HTTP_ANSWER_HEADER,
	HTTP_ANSWER_BODY, /* of known length, or to the end */
	HTTP_ANSWER_CHUNK_SIZE,
	HTTP_ANSWER_CHUNK,
	HTTP_ANSWER_CHUNK_END,
	HTTP_ANSWER_TRAILER,
	HTTP_ANSWER_COMPLETE,
};

struct http_answer {
	int code;
	bool keep_alive;    /* the connection may carry another exchange */
	long retry_after_s; /* or -1; its other form, a date, is not used by API servers */
	struct buf content_type;
	struct buf warnings; /* the texts of the Warning headers, joined by newlines */
	bool keep_headers;   /* set by the reader's user after http_answer_begin */
	struct buf headers;  /* then: the lines "Name: value" as they came, each with a newline */
	int64_t length;      /* of the body, or -1 until known */

	enum http_answer_state state; /* from here on: the reader's own */
	bool is_head;
	bool chunked;
	uint64_t left;   /* of the body or the chunk */
	size_t head_len; /* so far */
	struct buf line; /* begun */
};

/* The answer to a request with METHOD begins. All zero at first; keeps its memory from answer to answer. */
void http_answer_begin(struct http_answer *answer, const char *method);
void http_answer_close(struct http_answer *answer);

enum http_answer_event {
	HTTP_ANSWER_MORE, /* *P is at END: needs more bytes */
	HTTP_ANSWER_DATA, /* *BODY and *N are the next bytes of the body, within the input */
	HTTP_ANSWER_END,  /* whole; *P is behind it */
	HTTP_ANSWER_BAD,  /* no HTTP, or over a limit: *err */
};
/* Reads on from *P, which it moves. CODE and headers are known from the first DATA or END on. Heads longer
 * than 64 KiB are refused. 1xx answers are skipped. */
enum http_answer_event http_answer_next(struct http_answer *answer, const char **p, const char *end,
					const char **body, size_t *n, struct err *err);
/* The connection ended: END when the answer is whole by that, else BAD. */
enum http_answer_event http_answer_eof(struct http_answer *answer, struct err *err);
