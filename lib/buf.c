#include "lib/buf.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void buf_close(struct buf *b)
{
	size_t max = b->max;

	free(b->data);
	*b = BUF_INIT_MAX(max);
}

void buf_reset(struct buf *b)
{
	b->len = 0;
	b->failed = false;
	if (b->data)
		b->data[0] = '\0';
}

static bool grow(struct buf *b, size_t extra)
{
	size_t max = b->max ? b->max : SIZE_MAX / 2;
	size_t cap = b->cap;
	char *data;

	if (b->failed)
		return false;
	if (extra > max || b->len > max - extra) {
		buf_close(b);
		b->failed = true;
		return false;
	}
	/* Doubling, but never far past the cap. */
	cap = cap < 64 ? 64 : cap * 2;
	if (cap > max)
		cap = max + 1;
	if (cap < b->len + extra + 1)
		cap = b->len + extra + 1;
	data = realloc(b->data, cap);
	/* Whoever gave it a cap looks at failed, and refuses one request instead of ending all. */
	if (!data && b->max) {
		buf_close(b);
		b->failed = true;
		return false;
	}
	b->data = mem_checked(data);
	b->cap = cap;
	return true;
}

/* Makes room for EXTRA bytes and the NUL, or latches failed. What has failed has no room. */
static inline bool make_room(struct buf *b, size_t extra)
{
	return (b->len < b->cap && extra < b->cap - b->len) || grow(b, extra);
}

void buf_reserve(struct buf *b, size_t extra)
{
	if (make_room(b, extra))
		b->data[b->len] = '\0';
}

void buf_add(struct buf *b, const void *data, size_t len)
{
	if (!make_room(b, len))
		return;
	if (len)
		memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = '\0';
}

void buf_str(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_char(struct buf *b, char c)
{
	if (!make_room(b, 1))
		return;
	b->data[b->len++] = c;
	b->data[b->len] = '\0';
}

void buf_printf(struct buf *b, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	buf_vprintf(b, format, ap);
	va_end(ap);
}

void buf_vprintf(struct buf *b, const char *format, va_list ap)
{
	va_list again;
	size_t room;
	int n;

	if (b->failed)
		return;
	room = b->cap - b->len;
	va_copy(again, ap);
	n = vsnprintf(room ? b->data + b->len : NULL, room, format, ap);
	if (n >= 0 && (size_t)n >= room && make_room(b, (size_t)n))
		vsnprintf(b->data + b->len, (size_t)n + 1, format, again);
	va_end(again);
	if (!b->failed && n > 0)
		b->len += (size_t)n;
}

void buf_uint(struct buf *b, uint64_t value)
{
	char digits[20];
	size_t i = sizeof(digits);

	do {
		digits[--i] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	buf_add(b, digits + i, sizeof(digits) - i);
}

void buf_int(struct buf *b, int64_t value)
{
	if (value >= 0) {
		buf_uint(b, (uint64_t)value);
		return;
	}
	buf_char(b, '-');
	buf_uint(b, -(uint64_t)value);
}

void buf_json_string(struct buf *b, const char *s)
{
	buf_json_stringn(b, s, strlen(s));
}

static void json_escape(struct buf *b, unsigned char c)
{
	static const char names[] = "btn.fr"; /* of 8 to 13; 11 has no short form */
	static const char hex[] = "0123456789abcdef";
	char text[6] = { '\\', 'u', '0', '0', hex[c >> 4], hex[c & 15] };

	if (c == '"' || c == '\\') {
		text[1] = (char)c;
		buf_add(b, text, 2);
	} else if (c >= 8 && c <= 13 && c != 11) {
		text[1] = names[c - 8];
		buf_add(b, text, 2);
	} else {
		buf_add(b, text, 6);
	}
}

/* How many of the eight bytes at S are plain: the usual tricks of finding a byte in a word. */
static unsigned plain_bytes(const char *s)
{
	const uint64_t ones = 0x0101010101010101, high = 0x8080808080808080;
	uint64_t word, quote, backslash;

	memcpy(&word, s, sizeof(word));
	word = le64toh(word);
	quote = word ^ ones * '"';
	backslash = word ^ ones * '\\';
	/* A byte under 0x20, or 0 after the exclusive or, borrows into its high bit. Bytes that have that bit
	 * are special themselves. Borrows reach bytes behind a special one only. */
	uint64_t special = (word | (word - ones * 0x20) | (quote - ones) | (backslash - ones)) & high;

	return special ? (unsigned)__builtin_ctzll(special) / 8 : 8;
}

size_t buf_json_plain(const char *s, size_t len)
{
	size_t i = 0;

	for (; len - i >= 8; i += 8) {
		unsigned n = plain_bytes(s + i);

		if (n < 8)
			return i + n;
	}
	/* The last eight bytes at once, some of them for the second time. */
	if (i > 0 && plain_bytes(s + len - 8) == 8)
		return len;
	for (; i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c < 0x20 || c == '"' || c == '\\' || c >= 0x80)
			break;
	}
	return i;
}

size_t buf_utf8_length(const char *text, size_t left)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t n = s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : s[0] < 0xf5 ? 4 : 0;

	if (n > left)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf0 && s[1] < 0x90) ||
	    (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

void buf_json_stringn(struct buf *b, const char *s, size_t len)
{
	size_t start = 0;

	/* One reservation for the plain case: nothing to escape. */
	if (!make_room(b, len + 2))
		return;
	b->data[b->len++] = '"';
	size_t i = buf_json_plain(s, len);
	if (i == len) {
		char *p = mempcpy(b->data + b->len, s, len);

		memcpy(p, "\"", 2);
		b->len += len + 1;
		return;
	}
	for (; (i += buf_json_plain(s + i, len - i)) < len; i++) {
		unsigned char c = (unsigned char)s[i];
		size_t n = c >= 0x80 ? buf_utf8_length(s + i, len - i) : 0;

		if (n > 0) {
			i += n - 1;
			continue;
		}
		buf_add(b, s + start, i - start);
		if (c >= 0x80)
			buf_str(b, "\\ufffd");
		else
			json_escape(b, c);
		start = i + 1;
	}
	buf_add(b, s + start, len - start);
	buf_char(b, '"');
}

static const char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void buf_base64(struct buf *b, const void *data, size_t len)
{
	const unsigned char *p = data;

	if (!make_room(b, len / 3 * 4 + 4))
		return;
	b->data[b->len] = '\0'; /* for empty input */
	for (; len > 0; p += 3) {
		size_t n = len < 3 ? len : 3;
		unsigned char in[3] = { 0 };

		memcpy(in, p, n);
		unsigned bits = (unsigned)in[0] << 16 | (unsigned)in[1] << 8 | in[2];
		char out[4] = { base64_digits[bits >> 18], base64_digits[bits >> 12 & 63],
				base64_digits[bits >> 6 & 63], base64_digits[bits & 63] };

		memset(out + 1 + n, '=', 3 - n);
		buf_add(b, out, 4);
		len -= n;
	}
}

static int base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

int buf_base64_decode(const char *text, size_t len, struct buf *ret, struct err *err)
{
	size_t before = ret->len, pad = 0;

	/* Line breaks are skipped, as Go's decoder does: `base64` wraps its output. */
	unsigned bits = 0;
	size_t digits = 0;

	for (size_t i = 0; i < len; i++) {
		int value = base64_value(text[i]);

		if (text[i] == '\n' || text[i] == '\r')
			continue;
		if (text[i] == '=' && digits % 4 + pad >= 2 && digits % 4 + pad < 4) {
			pad++;
			continue;
		}
		if (value < 0 || pad > 0) {
			if (!ret->failed && ret->data)
				ret->data[ret->len = before] = '\0';
			return err_set(err, ERR_PARSE, "illegal base64 data at input byte %zu", i);
		}
		bits = bits << 6 | (unsigned)value;
		if (++digits % 4 == 0) {
			char out[3] = { (char)(bits >> 16), (char)(bits >> 8), (char)bits };
			buf_add(ret, out, 3);
			bits = 0;
		}
	}
	if (digits % 4 + pad != (digits % 4 ? 4 : 0)) {
		if (!ret->failed && ret->data)
			ret->data[ret->len = before] = '\0';
		return err_set(err, ERR_PARSE, "illegal base64 data at input byte %zu", len);
	}
	if (digits % 4 == 2)
		buf_char(ret, (char)(bits >> 4));
	if (digits % 4 == 3) {
		buf_char(ret, (char)(bits >> 10));
		buf_char(ret, (char)(bits >> 2));
	}
	if (ret->failed)
		return err_set(err, ERR_LIMIT, "decoded base64 data is too large");
	return 0;
}

void buf_url_encode(struct buf *b, const char *s)
{
	static const char hex[] = "0123456789ABCDEF";

	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;
		char text[3] = { '%', hex[c >> 4], hex[c & 15] };

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
		    c == '.' || c == '_' || c == '~')
			buf_char(b, (char)c);
		else
			buf_add(b, text, 3);
	}
}

void buf_consume(struct buf *b, size_t n)
{
	if (n > b->len)
		n = b->len;
	if (n == 0)
		return;
	memmove(b->data, b->data + n, b->len - n + 1);
	b->len -= n;
}

char *buf_take(struct buf *b)
{
	char *data = b->data ? TAKE(b->data) : mem_dup("");

	buf_close(b);
	return data;
}

int buf_read_file(struct buf *b, const char *path, size_t max_bytes, struct err *err)
{
	CLEANUP(mem_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t total = 0;
	struct stat st;

	if (fd < 0)
		return err_set_errno(err, errno, "open %s", path);
	if (fstat(fd, &st) < 0)
		return err_set_errno(err, errno, "stat %s", path);
	/* A hint only: files of /proc say 0, and a file may grow while it is read. */
	if (S_ISREG(st.st_mode) && st.st_size > 0 && (uint64_t)st.st_size <= max_bytes)
		buf_reserve(b, (size_t)st.st_size + 1);
	for (;;) {
		ssize_t n;

		buf_reserve(b, 4096);
		if (b->failed)
			return err_set(err, ERR_LIMIT, "%s is too large", path);
		n = read(fd, b->data + b->len, b->cap - b->len - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set_errno(err, errno, "read %s", path);
		if (n == 0)
			return 0;
		total += (size_t)n;
		if (total > max_bytes)
			return err_set(err, ERR_LIMIT, "%s is larger than %zu bytes", path, max_bytes);
		b->len += (size_t)n;
		b->data[b->len] = '\0';
	}
}

static int write_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

static int sync_folder_of(const char *path, struct err *err)
{
	const char *slash = strrchr(path, '/');
	CLEANUP(mem_freep)
	char *folder = slash == path ? mem_dup("/")
		       : slash       ? mem_dupn(path, (size_t)(slash - path))
				     : mem_dup(".");
	CLEANUP(mem_closep) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) < 0)
		return err_set_errno(err, errno, "sync %s", folder);
	return 0;
}

int buf_write_file_atomic(const char *path, const void *data, size_t len, unsigned mode, struct err *err)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	CLEANUP(mem_freep) char *temporary = mem_printf("%.*s.%s.XXXXXX", (int)(name - path), path, name);
	CLEANUP(mem_closep) int fd = mkostemp(temporary, O_CLOEXEC);
	int errnum;

	if (fd < 0)
		return err_set_errno(err, errno, "create %s", temporary);
	if (write_all(fd, data, len) < 0 || fchmod(fd, (mode_t)mode) < 0 || fsync(fd) < 0 ||
	    rename(temporary, path) < 0) {
		errnum = errno;
		unlink(temporary);
		return err_set_errno(err, errnum, "write %s", path);
	}
	return sync_folder_of(path, err);
}
