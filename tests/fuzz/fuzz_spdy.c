/* What a peer sends over SPDY/3.1: frames are read alike in one piece and in pieces, and a server's session
 * on them, with streams that are answered, held, finished and closed as their bytes say, keeps its books. The
 * first byte says how large the pieces are.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/spdy_headers.h"
#include "lib/spdy_session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
	if (!condition)
		abort();
}

/* --- frames --- */

static enum spdy_event read_all(const uint8_t *data, size_t len, size_t step, struct buf *ret)
{
	struct spdy_reader reader = { 0 };
	enum spdy_event event = SPDY_MORE;
	struct err err = ERR_INIT;
	struct spdy_frame frame;

	for (size_t at = 0; at < len && event != SPDY_BAD; at += step) {
		size_t size = at + step < len ? step : len - at;
		/* A copy of its own, so that a read past its end is seen. */
		CLEANUP(mem_freep) unsigned char *piece = mem_copy(data + at, size);
		const unsigned char *p = piece, *end = piece + size;

		while ((event = spdy_next(&reader, &p, end, &frame, &err)) == SPDY_FRAME) {
			if (frame.type != SPDY_DATA)
				buf_printf(ret, "<%d %u %u:", (int)frame.type, frame.stream, frame.value);
			buf_add(ret, frame.data ? (const char *)frame.data : "", frame.len);
			if (frame.type != SPDY_DATA || frame.fin)
				buf_printf(ret, "%d>", frame.fin);
		}
		must(event == SPDY_BAD || p == end);
	}
	must(event != SPDY_BAD || err.kind == ERR_PARSE);
	spdy_reader_close(&reader);
	return event;
}

/* --- a session --- */

struct world {
	struct byte_pipe pipe;
	struct spdy_session *session;
	struct spdy_headers *headers;
	size_t written;
	bool reading, over;
};

struct use {
	struct world *world;
	struct spdy_stream *stream;
};

static struct world *world_of(struct byte_pipe *pipe)
{
	return CONTAINER_OF(pipe, struct world, pipe);
}

static void pipe_write(struct byte_pipe *pipe, const void *data, size_t len)
{
	(void)data;
	world_of(pipe)->written += len;
}

static size_t pipe_unsent(const struct byte_pipe *pipe)
{
	(void)pipe;
	return 0;
}

static void pipe_set_reading(struct byte_pipe *pipe, bool reading)
{
	world_of(pipe)->reading = reading;
}

static void pipe_nothing(struct byte_pipe *pipe)
{
	(void)pipe;
}

static const struct byte_pipe_ops ops = { pipe_write, pipe_unsent, pipe_set_reading, pipe_nothing,
					  pipe_nothing };

/* The data's first byte says what its reader does. */
static void on_received(const void *data, size_t len, void *arg)
{
	struct use *use = arg;

	must(len > 0);
	switch (*(const unsigned char *)data % 8) {
	case 0:
		spdy_stream_write(use->stream, data, len);
		break;
	case 1:
		spdy_stream_finish(use->stream);
		break;
	case 2:
		spdy_stream_hold(use->stream, len * 1000);
		break;
	case 3:
		spdy_stream_hold(use->stream, 0);
		break;
	case 4:
		spdy_stream_close(use->stream);
		break;
	default:
		break;
	}
}

static void on_ended(bool reset, void *arg)
{
	struct use *use = arg;

	(void)reset;
	spdy_stream_finish(use->stream);
	spdy_stream_close(use->stream);
}

static const struct spdy_stream_user stream_user = { on_received, on_ended, NULL };

static int on_headers(const void *block, size_t len, struct err *err, void *arg)
{
	const struct world *world = arg;

	return spdy_headers_read(world->headers, block, len, err);
}

/* What streams use, of which more than these do not fit into an input. */
static struct use uses[1024];
static size_t n_uses;

static bool on_opened(struct spdy_stream *stream, void *arg)
{
	struct world *world = arg;
	const char *type = spdy_headers_get(world->headers, "streamtype");

	if (!type || n_uses == ARRAY_SIZE(uses))
		return false;
	struct use *use = &uses[n_uses++];
	*use = (struct use){ world, stream };
	spdy_stream_use(stream, &stream_user, use);
	return true;
}

static void on_gone(const struct err *err, void *arg)
{
	struct world *world = arg;

	(void)err;
	must(!world->over);
	world->over = true;
}

static const struct spdy_session_user session_user = { on_headers, on_opened, NULL, on_gone };

static void run_session(const uint8_t *data, size_t len, size_t step)
{
	struct world world = { .pipe.ops = &ops, .reading = true, .headers = spdy_headers_new() };

	n_uses = 0;
	world.session = spdy_session_new(&world.pipe, true, &session_user, &world);
	for (size_t at = 0; at < len && !world.over; at += step) {
		size_t size = at + step < len ? step : len - at;
		CLEANUP(mem_freep) unsigned char *piece = mem_copy(data + at, size);
		world.pipe.user->received(piece, size, world.pipe.arg);
	}
	if (!world.over)
		world.pipe.user->ended(NULL, world.pipe.arg);
	must(world.over);
	spdy_session_free(world.session);
	spdy_headers_free(world.headers);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(buf_close) struct buf whole = BUF_INIT, pieces = BUF_INIT;

	if (size < 2)
		return 0;
	size_t step = data[0] % 31 + 1;
	enum spdy_event first = read_all(data + 1, size - 1, size, &whole);
	enum spdy_event second = read_all(data + 1, size - 1, step, &pieces);

	must(first == second);
	must(whole.len == pieces.len && (whole.len == 0 || memcmp(whole.data, pieces.data, whole.len) == 0));
	run_session(data + 1, size - 1, step);
	return 0;
}
