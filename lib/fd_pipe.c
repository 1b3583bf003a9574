#include "lib/fd_pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/buf.h"

#define READ_SIZE    ((size_t)32 << 10)
#define LINGER_MS    5000
#define DRAIN_ROUNDS 128 /* a pipe holds no more; someone may go on writing */

/* One direction, or both of a socket or terminal. */
struct side {
	struct fd_pipe *pipe;
	int fd; /* -1: none, or closed */
	struct loop_io *io;
	uint32_t watched;
	bool is_file; /* always ready, and epoll knows nothing of it */
};

struct fd_pipe {
	struct byte_pipe pipe;
	struct loop *loop;
	struct side in, out; /* of one descriptor for both, out.fd is a copy */
	bool both;           /* one descriptor: `in` watches for both */
	bool stopped;        /* reading is */
	bool at_end;         /* nothing is read any more */
	bool finished, shut; /* nothing will be written; and that was passed on */
	bool closed;         /* by the owner: what is unsent leaves, then all is freed */
	bool broken;         /* for writing */
	struct buf unsent;
	struct err err;
	struct loop_task task; /* what cannot be told from within a call; the next read of a file */
	struct loop_timer timer;
};

static void on_ready(struct loop_io *io, int fd, uint32_t events, void *arg);

static struct fd_pipe *of(const struct byte_pipe *pipe)
{
	return CONTAINER_OF((uintptr_t)pipe, struct fd_pipe, pipe);
}

static void fd_pipe_free(struct fd_pipe *p)
{
	loop_io_free(p->in.io);
	loop_io_free(p->out.io);
	mem_closep(&p->in.fd);
	if (!p->both)
		mem_closep(&p->out.fd);
	loop_unpost(p->loop, &p->task);
	loop_timer_disarm(&p->timer);
	buf_close(&p->unsent);
	free(p);
}

/* --- watching --- */

static void watch_side(struct side *side, uint32_t events)
{
	struct fd_pipe *p = side->pipe;

	if (side->fd < 0)
		return;
	if (side->is_file) {
		if (events)
			loop_post(p->loop, &p->task);
		return;
	}
	/* With no interest left, a hang-up would be reported all the same. */
	if (!events) {
		loop_io_free(TAKE(side->io));
	} else if (!side->io) {
		struct err err = ERR_INIT;
		side->io = loop_io_new(p->loop, side->fd, events, on_ready, side, &err);
		side->is_file = !side->io && err.errnum == EPERM;
		if (side->is_file)
			loop_post(p->loop, &p->task);
	} else if (events != side->watched) {
		loop_io_set(side->io, events);
	}
	side->watched = events;
}

static void watch(struct fd_pipe *p)
{
	uint32_t in = p->at_end || p->stopped || p->closed ? 0 : (uint32_t)EPOLLIN;
	uint32_t out = p->unsent.len > 0 && !p->broken ? (uint32_t)EPOLLOUT : 0;

	if (p->both) {
		watch_side(&p->in, in | out);
	} else {
		watch_side(&p->in, in);
		watch_side(&p->out, out);
	}
}

/* --- writing --- */

static void shut(struct fd_pipe *p)
{
	if (p->shut)
		return;
	p->shut = true;
	if (p->both) {
		shutdown(p->in.fd, SHUT_WR); /* a terminal has no such thing */
		return;
	}
	loop_io_free(TAKE(p->out.io));
	mem_closep(&p->out.fd);
	p->out.fd = -1;
}

/* The reader is gone: what it would have got is dropped, as it is for a process that gets SIGPIPE. */
static void flush(struct fd_pipe *p)
{
	while (p->unsent.len > 0 && !p->broken) {
		ssize_t n = write(p->out.fd, p->unsent.data, p->unsent.len);

		if (n > 0)
			buf_consume(&p->unsent, (size_t)n);
		else if (n < 0 && errno == EINTR)
			continue;
		else if (n < 0 && errno == EAGAIN)
			break;
		else
			p->broken = true;
	}
	if (p->broken)
		buf_reset(&p->unsent);
	if (p->unsent.len == 0) {
		buf_close(&p->unsent);
		if (p->finished)
			shut(p);
	}
}

static void fd_pipe_write(struct byte_pipe *pipe, const void *data, size_t len)
{
	struct fd_pipe *p = of(pipe);
	bool first = p->unsent.len == 0;

	if (p->out.fd < 0 || p->finished || p->broken)
		return;
	buf_add(&p->unsent, data, len);
	if (first)
		flush(p);
	watch(p);
}

static size_t fd_pipe_unsent(const struct byte_pipe *pipe)
{
	return of(pipe)->unsent.len;
}

static void fd_pipe_finish(struct byte_pipe *pipe)
{
	struct fd_pipe *p = of(pipe);

	p->finished = true;
	if (p->out.fd >= 0 && p->unsent.len == 0)
		shut(p);
}

/* Room again: the owner is told when it was out of it. */
static bool sent_enough(struct fd_pipe *p)
{
	size_t before = p->unsent.len;

	flush(p);
	return before > BYTE_PIPE_LOW && p->unsent.len <= BYTE_PIPE_LOW;
}

/* --- reading --- */

static void tell_end(struct fd_pipe *p, int errnum)
{
	p->at_end = true;
	watch(p);
	if (errnum)
		err_set_errno(&p->err, errnum, "read");
	p->pipe.user->ended(p->err.kind ? &p->err : NULL, p->pipe.arg);
}

enum took { TOOK_SOME, TOOK_NOTHING, TOOK_END };

/* After it the pipe may be gone. */
static enum took take_some(struct fd_pipe *p)
{
	char data[READ_SIZE];
	ssize_t n = read(p->in.fd, data, sizeof(data));

	if (n > 0) {
		p->pipe.user->received(data, (size_t)n, p->pipe.arg);
		return TOOK_SOME;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return TOOK_NOTHING;
	tell_end(p, n < 0 && errno != EIO && errno != ECONNRESET ? errno : 0);
	return TOOK_END;
}

void fd_pipe_drain(struct byte_pipe *pipe)
{
	struct fd_pipe *p = of(pipe);
	int flags;

	if (p->at_end || p->in.fd < 0 || (flags = fcntl(p->in.fd, F_GETFL)) < 0)
		return;
	fcntl(p->in.fd, F_SETFL, flags | O_NONBLOCK);
	for (int i = 0; i < DRAIN_ROUNDS && take_some(p) == TOOK_SOME; i++)
		;
}

int fd_pipe_fd(const struct byte_pipe *pipe)
{
	return of(pipe)->in.fd;
}

static void fd_pipe_set_reading(struct byte_pipe *pipe, bool reading)
{
	struct fd_pipe *p = of(pipe);

	p->stopped = !reading;
	watch(p);
}

/* --- events --- */

static void on_ready(struct loop_io *io, int fd, uint32_t events, void *arg)
{
	struct side *side = arg;
	struct fd_pipe *p = side->pipe;

	(void)io;
	(void)fd;
	if (p->unsent.len > 0 && (events & (EPOLLOUT | EPOLLERR | EPOLLHUP))) {
		bool told = sent_enough(p);

		if (p->closed && p->unsent.len == 0) {
			fd_pipe_free(p);
			return;
		}
		watch(p);
		if (told && !p->closed && p->pipe.user->drained) {
			/* The pipe may go with it; what can be read is reported again. */
			p->pipe.user->drained(p->pipe.arg);
			return;
		}
	}
	if (side == &p->in && !p->at_end && !p->stopped && !p->closed &&
	    (events & (EPOLLIN | EPOLLERR | EPOLLHUP)))
		(void)take_some(p);
}

static void on_task(struct loop_task *task, void *arg)
{
	struct fd_pipe *p = arg;

	(void)task;
	if (!p->in.is_file || p->at_end || p->stopped || p->closed)
		return;
	loop_post(p->loop, &p->task);
	(void)take_some(p);
}

static void on_linger_over(struct loop_timer *timer, void *arg)
{
	(void)timer;
	fd_pipe_free(arg);
}

static void fd_pipe_close(struct byte_pipe *pipe)
{
	struct fd_pipe *p = of(pipe);

	if (p->unsent.len == 0 || p->broken) {
		fd_pipe_free(p);
		return;
	}
	p->closed = true;
	loop_unpost(p->loop, &p->task);
	loop_timer_arm(&p->timer, LINGER_MS);
	watch(p);
}

static const struct byte_pipe_ops ops = {
	.write = fd_pipe_write,
	.unsent = fd_pipe_unsent,
	.set_reading = fd_pipe_set_reading,
	.finish = fd_pipe_finish,
	.close = fd_pipe_close,
};

static int make_nonblocking(int fd, struct err *err)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return err_set_errno(err, errno, "descriptor %d", fd);
	return 0;
}

struct byte_pipe *fd_pipe_new(struct loop *loop, int in, int out, const struct byte_pipe_user *user,
			      void *arg, struct err *err)
{
	struct fd_pipe *p = mem_zalloc(sizeof(*p));

	p->pipe = (struct byte_pipe){ .ops = &ops, .user = user, .arg = arg };
	p->loop = loop;
	p->in = (struct side){ .pipe = p, .fd = in };
	p->out = (struct side){ .pipe = p, .fd = out };
	p->both = in == out;
	p->at_end = in < 0;
	p->task = (struct loop_task){ .fn = on_task, .arg = p };
	loop_timer_init(&p->timer, loop, on_linger_over, p);
	if (out >= 0 && make_nonblocking(out, err) < 0) {
		fd_pipe_free(p);
		return NULL;
	}
	watch(p);
	return &p->pipe;
}
