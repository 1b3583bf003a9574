#include "lib/http_multi.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/mem.h"

/* libcurl drops its interest in a connection's socket after each exchange and takes it up again with the
 * next. For a kept connection that would be two epoll_ctl calls per request, so a socket that we made stays
 * watched (`wanted` 0) until it says something in that time or is closed. Sockets that libcurl made itself
 * (its resolver's) are closed behind our back and are dropped at once. So is one of ours whose connection
 * failed or was given up before it stood: libcurl closes it without the callback and only drops its interest
 * afterwards. Its number then is free or somebody else's, which the inode tells: watched on, it would take
 * the other's events. */
struct http_socket {
	struct http_multi *multi;
	struct loop_io *io;
	uint32_t watched; /* what the loop watches */
	uint32_t wanted;  /* what libcurl asked for */
	bool ours;
	ino_t inode; /* of the socket, when it is ours */
};

static void run(struct http_multi *m, curl_socket_t fd, int events)
{
	int running;

	m->inside++;
	curl_multi_socket_action(m->multi, fd, events, &running);
	m->inside--;
	m->turned(m->arg); /* m may be gone */
}

static void socket_ready(struct loop_io *io, int fd, uint32_t events, void *arg)
{
	struct http_socket *s = arg;
	int bits = 0;

	(void)io;
	if (s->wanted == 0) {
		/* The peer closed an idle connection or sent what nobody asked for: libcurl finds out when
		 * it looks at the connection next. */
		loop_io_free(TAKE(s->io));
		s->watched = 0;
		return;
	}
	if (events & EPOLLIN)
		bits |= CURL_CSELECT_IN;
	if (events & EPOLLOUT)
		bits |= CURL_CSELECT_OUT;
	if (events & (EPOLLERR | EPOLLHUP))
		bits |= CURL_CSELECT_ERR;
	run(s->multi, fd, bits);
}

static struct http_socket *socket_get(struct http_multi *m, int fd)
{
	size_t index = (size_t)fd;

	if (index >= m->n_sockets) {
		size_t n = index + 32;

		m->sockets = mem_realloc_array(m->sockets, n, sizeof(*m->sockets));
		memset(m->sockets + m->n_sockets, 0, (n - m->n_sockets) * sizeof(*m->sockets));
		m->n_sockets = n;
	}
	if (!m->sockets[index]) {
		m->sockets[index] = mem_zalloc(sizeof(struct http_socket));
		m->sockets[index]->multi = m;
	}
	return m->sockets[index];
}

static void socket_drop(struct http_multi *m, int fd)
{
	if (fd < 0 || (size_t)fd >= m->n_sockets || !m->sockets[fd])
		return;
	loop_io_free(m->sockets[fd]->io);
	free(TAKE(m->sockets[fd]));
}

static bool is_closed(int fd, const struct http_socket *s)
{
	struct stat st;

	return fstat(fd, &st) < 0 || st.st_ino != s->inode;
}

static int socket_changed(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
	struct http_multi *m = arg;
	struct http_socket *s = socket_get(m, fd);
	struct err err = ERR_INIT;

	(void)easy;
	(void)socket_arg;
	s->wanted = 0;
	if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
		s->wanted |= EPOLLIN;
	if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
		s->wanted |= EPOLLOUT;
	if (s->wanted == 0) {
		if (!s->ours || is_closed(fd, s)) {
			socket_drop(m, fd);
		} else if (s->io && (s->watched & EPOLLOUT)) {
			/* An idle connection can always be written to. */
			loop_io_set(s->io, EPOLLIN);
			s->watched = EPOLLIN;
		}
		return 0;
	}
	if (s->io && s->watched == s->wanted)
		return 0;
	if (s->io) {
		loop_io_set(s->io, s->wanted);
	} else {
		s->io = loop_io_new(m->loop, fd, s->wanted, socket_ready, s, &err);
		if (!s->io) {
			log_error("a connection cannot be watched", "error", err.msg, NULL);
			s->watched = 0;
			return -1;
		}
	}
	s->watched = s->wanted;
	return 0;
}

static curl_socket_t socket_open(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct http_multi *m = arg;
	int fd = socket(address->family, address->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, address->protocol);
	struct stat st;

	(void)purpose;
	if (fd < 0)
		return CURL_SOCKET_BAD;
	socket_drop(m, fd);
	struct http_socket *s = socket_get(m, fd);
	s->ours = fstat(fd, &st) == 0;
	s->inode = s->ours ? st.st_ino : 0;
	return fd;
}

static int socket_close(void *arg, curl_socket_t fd)
{
	socket_drop(arg, fd);
	return close(fd);
}

static void timer_due(struct loop_timer *timer, void *arg)
{
	(void)timer;
	run(arg, CURL_SOCKET_TIMEOUT, 0);
}

static void task_due(struct loop_task *task, void *arg)
{
	(void)task;
	run(arg, CURL_SOCKET_TIMEOUT, 0);
}

static int timeout_changed(CURLM *multi, long timeout_ms, void *arg)
{
	struct http_multi *m = arg;

	(void)multi;
	loop_timer_disarm(&m->timer);
	if (timeout_ms == 0)
		loop_post(m->loop, &m->task);
	else if (timeout_ms > 0)
		loop_timer_arm(&m->timer, timeout_ms);
	return 0;
}

int http_multi_init(struct http_multi *m, struct loop *loop, long max_connections, void (*turned)(void *arg),
		    void *arg, struct err *err)
{
	CURLM *multi = curl_multi_init();

	if (!multi)
		return err_set(err, ERR_INTERNAL, "HTTP client: out of memory");
	*m = (struct http_multi){ .loop = loop, .multi = multi, .turned = turned, .arg = arg };
	loop_timer_init(&m->timer, loop, timer_due, m);
	m->task = (struct loop_task){ .fn = task_due, .arg = m };
	curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, socket_changed);
	curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, m);
	curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, timeout_changed);
	curl_multi_setopt(multi, CURLMOPT_TIMERDATA, m);
	curl_multi_setopt(multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
	curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, max_connections);
	/* How many are kept when idle; the default follows the number of transfers and closes the rest. */
	curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, max_connections);
	return 0;
}

void http_multi_close(struct http_multi *m)
{
	if (!m->multi)
		return;
	m->inside++;
	curl_multi_cleanup(TAKE(m->multi));
	m->inside--;
	loop_timer_disarm(&m->timer);
	loop_unpost(m->loop, &m->task);
	for (size_t i = 0; i < m->n_sockets; i++)
		socket_drop(m, (int)i);
	free(TAKE(m->sockets));
	m->n_sockets = 0;
}

void http_multi_prepare(struct http_multi *m, CURL *easy)
{
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, socket_open);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, m);
	curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, socket_close);
	curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, m);
}
