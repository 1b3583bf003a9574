#include <stdlib.h>
#include <string.h>

#include "lib/spdy_streams.h"

#define GRANT_AT  (SPDY_WINDOW / 2) /* bytes received after which the window is opened again */
#define FRAME_MAX ((size_t)16 << 10)

static struct spdy_streams *bucket(struct spdy_session *s, uint32_t id)
{
	return &s->streams[id / 2 % SPDY_BUCKETS];
}

struct spdy_stream *spdy_stream_find(struct spdy_session *s, uint32_t id)
{
	struct spdy_stream *stream;

	LIST_FOREACH(stream, bucket(s, id), link)
	if (stream->id == id)
		return stream;
	return NULL;
}

struct spdy_stream *spdy_stream_add(struct spdy_session *s, uint32_t id)
{
	struct spdy_stream *stream = mem_zalloc(sizeof(*stream));

	stream->session = s;
	stream->id = id;
	stream->window = s->initial_window;
	LIST_INSERT_HEAD(bucket(s, id), stream, link);
	s->n_streams++;
	return stream;
}

void spdy_stream_forget(struct spdy_stream *stream)
{
	struct spdy_session *s = stream->session;

	LIST_REMOVE(stream, link);
	s->n_streams--;
	s->held -= stream->held;
	buf_close(&stream->queue);
	free(stream);
}

void spdy_session_send(struct spdy_session *s)
{
	if (s->out.len > 0 && !s->over)
		byte_pipe_write(s->pipe, s->out.data, s->out.len);
	buf_reset(&s->out);
}

/* --- writing --- */

static size_t may_send(const struct spdy_stream *stream)
{
	const struct spdy_session *s = stream->session;
	int64_t window = stream->window < s->window ? stream->window : s->window;

	if (!s->peer_counts)
		return SIZE_MAX;
	return window > 0 ? (size_t)window : 0;
}

static void put_data(struct spdy_stream *stream, const char *data, size_t len)
{
	struct spdy_session *s = stream->session;

	stream->window -= (int64_t)len;
	s->window -= (int64_t)len;
	while (len > 0) {
		size_t n = len < FRAME_MAX ? len : FRAME_MAX;
		spdy_write_data(&s->out, stream->id, false, data, n);
		data += n;
		len -= n;
	}
}

static void put_fin(struct spdy_stream *stream)
{
	stream->finishing = false;
	if (stream->local_closed)
		return;
	stream->local_closed = true;
	spdy_write_data(&stream->session->out, stream->id, true, NULL, 0);
}

void spdy_stream_flush(struct spdy_stream *stream)
{
	size_t n = may_send(stream);

	if (n > stream->queue.len)
		n = stream->queue.len;
	if (n > 0) {
		put_data(stream, stream->queue.data, n);
		buf_consume(&stream->queue, n);
	}
	if (stream->queue.len == 0 && stream->finishing)
		put_fin(stream);
}

void spdy_stream_write(struct spdy_stream *stream, const void *data, size_t len)
{
	size_t now = stream->queue.len > 0 ? 0 : may_send(stream);

	if (stream->local_closed || stream->finishing || len == 0)
		return;
	if (now > len)
		now = len;
	put_data(stream, data, now);
	if (now < len)
		buf_add(&stream->queue, (const char *)data + now, len - now);
	spdy_session_send(stream->session);
}

size_t spdy_stream_room(const struct spdy_stream *stream)
{
	size_t unsent = byte_pipe_unsent(stream->session->pipe), window = may_send(stream);
	size_t room = unsent < BYTE_PIPE_HIGH ? BYTE_PIPE_HIGH - unsent : 0;

	if (stream->queue.len > 0)
		room = 0;
	return room < window ? room : window;
}

void spdy_stream_finish(struct spdy_stream *stream)
{
	stream->finishing = true;
	spdy_stream_flush(stream);
	spdy_session_send(stream->session);
}

/* --- reading --- */

void spdy_session_grant(struct spdy_session *s, uint32_t id, uint32_t *ungranted)
{
	if (*ungranted < GRANT_AT)
		return;
	spdy_write_window_update(&s->out, id, *ungranted);
	*ungranted = 0;
}

void spdy_stream_hold(struct spdy_stream *stream, size_t unsent)
{
	struct spdy_session *s = stream->session;
	/* Below the low mark nobody would tell when it has gone. */
	size_t held = unsent > BYTE_PIPE_LOW ? unsent : 0;

	s->held = s->held - stream->held + held;
	stream->held = held;
	if (held == 0 && !stream->remote_closed)
		spdy_session_grant(s, stream->id, &stream->ungranted);
	spdy_session_send(s);
	byte_pipe_set_reading(s->pipe, s->held < SPDY_HELD_MAX);
}

/* --- life --- */

void spdy_stream_use(struct spdy_stream *stream, const struct spdy_stream_user *user, void *arg)
{
	stream->user = user;
	stream->arg = arg;
}

void spdy_stream_close(struct spdy_stream *stream)
{
	if (!stream)
		return;
	struct spdy_session *s = stream->session;
	if (!stream->was_reset && !(stream->local_closed && stream->remote_closed))
		spdy_write_rst(&s->out, stream->id, SPDY_CANCEL);
	spdy_stream_forget(stream);
	spdy_session_send(s);
	if (!s->over)
		byte_pipe_set_reading(s->pipe, s->held < SPDY_HELD_MAX);
}
