#include "nodeagent/streaming/attach_session.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "nodeagent/shim/attach.h"
#include "nodeagent/streaming/command_end.h"

#define PACKET_MAX       ((size_t)32 << 10)
#define PACKETS_PER_TURN 16

struct attach_session {
	struct session session;
	struct streaming *streaming;
	struct channels *channels;
	struct channels_wanted wanted;
	struct attach_target target;
	int fd; /* -1: not connected */
	struct loop_io *io;
	struct buf input; /* that the shim has not taken */
	bool input_over, end_sent, said;
	bool full; /* the client does not take more */
	struct loop_timer timer;
};

static void attach_session_free(struct session *session)
{
	struct attach_session *s = CONTAINER_OF(session, struct attach_session, session);

	LIST_REMOVE(session, link);
	loop_io_free(s->io);
	mem_closep(&s->fd);
	channels_close(s->channels);
	loop_timer_disarm(&s->timer);
	buf_close(&s->input);
	free(s->target.dir);
	free(s);
}

/* The client has heard the last word; it is its turn to close. */
static void said(struct attach_session *s)
{
	s->said = true;
	loop_io_free(TAKE(s->io));
	loop_timer_arm(&s->timer, SESSION_CLOSE_MS);
}

static void end_well(struct attach_session *s)
{
	if (s->said)
		return;
	command_end_well(s->channels);
	said(s);
}

/* --- to the shim --- */

static ssize_t send_packet(struct attach_session *s, char kind, const void *data, size_t len)
{
	const struct iovec parts[] = { { &kind, 1 }, { (void *)(uintptr_t)data, len } };
	struct msghdr message = { .msg_iov = (struct iovec *)(uintptr_t)parts, .msg_iovlen = 2 };

	return s->fd < 0 ? -1 : sendmsg(s->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void watch(struct attach_session *s)
{
	bool waits = s->input.len > 0 || (s->input_over && !s->end_sent);

	if (s->io)
		loop_io_set(s->io, (s->full ? 0u : (uint32_t)EPOLLIN) | (waits ? (uint32_t)EPOLLOUT : 0u));
}

/* The kubelet's rule: the client's end of input is the container's with stdinOnce and without a terminal;
 * else it is the end of being attached. */
static void end_input(struct attach_session *s)
{
	if (!s->target.stdin_once || s->target.tty)
		end_well(s);
	else
		s->end_sent = send_packet(s, 'e', "", 0) >= 0;
}

static void flush_input(struct attach_session *s)
{
	while (s->input.len > 0) {
		size_t n = s->input.len < ATTACH_INPUT_MAX ? s->input.len : ATTACH_INPUT_MAX;
		if (send_packet(s, 'i', s->input.data, n) < 0)
			break;
		buf_consume(&s->input, n);
	}
	channels_hold_input(s->channels, s->input.len);
	if (s->input.len == 0 && s->input_over && !s->end_sent)
		end_input(s);
	watch(s);
}

/* --- from the shim --- */

/* False: nothing more for the time being. */
static bool take_packet(struct attach_session *s)
{
	char packet[PACKET_MAX];
	ssize_t n = recv(s->fd, packet, sizeof(packet), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) {
		end_well(s); /* the container has ended */
		return false;
	}
	channels_write(s->channels, packet[0] == '2' ? CHANNEL_STDERR : CHANNEL_STDOUT, packet + 1,
		       (size_t)n - 1);
	s->full = channels_room(s->channels) == 0;
	return !s->full;
}

static void on_ready_io(struct loop_io *io, int fd, uint32_t events, void *arg)
{
	struct attach_session *s = arg;

	(void)io;
	(void)fd;
	if (events & EPOLLOUT)
		flush_input(s);
	for (int i = 0; i < PACKETS_PER_TURN && !s->said && !s->full && take_packet(s); i++)
		;
	watch(s);
	/* The hang-up of a shim that is not read from is seen when reading goes on. */
	if (s->full && events & EPOLLHUP)
		loop_io_free(TAKE(s->io));
}

/* The folder's path may be longer than a socket's may be. */
static int connect_shim(struct attach_session *s, struct err *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	CLEANUP(mem_closep) int folder = open(s->target.dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

	s->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/attach", folder);
	if (folder < 0 || s->fd < 0 || connect(s->fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return err_set_errno(err, errno, "attach to the container's shim");
	s->io = loop_io_new(s->streaming->loop, s->fd, EPOLLIN, on_ready_io, s, err);
	return s->io ? 0 : -1;
}

/* --- the client --- */

static void on_ready(void *arg)
{
	struct attach_session *s = arg;
	struct err err = ERR_INIT;

	loop_timer_disarm(&s->timer);
	if (connect_shim(s, &err) == 0) {
		flush_input(s);
		return;
	}
	command_end_error(s->channels, "attaching to", &err);
	said(s);
}

static void on_input(const void *data, size_t len, void *arg)
{
	struct attach_session *s = arg;

	if (s->said)
		return;
	if (s->target.takes_input)
		buf_add(&s->input, data, len);
	if (s->io)
		flush_input(s);
	else
		channels_hold_input(s->channels, s->input.len);
}

static void on_input_ended(void *arg)
{
	struct attach_session *s = arg;

	s->input_over = true;
	if (s->io)
		flush_input(s);
}

static void on_resized(uint16_t columns, uint16_t rows, void *arg)
{
	const uint16_t size[] = { rows, columns };

	send_packet(arg, 'w', size, sizeof(size));
}

static void on_writable(void *arg)
{
	struct attach_session *s = arg;
	struct err err = ERR_INIT;

	s->full = channels_room(s->channels) == 0;
	if (!s->io && s->fd >= 0 && !s->said && !s->full)
		s->io = loop_io_new(s->streaming->loop, s->fd, EPOLLIN, on_ready_io, s, &err);
	watch(s);
}

static void on_gone(void *arg)
{
	struct attach_session *s = arg;

	attach_session_free(&s->session);
}

static const struct channels_user channels_user = { on_ready,   on_input,    on_input_ended,
						    on_resized, on_writable, on_gone };

static void on_timer(struct loop_timer *timer, void *arg)
{
	(void)timer;
	on_gone(arg);
}

void attach_session_new(struct streaming *streaming, struct channels *channels,
			const struct channels_wanted *wanted, const struct attach_target *target)
{
	struct attach_session *s = mem_zalloc(sizeof(*s));

	s->session.free = attach_session_free;
	LIST_INSERT_HEAD(&streaming->sessions, &s->session, link);
	s->streaming = streaming;
	s->channels = channels;
	s->wanted = *wanted;
	s->target = *target;
	s->fd = -1;
	channels->user = &channels_user;
	channels->arg = s;
	loop_timer_init(&s->timer, streaming->loop, on_timer, s);
	loop_timer_arm(&s->timer, SESSION_OPEN_MS);
}
