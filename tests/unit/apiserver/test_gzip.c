#include "apiserver/edge/gzip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <zlib.h>

#include "lib/mem.h"

static void who_wants_it_says_so(void **state)
{
	(void)state;
	static const struct {
		const char *header;
		bool wanted;
	} rows[] = {
		{ NULL, false },          { "", false },         { "identity", false },
		{ "gzip", true },         { "GZIP", true },      { "deflate, gzip;q=0.5, br", true },
		{ "deflate,gzip", true }, { "gzip;q=0", false }, { "gzip ; q=0.0", false },
		{ "gzipped", false },     { ", ,", false },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (gzip_wanted(rows[i].header) != rows[i].wanted)
			fail_msg("\"%s\"", rows[i].header);
}

static void expect_unpacked(const struct buf *packed, const char *want, size_t len)
{
	CLEANUP(mem_freep) char *out = mem_alloc(len + 1);
	z_stream z = { .next_in = (unsigned char *)packed->data,
		       .avail_in = (unsigned)packed->len,
		       .next_out = (unsigned char *)out,
		       .avail_out = (unsigned)len + 1 };
	assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
	assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
	assert_int_equal(z.total_out, len);
	assert_memory_equal(out, want, len);
	inflateEnd(&z);
}

static void what_is_packed_can_be_unpacked(void **state)
{
	(void)state;
	static const size_t lengths[] = { 0, 1, 64 * 1024, 64 * 1024 + 1, 3000000 };
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		CLEANUP(buf_close) struct buf body = BUF_INIT;
		buf_str(&body, "");
		for (size_t k = 0; k < lengths[i]; k++)
			buf_char(&body, (char)('a' + k * k % 7));
		CLEANUP(mem_freep) char *plain = mem_dupn(body.data, body.len);
		gzip_buf(&body);
		expect_unpacked(&body, plain, lengths[i]);
	}
}

struct source {
	size_t left;
	bool freed;
};

static ssize_t read_source(char *data, size_t size, void *arg)
{
	struct source *source = arg;
	size_t n = source->left < size ? source->left : size;
	memset(data, 'x', n);
	source->left -= n;
	return n ? (ssize_t)n : -1;
}

static void free_source(void *arg)
{
	((struct source *)arg)->freed = true;
}

/* However little its reader takes at a time. */
static void a_stream_can_be_read_byte_by_byte(void **state)
{
	(void)state;
	struct source source = { .left = 200000 };
	struct gzip_stream *stream = gzip_stream_new(read_source, free_source, &source);
	CLEANUP(buf_close) struct buf out = BUF_INIT;
	CLEANUP(mem_freep) char *plain = mem_alloc(200000);
	memset(plain, 'x', 200000);
	for (char c; gzip_stream_read(stream, &c, 1);)
		buf_char(&out, c);
	assert_int_equal(gzip_stream_read(stream, &(char){ 0 }, 1), 0);
	gzip_stream_free(stream);
	assert_true(source.freed);
	expect_unpacked(&out, plain, 200000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_wants_it_says_so),
		cmocka_unit_test(what_is_packed_can_be_unpacked),
		cmocka_unit_test(a_stream_can_be_read_byte_by_byte),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
