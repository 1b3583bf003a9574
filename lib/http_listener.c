#include "lib/http_listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/http_connection.h"

#define BACKLOG           4096
#define MEMBERS_MAX       64
#define KEEPALIVE_IDLE_S  30
#define KEEPALIVE_INTVL_S 10

struct http_listener {
	int fd;
	uint16_t port;
	pthread_mutex_t lock; /* over the members: some leave while others choose */
	struct http_server *members[MEMBERS_MAX];
	size_t n_members;
};

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static socklen_t parse(const char *text, uint16_t port, union address *ret)
{
	*ret = (union address){ 0 };
	if (inet_pton(AF_INET, text, &ret->v4.sin_addr) == 1) {
		ret->v4.sin_family = AF_INET;
		ret->v4.sin_port = htons(port);
		return sizeof(ret->v4);
	}
	if (inet_pton(AF_INET6, text, &ret->v6.sin6_addr) == 1) {
		ret->v6.sin6_family = AF_INET6;
		ret->v6.sin6_port = htons(port);
		return sizeof(ret->v6);
	}
	return 0;
}

/* Connections inherit them. */
static void set_options(int fd)
{
	static const struct {
		int level, name, value;
	} options[] = {
		{ SOL_SOCKET, SO_REUSEADDR, 1 },
		{ IPPROTO_TCP, TCP_NODELAY, 1 },
		{ SOL_SOCKET, SO_KEEPALIVE, 1 },
		{ IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S },
		{ IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTVL_S },
	};

	/* One that the kernel does not know is no reason to fail. */
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		setsockopt(fd, options[i].level, options[i].name, &options[i].value,
			   sizeof(options[i].value));
}

struct http_listener *http_listener_new(const char *address, uint16_t port, struct err *err)
{
	union address at;
	socklen_t len = parse(address, port, &at), bound_len = sizeof(at);

	if (!len) {
		err_set(err, ERR_BAD_REQUEST, "listen on %s: not an IP address", address);
		return NULL;
	}
	int fd = socket(at.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0)
		set_options(fd);
	if (fd < 0 || bind(fd, &at.any, len) < 0 || listen(fd, BACKLOG) < 0 ||
	    getsockname(fd, &at.any, &bound_len) < 0) {
		err_set_errno(err, errno, "listen on %s:%u", address, port);
		mem_closep(&fd);
		return NULL;
	}
	struct http_listener *listener = mem_zalloc(sizeof(*listener));
	listener->fd = fd;
	listener->port = ntohs(at.any.sa_family == AF_INET ? at.v4.sin_port : at.v6.sin6_port);
	pthread_mutex_init(&listener->lock, NULL);
	return listener;
}

void http_listener_free(struct http_listener *listener)
{
	if (!listener)
		return;
	close(listener->fd);
	pthread_mutex_destroy(&listener->lock);
	free(listener);
}

uint16_t http_listener_port(const struct http_listener *listener)
{
	return listener->port;
}

void http_listener_close(struct http_listener *listener)
{
	/* The descriptor stays until its servers have let go of it. */
	shutdown(listener->fd, SHUT_RDWR);
}

int http_listener_fd(const struct http_listener *listener)
{
	return listener->fd;
}

void http_listener_join(struct http_listener *listener, struct http_server *server)
{
	pthread_mutex_lock(&listener->lock);
	if (listener->n_members < MEMBERS_MAX)
		listener->members[listener->n_members++] = server;
	pthread_mutex_unlock(&listener->lock);
}

void http_listener_leave(struct http_listener *listener, struct http_server *server)
{
	pthread_mutex_lock(&listener->lock);
	for (size_t i = 0; i < listener->n_members; i++)
		if (listener->members[i] == server) {
			listener->members[i] = listener->members[--listener->n_members];
			break;
		}
	pthread_mutex_unlock(&listener->lock);
}

struct http_server *http_listener_choose(struct http_listener *listener, struct http_server *self)
{
	struct http_server *best = self;

	pthread_mutex_lock(&listener->lock);
	for (size_t i = 0; i < listener->n_members; i++)
		if (listener->members[i]->n_connections < best->n_connections)
			best = listener->members[i];
	if (best->n_connections < best->opts.max_connections)
		best->n_connections++;
	else
		best = NULL;
	pthread_mutex_unlock(&listener->lock);
	return best;
}
