#include "lib/spdy_session.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define BUCKETS   64
#define GRANT_AT  (SPDY_WINDOW / 2) /* bytes received after which the window is opened again */
#define FRAME_MAX ((size_t)16 << 10)

struct spdy_stream {
	LIST_ENTRY(spdy_stream) link;
	struct spdy_session *session;
	uint32_t id;
	const struct spdy_stream_user *user;
	void *arg;
	bool local_closed, remote_closed, was_reset;
	bool finishing; /* once the queue is sent */
	size_t held;    /* of SPDY_HELD_MAX */
	uint32_t ungranted;
	int64_t window; /* bytes that may be sent */
	struct buf queue;
	bool waits; /* for room */
};
LIST_HEAD(stream_list, spdy_stream);

struct spdy_session {
	struct byte_pipe *pipe;
	bool server;
	const struct spdy_session_user *user;
	void *arg;
	struct spdy_reader reader;
	struct stream_list streams[BUCKETS];
	size_t n_streams, held;
	size_t answers; /* bytes of SPDY_ANSWERS_MAX */
	uint32_t next_id, last_peer_id, ungranted;
	int64_t window, initial_window;
	bool peer_counts; /* it knows about windows */
	bool headers_begun;
	bool over;
	bool *freed; /* set when it goes while it calls its user */
	struct buf out;
};

static struct stream_list *bucket(struct spdy_session *s, uint32_t id)
{
	return &s->streams[id / 2 % BUCKETS];
}

static struct spdy_stream *find(struct spdy_session *s, uint32_t id)
{
	struct spdy_stream *stream;

	LIST_FOREACH(stream, bucket(s, id), link)
	if (stream->id == id)
		return stream;
	return NULL;
}

static struct spdy_stream *add(struct spdy_session *s, uint32_t id)
{
	struct spdy_stream *stream = mem_zalloc(sizeof(*stream));

	stream->session = s;
	stream->id = id;
	stream->window = s->initial_window;
	LIST_INSERT_HEAD(bucket(s, id), stream, link);
	s->n_streams++;
	return stream;
}

static void forget(struct spdy_stream *stream)
{
	struct spdy_session *s = stream->session;

	LIST_REMOVE(stream, link);
	s->n_streams--;
	s->held -= stream->held;
	buf_close(&stream->queue);
	free(stream);
}

/* Hands what was put into `out` to the pipe. */
static void send_out(struct spdy_session *s)
{
	if (s->out.len > 0 && !s->over)
		byte_pipe_write(s->pipe, s->out.data, s->out.len);
	buf_reset(&s->out);
}

/* The same of what the peer has made us say. Its own bytes come one by one: nothing else holds it back. */
static void send_answer(struct spdy_session *s)
{
	if (byte_pipe_unsent(s->pipe) == 0)
		s->answers = 0;
	s->answers += s->out.len;
	send_out(s);
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

static void flush_queue(struct spdy_stream *stream)
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
	send_out(stream->session);
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
	flush_queue(stream);
	send_out(stream->session);
}

/* --- reading --- */

static void grant(struct spdy_session *s, uint32_t id, uint32_t *ungranted)
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
		grant(s, stream->id, &stream->ungranted);
	send_out(s);
	byte_pipe_set_reading(s->pipe, s->held < SPDY_HELD_MAX);
}

static void got_data(struct spdy_session *s, const struct spdy_frame *frame)
{
	struct spdy_stream *stream = find(s, frame->stream);

	s->ungranted += (uint32_t)frame->len;
	grant(s, 0, &s->ungranted);
	/* What is still under way when one side resets a stream finds it gone: that is no fault. */
	if (!stream || stream->remote_closed || !stream->user) {
		send_out(s);
		return;
	}
	stream->ungranted += (uint32_t)frame->len;
	if (stream->held == 0)
		grant(s, stream->id, &stream->ungranted);
	send_out(s);
	if (frame->fin)
		stream->remote_closed = true;
	bool *freed = s->freed;
	if (frame->len > 0)
		stream->user->received(frame->data, frame->len, stream->arg);
	if (frame->fin && !*freed && find(s, frame->stream) == stream)
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
	struct spdy_stream *stream = add(s, frame->stream);
	stream->remote_closed = frame->fin;
	spdy_write_headers(&s->out, SPDY_SYN_REPLY, stream->id, false, NULL, 0, &s->headers_begun);
	send_answer(s);
	bool *freed = s->freed;
	bool taken = s->user->opened(stream, s->arg);
	if (*freed)
		return;
	if (!taken) {
		spdy_write_rst(&s->out, frame->stream, SPDY_REFUSED_STREAM);
		forget(stream);
		send_answer(s);
	} else if (frame->fin && find(s, frame->stream) == stream && stream->user) {
		stream->user->ended(false, stream->arg);
	}
}

static void got_rst(struct spdy_session *s, const struct spdy_frame *frame)
{
	struct spdy_stream *stream = find(s, frame->stream);

	if (!stream || stream->was_reset)
		return;
	stream->remote_closed = stream->local_closed = stream->was_reset = true;
	buf_reset(&stream->queue);
	if (stream->user)
		stream->user->ended(true, stream->arg);
}

static void got_fin(struct spdy_session *s, const struct spdy_frame *frame)
{
	struct spdy_stream *stream = find(s, frame->stream);

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

	flush_queue(stream);
	send_out(s);
	if (!stream->user || !stream->user->writable || spdy_stream_room(stream) == 0)
		return true;
	stream->user->writable(stream->arg);
	return !*freed;
}

/* Room for all streams that waited; a callback may close any of them. */
static void tell_writable(struct spdy_session *s)
{
	for (size_t i = 0; i < BUCKETS; i++) {
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
	struct spdy_stream *stream = frame->stream ? find(s, frame->stream) : NULL;
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
	for (size_t i = 0; i < BUCKETS; i++) {
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
	for (size_t i = 0; i < BUCKETS; i++)
		while (!LIST_EMPTY(&s->streams[i]))
			forget(LIST_FIRST(&s->streams[i]));
	byte_pipe_close(s->pipe);
	spdy_reader_close(&s->reader);
	buf_close(&s->out);
	free(s);
}

void spdy_session_goaway(struct spdy_session *s)
{
	spdy_write_goaway(&s->out, s->last_peer_id);
	send_out(s);
}

struct spdy_stream *spdy_session_open(struct spdy_session *s, const struct spdy_header *headers,
				      size_t n_headers, const struct spdy_stream_user *user, void *arg)
{
	struct spdy_stream *stream = add(s, s->next_id);

	s->next_id += 2;
	spdy_stream_use(stream, user, arg);
	spdy_write_headers(&s->out, SPDY_SYN_STREAM, stream->id, false, headers, n_headers,
			   &s->headers_begun);
	send_out(s);
	return stream;
}

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
	forget(stream);
	send_out(s);
	if (!s->over)
		byte_pipe_set_reading(s->pipe, s->held < SPDY_HELD_MAX);
}
