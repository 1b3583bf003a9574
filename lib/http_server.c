#include "lib/http_server.h"

#include <errno.h>
#include <gnutls/x509.h>
#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/mem.h"
#include "lib/metrics.h"

#define MAX_CONNECTIONS 256
#define IDLE_SECONDS    120
#define STREAM_BLOCK    16384
#define TLS_PRIORITIES  "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

/*
 *   NEW ──body read──▶ DISPATCHED ──reply()──▶ ANSWERED ──sent, or peer gone──▶ freed
 *                        │    ▲                  │    ▲
 *            no answer   ▼    │ (resumed)        ▼    │ wake(), peer gone
 *            yet:      suspended               suspended: a stream without data
 *
 * libmicrohttpd asks again and again as long as it can write, so whoever has nothing to say is suspended. It
 * does not look at suspended connections; a stream's is watched by us for the peer to hang up. */
struct http_exchange {
	TAILQ_ENTRY(http_exchange) link;
	struct http_server *server;
	struct MHD_Connection *connection;
	const char *method; /* libmicrohttpd's */
	char *path;
	struct buf body;
	struct MHD_Response *response;
	unsigned code;
	struct header {
		char *name, *value;
	} * headers;
	size_t n_headers;
	bool dispatched;
	bool queued;
	bool suspended;
	bool aborted;
	ssize_t (*read)(char *buf, size_t size, void *arg);
	void (*closed)(void *arg);
	void *arg;
	bool woken;              /* since READ was last called */
	struct loop_io *hang_up; /* while a stream is suspended */
};
TAILQ_HEAD(exchange_list, http_exchange);

/* What is known of a connection's peer; judged at its first request that needs it. */
struct peer {
	bool judged;
	bool verified;
	char name[128];
};

struct http_server {
	struct loop *loop;
	struct MHD_Daemon *daemon;
	const struct http_route *routes;
	void *arg;
	size_t max_body_bytes;
	uint16_t port;
	char *cert_pem, *key_pem, *client_ca_pem;
	struct loop_io *io;
	struct loop_timer timer;
	struct loop_task task;
	struct exchange_list exchanges;
};

/* --- the daemon on the loop --- */

static void run(struct http_server *server)
{
	MHD_UNSIGNED_LONG_LONG timeout_ms;

	MHD_run(server->daemon);
	if (MHD_get_timeout(server->daemon, &timeout_ms) != MHD_YES)
		loop_timer_disarm(&server->timer);
	else if (timeout_ms == 0)
		loop_post(server->loop, &server->task);
	else
		loop_timer_arm(&server->timer, timeout_ms < 60000 ? (int64_t)timeout_ms : 60000);
}

static void on_ready(struct loop_io *io, int fd, uint32_t events, void *arg)
{
	(void)io;
	(void)fd;
	(void)events;
	run(arg);
}

static void on_timer(struct loop_timer *timer, void *arg)
{
	(void)timer;
	run(arg);
}

static void on_task(struct loop_task *task, void *arg)
{
	(void)task;
	run(arg);
}

static void suspend(struct http_exchange *exchange)
{
	exchange->suspended = true;
	MHD_suspend_connection(exchange->connection);
}

static void resume(struct http_exchange *exchange)
{
	if (!exchange->suspended)
		return;
	loop_io_free(TAKE(exchange->hang_up));
	exchange->suspended = false;
	MHD_resume_connection(exchange->connection);
	loop_post(exchange->server->loop, &exchange->server->task);
}

/* --- who asks --- */

static void on_connection(void *arg, struct MHD_Connection *connection, void **socket_context,
			  enum MHD_ConnectionNotificationCode code)
{
	(void)arg;
	(void)connection;
	if (code == MHD_CONNECTION_NOTIFY_STARTED)
		*socket_context = mem_zalloc(sizeof(struct peer));
	else
		free(*socket_context);
}

static void read_name(gnutls_session_t session, struct peer *peer)
{
	unsigned n = 0;
	const gnutls_datum_t *chain = gnutls_certificate_get_peers(session, &n);
	size_t size = sizeof(peer->name);
	gnutls_x509_crt_t certificate;

	if (!chain || n == 0 || gnutls_x509_crt_init(&certificate) < 0)
		return;
	if (gnutls_x509_crt_import(certificate, &chain[0], GNUTLS_X509_FMT_DER) < 0 ||
	    gnutls_x509_crt_get_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0, 0, peer->name, &size) <
		0)
		peer->name[0] = '\0';
	gnutls_x509_crt_deinit(certificate);
}

/* The handshake asks for a certificate but takes a peer without one, or with any: here it is judged. */
static const struct peer *peer_of(const struct http_exchange *exchange)
{
	static const struct peer nobody = { .judged = true };
	const union MHD_ConnectionInfo *context =
	    MHD_get_connection_info(exchange->connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	const union MHD_ConnectionInfo *tls =
	    MHD_get_connection_info(exchange->connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	gnutls_typed_vdata_st purpose = { .type = GNUTLS_DT_KEY_PURPOSE_OID,
					  .data = (unsigned char *)(uintptr_t)GNUTLS_KP_TLS_WWW_CLIENT };
	unsigned status = 0;

	if (!context || !context->socket_context || !tls || !tls->tls_session ||
	    !exchange->server->client_ca_pem)
		return &nobody;
	struct peer *peer = context->socket_context;
	if (peer->judged)
		return peer;
	peer->judged = true;
	peer->verified =
	    gnutls_certificate_verify_peers(tls->tls_session, &purpose, 1, &status) == 0 && status == 0;
	if (peer->verified)
		read_name(tls->tls_session, peer);
	return peer;
}

const char *http_exchange_client(const struct http_exchange *exchange)
{
	return peer_of(exchange)->name;
}

/* --- routes --- */

static void serve_health(struct http_exchange *exchange, void *arg)
{
	(void)arg;
	http_exchange_reply(exchange, 200, "text/plain; charset=utf-8", "ok", 2);
}

static void serve_metrics(struct http_exchange *exchange, void *arg)
{
	CLEANUP(buf_close) struct buf text = BUF_INIT;

	(void)arg;
	metrics_write(&text);
	http_exchange_reply(exchange, 200, "text/plain; version=0.0.4; charset=utf-8", text.data, text.len);
}

static const struct http_route own_routes[] = {
	{ "GET", "/livez", true, serve_health },
	{ "GET", "/readyz", true, serve_health },
	{ "GET", "/healthz", true, serve_health },
	{ "GET", "/metrics", false, serve_metrics },
	{ 0 },
};

static bool path_matches(const struct http_route *route, const char *path)
{
	size_t len = strlen(route->path);

	if (len > 0 && route->path[len - 1] == '/')
		return strncmp(route->path, path, len) == 0;
	return strcmp(route->path, path) == 0;
}

static bool method_matches(const struct http_route *route, const char *method)
{
	if (!route->method || strcmp(route->method, method) == 0)
		return true;
	/* libmicrohttpd leaves the body out itself. */
	return strcmp(method, "HEAD") == 0 && strcmp(route->method, "GET") == 0;
}

static void reply_text(struct http_exchange *exchange, int code, const char *text)
{
	http_exchange_reply(exchange, code, "text/plain; charset=utf-8", text, strlen(text));
}

static void dispatch(struct http_exchange *exchange)
{
	const struct http_route *tables[] = { exchange->server->routes, own_routes };
	bool path_known = false;

	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		for (const struct http_route *route = tables[i]; route && route->path; route++) {
			if (!path_matches(route, exchange->path))
				continue;
			path_known = true;
			if (!method_matches(route, exchange->method))
				continue;
			if (!route->open && !peer_of(exchange)->verified)
				reply_text(exchange, 401, "Unauthorized\n");
			else
				route->fn(exchange, tables[i] == own_routes ? NULL : exchange->server->arg);
			return;
		}
	}
	/* What there is, only those learn who may ask. */
	if (!peer_of(exchange)->verified)
		reply_text(exchange, 401, "Unauthorized\n");
	else if (path_known)
		reply_text(exchange, 405, "405 method not allowed\n");
	else
		reply_text(exchange, 404, "404 page not found\n");
}

/* --- exchanges --- */

static struct http_exchange *exchange_new(struct http_server *server, struct MHD_Connection *connection,
					  const char *method, const char *path)
{
	struct http_exchange *exchange = mem_zalloc(sizeof(*exchange));

	exchange->server = server;
	exchange->connection = connection;
	exchange->method = method;
	exchange->path = mem_dup(path);
	exchange->body = BUF_INIT_MAX(server->max_body_bytes ? server->max_body_bytes : 1);
	TAILQ_INSERT_TAIL(&server->exchanges, exchange, link);
	return exchange;
}

static void exchange_free(struct http_exchange *exchange)
{
	TAILQ_REMOVE(&exchange->server->exchanges, exchange, link);
	loop_io_free(exchange->hang_up);
	if (exchange->closed)
		exchange->closed(exchange->arg);
	if (exchange->response)
		MHD_destroy_response(exchange->response);
	for (size_t i = 0; i < exchange->n_headers; i++) {
		free(exchange->headers[i].name);
		free(exchange->headers[i].value);
	}
	free(exchange->headers);
	free(exchange->path);
	buf_close(&exchange->body);
	free(exchange);
}

static bool announces_too_much(const struct http_exchange *exchange)
{
	const char *length = http_exchange_header(exchange, MHD_HTTP_HEADER_CONTENT_LENGTH);

	return length && strtoull(length, NULL, 10) > exchange->server->max_body_bytes;
}

static enum MHD_Result queue(struct http_exchange *exchange)
{
	exchange->queued = true;
	return MHD_queue_response(exchange->connection, exchange->code, exchange->response);
}

/* Called with the head, then with each piece of the body, then with neither: then the route answers, or the
 * connection is suspended and all this is called once more when it does. */
static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *path,
				  const char *method, const char *version, const char *data, size_t *len,
				  void **context)
{
	struct http_exchange *exchange = *context;

	(void)version;
	if (!exchange) {
		exchange = *context = exchange_new(arg, connection, method, path);
		if (announces_too_much(exchange)) {
			exchange->dispatched = true;
			reply_text(exchange, 413, "Request entity too large\n");
			return queue(exchange);
		}
		return MHD_YES;
	}
	if (*len > 0) {
		if (exchange->server->max_body_bytes == 0)
			return MHD_NO;
		buf_add(&exchange->body, data, *len);
		*len = 0;
		/* Without an announced length there is no answering in the middle of it. */
		return exchange->body.failed ? MHD_NO : MHD_YES;
	}
	if (!exchange->dispatched) {
		exchange->dispatched = true;
		dispatch(exchange);
	}
	if (exchange->aborted)
		return MHD_NO;
	if (exchange->response)
		return queue(exchange);
	suspend(exchange);
	return MHD_YES;
}

static void on_completed(void *arg, struct MHD_Connection *connection, void **context,
			 enum MHD_RequestTerminationCode code)
{
	(void)arg;
	(void)connection;
	(void)code;
	if (*context)
		exchange_free(*context);
	*context = NULL;
}

const char *http_exchange_method(const struct http_exchange *exchange)
{
	return exchange->method;
}

const char *http_exchange_path(const struct http_exchange *exchange)
{
	return exchange->path;
}

const char *http_exchange_body(const struct http_exchange *exchange, size_t *ret_len)
{
	if (ret_len)
		*ret_len = exchange->body.len;
	return exchange->body.data ? exchange->body.data : "";
}

const char *http_exchange_header(const struct http_exchange *exchange, const char *name)
{
	return MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND, name);
}

const char *http_exchange_query(const struct http_exchange *exchange, const char *key)
{
	return MHD_lookup_connection_value(exchange->connection, MHD_GET_ARGUMENT_KIND, key);
}

void http_exchange_add_header(struct http_exchange *exchange, const char *name, const char *value)
{
	exchange->headers =
	    mem_realloc_array(exchange->headers, exchange->n_headers + 1, sizeof(*exchange->headers));
	exchange->headers[exchange->n_headers++] =
	    (struct header){ .name = mem_dup(name), .value = mem_dup(value) };
}

static void answer(struct http_exchange *exchange, int code, const char *content_type,
		   struct MHD_Response *response)
{
	if (!response)
		abort(); /* as mem_alloc does */
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
	for (size_t i = 0; i < exchange->n_headers; i++)
		MHD_add_response_header(response, exchange->headers[i].name, exchange->headers[i].value);
	exchange->code = (unsigned)code;
	exchange->response = response;
	resume(exchange);
}

void http_exchange_reply(struct http_exchange *exchange, int code, const char *content_type, const void *data,
			 size_t len)
{
	/* libmicrohttpd copies and does not write. */
	answer(exchange, code, content_type,
	       mem_checked(
		   MHD_create_response_from_buffer(len, (void *)(uintptr_t)data, MHD_RESPMEM_MUST_COPY)));
}

void http_exchange_abort(struct http_exchange *exchange)
{
	exchange->aborted = true;
	resume(exchange);
}

/* --- streams --- */

static void on_hang_up(struct loop_io *io, int fd, uint32_t events, void *arg)
{
	(void)io;
	(void)fd;
	(void)events;
	http_exchange_abort(arg);
}

static ssize_t on_stream(void *arg, uint64_t position, char *buf, size_t size)
{
	struct http_exchange *exchange = arg;
	const union MHD_ConnectionInfo *info;
	ssize_t n;

	(void)position;
	do {
		exchange->woken = false;
		if (exchange->aborted)
			return MHD_CONTENT_READER_END_WITH_ERROR;
		n = exchange->read(buf, size, exchange->arg);
	} while (n == 0 && exchange->woken);
	if (n < 0)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (n > 0)
		return n;
	info = MHD_get_connection_info(exchange->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	if (info)
		exchange->hang_up = loop_io_new(exchange->server->loop, info->connect_fd, EPOLLRDHUP,
						on_hang_up, exchange, NULL);
	suspend(exchange);
	return 0;
}

void http_exchange_stream(struct http_exchange *exchange, const char *content_type,
			  ssize_t (*read_fn)(char *buf, size_t size, void *arg), void (*closed)(void *arg),
			  void *arg)
{
	exchange->read = read_fn;
	exchange->closed = closed;
	exchange->arg = arg;
	answer(exchange, 200, content_type,
	       mem_checked(MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK, on_stream,
							     exchange, NULL)));
}

void http_exchange_wake(struct http_exchange *exchange)
{
	exchange->woken = true;
	if (exchange->queued)
		resume(exchange);
}

/* --- server --- */

static int listen_on(const char *address, uint16_t port, uint16_t *ret_port, struct err *err)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_PASSIVE },
			*found;
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} bound = { 0 };
	socklen_t len = sizeof(bound);
	char service[8];
	int one = 1;

	snprintf(service, sizeof(service), "%u", port);
	int failure = getaddrinfo(address, service, &hints, &found);
	if (failure != 0)
		return err_set(err, ERR_BAD_REQUEST, "listen address %s: %s", address, gai_strerror(failure));
	CLEANUP(mem_closep) int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool good = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == 0 &&
		    bind(fd, found->ai_addr, found->ai_addrlen) == 0 && listen(fd, 128) == 0 &&
		    getsockname(fd, &bound.any, &len) == 0;
	int errnum = errno;
	freeaddrinfo(found);
	if (!good)
		return err_set_errno(err, errnum, "listen on %s:%u", address, port);
	*ret_port = ntohs(bound.any.sa_family == AF_INET6 ? bound.v6.sin6_port : bound.v4.sin_port);
	int ret = fd;
	fd = -1;
	return ret;
}

static struct MHD_Daemon *start_daemon(struct http_server *server, unsigned max_connections, int fd)
{
	struct MHD_OptionItem trust[] = {
		{ server->client_ca_pem ? MHD_OPTION_HTTPS_MEM_TRUST : MHD_OPTION_END, 0,
		  server->client_ca_pem },
		{ MHD_OPTION_END, 0, NULL },
	};

	return MHD_start_daemon(
	    MHD_USE_EPOLL | MHD_USE_TLS | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request, server,
	    MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_HTTPS_MEM_CERT, server->cert_pem,
	    MHD_OPTION_HTTPS_MEM_KEY, server->key_pem, MHD_OPTION_HTTPS_PRIORITIES, TLS_PRIORITIES,
	    MHD_OPTION_CONNECTION_LIMIT, max_connections, MHD_OPTION_CONNECTION_TIMEOUT,
	    (unsigned)IDLE_SECONDS, MHD_OPTION_NOTIFY_COMPLETED, on_completed, server,
	    MHD_OPTION_NOTIFY_CONNECTION, on_connection, server, MHD_OPTION_ARRAY, trust, MHD_OPTION_END);
}

struct http_server *http_server_new(struct loop *loop, const struct http_server_opts *opts,
				    const struct http_route *routes, void *arg, struct err *err)
{
	uint16_t port = 0;
	CLEANUP(mem_closep) int fd = listen_on(opts->address, opts->port, &port, err);
	const union MHD_DaemonInfo *info;

	if (fd < 0)
		return NULL;
	struct http_server *server = mem_zalloc(sizeof(*server));
	server->loop = loop;
	server->routes = routes;
	server->arg = arg;
	server->max_body_bytes = opts->max_body_bytes;
	server->port = port;
	server->cert_pem = mem_dup(opts->cert_pem);
	server->key_pem = mem_dup(opts->key_pem);
	server->client_ca_pem = mem_dup(opts->client_ca_pem);
	TAILQ_INIT(&server->exchanges);
	loop_timer_init(&server->timer, loop, on_timer, server);
	server->task = (struct loop_task){ .fn = on_task, .arg = server };
	server->daemon =
	    start_daemon(server, opts->max_connections ? opts->max_connections : MAX_CONNECTIONS, fd);
	if (!server->daemon) {
		err_set(err, ERR_INTERNAL,
			"HTTPS server on %s:%u: certificate, key or client CA cannot be used", opts->address,
			port);
		http_server_free(server);
		return NULL;
	}
	fd = -1; /* the daemon's */
	info = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	server->io = loop_io_new(loop, info->listen_fd, EPOLLIN, on_ready, server, err);
	if (!server->io) {
		http_server_free(server);
		return NULL;
	}
	return server;
}

void http_server_free(struct http_server *server)
{
	struct http_exchange *exchange;

	if (!server)
		return;
	/* The daemon cannot stop while connections are suspended. */
	TAILQ_FOREACH(exchange, &server->exchanges, link)
	http_exchange_abort(exchange);
	loop_io_free(server->io);
	loop_timer_disarm(&server->timer);
	loop_unpost(server->loop, &server->task);
	if (server->daemon)
		MHD_stop_daemon(server->daemon);
	free(server->cert_pem);
	if (server->key_pem)
		explicit_bzero(server->key_pem, strlen(server->key_pem));
	free(server->key_pem);
	free(server->client_ca_pem);
	free(server);
}

uint16_t http_server_port(const struct http_server *server)
{
	return server->port;
}
