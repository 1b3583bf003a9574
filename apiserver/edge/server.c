#include "apiserver/edge/server.h"
#include "apiserver/admission/policies.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "apiserver/authn/certificate.h"
#include "apiserver/edge/attendant.h"
#include "apiserver/edge/log_proxy.h"
#include "apiserver/edge/request.h"
#include "lib/log.h"

/* Of one connection: header lines, and what a stream writes at once. */
#define CONNECTION_MEMORY (16 * 1024)
#define IDLE_TIMEOUT_S    120u
/* As Kubernetes: for the handshake and the header of the first request; for a request in all. */
#define SILENCE_MS   32000
#define ANSWER_MS    60000
#define STOP_GRACE_S 2
#define TLS_PRIORITY "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:%SERVER_PRECEDENCE"

static PRINTF_LIKE(2, 0) void server_log(void *cls, const char *format, va_list ap)
{
	(void)cls;
	char text[256];
	vsnprintf(text, sizeof(text), format, ap);
	text[strcspn(text, "\n")] = '\0';
	log_debug("http", "message", text, NULL);
}

static struct connection *connection_new(struct MHD_Connection *connection)
{
	struct connection *known = mem_zalloc(sizeof(*known));
	const union MHD_ConnectionInfo *session =
	    MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	const union MHD_ConnectionInfo *fd =
	    MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	transport_init(&known->transport, session->tls_session, fd->connect_fd);
	return known;
}

static void connection_notify(void *cls, struct MHD_Connection *connection, void **socket_context,
			      enum MHD_ConnectionNotificationCode what)
{
	struct server *server = cls;
	struct connection *known = *socket_context;
	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		*socket_context = known = connection_new(connection);
		attend_begin_cut(&known->silence, server->attendant, connection, server->silence_ms);
		known->silent = true;
	} else if (known) {
		if (known->silent)
			attend_end(&known->silence);
		identity_unref(known->certificate);
		transport_close(&known->transport);
		free(known);
		*socket_context = NULL;
	}
}

static struct connection *connection_known(struct MHD_Connection *connection)
{
	return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

void server_connection_speaks(struct MHD_Connection *connection)
{
	struct connection *known = connection_known(connection);
	if (!known->silent)
		return;
	attend_end(&known->silence);
	known->silent = false;
}

/* The handshake is over when the first request is read; what its certificate says holds as long as the
 * connection. */
struct identity *server_certificate(struct server *server, struct MHD_Connection *connection)
{
	struct connection *known = connection_known(connection);
	if (!known->certificate_checked && server->client_ca_pem) {
		known->certificate_checked = true;
		known->certificate = certificate_identity(known->transport.session);
	}
	return known->certificate;
}

void server_hold_head(struct MHD_Connection *connection)
{
	transport_hold(&connection_known(connection)->transport);
}

void server_busy(struct server *server)
{
	pthread_mutex_lock(&server->lock);
	server->busy++;
	pthread_mutex_unlock(&server->lock);
}

void server_unbusy(struct server *server)
{
	pthread_mutex_lock(&server->lock);
	if (--server->busy == 0)
		pthread_cond_signal(&server->idle);
	pthread_mutex_unlock(&server->lock);
}

static int listen_on(const char *address, uint16_t port, struct err *err)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} at = { 0 };
	socklen_t len;
	if (inet_pton(AF_INET, address, &at.v4.sin_addr) == 1) {
		at.v4.sin_family = AF_INET;
		at.v4.sin_port = htons(port);
		len = sizeof(at.v4);
	} else if (inet_pton(AF_INET6, address, &at.v6.sin6_addr) == 1) {
		at.v6.sin6_family = AF_INET6;
		at.v6.sin6_port = htons(port);
		len = sizeof(at.v6);
	} else {
		return err_set(err, ERR_BAD_REQUEST, "listen on %s: not an IP address", address);
	}
	int fd = socket(at.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int on = 1;
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0 || bind(fd, &at.any, len) < 0 ||
	    listen(fd, 1024) < 0) {
		err_set_errno(err, errno, "listen on %s:%u", address, port);
		mem_closep(&fd);
		return -1;
	}
	return fd;
}

static uint16_t bound_port(int fd)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} at = { 0 };
	socklen_t len = sizeof(at);
	if (getsockname(fd, &at.any, &len) < 0)
		return 0;
	return ntohs(at.any.sa_family == AF_INET ? at.v4.sin_port : at.v6.sin6_port);
}

/* Connections are what the descriptors of the process limit. */
static unsigned connection_limit(unsigned wanted)
{
	struct rlimit files;
	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		return wanted;
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	getrlimit(RLIMIT_NOFILE, &files);
	const rlim_t others = 128;
	rlim_t room = files.rlim_cur > 2 * others ? files.rlim_cur - others : others;
	return room < wanted ? (unsigned)room : wanted;
}

/* libmicrohttpd says no more than that something is wrong with them, or nothing. */
static int check_credentials(const struct server_opts *opts, struct err *err)
{
	gnutls_certificate_credentials_t credentials;
	gnutls_datum_t cert = { (unsigned char *)(uintptr_t)opts->cert_pem,
				(unsigned)strlen(opts->cert_pem) };
	gnutls_datum_t key = { (unsigned char *)(uintptr_t)opts->key_pem, (unsigned)strlen(opts->key_pem) };
	if (gnutls_certificate_allocate_credentials(&credentials) < 0)
		return err_set(err, ERR_INTERNAL, "certificates: out of memory");
	int pair = gnutls_certificate_set_x509_key_mem(credentials, &cert, &key, GNUTLS_X509_FMT_PEM),
	    trusted = 1;
	if (opts->client_ca_pem) {
		gnutls_datum_t ca = { (unsigned char *)(uintptr_t)opts->client_ca_pem,
				      (unsigned)strlen(opts->client_ca_pem) };
		trusted = gnutls_certificate_set_x509_trust_mem(credentials, &ca, GNUTLS_X509_FMT_PEM);
	}
	gnutls_certificate_free_credentials(credentials);
	if (pair < 0)
		return err_set(err, ERR_BAD_REQUEST, "certificate and key of the server: %s",
			       gnutls_strerror(pair));
	if (trusted <= 0)
		return err_set(err, ERR_BAD_REQUEST, "authority of client certificates: %s",
			       trusted ? gnutls_strerror(trusted) : "no certificate in it");
	return 0;
}

static struct MHD_Daemon *daemon_start(struct server *server, const struct server_opts *opts, int fd)
{
	unsigned threads = opts->threads ? opts->threads : 2;
	unsigned limit = connection_limit(opts->max_connections ? opts->max_connections : 25000);
	struct MHD_OptionItem trust[] = {
		{ MHD_OPTION_HTTPS_MEM_TRUST, 0, server->client_ca_pem },
		{ MHD_OPTION_END, 0, NULL },
	};
	if (!server->client_ca_pem)
		trust[0].option = MHD_OPTION_END;
	return MHD_start_daemon(
	    MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_TLS | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0,
	    NULL, NULL, request_access, server, MHD_OPTION_EXTERNAL_LOGGER, server_log, NULL,
	    MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_THREAD_POOL_SIZE, threads, MHD_OPTION_CONNECTION_LIMIT,
	    limit > threads ? limit : threads, MHD_OPTION_CONNECTION_TIMEOUT, IDLE_TIMEOUT_S,
	    MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
	    MHD_OPTION_CONNECTION_MEMORY_INCREMENT, (size_t)4096, MHD_OPTION_STRICT_FOR_CLIENT, 1,
	    MHD_OPTION_URI_LOG_CALLBACK, request_target, server, MHD_OPTION_NOTIFY_COMPLETED,
	    request_completed, server, MHD_OPTION_NOTIFY_CONNECTION, connection_notify, server,
	    MHD_OPTION_HTTPS_MEM_CERT, server->cert_pem, MHD_OPTION_HTTPS_MEM_KEY, server->key_pem,
	    MHD_OPTION_HTTPS_PRIORITIES, TLS_PRIORITY, MHD_OPTION_ARRAY, trust, MHD_OPTION_END);
}

static void server_free(struct server *server)
{
	log_proxy_free(server->log_proxy);
	policies_free(server->policies);
	attendant_free(server->attendant);
	pthread_mutex_destroy(&server->lock);
	pthread_cond_destroy(&server->idle);
	free(server->cert_pem);
	free(server->key_pem);
	free(server->client_ca_pem);
	free(server);
}

int server_new(const struct server_opts *opts, struct server **ret, struct err *err)
{
	struct server *server = mem_zalloc(sizeof(*server));
	server->core = opts->core;
	server->authn = opts->authn;
	server->policies = policies_new(opts->core);
	server->authz = opts->authz;
	server->cert_pem = mem_dup(opts->cert_pem);
	server->key_pem = mem_dup(opts->key_pem);
	server->client_ca_pem = mem_dup(opts->client_ca_pem);
	server->max_reads = opts->max_reads ? opts->max_reads : 400;
	server->max_writes = opts->max_writes ? opts->max_writes : 200;
	server->silence_ms = opts->silence_ms ? opts->silence_ms : SILENCE_MS;
	server->answer_ms = opts->answer_ms ? opts->answer_ms : ANSWER_MS;
	pthread_mutex_init(&server->lock, NULL);
	pthread_cond_init(&server->idle, NULL);
	int fd = -1;
	if (check_credentials(opts, err) < 0 || attendant_new(&server->attendant, err) < 0 ||
	    log_proxy_new(&opts->kubelet, &server->log_proxy, err) < 0 ||
	    (fd = listen_on(opts->address, opts->port, err)) < 0) {
		server_free(server);
		return -1;
	}
	server->port = bound_port(fd);
	server->daemon = daemon_start(server, opts, fd);
	if (!server->daemon) {
		close(fd);
		server_free(server);
		return err_set(err, ERR_SYSTEM, "the HTTPS server does not start");
	}
	*ret = server;
	return 0;
}

uint16_t server_port(const struct server *server)
{
	return server->port;
}

void server_stop_and_free(struct server *server)
{
	if (!server)
		return;
	int fd = MHD_quiesce_daemon(server->daemon);
	server->stopping = true;
	attendant_hang_up_all(server->attendant);
	/* libmicrohttpd must not be stopped with suspended connections. Streams end in order when their peers
	 * read; those that do not are cut off. */
	pthread_mutex_lock(&server->lock);
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += STOP_GRACE_S;
	int waited = 0;
	while (server->busy && waited == 0)
		waited = pthread_cond_timedwait(&server->idle, &server->lock, &until);
	pthread_mutex_unlock(&server->lock);
	attendant_cut_all(server->attendant);
	pthread_mutex_lock(&server->lock);
	while (server->busy)
		pthread_cond_wait(&server->idle, &server->lock);
	pthread_mutex_unlock(&server->lock);
	MHD_stop_daemon(server->daemon);
	if (fd >= 0)
		close(fd);
	server_free(server);
}
