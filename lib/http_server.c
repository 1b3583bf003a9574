#include "lib/http_server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lib/http_connection.h"
#include "lib/log.h"

#define MAX_CONNECTIONS  256
#define SILENCE_MS       32000
#define IDLE_MS          120000
#define ACCEPTS_PER_TURN 32
/* When no descriptor is left: others may be closed meanwhile. */
#define ACCEPT_PAUSE_MS 100
/* A step of a handshake, or the share that one connection sends, costs up to some hundred microseconds. Tasks
 * run twice in a turn. */
#define STEPS_PER_TASK 2

/* --- newcomers --- */

/* A connection for the server of another loop. */
struct newcomer {
	struct loop_letter letter;
	struct http_server *server;
	int fd;
};

static void on_newcomer(struct loop_letter *letter, void *arg)
{
	struct newcomer *newcomer = arg;
	struct http_server *server = newcomer->server;

	(void)letter;
	server->n_connections--; /* counted anew */
	http_server_adopt(server, newcomer->fd);
	free(newcomer);
}

static void hand_over(struct http_server *to, int fd)
{
	struct newcomer *newcomer = malloc(sizeof(*newcomer));

	if (!newcomer) {
		to->n_connections--;
		close(fd);
		return;
	}
	*newcomer =
	    (struct newcomer){ .letter = { .fn = on_newcomer, .arg = newcomer }, .server = to, .fd = fd };
	loop_inbox_post(to->inbox, &newcomer->letter);
}

void http_server_adopt(struct http_server *server, int fd)
{
	if (server->draining) {
		close(fd);
		return;
	}
	server->n_connections++;
	http_connection_new(server, fd);
}

static void accepted(struct http_server *server, int fd)
{
	struct http_server *to = http_listener_choose(server->opts.listener, server);

	if (!to) {
		close(fd);
	} else if (to == server) {
		server->n_connections--; /* counted anew */
		http_server_adopt(server, fd);
	} else {
		hand_over(to, fd);
	}
}

static void on_accept(struct loop_io *io, int listener, uint32_t events, void *arg)
{
	struct http_server *server = arg;

	(void)io;
	(void)events;
	for (int n = 0; n < ACCEPTS_PER_TURN; n++) {
		/* Nobody asks for the peer's address. */
		// cppcheck-suppress nullPointer
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd >= 0) {
			accepted(server, fd);
			continue;
		}
		if (errno == ECONNABORTED || errno == EINTR)
			continue;
		if (errno != EAGAIN) {
			/* No descriptors or no memory; or the listener is closed, and there is nothing to
			 * hear. */
			loop_io_free(TAKE(server->accept_io));
			if (errno != EINVAL)
				loop_timer_arm(&server->accept_pause, ACCEPT_PAUSE_MS);
		}
		return;
	}
}

static int listen_on(struct http_server *server, struct err *err)
{
	/* Exclusively: a newcomer wakes one loop, not all. */
	server->accept_io = loop_io_new(server->loop, http_listener_fd(server->opts.listener),
					EPOLLIN | EPOLLEXCLUSIVE, on_accept, server, err);
	return server->accept_io ? 0 : -1;
}

static void on_accept_pause(struct loop_timer *timer, void *arg)
{
	struct http_server *server = arg;

	if (!server->draining && listen_on(server, NULL) < 0)
		loop_timer_arm(timer, ACCEPT_PAUSE_MS);
}

/* --- what is long comes after those who are ready --- */

static void queue_run(struct loop_task *task, void *arg)
{
	struct http_queue *queue = arg;

	for (int n = 0; n < STEPS_PER_TASK && !TAILQ_EMPTY(&queue->connections); n++) {
		struct http_connection *connection = TAILQ_FIRST(&queue->connections);

		TAILQ_REMOVE(&queue->connections, connection, queue_link);
		connection->queue = NULL;
		queue->step(connection);
	}
	if (!TAILQ_EMPTY(&queue->connections))
		loop_post(queue->loop, task);
}

static void queue_init(struct http_queue *queue, struct loop *loop,
		       void (*step)(struct http_connection *connection))
{
	TAILQ_INIT(&queue->connections);
	queue->loop = loop;
	queue->task = (struct loop_task){ .fn = queue_run, .arg = queue };
	queue->step = step;
}

void http_queue_add(struct http_queue *queue, struct http_connection *connection)
{
	if (connection->queue)
		return;
	connection->queue = queue;
	TAILQ_INSERT_TAIL(&queue->connections, connection, queue_link);
	loop_post(queue->loop, &queue->task);
}

void http_server_forget(struct http_server *server, struct http_connection *connection)
{
	if (connection->queue)
		TAILQ_REMOVE(&connection->queue->connections, connection, queue_link);
	TAILQ_REMOVE(&server->connections, connection, link);
	server->n_connections--;
	if (server->draining && TAILQ_EMPTY(&server->connections))
		loop_post(server->loop, &server->empty_task);
}

/* RFC 9110 section 5.6.7. */
const char *http_server_date(struct http_server *server)
{
	time_t now = time(NULL);
	struct tm tm;

	if (now != server->date_s && gmtime_r(&now, &tm)) {
		strftime(server->date, sizeof(server->date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
		server->date_s = now;
	}
	return server->date;
}

/* --- life --- */

static void on_empty(struct loop_task *task, void *arg)
{
	struct http_server *server = arg;

	(void)task;
	if (server->empty && TAILQ_EMPTY(&server->connections))
		TAKE(server->empty)(server->empty_arg);
}

struct http_server *http_server_new(struct loop *loop, const struct http_server_opts *opts,
				    const struct http_handler *handler, void *arg, struct err *err)
{
	struct http_server *server = mem_zalloc(sizeof(*server));

	server->loop = loop;
	server->opts = *opts;
	if (!server->opts.max_connections)
		server->opts.max_connections = MAX_CONNECTIONS;
	if (!server->opts.silence_ms)
		server->opts.silence_ms = SILENCE_MS;
	if (!server->opts.idle_ms)
		server->opts.idle_ms = IDLE_MS;
	server->handler = handler;
	server->arg = arg;
	if (opts->credentials)
		server->credentials = http_credentials_ref(opts->credentials);
	TAILQ_INIT(&server->connections);
	queue_init(&server->shaking, loop, http_connection_shake);
	queue_init(&server->sending, loop, http_connection_run);
	server->empty_task = (struct loop_task){ .fn = on_empty, .arg = server };
	loop_timer_init(&server->accept_pause, loop, on_accept_pause, server);
	server->inbox = loop_inbox_new(loop, err);
	if (!server->inbox || (opts->listener && listen_on(server, err) < 0)) {
		http_server_free(server);
		return NULL;
	}
	if (opts->listener)
		http_listener_join(opts->listener, server);
	return server;
}

static void leave(struct http_server *server)
{
	if (server->opts.listener)
		http_listener_leave(server->opts.listener, server);
	loop_io_free(TAKE(server->accept_io));
	loop_timer_disarm(&server->accept_pause);
}

void http_server_free(struct http_server *server)
{
	struct http_connection *connection;

	if (!server)
		return;
	leave(server);
	server->draining = true;
	server->empty = NULL;
	while ((connection = TAILQ_FIRST(&server->connections)))
		http_connection_free(connection);
	loop_unpost(server->loop, &server->shaking.task);
	loop_unpost(server->loop, &server->sending.task);
	loop_unpost(server->loop, &server->empty_task);
	loop_inbox_free(server->inbox);
	http_credentials_unref(server->credentials);
	free(server);
}

struct loop *http_server_loop(const struct http_server *server)
{
	return server->loop;
}

struct loop_inbox *http_server_inbox(const struct http_server *server)
{
	return server->inbox;
}

size_t http_server_connections(const struct http_server *server)
{
	return server->n_connections;
}

void http_server_set_credentials(struct http_server *server, struct http_credentials *credentials)
{
	struct http_credentials *before = server->credentials;

	server->credentials = http_credentials_ref(credentials);
	http_credentials_unref(before);
}

void http_server_drain(struct http_server *server, void (*empty)(void *arg), void *arg)
{
	struct http_connection *connection;

	leave(server);
	server->draining = true;
	server->empty = empty;
	server->empty_arg = arg;
	TAILQ_FOREACH(connection, &server->connections, link)
	http_connection_drain(connection);
	loop_post(server->loop, &server->empty_task);
}

void http_server_cut(struct http_server *server)
{
	struct http_connection *connection;

	TAILQ_FOREACH(connection, &server->connections, link)
	http_connection_cut(connection);
}
