/* What a server sends: in one piece and in pieces it is read alike. The first byte says how large they are.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/http_answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
	if (!condition)
		abort();
}

static enum http_answer_event read_all(struct http_answer *answer, const char *text, size_t len, size_t step,
				       struct buf *ret)
{
	enum http_answer_event event = HTTP_ANSWER_MORE;
	struct err err = ERR_INIT;

	http_answer_begin(answer, "GET");
	for (size_t at = 0; event == HTTP_ANSWER_MORE && at < len;) {
		size_t size = at + step < len ? step : len - at;
		/* A copy of its own, so that a read past its end is seen. */
		CLEANUP(mem_freep) char *piece = mem_copy(text + at, size);
		const char *p = piece, *end = piece + size, *body;
		size_t n;

		while ((event = http_answer_next(answer, &p, end, &body, &n, &err)) == HTTP_ANSWER_DATA) {
			must(n > 0 && body >= piece && body + n <= end);
			buf_add(ret, body, n);
		}
		must(event != HTTP_ANSWER_MORE || p == end);
		at += size;
	}
	must(event != HTTP_ANSWER_BAD || err.kind != ERR_NONE);
	return event == HTTP_ANSWER_MORE ? http_answer_eof(answer, &err) : event;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(buf_close) struct buf whole = BUF_INIT, pieces = BUF_INIT;
	struct http_answer one = { 0 }, other = { 0 };

	if (size < 1)
		return 0;
	const char *text = (const char *)data + 1;
	enum http_answer_event first = read_all(&one, text, size - 1, size, &whole);
	enum http_answer_event second = read_all(&other, text, size - 1, data[0] % 7 + 1, &pieces);

	must(first == second);
	if (first == HTTP_ANSWER_END) {
		must(one.code == other.code && one.keep_alive == other.keep_alive);
		must(one.retry_after_s == other.retry_after_s);
		must(whole.len == pieces.len);
		must(whole.len == 0 || memcmp(whole.data, pieces.data, whole.len) == 0);
	}
	http_answer_close(&one);
	http_answer_close(&other);
	return 0;
}
