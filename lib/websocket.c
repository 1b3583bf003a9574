#include "lib/websocket.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdlib.h>
#include <string.h>

#define FIN      0x80
#define RESERVED 0x70
#define MASKED   0x80

static enum websocket_event bad(struct websocket_reader *r, struct err *err, const char *what)
{
	r->failed = true;
	err_set(err, ERR_PARSE, "websocket: %s", what);
	return WEBSOCKET_BAD;
}

static bool is_control(enum websocket_opcode opcode)
{
	return (opcode & 8) != 0;
}

/* Bytes of the frame's head, as far as its first two tell. */
static size_t head_size(const struct websocket_reader *r)
{
	if (r->head_len < 2)
		return 2;
	unsigned len = r->head[1] & 0x7f;
	return 2 + (len == 126 ? 2u : len == 127 ? 8u : 0u) + (r->head[1] & MASKED ? 4u : 0u);
}

static const char *check_opcode(const struct websocket_reader *r, bool fin)
{
	switch (r->opcode) {
	case WEBSOCKET_CONTINUATION:
		return r->in_message ? NULL : "a continuation without a message";
	case WEBSOCKET_TEXT:
	case WEBSOCKET_BINARY:
		return r->in_message ? "a message within a message" : NULL;
	case WEBSOCKET_CLOSE:
	case WEBSOCKET_PING:
	case WEBSOCKET_PONG:
		return !fin                              ? "a control frame in pieces"
		       : r->left > WEBSOCKET_CONTROL_MAX ? "a control frame that is too long"
							 : NULL;
	default:
		return "an unknown opcode";
	}
}

/* The head is there. Lengths must be as short as they can be (section 5.2). NULL, or what is wrong. */
static const char *begin_frame(struct websocket_reader *r)
{
	const unsigned char *h = r->head;
	bool fin = (h[0] & FIN) != 0, masked = (h[1] & MASKED) != 0;
	unsigned len = h[1] & 0x7f, more = len == 126 ? 2 : len == 127 ? 8 : 0;

	if (h[0] & RESERVED)
		return "a reserved bit is set";
	if (masked != r->server)
		return r->server ? "a frame of a client is not masked" : "a frame of a server is masked";
	r->left = more ? 0 : len;
	for (unsigned i = 0; i < more; i++)
		r->left = r->left << 8 | h[2 + i];
	if ((more == 2 && r->left < 126) || (more == 8 && (r->left <= UINT16_MAX || r->left >> 63)))
		return "a length that is not minimal";
	r->opcode = (enum websocket_opcode)(h[0] & 0x0f);
	const char *wrong = check_opcode(r, fin);
	if (wrong)
		return wrong;
	if (masked)
		memcpy(r->mask, h + 2 + more, 4);
	r->mask_at = 0;
	r->in_frame = true;
	r->control_len = 0;
	r->head_len = 0;
	if (is_control(r->opcode))
		return NULL;
	if (r->opcode != WEBSOCKET_CONTINUATION) {
		r->message = r->opcode;
		r->in_message = true;
		r->began = false;
		r->message_len = 0;
	}
	r->last_frame = fin;
	if (__builtin_add_overflow(r->message_len, r->left, &r->message_len) ||
	    (r->max_message && r->message_len > r->max_message))
		return "a message that is too long";
	return NULL;
}

static void unmask(struct websocket_reader *r, unsigned char *data, size_t len)
{
	if (!r->server)
		return;
	uint64_t eight;
	unsigned char *bytes = (unsigned char *)&eight;
	for (unsigned i = 0; i < 8; i++)
		bytes[i] = r->mask[(r->mask_at + i) & 3];
	size_t i = 0;
	for (uint64_t word; i + 8 <= len; i += 8) {
		memcpy(&word, data + i, 8);
		word ^= eight;
		memcpy(data + i, &word, 8);
	}
	for (; i < len; i++)
		data[i] ^= bytes[i & 7];
	r->mask_at = (unsigned)((r->mask_at + len) & 3);
}

/* A close frame has no body, or a code and then a text (section 5.5.1). */
static enum websocket_event end_control(struct websocket_reader *r, struct websocket_piece *ret,
					struct err *err)
{
	r->in_frame = false;
	if (r->opcode == WEBSOCKET_CLOSE && r->control_len == 1)
		return bad(r, err, "a close frame of one byte");
	*ret = (struct websocket_piece){
		.opcode = r->opcode, .first = true, .last = true, .data = r->control, .len = r->control_len
	};
	return WEBSOCKET_CONTROL;
}

static enum websocket_event read_piece(struct websocket_reader *r, unsigned char **p, unsigned char *end,
				       struct websocket_piece *ret)
{
	size_t len = (size_t)(end - *p) < r->left ? (size_t)(end - *p) : (size_t)r->left;

	unmask(r, *p, len);
	r->left -= len;
	bool frame_over = r->left == 0;
	*ret = (struct websocket_piece){ .opcode = r->message,
					 .first = !r->began,
					 .last = frame_over && r->last_frame,
					 .data = *p,
					 .len = len };
	*p += len;
	r->began = true;
	r->in_frame = !frame_over;
	r->in_message = !ret->last;
	return WEBSOCKET_PIECE;
}

enum websocket_event websocket_next(struct websocket_reader *r, unsigned char **p, unsigned char *end,
				    struct websocket_piece *ret, struct err *err)
{
	if (r->failed)
		return bad(r, err, "the connection failed before");
	while (!r->in_frame) {
		size_t want = head_size(r) - r->head_len, have = (size_t)(end - *p);
		size_t n = have < want ? have : want;

		memcpy(r->head + r->head_len, *p, n);
		*p += n;
		r->head_len += n;
		if (n < want)
			return WEBSOCKET_MORE;
		if (r->head_len < head_size(r))
			continue;
		const char *wrong = begin_frame(r);
		if (wrong)
			return bad(r, err, wrong);
	}
	if (!is_control(r->opcode))
		return *p == end && r->left > 0 ? WEBSOCKET_MORE : read_piece(r, p, end, ret);
	size_t len = (size_t)(end - *p) < r->left ? (size_t)(end - *p) : (size_t)r->left;
	memcpy(r->control + r->control_len, *p, len);
	unmask(r, r->control + r->control_len, len);
	*p += len;
	r->left -= len;
	r->control_len += len;
	return r->left > 0 ? WEBSOCKET_MORE : end_control(r, ret, err);
}

/* --- writing --- */

static void write_head(struct buf *out, enum websocket_opcode opcode, bool masked, size_t len)
{
	unsigned char head[10] = { (unsigned char)(FIN | opcode) };
	size_t n = 2, more = len < 126 ? 0 : len <= UINT16_MAX ? 2 : 8;

	head[1] = (unsigned char)((masked ? MASKED : 0) | (more == 0 ? len : more == 2 ? 126 : 127));
	for (; more > 0; more--)
		head[n++] = (unsigned char)((uint64_t)len >> (8 * (more - 1)));
	buf_add(out, head, n);
}

void websocket_write(struct buf *out, enum websocket_opcode opcode, const unsigned char *mask,
		     const struct iovec *parts, size_t n_parts)
{
	size_t len = 0;

	for (size_t i = 0; i < n_parts; i++)
		len += parts[i].iov_len;
	write_head(out, opcode, mask != NULL, len);
	if (mask)
		buf_add(out, mask, 4);
	size_t begin = out->len;
	for (size_t i = 0; i < n_parts; i++)
		buf_add(out, parts[i].iov_base, parts[i].iov_len);
	if (mask && !out->failed)
		for (size_t i = 0; i < len; i++)
			out->data[begin + i] = (char)(out->data[begin + i] ^ mask[i & 3]);
}

void websocket_write_close(struct buf *out, enum websocket_close_code code, const unsigned char *mask,
			   const char *reason)
{
	unsigned char number[2] = { (unsigned char)(code >> 8), (unsigned char)code };
	size_t len = strnlen(reason, WEBSOCKET_CONTROL_MAX - sizeof(number));
	const struct iovec parts[] = {
		{ .iov_base = number, .iov_len = sizeof(number) },
		{ .iov_base = (void *)(uintptr_t)reason, .iov_len = len },
	};

	websocket_write(out, WEBSOCKET_CLOSE, mask, parts, ARRAY_SIZE(parts));
}

/* --- the handshake --- */

bool websocket_accept(const char *key, char ret[WEBSOCKET_ACCEPT_SIZE])
{
	static const char magic[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	CLEANUP(buf_close) struct buf bytes = BUF_INIT_MAX(64);
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	unsigned char digest[20];
	char whole[WEBSOCKET_KEY_SIZE + sizeof(magic)];

	if (strlen(key) != WEBSOCKET_KEY_SIZE - 1 ||
	    buf_base64_decode(key, WEBSOCKET_KEY_SIZE - 1, &bytes, NULL) < 0 || bytes.len != 16)
		return false;
	memcpy(whole, key, WEBSOCKET_KEY_SIZE - 1);
	memcpy(whole + WEBSOCKET_KEY_SIZE - 1, magic, sizeof(magic));
	if (gnutls_hash_fast(GNUTLS_DIG_SHA1, whole, strlen(whole), digest) < 0)
		return false;
	buf_base64(&text, digest, sizeof(digest));
	memcpy(ret, text.data, WEBSOCKET_ACCEPT_SIZE);
	return true;
}

void websocket_new_key(char ret[WEBSOCKET_KEY_SIZE])
{
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	unsigned char bytes[16];

	if (gnutls_rnd(GNUTLS_RND_NONCE, bytes, sizeof(bytes)) < 0)
		abort();
	buf_base64(&text, bytes, sizeof(bytes));
	memcpy(ret, text.data, WEBSOCKET_KEY_SIZE);
}

void websocket_new_mask(unsigned char ret[4])
{
	if (gnutls_rnd(GNUTLS_RND_NONCE, ret, 4) < 0)
		abort();
}
