/* Compressed answers: large ones, to clients that want them so, as Kubernetes does it.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "lib/buf.h"

/* From this size on it pays. */
#define GZIP_MIN_BYTES (128 * 1024)
/* What a compressor holds, for accounts. */
#define GZIP_BYTES (300 * 1024)

/* HEADER is Accept-Encoding, or NULL. */
bool gzip_wanted(const char *header);

/* A body that is compressed while it is read. READ gives the next bytes of it, at most SIZE, or 0 or less at
 * its end; FREE_FN is called with ARG when the stream is freed. */
struct gzip_stream;
struct gzip_stream *gzip_stream_new(ssize_t (*read)(char *data, size_t size, void *arg),
				    void (*free_fn)(void *arg), void *arg);
void gzip_stream_free(struct gzip_stream *stream);
/* The next compressed bytes, at most SIZE; 0 at the end. */
size_t gzip_stream_read(struct gzip_stream *stream, char *data, size_t size);

/* BODY becomes its compressed form. */
void gzip_buf(struct buf *body);
