#include "lib/spdy.h"

#include <string.h>

#define VERSION                 3
#define CONTROL                 0x80
#define STREAM_MASK             0x7fffffffu
#define SETTINGS_INITIAL_WINDOW 7

static uint32_t get32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static enum spdy_event bad(struct spdy_reader *r, struct err *err, const char *what)
{
	r->failed = true;
	err_set(err, ERR_PARSE, "spdy: %s", what);
	return SPDY_BAD;
}

/* --- reading --- */

/* What the parts of a control frame's body are that have a fixed place. */
static const struct layout {
	unsigned type;
	size_t min, max; /* bytes of the body */
	size_t stream;   /* where the stream's number is */
	size_t value;    /* and the value; 0: none */
	size_t block;    /* where the header block begins; 0: none */
} layouts[] = {
	{ SPDY_SYN_STREAM, 10, SPDY_CONTROL_MAX, 0, 0, 10 },
	{ SPDY_SYN_REPLY, 4, SPDY_CONTROL_MAX, 0, 0, 4 },
	{ SPDY_RST_STREAM, 8, 8, 0, 4, 0 },
	{ SPDY_PING, 4, 4, 0, 0, 0 },
	{ SPDY_GOAWAY, 8, 8, 0, 4, 0 },
	{ SPDY_HEADERS, 4, SPDY_CONTROL_MAX, 0, 0, 4 },
	{ SPDY_WINDOW_UPDATE, 8, 8, 0, 4, 0 },
};

static const struct layout *layout_of(unsigned type)
{
	for (size_t i = 0; i < ARRAY_SIZE(layouts); i++)
		if (layouts[i].type == type)
			return &layouts[i];
	return NULL;
}

/* A number of entries, and each is flags, an id and a value. */
static bool read_settings(const unsigned char *body, size_t len, struct spdy_frame *ret)
{
	if (len < 4 || (len - 4) % 8 != 0 || get32(body) != (len - 4) / 8)
		return false;
	for (size_t at = 4; at < len; at += 8)
		if ((get32(body + at) & 0xffffff) == SETTINGS_INITIAL_WINDOW)
			ret->value = get32(body + at + 4) & STREAM_MASK;
	return true;
}

/* The body of a control frame is there. False: it is not to be shown. */
static bool control_frame(struct spdy_reader *r, struct spdy_frame *ret, const char **ret_wrong)
{
	const unsigned char *body = (const unsigned char *)r->body.data;
	size_t len = r->body.len;
	const struct layout *layout = layout_of(r->type);

	*ret = (struct spdy_frame){ .type = (enum spdy_type)r->type, .fin = (r->flags & SPDY_FLAG_FIN) != 0 };
	if (r->type == SPDY_SETTINGS) {
		if (!read_settings(body, len, ret))
			*ret_wrong = "SETTINGS that do not add up";
		return true;
	}
	if (!layout)
		return false;
	if (len < layout->min || len > layout->max) {
		*ret_wrong = "a control frame of the wrong length";
		return true;
	}
	ret->stream = get32(body + layout->stream);
	if (r->type != SPDY_PING)
		ret->stream &= STREAM_MASK;
	if (layout->value)
		ret->value = get32(body + layout->value);
	if (layout->block) {
		ret->data = body + layout->block;
		ret->len = len - layout->block;
	}
	return true;
}

static const char *begin_frame(struct spdy_reader *r)
{
	const unsigned char *h = r->head;
	r->in_data = !(h[0] & CONTROL);
	r->flags = h[4];
	r->left = get32(h + 4) & 0xffffff;
	r->head_len = 0;
	r->in_frame = true;
	if (r->in_data) {
		r->stream = get32(h) & STREAM_MASK;
		return r->stream ? NULL : "data for stream 0";
	}
	r->type = get32(h) & 0xffff;
	if ((get32(h) >> 16 & 0x7fff) != VERSION)
		return "not SPDY/3";
	if (r->left > SPDY_CONTROL_MAX)
		return "a control frame that is too long";
	buf_reset(&r->body);
	return NULL;
}

static enum spdy_event read_data(struct spdy_reader *r, const unsigned char **p, const unsigned char *end,
				 struct spdy_frame *ret)
{
	size_t len = (size_t)(end - *p) < r->left ? (size_t)(end - *p) : r->left;

	if (len == 0 && r->left > 0)
		return SPDY_MORE;
	r->left -= (uint32_t)len;
	r->in_frame = r->left > 0;
	*ret = (struct spdy_frame){ .type = SPDY_DATA,
				    .stream = r->stream,
				    .fin = !r->in_frame && (r->flags & SPDY_FLAG_FIN),
				    .data = *p,
				    .len = len };
	*p += len;
	return SPDY_FRAME;
}

enum spdy_event spdy_next(struct spdy_reader *r, const unsigned char **p, const unsigned char *end,
			  struct spdy_frame *ret, struct err *err)
{
	const char *wrong = NULL;

	if (r->failed)
		return bad(r, err, "the connection failed before");
	while (true) {
		if (!r->in_frame) {
			size_t want = sizeof(r->head) - r->head_len, have = (size_t)(end - *p);
			size_t n = have < want ? have : want;
			memcpy(r->head + r->head_len, *p, n);
			*p += n;
			r->head_len += n;
			if (n < want)
				return SPDY_MORE;
			wrong = begin_frame(r);
			if (wrong)
				return bad(r, err, wrong);
		}
		if (r->in_data)
			return read_data(r, p, end, ret);
		size_t n = (size_t)(end - *p) < r->left ? (size_t)(end - *p) : r->left;
		if (n > 0)
			buf_add(&r->body, *p, n);
		*p += n;
		r->left -= (uint32_t)n;
		if (r->left > 0)
			return SPDY_MORE;
		r->in_frame = false;
		bool shown = control_frame(r, ret, &wrong);
		if (wrong)
			return bad(r, err, wrong);
		if (shown)
			return SPDY_FRAME;
	}
}

void spdy_reader_close(struct spdy_reader *r)
{
	buf_close(&r->body);
}

/* --- writing --- */

static void put(struct buf *out, uint32_t value, unsigned bytes)
{
	unsigned char text[4];

	for (unsigned i = 0; i < bytes; i++)
		text[i] = (unsigned char)(value >> (8 * (bytes - 1 - i)));
	buf_add(out, text, bytes);
}

static void control_head(struct buf *out, enum spdy_type type, unsigned flags, size_t len)
{
	put(out, CONTROL << 8 | VERSION, 2);
	put(out, type, 2);
	put(out, flags, 1);
	put(out, (uint32_t)len, 3);
}

void spdy_write_data(struct buf *out, uint32_t stream, bool fin, const void *data, size_t len)
{
	put(out, stream, 4);
	put(out, fin ? SPDY_FLAG_FIN : 0, 1);
	put(out, (uint32_t)len, 3);
	if (len > 0)
		buf_add(out, data, len);
}

static void two_numbers(struct buf *out, enum spdy_type type, uint32_t first, uint32_t second)
{
	control_head(out, type, 0, 8);
	put(out, first, 4);
	put(out, second, 4);
}

void spdy_write_rst(struct buf *out, uint32_t stream, enum spdy_status status)
{
	two_numbers(out, SPDY_RST_STREAM, stream, status);
}

void spdy_write_goaway(struct buf *out, uint32_t last_good)
{
	two_numbers(out, SPDY_GOAWAY, last_good, 0);
}

void spdy_write_window_update(struct buf *out, uint32_t stream, uint32_t delta)
{
	two_numbers(out, SPDY_WINDOW_UPDATE, stream, delta);
}

void spdy_write_ping(struct buf *out, uint32_t number)
{
	control_head(out, SPDY_PING, 0, 4);
	put(out, number, 4);
}

static void put_string(struct buf *out, const char *s)
{
	put(out, (uint32_t)strlen(s), 4);
	buf_str(out, s);
}

/* RFC 1950 section 2.2 and RFC 1951 section 3.2.4: a stream's head, then a stored block that is not the last.
 */
static void put_stored(struct buf *out, const struct buf *block, bool *begun)
{
	static const unsigned char zlib_head[] = { 0x78, 0x01 }, flush[] = { 0, 0, 0, 0xff, 0xff };
	unsigned len = (unsigned)block->len;
	const unsigned char head[] = { 0, (unsigned char)len, (unsigned char)(len >> 8), (unsigned char)~len,
				       (unsigned char)(~len >> 8) };

	if (!*begun)
		buf_add(out, zlib_head, sizeof(zlib_head));
	*begun = true;
	buf_add(out, head, sizeof(head));
	buf_add(out, block->data, block->len);
	buf_add(out, flush, sizeof(flush));
}

void spdy_write_headers(struct buf *out, enum spdy_type type, uint32_t stream, bool fin,
			const struct spdy_header *headers, size_t n_headers, bool *begun)
{
	CLEANUP(buf_close) struct buf block = BUF_INIT;
	CLEANUP(buf_close) struct buf body = BUF_INIT;

	put(&block, (uint32_t)n_headers, 4);
	for (size_t i = 0; i < n_headers; i++) {
		put_string(&block, headers[i].name);
		put_string(&block, headers[i].value);
	}
	put(&body, stream, 4);
	if (type == SPDY_SYN_STREAM) {
		put(&body, 0, 4); /* belongs to no other stream */
		put(&body, 0, 2); /* priority and slot */
	}
	put_stored(&body, &block, begun);
	control_head(out, type, fin ? SPDY_FLAG_FIN : 0, body.len);
	buf_add(out, body.data, body.len);
}
