#include "lib/websocket_pipe.h"

#include <stdlib.h>

#include "lib/websocket_session.h"

struct websocket_pipe {
	struct byte_pipe pipe;
	struct websocket_session *session;
};

static struct websocket_pipe *of(const struct byte_pipe *pipe)
{
	return CONTAINER_OF((uintptr_t)pipe, struct websocket_pipe, pipe);
}

static void on_piece(const struct websocket_piece *piece, void *arg)
{
	struct websocket_pipe *p = arg;

	if (piece->len > 0)
		p->pipe.user->received(piece->data, piece->len, p->pipe.arg);
}

static void on_drained(void *arg)
{
	struct websocket_pipe *p = arg;

	if (p->pipe.user->drained)
		p->pipe.user->drained(p->pipe.arg);
}

static void on_ended(const struct err *err, void *arg)
{
	struct websocket_pipe *p = arg;

	p->pipe.user->ended(err, p->pipe.arg);
}

static const struct websocket_session_user session_user = { on_piece, on_drained, on_ended };

static void pipe_write(struct byte_pipe *pipe, const void *data, size_t len)
{
	const struct iovec part = { .iov_base = (void *)(uintptr_t)data, .iov_len = len };

	websocket_session_send(of(pipe)->session, WEBSOCKET_BINARY, &part, 1);
}

static size_t pipe_unsent(const struct byte_pipe *pipe)
{
	return websocket_session_unsent(of(pipe)->session);
}

static void pipe_set_reading(struct byte_pipe *pipe, bool reading)
{
	websocket_session_set_reading(of(pipe)->session, reading);
}

static void pipe_finish(struct byte_pipe *pipe)
{
	(void)pipe;
}

static void pipe_close(struct byte_pipe *pipe)
{
	struct websocket_pipe *p = of(pipe);

	websocket_session_goodbye(p->session, WEBSOCKET_NORMAL, "");
	websocket_session_free(p->session);
	free(p);
}

static const struct byte_pipe_ops ops = { pipe_write, pipe_unsent, pipe_set_reading, pipe_finish,
					  pipe_close };

struct byte_pipe *websocket_pipe_new(struct byte_pipe *outer, bool server)
{
	struct websocket_pipe *p = mem_zalloc(sizeof(*p));

	p->pipe.ops = &ops;
	p->session = websocket_session_new(outer, server, 0, &session_user, p);
	return &p->pipe;
}
