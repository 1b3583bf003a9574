#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/websocket.h"

/* What a reader made of an input: "T:Hello. P:Hi. " and, at the end, "!" and the error. */
struct seen {
	struct buf text;
	enum websocket_event last;
};

static void note(struct seen *seen, const struct websocket_piece *piece, bool control)
{
	static const char *const names = "-TB-----CPp";

	if (control || piece->first)
		buf_printf(&seen->text, "%c:", names[piece->opcode]);
	buf_add(&seen->text, piece->data, piece->len);
	if (piece->last)
		buf_str(&seen->text, ". ");
}

static struct seen feed(bool server, uint64_t max, const void *data, size_t len, size_t step)
{
	struct websocket_reader reader = { .server = server, .max_message = max };
	struct seen seen = { .last = WEBSOCKET_MORE };
	struct err err = ERR_INIT;

	buf_str(&seen.text, "");
	for (size_t at = 0; at < len && seen.last != WEBSOCKET_BAD; at += step) {
		size_t size = at + step < len ? step : len - at;
		CLEANUP(mem_freep) unsigned char *copy = mem_copy((const char *)data + at, size);
		unsigned char *p = copy, *end = copy + size;
		struct websocket_piece piece;

		while ((seen.last = websocket_next(&reader, &p, end, &piece, &err)) != WEBSOCKET_MORE &&
		       seen.last != WEBSOCKET_BAD)
			note(&seen, &piece, seen.last == WEBSOCKET_CONTROL);
		assert_true(seen.last == WEBSOCKET_BAD || p == end);
	}
	if (seen.last == WEBSOCKET_BAD)
		buf_printf(&seen.text, "!%s", err.msg);
	return seen;
}

static void check(bool server, const void *data, size_t len, const char *want)
{
	for (size_t step = 1; step <= len; step++) {
		struct seen seen = feed(server, 1000, data, len, step);
		assert_string_equal(seen.text.data, want);
		buf_close(&seen.text);
	}
}

#define BYTES(text) (text), sizeof(text) - 1

/* RFC 6455 section 5.7 */
static void frames_of_the_standard(void **state)
{
	(void)state;
	check(false, BYTES("\x81\x05Hello"), "T:Hello. ");
	check(true, BYTES("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"), "T:Hello. ");
	check(false, BYTES("\x01\x03Hel\x80\x02lo"), "T:Hello. ");
	check(false, BYTES("\x89\x05Hello"), "P:Hello. ");
	check(true, BYTES("\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"), "p:Hello. ");
}

static void control_within_a_message(void **state)
{
	(void)state;
	check(false,
	      BYTES("\x02\x02"
		    "ab\x89\x01x\x00\x00\x80\x01"
		    "c\x88\x02\x03\xe8\x82\x00"),
	      "B:abP:x. c. C:\x03\xe8. B:. ");
}

static void refused(void **state)
{
	static const struct {
		bool server;
		const char *data;
		size_t len;
		const char *want;
	} cases[] = {
		{ true, BYTES("\x81\x05Hello"), "!websocket: a frame of a client is not masked" },
		{ false, BYTES("\x81\x85\x37\xfa\x21\x3d"), "!websocket: a frame of a server is masked" },
		{ false, BYTES("\xc1\x00"), "!websocket: a reserved bit is set" },
		{ false, BYTES("\x83\x00"), "!websocket: an unknown opcode" },
		{ false, BYTES("\x80\x00"), "!websocket: a continuation without a message" },
		{ false, BYTES("\x01\x00\x81\x00"), "T:!websocket: a message within a message" },
		{ false, BYTES("\x09\x00"), "!websocket: a control frame in pieces" },
		{ false, BYTES("\x89\x7e\x00\x7e"), "!websocket: a control frame that is too long" },
		{ false, BYTES("\x81\x7e\x00\x7d"), "!websocket: a length that is not minimal" },
		{ false, BYTES("\x81\x7f\x00\x00\x00\x00\x00\x00\xff\xff"),
		  "!websocket: a length that is not minimal" },
		{ false, BYTES("\x81\x7f\x80\x00\x00\x00\x00\x00\xff\xff"),
		  "!websocket: a length that is not minimal" },
		{ false, BYTES("\x82\x7e\x03\xe9"), "!websocket: a message that is too long" },
		{ false, BYTES("\x02\x01z\x80\x7e\x03\xe8"), "B:z!websocket: a message that is too long" },
		{ false, BYTES("\x88\x01z"), "!websocket: a close frame of one byte" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check(cases[i].server, cases[i].data, cases[i].len, cases[i].want);
}

/* What one side writes, the other reads: around the borders of the three forms of lengths. */
static void there_and_back(void **state)
{
	static const size_t lengths[] = { 0, 1, 125, 126, 127, 65535, 65536, 70000 };
	unsigned char mask[4];

	(void)state;
	websocket_new_mask(mask);
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		for (int server = 0; server < 2; server++) {
			CLEANUP(buf_close) struct buf out = BUF_INIT, want = BUF_INIT;
			CLEANUP(mem_freep) char *data = mem_alloc(lengths[i] + 1);
			memset(data, 'x', lengths[i]);
			const struct iovec parts[] = { { .iov_base = (void *)(uintptr_t) "1", .iov_len = 1 },
						       { .iov_base = data, .iov_len = lengths[i] } };
			websocket_write(&out, WEBSOCKET_BINARY, server ? mask : NULL, parts, 2);
			websocket_write_close(&out, WEBSOCKET_NORMAL, server ? mask : NULL, "bye");
			buf_str(&want, "B:1");
			buf_add(&want, data, lengths[i]);
			buf_str(&want, ". C:\x03\xe8"
				       "bye. ");
			struct seen seen = feed(server, 0, out.data, out.len, 4096 + i);
			assert_int_equal(seen.text.len, want.len);
			assert_memory_equal(seen.text.data, want.data, want.len);
			buf_close(&seen.text);
		}
	}
}

/* RFC 6455 section 1.3 */
static void handshake(void **state)
{
	char accept[WEBSOCKET_ACCEPT_SIZE], key[WEBSOCKET_KEY_SIZE];

	(void)state;
	assert_true(websocket_accept("dGhlIHNhbXBsZSBub25jZQ==", accept));
	assert_string_equal(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
	assert_false(websocket_accept("", accept));
	assert_false(websocket_accept("dGhlIHNhbXBsZSBub25jZQ=", accept));
	assert_false(websocket_accept("dGhlIHNhbXBsZSBub25jZSE!", accept));
	assert_false(websocket_accept("dGhlIHNhbXBsZSBub25jZSEh", accept));
	websocket_new_key(key);
	assert_true(websocket_accept(key, accept));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_of_the_standard),
		cmocka_unit_test(control_within_a_message),
		cmocka_unit_test(refused),
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(handshake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
