#include "bench/tls_client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <gnutls/gnutls.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/bench.h"
#include "lib/buf.h"
#include "lib/mem.h"

enum { READ_BYTES = 32 * 1024, MAX_HEAD_BYTES = 16 * 1024 };

struct tls_client {
	struct loop *loop;
	const struct tls_events *events;
	gnutls_certificate_credentials_t credentials;
	struct sockaddr_in address;
	char *headers; /* of every request */
	char input[READ_BYTES];
};

/* What comes next on a connection:
 *
 *   HANDSHAKE ─▶ IDLE ─send─▶ HEAD ─▶ BODY ─▶ IDLE
 *                               └─▶ CHUNK_SIZE ⇄ CHUNK_DATA      size 0 ─▶ TRAILER ─▶ IDLE
 */
enum conn_state { HANDSHAKE, IDLE, HEAD, BODY, CHUNK_SIZE, CHUNK_DATA, TRAILER };

struct tls_conn {
	struct tls_client *client;
	void *arg;
	int fd;
	gnutls_session_t session;
	struct loop_io *io;
	uint32_t awaited; /* what IO watches */
	enum conn_state state;
	int code;
	size_t left;       /* of the body or the chunk, its line end included */
	struct buf text;   /* the unfinished head, size line or line of a stream */
	struct buf size;   /* the unfinished size line */
	struct buf output; /* what does not go out at once */
};

/* --- opening and closing --- */

static void set_address(struct tls_client *client, const char *server)
{
	const char *host = strncmp(server, "https://", 8) == 0 ? server + 8 : server;
	const char *colon = strrchr(host, ':');
	CLEANUP(mem_freep) char *name = colon ? mem_dupn(host, (size_t)(colon - host)) : mem_dup(host);

	client->address.sin_family = AF_INET;
	client->address.sin_port = htons((uint16_t)(colon ? strtoul(colon + 1, NULL, 10) : 443));
	if (inet_pton(AF_INET, name, &client->address.sin_addr) != 1)
		bench_die("%s is no https://IPV4-ADDRESS:PORT", server);
}

static gnutls_datum_t datum(const char *text)
{
	return (gnutls_datum_t){ (unsigned char *)(uintptr_t)text, (unsigned)strlen(text) };
}

struct tls_client *tls_client_new(struct loop *loop, const struct kubeconfig *config,
				  const struct tls_events *events)
{
	struct tls_client *client = mem_zalloc(sizeof(*client));

	client->loop = loop;
	client->events = events;
	set_address(client, config->server);
	gnutls_certificate_allocate_credentials(&client->credentials);
	if (config->cert_pem && config->key_pem) {
		gnutls_datum_t cert = datum(config->cert_pem), key = datum(config->key_pem);

		if (gnutls_certificate_set_x509_key_mem(client->credentials, &cert, &key,
							GNUTLS_X509_FMT_PEM) < 0)
			bench_die("the client certificate cannot be used");
	}
	client->headers = mem_printf("Host: localhost\r\nAccept: application/json\r\n%s%s%s",
				     config->token ? "Authorization: Bearer " : "",
				     config->token ? config->token : "", config->token ? "\r\n" : "");
	return client;
}

void tls_client_free(struct tls_client *client)
{
	gnutls_certificate_free_credentials(client->credentials);
	free(client->headers);
	free(client);
}

static void io_ready(struct loop_io *io, int fd, uint32_t events, void *arg);

struct tls_conn *tls_conn_new(struct tls_client *client, void *arg)
{
	struct tls_conn *conn = mem_zalloc(sizeof(*conn));
	struct err err = ERR_INIT;

	conn->client = client;
	conn->arg = arg;
	conn->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (conn->fd < 0 ||
	    (connect(conn->fd, (struct sockaddr *)&client->address, sizeof(client->address)) < 0 &&
	     errno != EINPROGRESS))
		bench_die("connect: %s", strerror(errno));
	gnutls_init(&conn->session, GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL);
	gnutls_set_default_priority(conn->session);
	gnutls_credentials_set(conn->session, GNUTLS_CRD_CERTIFICATE, client->credentials);
	gnutls_transport_set_int(conn->session, conn->fd);
	conn->awaited = EPOLLOUT;
	conn->io = loop_io_new(client->loop, conn->fd, conn->awaited, io_ready, conn, &err);
	if (!conn->io)
		bench_die("%s", err.msg);
	return conn;
}

void tls_conn_close(struct tls_conn *conn)
{
	loop_io_free(conn->io);
	gnutls_deinit(conn->session);
	close(conn->fd);
	buf_close(&conn->text);
	buf_close(&conn->size);
	buf_close(&conn->output);
	free(conn);
}

/* --- sending --- */

static void await(struct tls_conn *conn, uint32_t events)
{
	if (conn->awaited == events)
		return;
	conn->awaited = events;
	loop_io_set(conn->io, events);
}

static void flush(struct tls_conn *conn)
{
	while (conn->output.len > 0) {
		ssize_t n = gnutls_record_send(conn->session, conn->output.data, conn->output.len);

		if (n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED)
			break;
		if (n < 0)
			bench_die("send: %s", gnutls_strerror((int)n));
		buf_consume(&conn->output, (size_t)n);
	}
	await(conn, conn->output.len > 0 ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

void tls_conn_send(struct tls_conn *conn, const char *method, const char *path, const char *body,
		   size_t body_len)
{
	buf_printf(&conn->output, "%s %s HTTP/1.1\r\n%s", method, path, conn->client->headers);
	if (body)
		buf_printf(&conn->output, "Content-Type: application/json\r\nContent-Length: %zu\r\n",
			   body_len);
	buf_str(&conn->output, "\r\n");
	buf_add(&conn->output, body, body ? body_len : 0);
	conn->state = HEAD;
	flush(conn);
}

/* --- receiving --- */

static void whole(struct tls_conn *conn)
{
	conn->state = IDLE;
	buf_reset(&conn->text);
	conn->client->events->answered(conn, conn->code, conn->arg);
}

static const char *header(const char *head, const char *name)
{
	size_t len = strlen(name);

	for (const char *line = strstr(head, "\r\n"); line; line = strstr(line + 2, "\r\n"))
		if (strncasecmp(line + 2, name, len) == 0)
			return line + 2 + len + strspn(line + 2 + len, ": ");
	return NULL;
}

static void read_head(struct tls_conn *conn)
{
	const char *head = conn->text.data, *length = header(head, "Content-Length");
	const char *coding = header(head, "Transfer-Encoding");

	conn->code = strncmp(head, "HTTP/1.1 ", 9) == 0 ? atoi(head + 9) : 0;
	if (conn->code < 200)
		bench_die("the server sent what is no answer: %.80s", head);
	conn->left = length ? strtoul(length, NULL, 10) : 0;
	conn->state = coding && strncasecmp(coding, "chunked", 7) == 0 ? CHUNK_SIZE : BODY;
	buf_reset(&conn->text);
	if (conn->state == BODY && conn->left == 0)
		whole(conn);
}

/* Takes up to and with the empty line; how many bytes that were. */
static size_t take_head(struct tls_conn *conn, const char *data, size_t len)
{
	size_t had = conn->text.len, from = had > 3 ? had - 3 : 0;

	if (had + len > MAX_HEAD_BYTES)
		len = MAX_HEAD_BYTES - had;
	buf_add(&conn->text, data, len);
	char *end = memmem(conn->text.data + from, conn->text.len - from, "\r\n\r\n", 4);
	if (!end && conn->text.len == MAX_HEAD_BYTES)
		bench_die("the head of an answer is longer than %d bytes", MAX_HEAD_BYTES);
	if (!end)
		return len;
	size_t used = (size_t)(end - conn->text.data) + 4 - had;
	end[2] = '\0';
	read_head(conn);
	return used;
}

static void take_lines(struct tls_conn *conn, const char *data, size_t len)
{
	const char *end;

	if (!conn->client->events->line)
		return;
	while (len > 0 && (end = memchr(data, '\n', len))) {
		size_t n = (size_t)(end - data);

		buf_add(&conn->text, data, n);
		conn->client->events->line(conn, conn->text.data ? conn->text.data : "", conn->text.len,
					   conn->arg);
		buf_reset(&conn->text);
		data += n + 1;
		len -= n + 1;
	}
	buf_add(&conn->text, data, len);
}

static size_t take_size(struct tls_conn *conn, const char *data, size_t len)
{
	const char *end = memchr(data, '\n', len);
	size_t n = end ? (size_t)(end - data) + 1 : len;

	buf_add(&conn->size, data, n);
	if (!end)
		return n;
	if (conn->state == TRAILER) {
		bool last = conn->size.data[0] == '\r' || conn->size.data[0] == '\n';

		buf_reset(&conn->size);
		if (last)
			whole(conn);
		return n;
	}
	size_t size = strtoul(conn->size.data, NULL, 16);
	buf_reset(&conn->size);
	conn->state = size > 0 ? CHUNK_DATA : TRAILER;
	conn->left = size + 2;
	return n;
}

static size_t take_chunk(struct tls_conn *conn, const char *data, size_t len)
{
	size_t n = len < conn->left ? len : conn->left;
	size_t content = conn->left > 2 ? conn->left - 2 : 0;

	take_lines(conn, data, n < content ? n : content);
	conn->left -= n;
	if (conn->left == 0)
		conn->state = CHUNK_SIZE;
	return n;
}

static size_t take_body(struct tls_conn *conn, size_t len)
{
	size_t n = len < conn->left ? len : conn->left;

	conn->left -= n;
	if (conn->left == 0)
		whole(conn);
	return n;
}

static void take(struct tls_conn *conn, const char *data, size_t len)
{
	while (len > 0) {
		size_t n = 0;

		switch (conn->state) {
		case HEAD:
			n = take_head(conn, data, len);
			break;
		case BODY:
			n = take_body(conn, len);
			break;
		case CHUNK_SIZE:
		case TRAILER:
			n = take_size(conn, data, len);
			break;
		case CHUNK_DATA:
			n = take_chunk(conn, data, len);
			break;
		case HANDSHAKE:
		case IDLE:
			bench_die("the server sent what nobody asked for");
		}
		data += n;
		len -= n;
	}
}

static void receive(struct tls_conn *conn)
{
	struct tls_client *client = conn->client;

	do {
		ssize_t n = gnutls_record_recv(conn->session, client->input, sizeof(client->input));

		if (n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED)
			return;
		if (n <= 0)
			bench_die("the server closed a connection%s%s", n < 0 ? ": " : "",
				  n < 0 ? gnutls_strerror((int)n) : "");
		take(conn, client->input, (size_t)n);
	} while (gnutls_record_check_pending(conn->session) > 0);
}

static void handshake(struct tls_conn *conn)
{
	int code = gnutls_handshake(conn->session);

	if (code == GNUTLS_E_AGAIN || code == GNUTLS_E_INTERRUPTED) {
		await(conn, gnutls_record_get_direction(conn->session) ? EPOLLOUT : EPOLLIN);
		return;
	}
	if (code < 0)
		bench_die("TLS handshake: %s", gnutls_strerror(code));
	conn->state = IDLE;
	await(conn, EPOLLIN);
	conn->client->events->opened(conn, conn->arg);
}

static void io_ready(struct loop_io *io, int fd, uint32_t events, void *arg)
{
	struct tls_conn *conn = arg;

	(void)io;
	(void)fd;
	if (conn->state == HANDSHAKE) {
		handshake(conn);
		return;
	}
	if (events & EPOLLOUT)
		flush(conn);
	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		receive(conn);
}
