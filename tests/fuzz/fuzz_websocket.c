/* What a peer sends over WebSocket: in one piece and in pieces it is read alike. The first byte says how
 * large they are, and whether we are the server.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/websocket.h"

#define MAX_MESSAGE 3000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
	if (!condition)
		abort();
}

/* Opcodes, borders and bytes of all messages. */
static enum websocket_event read_all(const uint8_t *data, size_t len, bool server, size_t step,
				     struct buf *ret)
{
	struct websocket_reader reader = { .server = server, .max_message = MAX_MESSAGE };
	enum websocket_event event = WEBSOCKET_MORE;
	struct err err = ERR_INIT;

	for (size_t at = 0; at < len && event != WEBSOCKET_BAD; at += step) {
		size_t size = at + step < len ? step : len - at;
		/* A copy of its own, so that a read past its end is seen. */
		CLEANUP(mem_freep) unsigned char *piece = mem_copy(data + at, size);
		unsigned char *p = piece, *end = piece + size;
		struct websocket_piece part;

		while ((event = websocket_next(&reader, &p, end, &part, &err)) != WEBSOCKET_MORE &&
		       event != WEBSOCKET_BAD) {
			must(event == WEBSOCKET_CONTROL ? part.len <= WEBSOCKET_CONTROL_MAX
							: part.data >= piece && part.data + part.len <= end);
			if (part.first)
				buf_printf(ret, "<%d:", (int)part.opcode);
			buf_add(ret, part.data, part.len);
			if (part.last)
				buf_char(ret, '>');
		}
		must(event == WEBSOCKET_BAD || p == end);
	}
	must(event != WEBSOCKET_BAD || err.kind == ERR_PARSE);
	return event;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(buf_close) struct buf whole = BUF_INIT, pieces = BUF_INIT;

	if (size < 2)
		return 0;
	bool server = data[0] & 0x80;
	enum websocket_event first = read_all(data + 1, size - 1, server, size, &whole);
	enum websocket_event second = read_all(data + 1, size - 1, server, data[0] % 9 + 1, &pieces);

	must(first == second);
	must(whole.len == pieces.len && (whole.len == 0 || memcmp(whole.data, pieces.data, whole.len) == 0));
	return 0;
}
