#include "apiserver/edge/gzip.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

#include "lib/mem.h"

/* Level 1: the JSON of lists shrinks to a tenth by it, and more costs more time than it saves on any network
 * of a cluster. 15 bits of window, and 16 more for gzip's frame. */
#define LEVEL       1
#define WINDOW_BITS (15 + 16)
#define PIECE       (64 * 1024)

struct gzip_stream {
	z_stream z;
	ssize_t (*read)(char *data, size_t size, void *arg);
	void (*free_fn)(void *arg);
	void *arg;
	bool ended, whole; /* the source; the output */
	char piece[PIECE];
};

/* RFC 9110 12.5.3; a weight of zero refuses. */
bool gzip_wanted(const char *header)
{
	while (header && *header) {
		header += strspn(header, " \t,");
		size_t len = strcspn(header, ",");
		size_t name = strcspn(header, ",; \t");
		if (name == 4 && strncasecmp(header, "gzip", 4) == 0) {
			const char *weight = memchr(header, '=', len);
			return !weight || strtod(weight + 1, NULL) > 0;
		}
		header += len;
	}
	return false;
}

struct gzip_stream *gzip_stream_new(ssize_t (*read)(char *data, size_t size, void *arg),
				    void (*free_fn)(void *arg), void *arg)
{
	struct gzip_stream *stream = mem_zalloc(sizeof(*stream));
	stream->read = read;
	stream->free_fn = free_fn;
	stream->arg = arg;
	/* It fails for want of memory only. */
	if (deflateInit2(&stream->z, LEVEL, Z_DEFLATED, WINDOW_BITS, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		abort();
	return stream;
}

void gzip_stream_free(struct gzip_stream *stream)
{
	if (!stream)
		return;
	deflateEnd(&stream->z);
	if (stream->free_fn)
		stream->free_fn(stream->arg);
	free(stream);
}

static void refill(struct gzip_stream *stream)
{
	ssize_t n = stream->read(stream->piece, PIECE, stream->arg);
	stream->ended = n <= 0;
	stream->z.next_in = (unsigned char *)stream->piece;
	stream->z.avail_in = n > 0 ? (unsigned)n : 0;
}

size_t gzip_stream_read(struct gzip_stream *stream, char *data, size_t size)
{
	stream->z.next_out = (unsigned char *)data;
	stream->z.avail_out = (unsigned)size;
	while (stream->z.avail_out && !stream->whole) {
		if (!stream->z.avail_in && !stream->ended)
			refill(stream);
		stream->whole = deflate(&stream->z, stream->ended ? Z_FINISH : Z_NO_FLUSH) == Z_STREAM_END;
	}
	return size - stream->z.avail_out;
}

static ssize_t read_buf(char *data, size_t size, void *arg)
{
	struct buf *rest = arg;
	size_t n = rest->len < size ? rest->len : size;
	memcpy(data, rest->data, n);
	rest->data += n;
	rest->len -= n;
	return (ssize_t)n;
}

void gzip_buf(struct buf *body)
{
	struct buf rest = *body, out = BUF_INIT;
	struct gzip_stream *stream = gzip_stream_new(read_buf, NULL, &rest);
	for (size_t n = 1; n;) {
		buf_reserve(&out, PIECE + 1);
		n = gzip_stream_read(stream, out.data + out.len, PIECE);
		out.len += n;
		out.data[out.len] = '\0';
	}
	gzip_stream_free(stream);
	buf_close(body);
	*body = out;
}
