/* HTTP/1.x requests read piece by piece (RFC 9110, RFC 9112): the head, then a body by Content-Length or in
 * chunks. Pure: bytes in, bytes out.
 *
 *     HEAD ──▶ BODY ──▶ ... ──▶ END      FAILED at any time, and then for good
 *
 * Strict, because two parties that read a request's length differently let a client slip one request past the
 * other inside the body of another. Refused is whatever is open to two readings: Content-Length beside
 * Transfer-Encoding, either of them twice or as a list, any coding but "chunked", white space before a
 * header's colon, folded lines, lines that end without CR, control bytes, no Host or two of them, targets
 * with other than visible ASCII.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buf.h"

#define HTTP_REQUEST_LINE_MAX    (16 * 1024) /* 414 */
#define HTTP_REQUEST_HEAD_MAX    (16 * 1024) /* all headers, or all trailers, together: 431 */
#define HTTP_REQUEST_HEADERS_MAX 100         /* 431 */

enum http_request_state {
	HTTP_REQUEST_LINE,
	HTTP_REQUEST_HEADERS,
	HTTP_REQUEST_LENGTH, /* a body of known length */
	HTTP_REQUEST_CHUNK_SIZE,
	HTTP_REQUEST_CHUNK_EXTENSION,
	HTTP_REQUEST_CHUNK_SIZE_LF,
	HTTP_REQUEST_CHUNK,
	HTTP_REQUEST_CHUNK_CR,
	HTTP_REQUEST_CHUNK_LF,
	HTTP_REQUEST_TRAILERS,
	HTTP_REQUEST_WHOLE,
	HTTP_REQUEST_BROKEN,
};

struct http_request_reader {
	bool is_head; /* the method is HEAD: the answer has no body. Also of a request that fails later. */
	/* Known from HEAD on. */
	int minor;       /* of HTTP/1.minor: 0 or 1 */
	bool keep_alive; /* the connection may carry another request */
	bool expects;    /* the sender waits for 100 Continue before it sends the body */
	bool upgrades;   /* Connection: upgrade, and an Upgrade header */
	bool chunked;
	uint64_t length; /* announced; 0 without a body and when it comes in chunks */
	/* Known from FAILED on. */
	int code;          /* 400, 413, 414, 431, 501, 503, 505 */
	const char *fault; /* what is wrong; static */

	enum http_request_state state; /* from here on: the reader's own */
	struct buf head;               /* line and headers, cut up by NULs */
	struct buf trailer;            /* a line of those behind the last chunk */
	uint32_t method, target;       /* offsets in the head */
	struct http_request_header {
		uint16_t name, value, name_len;
	} * headers;
	unsigned n_headers, headers_cap;
	size_t line;      /* where in its buffer the line that is read begins */
	size_t lines_len; /* of all headers or trailers so far */
	uint64_t max_body, left, body_len;
	unsigned digits;
};

/* The next request begins, whose body is at most MAX_BODY bytes. All zero at first; keeps its memory from
 * request to request. */
void http_request_begin(struct http_request_reader *request, uint64_t max_body);
/* Frees what is held, after which begin is needed; all zero is fine. */
void http_request_close(struct http_request_reader *request);

enum http_request_event {
	HTTP_REQUEST_MORE,   /* *P is at END: needs more bytes */
	HTTP_REQUEST_HEAD,   /* method, target and headers are known; *P is behind them */
	HTTP_REQUEST_BODY,   /* *BODY and *N are the next bytes of the body, within the input */
	HTTP_REQUEST_END,    /* whole; *P is behind it */
	HTTP_REQUEST_FAILED, /* code and fault say why; nothing behind it can be read */
};
/* Reads on from *P, which it moves. HEAD comes once, then BODYs, then END, which is given again at each call
 * until the next begin. */
enum http_request_event http_request_next(struct http_request_reader *request, const char **p,
					  const char *end, const char **body, size_t *n);

/* From HEAD on, until begin or close. */
const char *http_request_method(const struct http_request_reader *request);
/* Path and query: begins with '/', or is "*". Of a target with scheme and authority these are left out. */
const char *http_request_target(const struct http_request_reader *request);
/* The value of the first header with NAME (any case), without white space around it; or NULL. */
const char *http_request_header(const struct http_request_reader *request, const char *name);
bool http_request_header_at(const struct http_request_reader *request, size_t i, const char **ret_name,
			    const char **ret_value);
/* Whether LIST, a header's value, has TOKEN (any case) among its elements between commas. */
bool http_request_has_token(const char *list, const char *token);
