#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/spdy.h"
#include "lib/spdy_headers.h"

#define BYTES(text) (text), sizeof(text) - 1

/* A zlib stream that names the dictionary by its checksum (RFC 1950): with another one it would not inflate.
 */
static void dictionary_of_the_protocol(void **state)
{
	static const char stored[] = "\x78\xbb\xe3\xc6\xa7\xc2\x00\x1b\x00\xe4\xff"
				     "\x00\x00\x00\x01\x00\x00\x00\x0astreamtype\x00\x00\x00\x05"
				     "error";
	struct spdy_headers *headers = spdy_headers_new();
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(spdy_headers_read(headers, BYTES(stored), &err), 0);
	assert_string_equal(spdy_headers_get(headers, "streamtype"), "error");
	assert_null(spdy_headers_get(headers, "stream"));
	spdy_headers_free(headers);
}

/* Blocks are parts of one stream: each is read, and the last one counts. */
static void blocks_of_our_own(void **state)
{
	const struct spdy_header first[] = { { "streamtype", "data" },
					     { "port", "8080" },
					     { "requestid", "0" } };
	const struct spdy_header second[] = { { "streamtype", "error" }, { "empty", "" } };
	struct spdy_headers *headers = spdy_headers_new();
	CLEANUP(buf_close) struct buf out = BUF_INIT;
	struct err err = ERR_INIT;
	bool begun = false;

	(void)state;
	spdy_write_headers(&out, SPDY_SYN_STREAM, 1, false, first, 3, &begun);
	assert_int_equal(spdy_headers_read(headers, out.data + 18, out.len - 18, &err), 0);
	assert_string_equal(spdy_headers_get(headers, "port"), "8080");
	assert_string_equal(spdy_headers_get(headers, "requestid"), "0");
	buf_reset(&out);
	spdy_write_headers(&out, SPDY_SYN_STREAM, 3, false, second, 2, &begun);
	assert_int_equal(spdy_headers_read(headers, out.data + 18, out.len - 18, &err), 0);
	assert_string_equal(spdy_headers_get(headers, "streamtype"), "error");
	assert_string_equal(spdy_headers_get(headers, "empty"), "");
	assert_null(spdy_headers_get(headers, "port"));
	spdy_headers_free(headers);
}

static void refused(void **state)
{
	static const struct {
		const char *data;
		size_t len;
		enum err_kind kind;
	} cases[] = {
		{ BYTES("no zlib"), ERR_PARSE },
		/* Another dictionary. */
		{ BYTES("\x78\xbb\xe3\xc6\xa7\xc3\x00\x04\x00\xfb\xff\x00\x00\x00\x00"), ERR_PARSE },
		/* Less than was announced; a name without bytes; bytes behind the last header. */
		{ BYTES("\x78\x01\x00\x04\x00\xfb\xff\x00\x00\x00\x01"), ERR_PARSE },
		{ BYTES("\x78\x01\x00\x0c\x00\xf3\xff\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00"),
		  ERR_PARSE },
		{ BYTES("\x78\x01\x00\x05\x00\xfa\xff\x00\x00\x00\x00z"), ERR_PARSE },
		{ BYTES("\x78\x01\x00\x08\x00\xf7\xff\x00\x00\x00\x01\xff\xff\xff\xff"), ERR_PARSE },
		{ BYTES("\x78\x01\x00\x02\x00\xfd\xff\x00\x00"), ERR_PARSE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct spdy_headers *headers = spdy_headers_new();
		struct err err = ERR_INIT;
		assert_int_equal(spdy_headers_read(headers, cases[i].data, cases[i].len, &err), -1);
		assert_int_equal(err.kind, cases[i].kind);
		assert_null(spdy_headers_get(headers, "streamtype"));
		/* The connection is lost: nothing is read after it. */
		assert_int_equal(
		    spdy_headers_read(headers, BYTES("\x78\x01\x00\x04\x00\xfb\xff\0\0\0\0"), &err), -1);
		spdy_headers_free(headers);
	}
}

/* 70,000 bytes from a few: the limit holds for what comes out. */
static void bomb(void **state)
{
	struct spdy_headers *headers = spdy_headers_new();
	CLEANUP(buf_close) struct buf block = BUF_INIT;
	struct err err = ERR_INIT;

	(void)state;
	buf_add(&block, "\x78\x01", 2);
	for (int i = 0; i < 70; i++) {
		char piece[5 + 1000] = { 0, (char)0xe8, 3, 0x17, (char)0xfc };
		buf_add(&block, piece, sizeof(piece));
	}
	assert_int_equal(spdy_headers_read(headers, block.data, block.len, &err), -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	spdy_headers_free(headers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dictionary_of_the_protocol),
		cmocka_unit_test(blocks_of_our_own),
		cmocka_unit_test(refused),
		cmocka_unit_test(bomb),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
