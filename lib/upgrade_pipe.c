#include "lib/upgrade_pipe.h"

#include <stdint.h>
#include <stdlib.h>

struct upgrade_pipe {
	struct byte_pipe pipe;
	struct http_upgrade *upgrade; /* NULL: it is gone */
	bool closed;                  /* by the owner: the upgrade's last call frees it */
	bool told_end;
};

static struct upgrade_pipe *of(const struct byte_pipe *pipe)
{
	return CONTAINER_OF((uintptr_t)pipe, struct upgrade_pipe, pipe);
}

/* The bytes lie in a buffer of the server's, which reads them no more. */
static void on_data(const char *data, size_t len, void *arg)
{
	struct upgrade_pipe *p = arg;

	if (!p->closed)
		p->pipe.user->received((void *)(uintptr_t)data, len, p->pipe.arg);
}

static void tell_end(struct upgrade_pipe *p, const struct err *err)
{
	if (p->closed || p->told_end)
		return;
	p->told_end = true;
	p->pipe.user->ended(err, p->pipe.arg);
}

static void on_ended(void *arg)
{
	tell_end(arg, NULL);
}

static void on_drained(void *arg)
{
	struct upgrade_pipe *p = arg;

	if (!p->closed && p->pipe.user->drained)
		p->pipe.user->drained(p->pipe.arg);
}

static void on_closed(const struct err *err, void *arg)
{
	struct upgrade_pipe *p = arg;

	p->upgrade = NULL;
	if (p->closed)
		free(p);
	else
		tell_end(p, err->kind == ERR_NONE ? NULL : err);
}

static const struct http_upgrade_user user = { on_data, on_ended, on_drained, on_closed };

static void pipe_write(struct byte_pipe *pipe, const void *data, size_t len)
{
	if (of(pipe)->upgrade)
		http_upgrade_write(of(pipe)->upgrade, data, len);
}

static size_t pipe_unsent(const struct byte_pipe *pipe)
{
	return of(pipe)->upgrade ? http_upgrade_unsent(of(pipe)->upgrade) : 0;
}

static void pipe_set_reading(struct byte_pipe *pipe, bool reading)
{
	if (of(pipe)->upgrade)
		http_upgrade_set_reading(of(pipe)->upgrade, reading);
}

static void pipe_finish(struct byte_pipe *pipe)
{
	if (of(pipe)->upgrade)
		http_upgrade_shutdown(of(pipe)->upgrade);
}

static void pipe_close(struct byte_pipe *pipe)
{
	struct upgrade_pipe *p = of(pipe);

	p->closed = true;
	if (p->upgrade)
		http_upgrade_close(p->upgrade);
	else
		free(p);
}

static const struct byte_pipe_ops ops = { pipe_write, pipe_unsent, pipe_set_reading, pipe_finish,
					  pipe_close };

struct byte_pipe *upgrade_pipe_new(struct http_exchange *exchange)
{
	struct upgrade_pipe *p = mem_zalloc(sizeof(*p));

	p->pipe.ops = &ops;
	p->upgrade = http_upgrade_begin(exchange, &user, p);
	if (p->upgrade)
		return &p->pipe;
	free(p);
	return NULL;
}
