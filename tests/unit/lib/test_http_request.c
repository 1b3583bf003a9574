#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/http_request.h"

#define HOST "Host: x\r\n"
#define POST "POST / HTTP/1.1\r\n" HOST

/* What is read of TEXT when it comes in two pieces, the first of FIRST bytes: "METHOD TARGET BODY|" for each
 * request, and the code of one that failed. */
static void read_split(const char *text, size_t len, size_t first, uint64_t max_body, struct buf *ret)
{
	struct http_request_reader request = { 0 };
	enum http_request_event event = HTTP_REQUEST_MORE;
	const size_t ends[] = { first, len };
	const char *p = text, *body;
	size_t n;

	buf_str(ret, "");
	http_request_begin(&request, max_body);
	for (size_t i = 0; i < ARRAY_SIZE(ends) && event != HTTP_REQUEST_FAILED; i++) {
		do {
			event = http_request_next(&request, &p, text + ends[i], &body, &n);
			if (event == HTTP_REQUEST_HEAD)
				buf_printf(ret, "%s %s ", http_request_method(&request),
					   http_request_target(&request));
			else if (event == HTTP_REQUEST_BODY)
				buf_add(ret, body, n);
			else if (event == HTTP_REQUEST_FAILED)
				buf_printf(ret, "%d", request.code);
			else if (event == HTTP_REQUEST_END)
				buf_char(ret, '|');
			if (event == HTTP_REQUEST_END)
				http_request_begin(&request, max_body);
		} while (event != HTTP_REQUEST_MORE && event != HTTP_REQUEST_FAILED);
	}
	http_request_close(&request);
}

struct request_case {
	const char *text, *read;
};

static void check(const struct request_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(cases[i].text);

		for (size_t first = 0; first <= len; first++) {
			CLEANUP(buf_close) struct buf read = BUF_INIT;

			read_split(cases[i].text, len, first, 100, &read);
			if (strcmp(read.data, cases[i].read) != 0)
				fail_msg("%s\n\nsplit at %zu was read as\n\n%s\n\nand not\n\n%s",
					 cases[i].text, first, read.data, cases[i].read);
		}
	}
}

static void requests(void **state)
{
	static const struct request_case cases[] = {
		{ "GET / HTTP/1.1\r\n" HOST "\r\n", "GET / |" },
		{ "GET /a?b=c%20d HTTP/1.1\r\n" HOST "\r\nGET /2 HTTP/1.1\r\n" HOST "\r\n",
		  "GET /a?b=c%20d |GET /2 |" },
		{ "OPTIONS * HTTP/1.1\r\n" HOST "\r\n", "OPTIONS * |" },
		{ "GET https://host:1/a HTTP/1.1\r\n" HOST "\r\n", "GET /a |" },
		{ "GET http://host?q HTTP/1.1\r\n" HOST "\r\n", "GET /?q |" },
		{ "GET http://host HTTP/1.1\r\n" HOST "\r\n", "GET / |" },
		{ "GET / HTTP/1.0\r\n\r\n", "GET / |" },
		{ "GET / HTTP/1.7\r\n" HOST "\r\n", "GET / |" },
		{ "\r\nGET / HTTP/1.1\r\n" HOST "\r\n", "GET / |" },
		{ "GET / HTTP/1.1\r\nhOST:x\r\nA:\r\nB: \t c d \t\r\n\r\n", "GET / |" },
		{ "GET / HTTP/1.1\r\nHost: \r\n\r\n", "GET / |" },
		{ POST "Content-Length: 5\r\n\r\nhello", "POST / hello|" },
		{ POST "Content-Length: 0\r\n\r\n", "POST / |" },
		{ POST "Content-Length: 2\r\n\r\nabGET / HTTP/1.1\r\n" HOST "\r\n", "POST / ab|GET / |" },
		{ POST
		  "Transfer-Encoding: Chunked\r\n\r\n5\r\nhello\r\n00a;x=\"y\"\r\n0123456789\r\n0\r\n\r\n",
		  "POST / hello0123456789|" },
		{ POST "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nTrailer: v\r\nB: c\r\n\r\nGET /2 "
		       "HTTP/1.1\r\n" HOST "\r\n",
		  "POST / a|GET /2 |" },
	};

	(void)state;
	check(cases, ARRAY_SIZE(cases));
}

static void what_is_refused(void **state)
{
	static const struct request_case cases[] = {
		{ "nonsense\r\n", "400" },
		{ "GET /\r\n", "400" },
		{ "GET  / HTTP/1.1\r\n", "400" },
		{ "GET / HTTP/1.1 \r\n", "400" },
		{ "GET / HTTP/1.1\n", "400" },
		{ "GET / http/1.1\r\n", "400" },
		{ "GET / HTTP/2.0\r\n", "505" },
		{ "GET / HTTP/0.9\r\n", "505" },
		{ "G(T / HTTP/1.1\r\n", "400" },
		{ "GET a HTTP/1.1\r\n", "400" },
		{ "GET /a#b HTTP/1.1\r\n", "400" },
		{ "GET /\x01 HTTP/1.1\r\n", "400" },
		{ "GET /\xc3\xa4 HTTP/1.1\r\n", "400" },
		{ "GET https:///a HTTP/1.1\r\n", "400" },
		{ "\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n", "400" },
		{ "GET / HTTP/1.1\r\n\r\n", "400" },
		{ "GET / HTTP/1.1\r\n" HOST "Host: y\r\n\r\n", "400" },
		{ "GET / HTTP/1.0\r\n" HOST HOST "\r\n", "400" },
		{ "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "400" },
		{ "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "400" },
		{ "GET / HTTP/1.1\r\n" HOST "A : b\r\n\r\n", "400" },
		{ "GET / HTTP/1.1\r\n" HOST "A\r\n\r\n", "400" },
		{ "GET / HTTP/1.1\r\n" HOST ": b\r\n\r\n", "400" },
		{ "GET / HTTP/1.1\r\n" HOST "A: b\r\n c\r\n\r\n", "400" },
		{ "GET / HTTP/1.1\r\n" HOST "A: b\n\r\n", "400" },
		{ "GET / HTTP/1.1\r\n" HOST "A: b\rc\r\n\r\n", "400" },
		{ "GET / HTTP/1.1\r\n" HOST "A: \x7f\r\n\r\n", "400" },
		{ POST "Content-Length: 2\r\nContent-Length: 2\r\n\r\n", "400" },
		{ POST "Content-Length: 2, 2\r\n\r\n", "400" },
		{ POST "Content-Length: +2\r\n\r\n", "400" },
		{ POST "Content-Length: \r\n\r\n", "400" },
		{ POST "Content-Length: 0x2\r\n\r\n", "400" },
		{ POST "Content-Length: 99999999999999999999\r\n\r\n", "400" },
		{ POST "Content-Length: 101\r\n\r\n", "413" },
		{ POST "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n", "400" },
		{ POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", "400" },
		{ POST "Transfer-Encoding: gzip, chunked\r\n\r\n", "501" },
		{ POST "Transfer-Encoding: identity\r\n\r\n", "501" },
		{ POST "Transfer-Encoding: \r\n\r\n", "501" },
		{ "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", "400" },
		{ POST "Transfer-Encoding: chunked\r\n\r\nz\r\n", "POST / 400" },
		{ POST "Transfer-Encoding: chunked\r\n\r\n\r\n", "POST / 400" },
		{ POST "Transfer-Encoding: chunked\r\n\r\n1 \r\n", "POST / 400" },
		{ POST "Transfer-Encoding: chunked\r\n\r\n1\na", "POST / 400" },
		{ POST "Transfer-Encoding: chunked\r\n\r\n1\r\nab", "POST / a400" },
		{ POST "Transfer-Encoding: chunked\r\n\r\n1\r\na\n", "POST / a400" },
		{ POST "Transfer-Encoding: chunked\r\n\r\n65\r\n", "POST / 413" },
		{ POST "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n64\r\n", "POST / a413" },
		{ POST "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n", "POST / 400" },
		{ POST "Transfer-Encoding: chunked\r\n\r\n0\r\nbad trailer: x\r\n\r\n", "POST / 400" },
	};

	(void)state;
	check(cases, ARRAY_SIZE(cases));
}

static struct http_request_reader read_head(const char *text)
{
	struct http_request_reader request = { 0 };
	const char *p = text, *body;
	size_t n;

	http_request_begin(&request, 100);
	assert_int_equal(http_request_next(&request, &p, text + strlen(text), &body, &n), HTTP_REQUEST_HEAD);
	return request;
}

static void headers(void **state)
{
	struct http_request_reader request =
	    read_head("GET / HTTP/1.1\r\n" HOST "Accept:  a, b\t\r\nACCEPT: c\r\nEmpty:\r\n\r\n");
	const char *name, *value;

	(void)state;
	assert_string_equal(http_request_header(&request, "accept"), "a, b");
	assert_string_equal(http_request_header(&request, "empty"), "");
	assert_null(http_request_header(&request, "accep"));
	assert_true(http_request_header_at(&request, 2, &name, &value));
	assert_string_equal(name, "ACCEPT");
	assert_string_equal(value, "c");
	assert_false(http_request_header_at(&request, 4, &name, &value));
	http_request_close(&request);
}

static void what_the_head_says(void **state)
{
	static const struct {
		const char *text;
		bool keep_alive, expects, upgrades;
	} cases[] = {
		{ "GET / HTTP/1.1\r\n" HOST "\r\n", true, false, false },
		{ "GET / HTTP/1.0\r\n\r\n", false, false, false },
		{ "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true, false, false },
		{ "GET / HTTP/1.1\r\n" HOST "Connection: x, CLOSE\r\n\r\n", false, false, false },
		{ "GET / HTTP/1.1\r\n" HOST "Connection: x\r\nConnection: close ,y\r\n\r\n", false, false,
		  false },
		{ "GET / HTTP/1.1\r\n" HOST "Connection: closed\r\n\r\n", true, false, false },
		{ "GET / HTTP/1.1\r\n" HOST "Expect: 100-Continue\r\n\r\n", true, true, false },
		{ "GET / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n", false, false, false },
		{ "GET / HTTP/1.1\r\n" HOST "Connection: keep-alive, Upgrade\r\nUpgrade: x\r\n\r\n", true,
		  false, true },
		{ "GET / HTTP/1.1\r\n" HOST "Upgrade: x\r\n\r\n", true, false, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct http_request_reader request = read_head(cases[i].text);

		assert_int_equal(request.keep_alive, cases[i].keep_alive);
		assert_int_equal(request.expects, cases[i].expects);
		assert_int_equal(request.upgrades, cases[i].upgrades);
		http_request_close(&request);
	}
}

/* The code of a request of LINE bytes in its first line, and HEADERS bytes in N lines behind it. */
static void check_sizes(size_t line, unsigned n, size_t headers_len, const char *expected)
{
	CLEANUP(buf_close) struct buf text = BUF_INIT, read = BUF_INIT;

	buf_str(&text, "GET /");
	while (text.len < line - strlen(" HTTP/1.1\r\n"))
		buf_char(&text, 'a');
	buf_str(&text, " HTTP/1.1\r\n" HOST);
	for (unsigned i = 1; i < n; i++) {
		buf_str(&text, "h: ");
		for (size_t k = 0; k < headers_len / n; k++)
			buf_char(&text, 'v');
		buf_str(&text, "\r\n");
	}
	buf_str(&text, "\r\n");
	read_split(text.data, text.len, text.len / 2, 0, &read);
	if (*expected == '4')
		assert_string_equal(read.data, expected);
	else
		assert_memory_equal(read.data, expected, strlen(expected));
}

static void sizes_are_bounded(void **state)
{
	(void)state;
	check_sizes(HTTP_REQUEST_LINE_MAX, 1, 0, "GET /");
	check_sizes(HTTP_REQUEST_LINE_MAX + 1, 1, 0, "414");
	check_sizes(100, HTTP_REQUEST_HEADERS_MAX, 1000, "GET /");
	check_sizes(100, HTTP_REQUEST_HEADERS_MAX + 1, 1000, "431");
	check_sizes(100, 4, HTTP_REQUEST_HEAD_MAX - 100, "GET /");
	check_sizes(100, 2, 2 * HTTP_REQUEST_HEAD_MAX, "431");
	/* Both at their limits: the one does not take the other's room. */
	check_sizes(HTTP_REQUEST_LINE_MAX, 4, HTTP_REQUEST_HEAD_MAX - 100, "GET /");
}

static void trailers_are_bounded(void **state)
{
	CLEANUP(buf_close) struct buf text = BUF_INIT, read = BUF_INIT;

	(void)state;
	buf_str(&text, POST "Transfer-Encoding: chunked\r\n\r\n0\r\n");
	while (text.len < 2 * HTTP_REQUEST_HEAD_MAX)
		buf_str(&text, "trailer: of some length\r\n");
	read_split(text.data, text.len, 500, 100, &read);
	assert_string_equal(read.data, "POST / 431");
}

static void tokens_of_a_list(void **state)
{
	(void)state;
	assert_true(http_request_has_token("a", "A"));
	assert_true(http_request_has_token(" , a b ,\tc", "c"));
	assert_true(http_request_has_token("x,close ,y", "close"));
	assert_false(http_request_has_token("", "a"));
	assert_false(http_request_has_token("a b", "a"));
	assert_false(http_request_has_token("ab", "a"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests),          cmocka_unit_test(what_is_refused),
		cmocka_unit_test(headers),           cmocka_unit_test(what_the_head_says),
		cmocka_unit_test(sizes_are_bounded), cmocka_unit_test(trailers_are_bounded),
		cmocka_unit_test(tokens_of_a_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
