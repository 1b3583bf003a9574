/* What a client sends: in one piece and in pieces it is the same requests, one behind the other, and none
 * that is taken can be read in two ways. The first byte says how large the pieces are.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/http_request.h"

#define BODY_MAX 1000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
	if (!condition)
		abort();
}

/* What http_request.h promises of a head that was taken; written down. */
static void note_head(const struct http_request_reader *request, struct buf *ret)
{
	const char *target = http_request_target(request), *name, *value;
	unsigned hosts = 0, lengths = 0;

	must(*http_request_method(request) && (*target == '/' || strcmp(target, "*") == 0));
	for (const char *p = target; *p; p++)
		must(*p > ' ' && *p < 0x7f);
	buf_printf(ret, "%s %s %d%d%d%d%d %llu\n", http_request_method(request), target, request->minor,
		   request->keep_alive, request->expects, request->upgrades, request->chunked,
		   (unsigned long long)request->length);
	for (size_t i = 0; http_request_header_at(request, i, &name, &value); i++) {
		must(*name && !name[strcspn(name, " \t\r\n:")] && !value[strcspn(value, "\r\n")]);
		hosts += strcasecmp(name, "Host") == 0;
		lengths +=
		    strcasecmp(name, "Content-Length") == 0 || strcasecmp(name, "Transfer-Encoding") == 0;
		buf_printf(ret, "%s: %s\n", name, value);
	}
	must(lengths <= 1 && hosts <= 1 && (hosts == 1 || request->minor == 0));
	must(request->length <= BODY_MAX && !(request->chunked && request->length));
}

static void note(const struct http_request_reader *request, enum http_request_event event, struct buf *ret)
{
	if (event == HTTP_REQUEST_HEAD) {
		note_head(request, ret);
	} else if (event == HTTP_REQUEST_END) {
		must(request->body_len <= BODY_MAX);
		must(request->chunked || request->body_len == request->length);
		buf_str(ret, "\nend\n");
	} else if (event == HTTP_REQUEST_FAILED) {
		must(request->code >= 400 && request->fault && *request->fault);
		buf_printf(ret, "%d %s\n", request->code, request->fault);
	}
}

static void read_all(const char *text, size_t len, size_t step, struct buf *ret)
{
	struct http_request_reader request = { 0 };
	enum http_request_event event = HTTP_REQUEST_MORE;

	http_request_begin(&request, BODY_MAX);
	for (size_t at = 0; event != HTTP_REQUEST_FAILED && at < len; at += step) {
		size_t size = at + step < len ? step : len - at;
		/* A copy of its own, so that a read past its end is seen. */
		CLEANUP(mem_freep) char *piece = mem_copy(text + at, size);
		const char *p = piece, *end = piece + size, *body, *before = NULL;
		size_t n;

		do {
			must(p != before || event != HTTP_REQUEST_BODY);
			before = p;
			event = http_request_next(&request, &p, end, &body, &n);
			must(p >= before && p <= end);
			note(&request, event, ret);
			if (event == HTTP_REQUEST_BODY) {
				must(n > 0 && body >= piece && body + n <= end);
				buf_add(ret, body, n);
			} else if (event == HTTP_REQUEST_END) {
				http_request_begin(&request, BODY_MAX);
			}
		} while (event != HTTP_REQUEST_MORE && event != HTTP_REQUEST_FAILED);
		must(event == HTTP_REQUEST_FAILED || p == end);
	}
	http_request_close(&request);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(buf_close) struct buf whole = BUF_INIT, pieces = BUF_INIT;

	if (size < 2)
		return 0;
	read_all((const char *)data + 1, size - 1, size, &whole);
	read_all((const char *)data + 1, size - 1, data[0] % 7 + 1, &pieces);
	must(whole.len == pieces.len && (whole.len == 0 || memcmp(whole.data, pieces.data, whole.len) == 0));
	return 0;
}
