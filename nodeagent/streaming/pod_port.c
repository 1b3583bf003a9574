#include "nodeagent/streaming/pod_port.h"

#include <stdlib.h>

#include "lib/buf.h"
#include "lib/fd_pipe.h"
#include "nodeagent/streaming/pod_connect.h"

struct pod_port {
	struct loop *loop;
	const struct pod_port_user *user;
	void *arg;
	char *pod;
	uint16_t number;
	struct pod_connect *connect; /* NULL: not yet, or any more */
	struct byte_pipe *pipe;      /* NULL: not connected */
	struct buf early;            /* written before that */
	bool finished;
	struct err err; /* known at once, told by the task */
	struct loop_task task;
};

void pod_port_close(struct pod_port *port)
{
	if (!port)
		return;
	loop_unpost(port->loop, &port->task);
	pod_connect_cancel(port->connect);
	byte_pipe_close(port->pipe);
	buf_close(&port->early);
	free(port->pod);
	free(port);
}

static void fail(const struct pod_port *port, const struct err *err)
{
	CLEANUP(mem_freep)
	char *why = mem_printf("error forwarding port %u to pod %s: %s", port->number, port->pod, err->msg);

	port->user->failed(why, port->arg);
}

static void on_task(struct loop_task *task, void *arg)
{
	const struct pod_port *port = arg;

	(void)task;
	fail(port, &port->err);
}

/* --- the pod's side --- */

static void on_received(void *data, size_t len, void *arg)
{
	const struct pod_port *port = arg;

	port->user->received(data, len, port->arg);
}

static void on_drained(void *arg)
{
	const struct pod_port *port = arg;

	port->user->drained(port->arg);
}

static void on_ended(const struct err *err, void *arg)
{
	const struct pod_port *port = arg;

	(void)err;
	port->user->ended(port->arg);
}

static const struct byte_pipe_user pipe_user = { on_received, on_drained, on_ended };

static void on_connected(int fd, const struct err *failure, void *arg)
{
	struct pod_port *port = arg;
	struct err err = ERR_INIT;

	port->connect = NULL;
	if (failure)
		err = *failure;
	else
		port->pipe = fd_pipe_new(port->loop, fd, fd, &pipe_user, port, &err);
	if (!port->pipe) {
		fail(port, &err);
		return;
	}
	if (port->early.len > 0)
		byte_pipe_write(port->pipe, port->early.data, port->early.len);
	buf_close(&port->early);
	if (port->finished)
		byte_pipe_finish(port->pipe);
	on_drained(port);
}

/* --- the client's side --- */

struct pod_port *pod_port_new(struct loop *loop, const char *pod, uint16_t number,
			      const struct pod_port_user *user, void *arg)
{
	struct pod_port *port = mem_zalloc(sizeof(*port));

	port->loop = loop;
	port->user = user;
	port->arg = arg;
	port->pod = mem_dup(pod);
	port->number = number;
	port->task = (struct loop_task){ .fn = on_task, .arg = port };
	return port;
}

void pod_port_connect(struct pod_port *port, const char *net_ns)
{
	port->connect = pod_connect_begin(port->loop, net_ns, port->number, on_connected, port, &port->err);
	if (!port->connect)
		loop_post(port->loop, &port->task);
}

void pod_port_write(struct pod_port *port, const void *data, size_t len)
{
	if (port->pipe)
		byte_pipe_write(port->pipe, data, len);
	else
		buf_add(&port->early, data, len);
}

size_t pod_port_unsent(const struct pod_port *port)
{
	return port->pipe ? byte_pipe_unsent(port->pipe) : port->early.len;
}

void pod_port_set_reading(struct pod_port *port, bool reading)
{
	if (port->pipe)
		byte_pipe_set_reading(port->pipe, reading);
}

void pod_port_finish(struct pod_port *port)
{
	port->finished = true;
	if (port->pipe)
		byte_pipe_finish(port->pipe);
}
