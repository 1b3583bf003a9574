#include "lib/http_answer.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MAX_HEAD     ((size_t)64 << 10) /* all lines of a head, or of the trailers */
#define MAX_LINE     ((size_t)16 << 10)
#define MAX_WARNINGS 4096 /* bytes kept */

void http_answer_begin(struct http_answer *answer, const char *method)
{
	answer->state = HTTP_ANSWER_STATUS_LINE;
	answer->code = 0;
	answer->keep_alive = false;
	answer->retry_after_s = -1;
	answer->length = -1;
	answer->is_head = strcmp(method, "HEAD") == 0;
	answer->chunked = false;
	answer->left = 0;
	answer->head_len = 0;
	answer->line.max = MAX_LINE;
	answer->content_type.max = MAX_LINE;
	answer->warnings.max = MAX_WARNINGS;
	buf_reset(&answer->line);
	buf_reset(&answer->content_type);
	buf_reset(&answer->warnings);
	answer->keep_headers = false;
	answer->headers.max = MAX_HEAD;
	buf_reset(&answer->headers);
}

void http_answer_close(struct http_answer *answer)
{
	buf_close(&answer->line);
	buf_close(&answer->content_type);
	buf_close(&answer->warnings);
	buf_close(&answer->headers);
}

/* --- lines --- */

static int bad(struct err *err, const char *what)
{
	return err_set(err, ERR_CONNECTION, "the server's answer is no HTTP: %s", what);
}

/* A line without its end, in answer->line, when it is complete: 1; 0: more is needed; -1. A bare LF ends one
 * as well (RFC 9112 section 2.2). */
static int take_line(struct http_answer *answer, const char **p, const char *end, struct err *err)
{
	const char *newline = memchr(*p, '\n', (size_t)(end - *p));
	size_t n = (size_t)((newline ? newline + 1 : end) - *p);
	struct buf *line = &answer->line;

	answer->head_len += n;
	buf_add(line, *p, n);
	*p += n;
	if (line->failed || answer->head_len > MAX_HEAD)
		return err_set(err, ERR_LIMIT, "the head of the server's answer is too large");
	if (!newline)
		return 0;
	line->len--;
	if (line->len > 0 && line->data[line->len - 1] == '\r')
		line->len--;
	line->data[line->len] = '\0';
	if (memchr(line->data, '\0', line->len))
		return bad(err, "a zero byte in its head");
	return 1;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "HTTP/1.1 200 OK" */
static int read_status_line(struct http_answer *answer, struct err *err)
{
	const char *s = answer->line.data;

	if (strncmp(s, "HTTP/1.", 7) != 0 || !is_digit(s[7]) || s[8] != ' ' || s[9] < '1' || s[9] > '9' ||
	    !is_digit(s[10]) || !is_digit(s[11]) || (s[12] != ' ' && s[12] != '\0'))
		return bad(err, "its first line");
	answer->code = (s[9] - '0') * 100 + (s[10] - '0') * 10 + (s[11] - '0');
	answer->keep_alive = s[7] != '0';
	return 0;
}

/* 299 - "text with \" and \\ escaped" (RFC 7234 section 5.5) */
static void add_warning(struct http_answer *answer, const char *value)
{
	const char *p = strchr(value, '"');

	if (!p)
		return;
	if (answer->warnings.len > 0)
		buf_char(&answer->warnings, '\n');
	for (p++; *p && *p != '"'; p++) {
		if (*p == '\\' && p[1])
			p++;
		buf_char(&answer->warnings, *p);
	}
}

/* Digits only, all of them, below 2^63. */
static bool read_number(const char *s, int64_t *ret)
{
	int64_t value = 0;

	if (!*s)
		return false;
	for (; *s; s++) {
		if (!is_digit(*s) || __builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, *s - '0', &value))
			return false;
	}
	*ret = value;
	return true;
}

/* Whether TOKEN is in the comma separated LIST. */
static bool has_token(const char *list, const char *token)
{
	size_t len = strlen(token);

	while (*list) {
		list += strspn(list, " \t,");
		size_t n = strcspn(list, " \t,");
		if (n == len && strncasecmp(list, token, len) == 0)
			return true;
		list += n;
	}
	return false;
}

static int read_header(struct http_answer *answer, struct err *err)
{
	char *name = answer->line.data, *value = strchr(name, ':');
	int64_t number;

	if (!value)
		return bad(err, "a line of its head without a colon");
	*value++ = '\0';
	value += strspn(value, " \t");
	for (size_t len = strlen(value); len > 0 && strchr(" \t", value[len - 1]); len--)
		value[len - 1] = '\0';
	if (answer->keep_headers)
		buf_printf(&answer->headers, "%s: %s\n", name, value);
	if (strcasecmp(name, "Content-Length") == 0) {
		if (!read_number(value, &number) || (answer->length >= 0 && answer->length != number))
			return bad(err, "its Content-Length");
		answer->length = number;
	} else if (strcasecmp(name, "Transfer-Encoding") == 0) {
		if (strcasecmp(value, "chunked") != 0)
			return bad(err, "its Transfer-Encoding");
		answer->chunked = true;
	} else if (strcasecmp(name, "Connection") == 0) {
		if (has_token(value, "close"))
			answer->keep_alive = false;
		else if (has_token(value, "keep-alive"))
			answer->keep_alive = true;
	} else if (strcasecmp(name, "Content-Type") == 0) {
		buf_reset(&answer->content_type);
		buf_str(&answer->content_type, value);
	} else if (strcasecmp(name, "Retry-After") == 0) {
		if (read_number(value, &number) && number < INT32_MAX)
			answer->retry_after_s = (long)number;
	} else if (strcasecmp(name, "Warning") == 0) {
		add_warning(answer, value);
	}
	return 0;
}

/* What follows the head (RFC 9112 section 6.3). */
static int begin_body(struct http_answer *answer, struct err *err)
{
	if (answer->code < 200 && answer->code != 101) {
		answer->state = HTTP_ANSWER_STATUS_LINE;
		answer->length = -1;
		answer->chunked = false;
		buf_reset(&answer->headers);
		return 0;
	}
	if (answer->chunked && answer->length >= 0)
		return bad(err, "both a length and chunks");
	if (answer->is_head || answer->code == 204 || answer->code == 304 || answer->code == 101) {
		answer->length = 0;
		answer->chunked = false;
	}
	answer->head_len = 0;
	answer->left = answer->length >= 0 ? (uint64_t)answer->length : UINT64_MAX;
	if (!answer->chunked && answer->length < 0)
		answer->keep_alive = false;
	answer->state = answer->chunked ? HTTP_ANSWER_CHUNK_SIZE : HTTP_ANSWER_BODY;
	return 0;
}

/* "1a2b;extension" */
static int read_chunk_size(struct http_answer *answer, struct err *err)
{
	const char *s = answer->line.data;
	size_t digits = strspn(s, "0123456789abcdefABCDEF");

	if (digits == 0 || digits > 15 || (s[digits] && !strchr(" \t;", s[digits])))
		return bad(err, "the size of a chunk");
	answer->left = strtoull(s, NULL, 16);
	answer->head_len = 0;
	answer->state = answer->left > 0 ? HTTP_ANSWER_CHUNK : HTTP_ANSWER_TRAILER;
	return 0;
}

static int read_line(struct http_answer *answer, struct err *err)
{
	bool empty = answer->line.len == 0;

	switch (answer->state) {
	case HTTP_ANSWER_STATUS_LINE:
		if (read_status_line(answer, err) < 0)
			return -1;
		answer->state = HTTP_ANSWER_HEADER;
		return 0;
	case HTTP_ANSWER_HEADER:
		return empty ? begin_body(answer, err) : read_header(answer, err);
	case HTTP_ANSWER_CHUNK_SIZE:
		return read_chunk_size(answer, err);
	case HTTP_ANSWER_CHUNK_END:
		if (!empty)
			return bad(err, "no line's end behind a chunk");
		answer->state = HTTP_ANSWER_CHUNK_SIZE;
		return 0;
	case HTTP_ANSWER_TRAILER:
		if (empty)
			answer->state = HTTP_ANSWER_COMPLETE;
		return 0;
	case HTTP_ANSWER_BODY:
	case HTTP_ANSWER_CHUNK:
	case HTTP_ANSWER_COMPLETE:
		break;
	}
	return err_set(err, ERR_INTERNAL, "no line belongs here");
}

/* --- reading --- */

enum http_answer_event http_answer_next(struct http_answer *answer, const char **p, const char *end,
					const char **body, size_t *n, struct err *err)
{
	for (;;) {
		switch (answer->state) {
		case HTTP_ANSWER_COMPLETE:
			return HTTP_ANSWER_END;
		case HTTP_ANSWER_BODY:
		case HTTP_ANSWER_CHUNK:
			if (answer->left == 0) {
				answer->state = answer->state == HTTP_ANSWER_BODY ? HTTP_ANSWER_COMPLETE
										  : HTTP_ANSWER_CHUNK_END;
				continue;
			}
			if (*p == end)
				return HTTP_ANSWER_MORE;
			*body = *p;
			*n = (size_t)(end - *p);
			if (*n > answer->left)
				*n = (size_t)answer->left;
			*p += *n;
			answer->left -= *n;
			return HTTP_ANSWER_DATA;
		case HTTP_ANSWER_STATUS_LINE:
		case HTTP_ANSWER_HEADER:
		case HTTP_ANSWER_CHUNK_SIZE:
		case HTTP_ANSWER_CHUNK_END:
		case HTTP_ANSWER_TRAILER:
			break;
		}
		int complete = take_line(answer, p, end, err);
		if (complete == 0)
			return HTTP_ANSWER_MORE;
		if (complete < 0 || read_line(answer, err) < 0)
			return HTTP_ANSWER_BAD;
		buf_reset(&answer->line);
	}
}

enum http_answer_event http_answer_eof(struct http_answer *answer, struct err *err)
{
	if (answer->state == HTTP_ANSWER_COMPLETE ||
	    (answer->state == HTTP_ANSWER_BODY && (answer->length < 0 || answer->left == 0)))
		return HTTP_ANSWER_END;
	err_set(err, ERR_CONNECTION, "the server closed the connection before its answer was whole");
	return HTTP_ANSWER_BAD;
}
