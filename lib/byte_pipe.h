/* One end of a connection that carries bytes both ways: a TLS stream, an upgraded HTTP exchange, a socket, or
 * one such connection carried within another. What exec, port-forward and the proxies are built on, so that
 * they can be tried on a pair of sockets.
 *
 *     owner ──write──▶ pipe ──▶ peer         back pressure: unsent() and drained()
 *     owner ◀─received─ pipe ◀── peer        back pressure: set_reading()
 *
 * An implementation embeds a struct byte_pipe; whoever is given one sets user and arg before the loop turns
 * again.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/err.h"

/* Who has more unsent than HIGH stops producing; `drained` comes when it is below LOW again. */
#define BYTE_PIPE_HIGH ((size_t)256 << 10)
#define BYTE_PIPE_LOW  ((size_t)64 << 10)

struct byte_pipe;

struct byte_pipe_ops {
	void (*write)(struct byte_pipe *pipe, const void *data, size_t len);
	size_t (*unsent)(const struct byte_pipe *pipe);
	void (*set_reading)(struct byte_pipe *pipe, bool reading);
	void (*finish)(struct byte_pipe *pipe);
	void (*close)(struct byte_pipe *pipe);
};

/* Told from the loop, never from within a call; each may close the pipe. */
struct byte_pipe_user {
	/* DATA may be changed, and is gone after the call. */
	void (*received)(void *data, size_t len, void *arg);
	/* What was written has left, down to BYTE_PIPE_LOW. NULL: nobody cares. */
	void (*drained)(void *arg);
	/* The peer's end (ERR is NULL) or a failure. Nothing is received after it. After the peer's end, what
	 * is written may still arrive. */
	void (*ended)(const struct err *err, void *arg);
};

struct byte_pipe {
	const struct byte_pipe_ops *ops;
	const struct byte_pipe_user *user;
	void *arg;
};

/* Sends all of it, later what does not go at once. DATA is copied. */
static inline void byte_pipe_write(struct byte_pipe *pipe, const void *data, size_t len)
{
	pipe->ops->write(pipe, data, len);
}

static inline size_t byte_pipe_unsent(const struct byte_pipe *pipe)
{
	return pipe->ops->unsent(pipe);
}

/* Whether `received` is called. On at first. */
static inline void byte_pipe_set_reading(struct byte_pipe *pipe, bool reading)
{
	pipe->ops->set_reading(pipe, reading);
}

/* Nothing more will be written: the peer sees the end once all has left. Where the connection cannot be
 * closed in one direction alone, nothing happens. */
static inline void byte_pipe_finish(struct byte_pipe *pipe)
{
	pipe->ops->finish(pipe);
}

/* Lets go of it: what is written still leaves, as far as the peer takes it soon; no callback follows. PIPE is
 * gone. NULL is fine. */
static inline void byte_pipe_close(struct byte_pipe *pipe)
{
	if (pipe)
		pipe->ops->close(pipe);
}
