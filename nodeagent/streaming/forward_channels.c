#include "nodeagent/streaming/forward_channels.h"

#include <stdlib.h>
#include <string.h>

#include "lib/websocket_session.h"
#include "nodeagent/streaming/pod_port.h"

#define NO_CHANNEL (-1)

struct channel_forward {
	struct forward_channels *owner;
	uint16_t number;
	unsigned char channel; /* of data; that of errors is the next one */
	struct pod_port *port; /* NULL: it is over */
};

struct forward_channels {
	struct session session;
	struct streaming *streaming;
	struct websocket_session *ws;
	int channel; /* of the message that is under way */
	size_t n_forwards, n_over;
	struct loop_task begin;
	struct loop_timer timer; /* the client's goodbye */
	struct channel_forward forwards[];
};

static void forward_channels_free(struct session *session)
{
	struct forward_channels *s = CONTAINER_OF(session, struct forward_channels, session);

	LIST_REMOVE(session, link);
	loop_unpost(s->streaming->loop, &s->begin);
	loop_timer_disarm(&s->timer);
	for (size_t i = 0; i < s->n_forwards; i++)
		pod_port_close(s->forwards[i].port);
	websocket_session_goodbye(s->ws, WEBSOCKET_GOING_AWAY, "");
	websocket_session_free(s->ws);
	free(s);
}

static void on_client_silent(struct loop_timer *timer, void *arg)
{
	struct forward_channels *s = arg;

	(void)timer;
	forward_channels_free(&s->session);
}

static void send_to(struct forward_channels *s, unsigned char channel, const void *data, size_t len)
{
	const struct iovec parts[] = { { .iov_base = &channel, .iov_len = 1 },
				       { .iov_base = (void *)(uintptr_t)data, .iov_len = len } };

	websocket_session_send(s->ws, WEBSOCKET_BINARY, parts, 2);
}

/* A client that is ahead of one port waits, for all of them: they share its connection. */
static void hold_client(struct forward_channels *s)
{
	bool behind = false;

	for (size_t i = 0; i < s->n_forwards; i++) {
		const struct pod_port *port = s->forwards[i].port;
		behind |= port && pod_port_unsent(port) > BYTE_PIPE_LOW;
	}
	websocket_session_set_reading(s->ws, !behind);
}

static void over(struct channel_forward *f)
{
	struct forward_channels *s = f->owner;

	pod_port_close(TAKE(f->port));
	hold_client(s);
	if (++s->n_over < s->n_forwards)
		return;
	websocket_session_goodbye(s->ws, WEBSOCKET_NORMAL, "");
	loop_timer_arm(&s->timer, SESSION_CLOSE_MS);
}

/* --- the pod's side --- */

static void on_pod_data(void *data, size_t len, void *arg)
{
	struct channel_forward *f = arg;

	send_to(f->owner, f->channel, data, len);
	if (websocket_session_unsent(f->owner->ws) > BYTE_PIPE_HIGH)
		pod_port_set_reading(f->port, false);
}

static void on_pod_drained(void *arg)
{
	struct channel_forward *f = arg;

	hold_client(f->owner);
}

static void on_pod_ended(void *arg)
{
	over(arg);
}

static void on_pod_failed(const char *why, void *arg)
{
	struct channel_forward *f = arg;

	send_to(f->owner, (unsigned char)(f->channel + 1), why, strlen(why));
	over(f);
}

static const struct pod_port_user port_user = { on_pod_data, on_pod_drained, on_pod_ended, on_pod_failed };

/* --- the client's side --- */

static void on_piece(const struct websocket_piece *piece, void *arg)
{
	struct forward_channels *s = arg;
	const unsigned char *data = piece->data;
	size_t len = piece->len;

	if (piece->first)
		s->channel = NO_CHANNEL;
	if (s->channel == NO_CHANNEL && len > 0) {
		s->channel = *data++;
		len--;
	}
	/* It has nothing to say on channels of errors. */
	if (len == 0 || s->channel % 2 != 0 || (size_t)s->channel / 2 >= s->n_forwards)
		return;
	struct pod_port *port = s->forwards[s->channel / 2].port;
	if (!port)
		return;
	pod_port_write(port, data, len);
	hold_client(s);
}

static void on_client_drained(void *arg)
{
	struct forward_channels *s = arg;

	for (size_t i = 0; i < s->n_forwards; i++)
		if (s->forwards[i].port)
			pod_port_set_reading(s->forwards[i].port, true);
}

static void on_client_ended(const struct err *err, void *arg)
{
	struct forward_channels *s = arg;

	(void)err;
	forward_channels_free(&s->session);
}

static const struct websocket_session_user client_user = { on_piece, on_client_drained, on_client_ended };

/* --- the session --- */

static void on_begin(struct loop_task *task, void *arg)
{
	struct forward_channels *s = arg;

	(void)task;
	for (size_t i = 0; i < s->n_forwards; i++) {
		const struct channel_forward *f = &s->forwards[i];
		const unsigned char port[] = { (unsigned char)f->number, (unsigned char)(f->number >> 8) };
		send_to(s, f->channel, port, sizeof(port));
		send_to(s, (unsigned char)(f->channel + 1), port, sizeof(port));
	}
}

void forward_channels_new(struct streaming *streaming, struct byte_pipe *pipe, const char *pod,
			  const char *net_ns, const uint16_t *ports, size_t n_ports)
{
	struct forward_channels *s = mem_zalloc(sizeof(*s) + n_ports * sizeof(s->forwards[0]));

	s->session.free = forward_channels_free;
	LIST_INSERT_HEAD(&streaming->sessions, &s->session, link);
	s->streaming = streaming;
	s->channel = NO_CHANNEL;
	s->ws = websocket_session_new(pipe, true, 0, &client_user, s);
	s->begin = (struct loop_task){ .fn = on_begin, .arg = s };
	loop_timer_init(&s->timer, streaming->loop, on_client_silent, s);
	/* Before a port can fail: each channel says first which port it is of. */
	loop_post(streaming->loop, &s->begin);
	s->n_forwards = n_ports;
	for (size_t i = 0; i < n_ports; i++) {
		struct channel_forward *f = &s->forwards[i];
		*f = (struct channel_forward){ .owner = s,
					       .number = ports[i],
					       .channel = (unsigned char)(2 * i) };
		f->port = pod_port_new(streaming->loop, pod, ports[i], &port_user, f);
		pod_port_connect(f->port, net_ns);
	}
}
