#include "nodeagent/streaming/pod_connect.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/mem.h"

#define CONNECT_MS 30000

struct pod_connect {
	struct loop *loop;
	int sockets[2]; /* IPv4's and IPv6's, tried in turn */
	size_t at;
	uint16_t port;
	int errnum; /* of IPv4's */
	struct loop_io *io;
	struct loop_task task; /* tells what could be known at once */
	struct loop_timer timer;
	void (*done)(int fd, const struct err *failure, void *arg);
	void *arg;
};

void pod_connect_cancel(struct pod_connect *c)
{
	if (!c)
		return;
	loop_io_free(c->io);
	loop_unpost(c->loop, &c->task);
	loop_timer_disarm(&c->timer);
	mem_closep(&c->sockets[0]);
	mem_closep(&c->sockets[1]);
	free(c);
}

static void tell(struct pod_connect *c, int fd, const struct err *failure)
{
	void (*done)(int, const struct err *, void *) = c->done;
	void *arg = c->arg;

	pod_connect_cancel(c);
	done(fd, failure, arg);
}

static void try_next(struct pod_connect *c);

static void connected(struct pod_connect *c, int errnum)
{
	loop_io_free(TAKE(c->io));
	if (errnum == 0) {
		int fd = c->sockets[c->at];
		c->sockets[c->at] = -1;
		tell(c, fd, NULL);
		return;
	}
	if (c->at == 0)
		c->errnum = errnum;
	c->at++;
	try_next(c);
}

static void on_writable(struct loop_io *io, int fd, uint32_t events, void *arg)
{
	int errnum = 0;
	socklen_t len = sizeof(errnum);

	(void)io;
	(void)events;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &errnum, &len) < 0)
		errnum = errno;
	connected(arg, errnum);
}

static void give_up(struct pod_connect *c, int errnum)
{
	struct err err = ERR_INIT;

	err_set(&err, ERR_CONNECTION, "failed to connect to localhost:%u inside the pod: %s", c->port,
		strerror(errnum));
	tell(c, -1, &err);
}

static int connect_to(int fd, bool v6, uint16_t port)
{
	const struct sockaddr_in v4_address = { .sin_family = AF_INET,
						.sin_port = htons(port),
						.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const struct sockaddr_in6 v6_address = { .sin6_family = AF_INET6,
						 .sin6_port = htons(port),
						 .sin6_addr = IN6ADDR_LOOPBACK_INIT };

	return v6 ? connect(fd, (const struct sockaddr *)&v6_address, sizeof(v6_address))
		  : connect(fd, (const struct sockaddr *)&v4_address, sizeof(v4_address));
}

static void try_next(struct pod_connect *c)
{
	struct err err = ERR_INIT;

	/* Without IPv6 there is no second socket. */
	if (c->at == 2 || c->sockets[c->at] < 0) {
		give_up(c, c->errnum);
		return;
	}
	if (connect_to(c->sockets[c->at], c->at == 1, c->port) < 0 && errno != EINPROGRESS) {
		connected(c, errno);
		return;
	}
	c->io = loop_io_new(c->loop, c->sockets[c->at], EPOLLOUT, on_writable, c, &err);
	if (!c->io)
		tell(c, -1, &err);
}

static void on_task(struct loop_task *task, void *arg)
{
	(void)task;
	try_next(arg);
}

static void on_timer(struct loop_timer *timer, void *arg)
{
	(void)timer;
	give_up(arg, ETIMEDOUT);
}

static void make_sockets(struct pod_connect *c)
{
	static const int families[] = { AF_INET, AF_INET6 };

	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		c->sockets[i] = socket(families[i], SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

/* Not being able to come back would leave the agent in a pod's network: it ends, and its successor goes on.
 */
static int make_sockets_within(struct pod_connect *c, const char *net_ns, struct err *err)
{
	CLEANUP(mem_closep) int own = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	CLEANUP(mem_closep) int theirs = open(net_ns, O_RDONLY | O_CLOEXEC);

	if (own < 0 || theirs < 0 || setns(theirs, CLONE_NEWNET) < 0)
		return err_set_errno(err, errno, "network namespace %s", net_ns);
	make_sockets(c);
	if (setns(own, CLONE_NEWNET) < 0)
		abort();
	return 0;
}

struct pod_connect *pod_connect_begin(struct loop *loop, const char *net_ns, uint16_t port,
				      void (*done)(int fd, const struct err *failure, void *arg), void *arg,
				      struct err *err)
{
	struct pod_connect *c = mem_zalloc(sizeof(*c));

	c->loop = loop;
	c->port = port;
	c->done = done;
	c->arg = arg;
	c->sockets[0] = c->sockets[1] = -1;
	c->task = (struct loop_task){ .fn = on_task, .arg = c };
	loop_timer_init(&c->timer, loop, on_timer, c);
	if (!net_ns)
		make_sockets(c);
	if ((net_ns && make_sockets_within(c, net_ns, err) < 0) ||
	    (c->sockets[0] < 0 && err_set_errno(err, errno, "socket"))) {
		pod_connect_cancel(c);
		return NULL;
	}
	loop_timer_arm(&c->timer, CONNECT_MS);
	loop_post(loop, &c->task);
	return c;
}
