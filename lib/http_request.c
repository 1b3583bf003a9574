#include "lib/http_request.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/http_framing.h"

#define METHOD_MAX    32
#define EXTENSION_MAX 256 /* of a chunk's size line */

static const char no_memory[] = "there is no memory for the request's head; try again later";

void http_request_begin(struct http_request_reader *request, uint64_t max_body)
{
	request->head.max = HTTP_REQUEST_LINE_MAX + HTTP_REQUEST_HEAD_MAX;
	request->trailer.max = HTTP_REQUEST_HEAD_MAX;
	buf_reset(&request->head);
	request->is_head = false;
	request->minor = 0;
	request->keep_alive = request->expects = request->upgrades = request->chunked = false;
	request->length = 0;
	request->code = 0;
	request->fault = NULL;
	request->state = HTTP_REQUEST_LINE;
	request->method = request->target = 0;
	request->n_headers = 0;
	request->line = request->lines_len = 0;
	request->max_body = max_body;
	request->left = request->body_len = 0;
	request->digits = 0;
}

void http_request_close(struct http_request_reader *request)
{
	buf_close(&request->head);
	buf_close(&request->trailer);
	free(TAKE(request->headers));
	request->n_headers = request->headers_cap = 0;
}

static enum http_request_event fail(struct http_request_reader *request, int code, const char *fault)
{
	request->state = HTTP_REQUEST_BROKEN;
	request->code = code;
	request->fault = fault;
	return HTTP_REQUEST_FAILED;
}

/* --- characters (RFC 9110 section 5.6.2, RFC 9112 section 3) --- */

static bool is_token(unsigned char c)
{
	static const char others[] = "!#$%&'*+-.^_`|~";

	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr(others, c));
}

static bool is_value(unsigned char c)
{
	return c == '\t' || (c >= ' ' && c != 0x7f);
}

/* --- the request line --- */

static bool read_method(struct http_request_reader *request, char **at)
{
	char *text = *at;
	size_t n = 0;

	while (n <= METHOD_MAX && is_token((unsigned char)text[n]))
		n++;
	if (n == 0 || text[n] != ' ')
		return false;
	text[n] = '\0';
	request->method = (uint32_t)(text - request->head.data);
	request->is_head = strcmp(text, "HEAD") == 0;
	*at = text + n + 1;
	return true;
}

/* Leaves out "https://host:port"; a path there is then, if only "/". */
static bool skip_authority(char **at)
{
	char *text = *at;
	size_t scheme = strncasecmp(text, "https://", 8) == 0  ? 8
			: strncasecmp(text, "http://", 7) == 0 ? 7
							       : 0;
	size_t len = strcspn(text + scheme, "/?");

	if (!scheme || !len)
		return false;
	*at = text + scheme + len;
	if (**at != '/')
		*--*at = '/'; /* over the authority's last byte */
	return true;
}

static enum http_request_event read_target(struct http_request_reader *request, char **at)
{
	char *text = *at;
	size_t n = 0;

	while (text[n] > ' ' && text[n] != 0x7f && text[n] != '#')
		n++;
	if (n == 0 || text[n] != ' ')
		return fail(request, 400, "invalid target of the request");
	text[n] = '\0';
	*at = text + n + 1;
	if (text[0] != '/' && strcmp(text, "*") != 0 && !skip_authority(&text))
		return fail(request, 400, "invalid target of the request");
	request->target = (uint32_t)(text - request->head.data);
	return HTTP_REQUEST_MORE;
}

static enum http_request_event read_version(struct http_request_reader *request, const char *text, size_t len)
{
	if (len != 8 || memcmp(text, "HTTP/", 5) != 0 || text[5] < '0' || text[5] > '9' || text[6] != '.' ||
	    text[7] < '0' || text[7] > '9')
		return fail(request, 400, "invalid version of HTTP");
	if (text[5] != '1')
		return fail(request, 505, "only HTTP/1.0 and HTTP/1.1 are spoken here");
	request->minor = text[7] > '0';
	request->keep_alive = request->minor > 0;
	return HTTP_REQUEST_MORE;
}

/* MORE: go on. LEN without the line's end. */
static enum http_request_event read_line(struct http_request_reader *request, char *text, size_t len)
{
	char *at = text;

	if (memchr(text, '\0', len))
		return fail(request, 400, "a control character in the request line");
	if (!read_method(request, &at))
		return fail(request, 400, "invalid request line");
	if (read_target(request, &at) == HTTP_REQUEST_FAILED)
		return HTTP_REQUEST_FAILED;
	return read_version(request, at, len - (size_t)(at - text));
}

/* --- headers --- */

static const char *header_check(const char *text, size_t len, size_t *ret_name_len)
{
	size_t n = 0;

	if (text[0] == ' ' || text[0] == '\t')
		return "a folded header line";
	while (n < len && is_token((unsigned char)text[n]))
		n++;
	*ret_name_len = n;
	if (n < len && (text[n] == ' ' || text[n] == '\t'))
		return "white space in the name of a header";
	if (n == 0 || n == len || text[n] != ':')
		return "invalid header line";
	for (n++; n < len; n++)
		if (!is_value((unsigned char)text[n]))
			return "a control character in a header";
	return NULL;
}

static bool make_room(struct http_request_reader *request)
{
	unsigned cap = request->headers_cap ? 2 * request->headers_cap : 16;
	struct http_request_header *headers;

	if (request->n_headers < request->headers_cap)
		return true;
	headers = realloc(request->headers, cap * sizeof(*headers));
	if (!headers)
		return false;
	request->headers = headers;
	request->headers_cap = cap;
	return true;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static enum http_request_event read_header(struct http_request_reader *request, char *text, size_t len)
{
	size_t name_len, from, to = len;
	const char *fault = header_check(text, len, &name_len);

	if (fault)
		return fail(request, 400, fault);
	if (request->n_headers == HTTP_REQUEST_HEADERS_MAX)
		return fail(request, 431, "too many headers");
	if (!make_room(request))
		return fail(request, 503, no_memory);
	for (from = name_len + 1; from < to && is_blank(text[from]);)
		from++;
	while (to > from && is_blank(text[to - 1]))
		to--;
	text[name_len] = '\0';
	text[to] = '\0'; /* at the line's end it is its CR */
	size_t at = (size_t)(text - request->head.data);
	request->headers[request->n_headers].name = (uint16_t)at;
	request->headers[request->n_headers].value = (uint16_t)(at + from);
	request->headers[request->n_headers].name_len = (uint16_t)name_len;
	request->n_headers++;
	return HTTP_REQUEST_MORE;
}

static enum http_request_event finish_head(struct http_request_reader *request)
{
	int code = 400;
	const char *fault = http_framing_read(request, &code);

	if (fault)
		return fail(request, code, fault);
	if (request->length > request->max_body)
		return fail(request, 413, "Request entity too large");
	request->left = request->length;
	request->state = request->chunked  ? HTTP_REQUEST_CHUNK_SIZE
			 : request->length ? HTTP_REQUEST_LENGTH
					   : HTTP_REQUEST_WHOLE;
	return HTTP_REQUEST_HEAD;
}

/* --- lines of head and trailers --- */

/* Takes bytes into B up to the end of a line; true when it is whole, with its CR LF cut off at *ret_len. */
static bool take_line(struct http_request_reader *request, struct buf *b, const char **p, const char *end,
		      size_t *ret_len)
{
	const char *lf = memchr(*p, '\n', (size_t)(end - *p));
	size_t n = (size_t)((lf ? lf + 1 : end) - *p), len = b->len - request->line + n;

	if (request->state == HTTP_REQUEST_LINE ? len > HTTP_REQUEST_LINE_MAX
						: request->lines_len + n > HTTP_REQUEST_HEAD_MAX) {
		if (request->state == HTTP_REQUEST_LINE)
			fail(request, 414, "the request line is too long");
		else
			fail(request, 431, "the headers are too large");
		return false;
	}
	if (request->state != HTTP_REQUEST_LINE)
		request->lines_len += n;
	buf_add(b, *p, n);
	*p += n;
	if (b->failed) {
		fail(request, 503, no_memory);
		return false;
	}
	if (!lf)
		return false;
	if (len < 2 || b->data[b->len - 2] != '\r') {
		fail(request, 400, "a line ends without CR");
		return false;
	}
	b->data[b->len - 2] = '\0';
	*ret_len = len - 2;
	return true;
}

static enum http_request_event next_head(struct http_request_reader *request, const char **p, const char *end)
{
	enum http_request_event event = HTTP_REQUEST_MORE;
	size_t len;

	while (event == HTTP_REQUEST_MORE && *p < end && take_line(request, &request->head, p, end, &len)) {
		char *text = request->head.data + request->line;

		if (request->state == HTTP_REQUEST_LINE) {
			/* One empty line before a request is an old client's (RFC 9112 section 2.2). */
			if (len == 0 && request->line == 0) {
				request->line = request->head.len;
				continue;
			}
			event = read_line(request, text, len);
			if (event == HTTP_REQUEST_FAILED)
				break;
			request->state = HTTP_REQUEST_HEADERS;
		} else if (len == 0) {
			event = finish_head(request);
		} else {
			event = read_header(request, text, len);
		}
		request->line = request->head.len;
	}
	return request->state == HTTP_REQUEST_BROKEN ? HTTP_REQUEST_FAILED : event;
}

/* Trailers are checked and dropped. */
static enum http_request_event next_trailer(struct http_request_reader *request, const char **p,
					    const char *end)
{
	size_t len, name_len;

	while (*p < end && take_line(request, &request->trailer, p, end, &len)) {
		const char *fault = len ? header_check(request->trailer.data, len, &name_len) : NULL;

		if (fault)
			return fail(request, 400, fault);
		buf_reset(&request->trailer);
		if (len == 0) {
			request->state = HTTP_REQUEST_WHOLE;
			return HTTP_REQUEST_END;
		}
	}
	return request->state == HTTP_REQUEST_BROKEN ? HTTP_REQUEST_FAILED : HTTP_REQUEST_MORE;
}

/* --- bodies --- */

static int hex_value(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

static void chunk_sized(struct http_request_reader *request)
{
	request->digits = 0;
	if (request->left > 0) {
		request->state = HTTP_REQUEST_CHUNK;
		return;
	}
	request->state = HTTP_REQUEST_TRAILERS;
	request->line = request->lines_len = 0;
}

/* One byte of what stands between chunks. */
static enum http_request_event chunk_byte(struct http_request_reader *request, char c)
{
	switch (request->state) {
	case HTTP_REQUEST_CHUNK_SIZE:
		if (hex_value(c) >= 0) {
			if (++request->digits > 15)
				return fail(request, 400, "invalid size of a chunk");
			request->left = request->left << 4 | (unsigned)hex_value(c);
			break;
		}
		if (request->digits == 0 || (c != ';' && c != '\r'))
			return fail(request, 400, "invalid size of a chunk");
		if (request->left > request->max_body - request->body_len)
			return fail(request, 413, "Request entity too large");
		request->digits = 0;
		request->state = c == ';' ? HTTP_REQUEST_CHUNK_EXTENSION : HTTP_REQUEST_CHUNK_SIZE_LF;
		break;
	case HTTP_REQUEST_CHUNK_EXTENSION:
		if (c == '\r')
			request->state = HTTP_REQUEST_CHUNK_SIZE_LF;
		else if (!is_value((unsigned char)c) || ++request->digits > EXTENSION_MAX)
			return fail(request, 400, "invalid extension of a chunk");
		break;
	case HTTP_REQUEST_CHUNK_SIZE_LF:
		if (c != '\n')
			return fail(request, 400, "invalid size of a chunk");
		chunk_sized(request);
		break;
	case HTTP_REQUEST_CHUNK_CR:
	case HTTP_REQUEST_CHUNK_LF:
		if (c != (request->state == HTTP_REQUEST_CHUNK_CR ? '\r' : '\n'))
			return fail(request, 400, "a chunk does not end where it says");
		request->state =
		    request->state == HTTP_REQUEST_CHUNK_CR ? HTTP_REQUEST_CHUNK_LF : HTTP_REQUEST_CHUNK_SIZE;
		break;
	default:
		break;
	}
	return HTTP_REQUEST_MORE;
}

static enum http_request_event take_body(struct http_request_reader *request, const char **p, const char *end,
					 const char **body, size_t *n)
{
	*body = *p;
	*n = request->left < (uint64_t)(end - *p) ? (size_t)request->left : (size_t)(end - *p);
	*p += *n;
	request->left -= *n;
	request->body_len += *n;
	if (request->left == 0)
		request->state = request->chunked ? HTTP_REQUEST_CHUNK_CR : HTTP_REQUEST_WHOLE;
	return HTTP_REQUEST_BODY;
}

enum http_request_event http_request_next(struct http_request_reader *request, const char **p,
					  const char *end, const char **body, size_t *n)
{
	for (;;) {
		switch (request->state) {
		case HTTP_REQUEST_LINE:
		case HTTP_REQUEST_HEADERS:
			return next_head(request, p, end);
		case HTTP_REQUEST_TRAILERS:
			return next_trailer(request, p, end);
		case HTTP_REQUEST_WHOLE:
			return HTTP_REQUEST_END;
		case HTTP_REQUEST_BROKEN:
			return HTTP_REQUEST_FAILED;
		case HTTP_REQUEST_LENGTH:
		case HTTP_REQUEST_CHUNK:
			return *p < end ? take_body(request, p, end, body, n) : HTTP_REQUEST_MORE;
		case HTTP_REQUEST_CHUNK_SIZE:
		case HTTP_REQUEST_CHUNK_EXTENSION:
		case HTTP_REQUEST_CHUNK_SIZE_LF:
		case HTTP_REQUEST_CHUNK_CR:
		case HTTP_REQUEST_CHUNK_LF:
			if (*p == end)
				return HTTP_REQUEST_MORE;
			if (chunk_byte(request, *(*p)++) == HTTP_REQUEST_FAILED)
				return HTTP_REQUEST_FAILED;
			break;
		}
	}
}

/* --- what was read --- */

const char *http_request_method(const struct http_request_reader *request)
{
	return request->head.data + request->method;
}

const char *http_request_target(const struct http_request_reader *request)
{
	return request->head.data + request->target;
}

const char *http_request_header(const struct http_request_reader *request, const char *name)
{
	size_t len = strlen(name);

	for (unsigned i = 0; i < request->n_headers; i++)
		if (request->headers[i].name_len == len &&
		    strcasecmp(request->head.data + request->headers[i].name, name) == 0)
			return request->head.data + request->headers[i].value;
	return NULL;
}

bool http_request_header_at(const struct http_request_reader *request, size_t i, const char **ret_name,
			    const char **ret_value)
{
	if (i >= request->n_headers)
		return false;
	*ret_name = request->head.data + request->headers[i].name;
	*ret_value = request->head.data + request->headers[i].value;
	return true;
}
