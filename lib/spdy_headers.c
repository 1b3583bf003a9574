#include "lib/spdy_headers.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define CHUNK 4096

/* Words with their length before them, then text. (Section 2.6.10.1) */
static const char *const words[] = { "options",
				     "head",
				     "post",
				     "put",
				     "delete",
				     "trace",
				     "accept",
				     "accept-charset",
				     "accept-encoding",
				     "accept-language",
				     "accept-ranges",
				     "age",
				     "allow",
				     "authorization",
				     "cache-control",
				     "connection",
				     "content-base",
				     "content-encoding",
				     "content-language",
				     "content-length",
				     "content-location",
				     "content-md5",
				     "content-range",
				     "content-type",
				     "date",
				     "etag",
				     "expect",
				     "expires",
				     "from",
				     "host",
				     "if-match",
				     "if-modified-since",
				     "if-none-match",
				     "if-range",
				     "if-unmodified-since",
				     "last-modified",
				     "location",
				     "max-forwards",
				     "pragma",
				     "proxy-authenticate",
				     "proxy-authorization",
				     "range",
				     "referer",
				     "retry-after",
				     "server",
				     "te",
				     "trailer",
				     "transfer-encoding",
				     "upgrade",
				     "user-agent",
				     "vary",
				     "via",
				     "warning",
				     "www-authenticate",
				     "method",
				     "get",
				     "status",
				     "200 OK",
				     "version",
				     "HTTP/1.1",
				     "url",
				     "public",
				     "set-cookie",
				     "keep-alive",
				     "origin" };
static const char text[] =
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505203 "
    "Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 "
    "Forbidden404 Not Found500 Internal Server Error501 Not Implemented503 Service UnavailableJan Feb Mar "
    "Apr "
    "May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,"
    "image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,text/javascript,public"
    "privatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.";

struct spdy_headers {
	z_stream zlib;
	bool failed;
	struct buf block; /* inflated */
};

static uint32_t get32(const char *p)
{
	const unsigned char *u = (const unsigned char *)p;
	return (uint32_t)u[0] << 24 | (uint32_t)u[1] << 16 | (uint32_t)u[2] << 8 | u[3];
}

static int set_dictionary(z_stream *zlib)
{
	CLEANUP(buf_close) struct buf b = BUF_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		const char len[4] = { 0, 0, 0, (char)strlen(words[i]) };
		buf_add(&b, len, sizeof(len));
		buf_str(&b, words[i]);
	}
	buf_str(&b, text);
	return inflateSetDictionary(zlib, (const Bytef *)b.data, (uInt)b.len);
}

struct spdy_headers *spdy_headers_new(void)
{
	struct spdy_headers *h = mem_zalloc(sizeof(*h));

	h->block.max = SPDY_HEADERS_MAX;
	/* It fails only without memory. */
	if (inflateInit(&h->zlib) != Z_OK)
		abort();
	return h;
}

void spdy_headers_free(struct spdy_headers *h)
{
	if (!h)
		return;
	inflateEnd(&h->zlib);
	buf_close(&h->block);
	free(h);
}

static int inflate_block(struct spdy_headers *h, const void *block, size_t len, struct err *err)
{
	char chunk[CHUNK];
	int code;

	h->zlib.next_in = (Bytef *)(uintptr_t)block;
	h->zlib.avail_in = (uInt)len;
	do {
		h->zlib.next_out = (Bytef *)chunk;
		h->zlib.avail_out = sizeof(chunk);
		code = inflate(&h->zlib, Z_SYNC_FLUSH);
		if (code == Z_NEED_DICT)
			code = set_dictionary(&h->zlib);
		/* Z_BUF_ERROR: nothing was left to do. */
		if (code != Z_OK && code != Z_BUF_ERROR)
			return err_set(err, ERR_PARSE, "spdy: a header block that does not inflate");
		buf_add(&h->block, chunk, sizeof(chunk) - h->zlib.avail_out);
		if (h->block.failed)
			return err_set(err, ERR_LIMIT, "spdy: headers of more than %zu bytes",
				       SPDY_HEADERS_MAX);
	} while (h->zlib.avail_in > 0 || h->zlib.avail_out == 0);
	return 0;
}

/* A string at *AT, which is moved behind it. NULL: it does not fit. */
static const char *next_string(const struct buf *b, size_t *at, size_t *ret_len)
{
	if (b->len - *at < 4)
		return NULL;
	uint32_t len = get32(b->data + *at);
	if (len > b->len - *at - 4)
		return NULL;
	const char *s = b->data + *at + 4;
	*at += 4 + (size_t)len;
	*ret_len = len;
	return s;
}

/* Checks the shape once, so that spdy_headers_get need not; repeated values are joined by NULs already. */
static bool check(const struct buf *b)
{
	size_t at = 4, len;

	if (b->len < 4)
		return false;
	for (uint32_t n = get32(b->data); n > 0; n--)
		if (!next_string(b, &at, &len) || len == 0 || !next_string(b, &at, &len))
			return false;
	return at == b->len;
}

int spdy_headers_read(struct spdy_headers *h, const void *block, size_t len, struct err *err)
{
	buf_reset(&h->block);
	if (h->failed)
		return err_set(err, ERR_PARSE, "spdy: the connection failed before");
	h->failed = true;
	if (inflate_block(h, block, len, err) < 0)
		return -1;
	if (!check(&h->block))
		return err_set(err, ERR_PARSE, "spdy: a header block that does not add up");
	h->failed = false;
	return 0;
}

/* A value ends with a NUL: behind it is the next string's length, whose first byte is 0 since a block is
 * shorter than 2^24 bytes, or the end of the buffer. */
const char *spdy_headers_get(const struct spdy_headers *h, const char *name)
{
	size_t at = 4, name_len, value_len;

	if (h->block.len < 4 || h->failed)
		return NULL;
	for (uint32_t n = get32(h->block.data); n > 0; n--) {
		const char *key = next_string(&h->block, &at, &name_len);
		const char *value = next_string(&h->block, &at, &value_len);
		if (key && value && name_len == strlen(name) && memcmp(key, name, name_len) == 0)
			return value;
	}
	return NULL;
}
