#include <stdlib.h>

#include "lib/spdy_streams.h"

/* Sends what the peer has made us say. Its own bytes come one by one: nothing else holds it back. */
static void send_answer(struct spdy_session *s)
{
	if (byte_pipe_unsent(s->pipe) == 0)
		s->answers = 0;
	s->answers += s->out.len;
	spdy_session_send(s);
}

/* --- reading --- */

static void got_data(struct spdy_session *s, const struct spdy_frame *frame)
{
	struct spdy_stream *stream = spdy_stream_find(s, frame->stream);

	s->ungranted += (uint32_t)frame->len;
	spdy_session_grant(s, 0, &s->ungranted);
	/* What is still under way when one side resets a stream finds it gone: that is no fault. */
	if (!stream || stream->remote_closed || !stream->user) {
		spdy_session_send(s);
		return;
	}
	stream->ungranted += (uint32_t)frame->len;
	if (stream->held == 0)
		spdy_session_grant(s, stream->id, &stream->ungranted);
	spdy_session_send(s);
	if (frame->fin)
		stream->remote_closed = true;
	bool *freed = s->freed;
	if (frame->len > 0)
		stream->user->received(frame->data, frame->len, stream->arg);
	if (frame->fin && !*freed && spdy_stream_find(s, frame->stream) == stream)
		stream->user->ended(false, stream->arg);
}

static void got_syn_stream(struct spdy_session *s, const struct spdy_frame *frame)
{
	bool theirs = frame->stream % 2 == (s->server ? 1 : 0);

	if (!theirs || frame->stream <= s->last_peer_id || !s->user->opened ||
	    s->n_streams >= SPDY_STREAMS_MAX) {
		spdy_write_rst(&s->out, frame->stream, theirs ? SPDY_REFUSED_STREAM : SPDY_PROTOCOL_ERROR);
		send_answer(s);
		return;
	}
	s->last_peer_id = frame->stream;
	struct spdy_stream *stream = spdy_stream_add(s, frame->stream);
	stream->remote_closed = frame->fin;
	spdy_write_headers(&s->out, SPDY_SYN_REPLY, stream->id, false, NULL, 0, &s->headers_begun);
	send_answer(s);
	bool *freed = s->freed;
	bool taken = s->user->opened(stream, s->arg);
	if (*freed)
		return;
	if (!taken) {
		spdy_write_rst(&s->out, frame->stream, SPDY_REFUSED_STREAM);
		spdy_stream_forget(stream);
		send_answer(s);
	} else if (frame->fin && spdy_stream_find(s, frame->stream) == stream && stream->user) {
		stream->user->ended(false, stream->arg);
	}
}

static void got_rst(struct spdy_session *s, const struct spdy_frame *frame)
{
	struct spdy_stream *stream = spdy_stream_find(s, frame->stream);

	if (!stream || stream->was_reset)
		return;
	stream->remote_closed = stream->local_closed = stream->was_reset = true;
	buf_reset(&stream->queue);
	if (stream->user)
		stream->user->ended(true, stream->arg);
}

static void got_fin(struct spdy_session *s, const struct spdy_frame *frame)
{
	struct spdy_stream *stream = spdy_stream_find(s, frame->stream);

	if (!frame->fin || !stream || stream->remote_closed)
		return;
	stream->remote_closed = true;
	if (stream->user)
		stream->user->ended(false, stream->arg);
}

/* There may be room in STREAM. False: the session went with what its user did. */
static bool tell_stream(struct spdy_stream *stream)
{
	struct spdy_session *s = stream->session;
	const bool *freed = s->freed;

	spdy_stream_flush(stream);
	spdy_session_send(s);
	if (!stream->user || !stream->user->writable || spdy_stream_room(stream) == 0)
		return true;
	stream->user->writable(stream->arg);
	return !*freed;
}

/* Room for all streams that waited; a callback may close any of them. */
static void tell_writable(struct spdy_session *s)
{
	for (size_t i = 0; i < SPDY_BUCKETS; i++) {
		struct spdy_stream *stream, *next;
		LIST_FOREACH(stream, &s->streams[i], link)
		stream->waits = true;
		for (stream = LIST_FIRST(&s->streams[i]); stream; stream = next) {
			next = LIST_NEXT(stream, link);
			if (!stream->waits)
				continue;
			stream->waits = false;
			if (!tell_stream(stream))
				return;
			next = LIST_FIRST(&s->streams[i]);
		}
	}
	if (s->user->writable)
		s->user->writable(s->arg);
}

static const char *got_window(struct spdy_session *s, const struct spdy_frame *frame)
{
	uint32_t delta = frame->value & INT32_MAX;
	struct spdy_stream *stream = frame->stream ? spdy_stream_find(s, frame->stream) : NULL;
	int64_t *window = frame->stream == 0 ? &s->window : stream ? &stream->window : NULL;

	s->peer_counts = true;
	if (!window)
		return NULL;
	if (delta == 0 || *window + delta > INT32_MAX)
		return "a window that is too large";
	*window += delta;
	if (stream)
		tell_stream(stream);
	else
		tell_writable(s);
	return NULL;
}

/* Section 2.6.4: it changes the windows of all streams there are. */
static void got_settings(struct spdy_session *s, const struct spdy_frame *frame)
{
	if (frame->value == 0)
		return;
	int64_t more = (int64_t)frame->value - s->initial_window;
	s->peer_counts = true;
	s->initial_window = frame->value;
	for (size_t i = 0; i < SPDY_BUCKETS; i++) {
		struct spdy_stream *stream;
		LIST_FOREACH(stream, &s->streams[i], link)
		stream->window += more;
	}
	tell_writable(s);
}

/* NULL, or what is wrong. */
static const char *handle(struct spdy_session *s, const struct spdy_frame *frame)
{
	switch (frame->type) {
	case SPDY_DATA:
		got_data(s, frame);
		break;
	case SPDY_SYN_STREAM:
		got_syn_stream(s, frame);
		break;
	case SPDY_SYN_REPLY:
	case SPDY_HEADERS:
		got_fin(s, frame);
		break;
	case SPDY_RST_STREAM:
		got_rst(s, frame);
		break;
	case SPDY_SETTINGS:
		got_settings(s, frame);
		break;
	case SPDY_PING:
		/* One of ours, which comes back, has our parity. */
		if (frame->stream % 2 == (s->server ? 1 : 0)) {
			spdy_write_ping(&s->out, frame->stream);
			send_answer(s);
		}
		break;
	case SPDY_WINDOW_UPDATE:
		return got_window(s, frame);
	case SPDY_GOAWAY:
		break;
	}
	return NULL;
}

static void lose(struct spdy_session *s, const struct err *err)
{
	spdy_session_goaway(s);
	s->over = true;
	byte_pipe_set_reading(s->pipe, false);
	s->user->gone(err, s->arg);
}

static void on_received(void *data, size_t len, void *arg)
{
	struct spdy_session *s = arg;
	const unsigned char *p = data, *end = p + len;
	struct spdy_frame frame;
	struct err err = ERR_INIT;
	bool freed = false;

	s->freed = &freed;
	while (!s->over) {
		enum spdy_event event = spdy_next(&s->reader, &p, end, &frame, &err);
		if (event == SPDY_MORE)
			break;
		bool has_block = event == SPDY_FRAME && frame.type != SPDY_DATA && frame.data;
		if (has_block && s->user->headers &&
		    s->user->headers(frame.data, frame.len, &err, s->arg) < 0)
			event = SPDY_BAD;
		const char *wrong = event == SPDY_FRAME ? handle(s, &frame) : NULL;
		if (freed)
			return;
		if (!wrong && s->answers > SPDY_ANSWERS_MAX)
			wrong = "a peer that does not read what it asks for";
		if (wrong)
			err_set(&err, ERR_PARSE, "spdy: %s", wrong);
		if (wrong || event == SPDY_BAD) {
			lose(s, &err);
			return;
		}
	}
	s->freed = NULL;
}

static void on_drained(void *arg)
{
	struct spdy_session *s = arg;
	bool freed = false;

	s->answers = 0; /* the peer reads */
	s->freed = &freed;
	tell_writable(s);
	if (!freed)
		s->freed = NULL;
}

static void on_ended(const struct err *err, void *arg)
{
	struct spdy_session *s = arg;

	s->over = true;
	s->user->gone(err, s->arg);
}

static const struct byte_pipe_user pipe_user = { on_received, on_drained, on_ended };

/* --- life --- */

struct spdy_session *spdy_session_new(struct byte_pipe *pipe, bool server,
				      const struct spdy_session_user *user, void *arg)
{
	struct spdy_session *s = mem_zalloc(sizeof(*s));

	s->pipe = pipe;
	s->server = server;
	s->user = user;
	s->arg = arg;
	s->next_id = server ? 2 : 1;
	s->window = s->initial_window = SPDY_WINDOW;
	pipe->user = &pipe_user;
	pipe->arg = s;
	return s;
}

void spdy_session_free(struct spdy_session *s)
{
	if (!s)
		return;
	if (s->freed)
		*s->freed = true;
	for (size_t i = 0; i < SPDY_BUCKETS; i++)
		while (!LIST_EMPTY(&s->streams[i]))
			spdy_stream_forget(LIST_FIRST(&s->streams[i]));
	byte_pipe_close(s->pipe);
	spdy_reader_close(&s->reader);
	buf_close(&s->out);
	free(s);
}

void spdy_session_goaway(struct spdy_session *s)
{
	spdy_write_goaway(&s->out, s->last_peer_id);
	spdy_session_send(s);
}

struct spdy_stream *spdy_session_open(struct spdy_session *s, const struct spdy_header *headers,
				      size_t n_headers, const struct spdy_stream_user *user, void *arg)
{
	struct spdy_stream *stream = spdy_stream_add(s, s->next_id);

	s->next_id += 2;
	spdy_stream_use(stream, user, arg);
	spdy_write_headers(&s->out, SPDY_SYN_STREAM, stream->id, false, headers, n_headers,
			   &s->headers_begun);
	spdy_session_send(s);
	return stream;
}
