#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/http_answer.h"

/* An answer given in pieces of STEP bytes: "CODE BODY[!keep]" or the error's kind. */
struct seen {
	int code;
	bool keep_alive;
	bool whole;
	enum err_kind kind;
	size_t left; /* input behind the answer */
	struct buf body;
};

static struct seen feed(struct http_answer *answer, const char *method, const char *text, size_t len, size_t step)
{
	struct seen seen = { 0 };
	struct err err = ERR_INIT;
	enum http_answer_event event = HTTP_ANSWER_MORE;
	size_t at = 0;

	http_answer_begin(answer, method);
	while (event == HTTP_ANSWER_MORE && at < len) {
		const char *p = text + at, *body;
		const char *end = text + (at + step < len ? at + step : len);
		size_t n;

		while ((event = http_answer_next(answer, &p, end, &body, &n, &err)) == HTTP_ANSWER_DATA) {
			assert_true(body >= text && body + n <= end && n > 0);
			buf_add(&seen.body, body, n);
		}
		at = (size_t)(p - text);
		assert_true(event != HTTP_ANSWER_MORE || p == end);
	}
	if (event == HTTP_ANSWER_MORE)
		event = http_answer_eof(answer, &err);
	seen.code = answer->code;
	seen.keep_alive = answer->keep_alive;
	seen.whole = event == HTTP_ANSWER_END;
	seen.kind = err.kind;
	seen.left = len - at;
	return seen;
}

static void answers(void **state)
{
	static const struct {
		const char *method, *text, *body;
		int code;
		bool whole, keep_alive;
		size_t left;
	} cases[] = {
		{ "GET", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", "abc", 200, true, true, 0 },
		{ "GET", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcdef", "abc", 200, true, true, 3 },
		{ "GET", "HTTP/1.1 200\r\ncontent-length:0\r\n\r\n", "", 200, true, true, 0 },
		{ "GET", "HTTP/1.1 200 OK\nContent-Length: 3 \n\nabc", "abc", 200, true, true, 0 },
		{ "GET", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: Close\r\n\r\nabc", "abc", 200, true, false, 0 },
		{ "GET", "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc", "abc", 200, true, false, 0 },
		{ "GET", "HTTP/1.0 200 OK\r\nConnection: keep-alive, x\r\nContent-Length: 1\r\n\r\na", "a", 200, true, true, 0 },
		{ "GET", "HTTP/1.0 200 OK\r\n\r\nto the end", "to the end", 200, true, false, 0 },
		{ "GET", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", "abc", 200, false, true, 0 },
		{ "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n",
		  "abc0123456789", 200, true, true, 0 },
		{ "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nTrailer: x\r\n\r\n", "", 200, true, true, 0 },
		{ "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", "abc", 200, false, true, 0 },
		{ "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", "", 200, true, true, 0 },
		{ "GET", "HTTP/1.1 204 No Content\r\n\r\n", "", 204, true, true, 0 },
		{ "GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n", "", 304, true, true, 0 },
		{ "POST", "HTTP/1.1 100 Continue\r\nContent-Length: 9\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 1\r\n\r\nx", "x",
		  201, true, true, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		/* In one piece, and byte by byte. */
		for (size_t step = 1; step < 100; step += 98) {
			struct http_answer answer = { 0 };
			struct seen seen = feed(&answer, cases[i].method, cases[i].text, strlen(cases[i].text), step);

			assert_int_equal(seen.whole, cases[i].whole);
			assert_int_equal(seen.code, cases[i].code);
			assert_int_equal(seen.keep_alive, cases[i].keep_alive);
			assert_string_equal(seen.body.data ? seen.body.data : "", cases[i].body);
			if (step > 1)
				assert_int_equal(seen.left, cases[i].left);
			buf_close(&seen.body);
			http_answer_close(&answer);
		}
	}
}

static void what_is_no_http(void **state)
{
	static const char *const texts[] = {
		"SSH-2.0-OpenSSH_9.2\r\n",
		"HTTP/2 200\r\n\r\n",
		"HTTP/1.1 20 OK\r\n\r\n",
		"HTTP/1.1 2000 OK\r\n\r\n",
		"HTTP/1.1\r\n\r\n",
		"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 1x\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000000\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n",
		"",
	};
	struct http_answer answer = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct seen seen = feed(&answer, "GET", texts[i], strlen(texts[i]), 100);

		assert_false(seen.whole);
		assert_int_equal(seen.kind, ERR_CONNECTION);
		buf_close(&seen.body);
	}
	struct seen zero = feed(&answer, "GET", "HTTP/1.1 200 OK\r\na: \0b\r\n\r\n", 25, 100);
	assert_false(zero.whole);
	http_answer_close(&answer);
}

static void heads_are_limited(void **state)
{
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	struct http_answer answer = { 0 };

	(void)state;
	buf_str(&text, "HTTP/1.1 200 OK\r\n");
	while (text.len < 70000)
		buf_str(&text, "X-Header: and again and again and again\r\n");
	assert_int_equal(feed(&answer, "GET", text.data, text.len, 4096).kind, ERR_LIMIT);
	buf_reset(&text);
	buf_str(&text, "HTTP/1.1 200 ");
	while (text.len < 20000)
		buf_char(&text, 'x');
	assert_int_equal(feed(&answer, "GET", text.data, text.len, 4096).kind, ERR_LIMIT);
	http_answer_close(&answer);
}

static void headers(void **state)
{
	const char *text = "HTTP/1.1 429 Too Many Requests\r\nContent-Type: application/json\r\nRetry-After: 7\r\n"
			   "Warning: 299 - \"one \\\"quoted\\\"\"\r\nwarning: 299 - \"two\"\r\nWarning: none\r\n"
			   "Content-Length: 0\r\n\r\n";
	const char *date = "HTTP/1.1 503 x\r\nRetry-After: Fri, 31 Dec 1999 23:59:59 GMT\r\nContent-Length: 0\r\n\r\n";
	struct http_answer answer = { 0 };

	(void)state;
	assert_true(feed(&answer, "GET", text, strlen(text), 5).whole);
	assert_string_equal(answer.content_type.data, "application/json");
	assert_string_equal(answer.warnings.data, "one \"quoted\"\ntwo");
	assert_int_equal(answer.retry_after_s, 7);
	/* Nothing of an answer stays for the next. */
	assert_true(feed(&answer, "GET", date, strlen(date), 5).whole);
	assert_int_equal(answer.retry_after_s, -1);
	assert_int_equal(answer.warnings.len, 0);
	assert_int_equal(answer.content_type.len, 0);
	http_answer_close(&answer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers),
		cmocka_unit_test(what_is_no_http),
		cmocka_unit_test(heads_are_limited),
		cmocka_unit_test(headers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
