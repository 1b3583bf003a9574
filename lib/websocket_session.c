#include "lib/websocket_session.h"

#include <stdlib.h>

struct websocket_session {
	struct byte_pipe *pipe;
	bool server;
	const struct websocket_session_user *user;
	void *arg;
	struct websocket_reader reader;
	struct buf out;
	bool said_goodbye, over;
	bool *freed; /* set when it goes while it calls its user */
};

static void write_frame(struct websocket_session *s, enum websocket_opcode opcode, const struct iovec *parts,
			size_t n_parts)
{
	unsigned char mask[4];

	if (s->said_goodbye || s->over)
		return;
	if (!s->server)
		websocket_new_mask(mask);
	websocket_write(&s->out, opcode, s->server ? NULL : mask, parts, n_parts);
	byte_pipe_write(s->pipe, s->out.data, s->out.len);
	buf_reset(&s->out);
}

void websocket_session_send(struct websocket_session *s, enum websocket_opcode opcode,
			    const struct iovec *parts, size_t n_parts)
{
	write_frame(s, opcode, parts, n_parts);
}

void websocket_session_goodbye(struct websocket_session *s, enum websocket_close_code code,
			       const char *reason)
{
	unsigned char mask[4];

	if (s->said_goodbye || s->over)
		return;
	s->said_goodbye = true;
	if (!s->server)
		websocket_new_mask(mask);
	websocket_write_close(&s->out, code, s->server ? NULL : mask, reason);
	byte_pipe_write(s->pipe, s->out.data, s->out.len);
	buf_reset(&s->out);
}

static void end(struct websocket_session *s, const struct err *err)
{
	if (s->over)
		return;
	s->over = true;
	byte_pipe_set_reading(s->pipe, false);
	s->user->ended(err, s->arg);
}

static void got_control(struct websocket_session *s, const struct websocket_piece *piece)
{
	const struct iovec body = { .iov_base = piece->data, .iov_len = piece->len };

	if (piece->opcode == WEBSOCKET_PING) {
		/* Who does not read is not answered: a later ping's answer stands for all (RFC 6455 section
		 * 5.5.3). */
		if (byte_pipe_unsent(s->pipe) <= BYTE_PIPE_HIGH)
			write_frame(s, WEBSOCKET_PONG, &body, 1);
	} else if (piece->opcode == WEBSOCKET_CLOSE) {
		write_frame(s, WEBSOCKET_CLOSE, &body, piece->len >= 2);
		s->said_goodbye = true;
		end(s, NULL);
	}
}

static void on_received(void *data, size_t len, void *arg)
{
	struct websocket_session *s = arg;
	unsigned char *p = data, *last = p + len;
	bool freed = false;

	s->freed = &freed;
	while (!s->over) {
		struct websocket_piece piece;
		struct err err = ERR_INIT;
		enum websocket_event event = websocket_next(&s->reader, &p, last, &piece, &err);
		if (event == WEBSOCKET_MORE)
			break;
		if (event == WEBSOCKET_PIECE) {
			s->user->piece(&piece, s->arg);
		} else if (event == WEBSOCKET_CONTROL) {
			got_control(s, &piece);
		} else {
			websocket_session_goodbye(s, WEBSOCKET_PROTOCOL_ERROR, err.msg);
			end(s, &err);
		}
		if (freed)
			return;
	}
	s->freed = NULL;
}

static void on_drained(void *arg)
{
	struct websocket_session *s = arg;

	if (s->user->drained)
		s->user->drained(s->arg);
}

static void on_ended(const struct err *err, void *arg)
{
	end(arg, err);
}

static const struct byte_pipe_user pipe_user = { on_received, on_drained, on_ended };

struct websocket_session *websocket_session_new(struct byte_pipe *pipe, bool server, uint64_t max_message,
						const struct websocket_session_user *user, void *arg)
{
	struct websocket_session *s = mem_zalloc(sizeof(*s));

	s->pipe = pipe;
	s->server = server;
	s->user = user;
	s->arg = arg;
	s->reader.server = server;
	s->reader.max_message = max_message;
	pipe->user = &pipe_user;
	pipe->arg = s;
	return s;
}

void websocket_session_free(struct websocket_session *s)
{
	if (!s)
		return;
	if (s->freed)
		*s->freed = true;
	byte_pipe_close(s->pipe);
	buf_close(&s->out);
	free(s);
}

size_t websocket_session_unsent(const struct websocket_session *s)
{
	return byte_pipe_unsent(s->pipe);
}

void websocket_session_set_reading(struct websocket_session *s, bool reading)
{
	if (!s->over)
		byte_pipe_set_reading(s->pipe, reading);
}
