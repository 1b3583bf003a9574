/* A growable byte buffer with a cap. Appending past `max`, or more than there is memory for, latches
 * `failed`, drops what is there and makes every later append a no-op, so that a chain of appends needs one
 * check at its end. Without a cap the process aborts when memory is out, as mem.h says. After BUF_INIT
 * nothing is allocated. data is NUL-terminated whenever it is not NULL.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "lib/mem.h"

struct buf {
	char *data;
	size_t len; /* bytes in use, without the NUL */
	size_t cap;
	size_t max; /* largest len allowed; 0: SIZE_MAX/2 */
	bool failed;
};

#define BUF_INIT           ((struct buf){ 0 })
#define BUF_INIT_MAX(max_) ((struct buf){ .max = (max_) })

void buf_close(struct buf *b); /* frees; b may be reused; also for CLEANUP */
void buf_reset(struct buf *b); /* len 0, keeps memory, clears failed */
void buf_reserve(struct buf *b, size_t extra);
void buf_add(struct buf *b, const void *data, size_t len);
void buf_str(struct buf *b, const char *s);
void buf_char(struct buf *b, char c);
void buf_printf(struct buf *b, const char *format, ...) PRINTF_LIKE(2, 3);
void buf_vprintf(struct buf *b, const char *format, va_list ap) PRINTF_LIKE(2, 0);
/* Decimal without printf's cost. */
void buf_int(struct buf *b, int64_t value);
void buf_uint(struct buf *b, uint64_t value);
/* S as a JSON string with its quotes. Control characters, quote and backslash are escaped, a byte that is no
 * UTF-8 becomes U+FFFD; all else is copied. */
void buf_json_string(struct buf *b, const char *s);
void buf_json_stringn(struct buf *b, const char *s, size_t len);
/* How many bytes from S a JSON string holds as they are, up to the first that is a control character, quote,
 * backslash, or not ASCII. */
size_t buf_json_plain(const char *s, size_t len);
/* Bytes of the UTF-8 sequence at TEXT, which has LEFT bytes, at least one, and is not ASCII; or 0: cut,
 * overlong, a surrogate or past U+10FFFF (RFC 3629). */
size_t buf_utf8_length(const char *text, size_t left);
/* Bytes as standard base64 with padding (RFC 4648 section 4). */
void buf_base64(struct buf *b, const void *data, size_t len);
/* Percent-encodes all but RFC 3986 unreserved characters. */
void buf_url_encode(struct buf *b, const char *s);
/* Drops the first n bytes. */
void buf_consume(struct buf *b, size_t n);
/* Hands the memory to the caller (free()); b is empty after. An empty buffer gives "". */
char *buf_take(struct buf *b);

/* Decodes standard base64 into *ret (appended). ERR_PARSE when it is not. */
int buf_base64_decode(const char *text, size_t len, struct buf *ret, struct err *err);
/* Appends the file's content; ERR_LIMIT over max_bytes, ERR_SYSTEM as open(2), read(2). */
int buf_read_file(struct buf *b, const char *path, size_t max_bytes, struct err *err);
/* Writes DATA to PATH so that a crash leaves the old or the new content, never a part: temporary
 * file in the same folder, fsync, rename, fsync of the folder. MODE is of the new file. */
int buf_write_file_atomic(const char *path, const void *data, size_t len, unsigned mode, struct err *err);
