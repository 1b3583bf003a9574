/* The header blocks of a SPDY/3 connection: one zlib stream with the protocol's dictionary, of which each
 * block is a flushed part (section 2.6.10). Every block must be read, in order, also those of no interest.
 */
#pragma once

#include <stddef.h>

#include "lib/buf.h"

#define SPDY_HEADERS_MAX ((size_t)64 << 10) /* bytes of a block as text */

struct spdy_headers; /* the connection's state */

/* At a connection's begin: each block continues the compression of those before it. */
struct spdy_headers *spdy_headers_new(void);
void spdy_headers_free(struct spdy_headers *headers); /* NULL is fine */
/* Reads a block; what the one before held is gone. ERR_PARSE or ERR_LIMIT: the connection is lost. */
int spdy_headers_read(struct spdy_headers *headers, const void *block, size_t len, struct err *err);
/* A value of the last block; of a repeated header the first one. Names are in lower case. NULL: not there. */
const char *spdy_headers_get(const struct spdy_headers *headers, const char *name);
