/* The floor under an event to many watchers: one process sends a TLS record to each of N connections, another
 * one reads them, with GnuTLS, epoll and nothing else. The sessions are keyed by a shared secret, which makes
 * the handshakes short; their records are those of any other session.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <gnutls/gnutls.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/bench.h"
#include "bench/process.h"
#include "lib/timefmt.h"

#define PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:-KX-ALL:+PSK"

enum { EVENT_BYTES = 1500, ROUNDS = 5, EVENTS_AT_ONCE = 256 };

struct peer {
	int fd;
	gnutls_session_t session;
};

static unsigned char secret[32];

static void must(int code, const char *what)
{
	if (code < 0)
		bench_die("%s: %s", what, gnutls_strerror(code));
}

static int server_key(gnutls_session_t session, const char *name, gnutls_datum_t *key)
{
	(void)session;
	(void)name;
	key->data = gnutls_malloc(sizeof(secret));
	key->size = sizeof(secret);
	if (!key->data)
		return -1;
	memcpy(key->data, secret, sizeof(secret));
	return 0;
}

static gnutls_session_t session_new(int fd, unsigned flags, gnutls_credentials_type_t type, void *credentials)
{
	gnutls_session_t session;
	int code;

	must(gnutls_init(&session, flags), "TLS");
	must(gnutls_priority_set_direct(session, PRIORITIES, NULL), "TLS");
	must(gnutls_credentials_set(session, type, credentials), "TLS");
	gnutls_transport_set_int(session, fd);
	do {
		code = gnutls_handshake(session);
	} while (code < 0 && !gnutls_error_is_fatal(code));
	must(code, "TLS handshake");
	return session;
}

static void no_delay(int fd)
{
	int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

/* --- those who read --- */

static void read_event(struct peer *peer)
{
	char event[EVENT_BYTES];
	ssize_t n = gnutls_record_recv(peer->session, event, sizeof(event));

	if (n != EVENT_BYTES)
		bench_die("a reader got %zd bytes instead of %d", n, EVENT_BYTES);
}

/* Tells OUT when all are open, and then each time that all have an event. */
static void read_all(uint16_t port, size_t n, int out)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons(port),
				       .sin_addr = { htonl(INADDR_LOOPBACK) } };
	gnutls_datum_t key = { secret, sizeof(secret) };
	gnutls_psk_client_credentials_t credentials;
	struct peer *peers = mem_zalloc(n * sizeof(*peers));
	struct epoll_event events[EVENTS_AT_ONCE];
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	must(gnutls_psk_allocate_client_credentials(&credentials), "TLS");
	must(gnutls_psk_set_client_credentials(credentials, "bench", &key, GNUTLS_PSK_KEY_RAW), "TLS");
	for (size_t i = 0; i < n; i++) {
		struct epoll_event event = { .events = EPOLLIN, .data.ptr = &peers[i] };

		peers[i].fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (peers[i].fd < 0 || connect(peers[i].fd, (struct sockaddr *)&address, sizeof(address)) < 0)
			bench_die("connection %zu: %s", i, strerror(errno));
		no_delay(peers[i].fd);
		peers[i].session = session_new(peers[i].fd, GNUTLS_CLIENT, GNUTLS_CRD_PSK, credentials);
		if (epoll_ctl(epoll, EPOLL_CTL_ADD, peers[i].fd, &event) < 0)
			bench_die("epoll: %s", strerror(errno));
	}
	for (int round = 0; write(out, "", 1) == 1 && round < ROUNDS; round++) {
		for (size_t seen = 0; seen < n;) {
			int ready = epoll_wait(epoll, events, EVENTS_AT_ONCE, -1);

			for (int i = 0; i < ready; i++, seen++)
				read_event(events[i].data.ptr);
		}
	}
}

/* --- the one that sends --- */

static int listen_anywhere(uint16_t *ret_port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) < 0 || listen(fd, 1024) < 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &len) < 0)
		bench_die("listen: %s", strerror(errno));
	*ret_port = ntohs(address.sin_port);
	return fd;
}

static void send_rounds(int listening, size_t n, int in)
{
	gnutls_psk_server_credentials_t credentials;
	struct peer *peers = mem_zalloc(n * sizeof(*peers));
	char event[EVENT_BYTES], all;

	memset(event, 'x', sizeof(event));
	must(gnutls_psk_allocate_server_credentials(&credentials), "TLS");
	gnutls_psk_set_server_credentials_function(credentials, server_key);
	for (size_t i = 0; i < n; i++) {
		peers[i].fd = accept(listening, NULL, NULL);
		if (peers[i].fd < 0)
			bench_die("connection %zu: %s", i, strerror(errno));
		no_delay(peers[i].fd);
		peers[i].session =
		    session_new(peers[i].fd, GNUTLS_SERVER | GNUTLS_NO_TICKETS, GNUTLS_CRD_PSK, credentials);
	}
	if (read(in, &all, 1) != 1)
		bench_die("the readers ended");
	for (int round = 0; round < ROUNDS; round++) {
		int64_t began_us = time_mono_us();

		for (size_t i = 0; i < n; i++) {
			if (gnutls_record_send(peers[i].session, event, sizeof(event)) != EVENT_BYTES)
				bench_die("an event could not be sent to reader %zu", i);
		}
		if (read(in, &all, 1) != 1)
			bench_die("the readers ended");
		bench_figure("all-ms", (double)(time_mono_us() - began_us) / 1000);
	}
}

int bench_floor_fanout(int argc, char **argv)
{
	size_t n = bench_count(argv[0]);
	uint16_t port;
	int ends[2], status;
	int listening = listen_anywhere(&port);

	(void)argc;
	process_raise_file_limit(n);
	if (pipe(ends) < 0)
		bench_die("pipe: %s", strerror(errno));
	pid_t readers = fork();
	if (readers < 0)
		bench_die("fork: %s", strerror(errno));
	if (readers == 0) {
		read_all(port, n, ends[1]);
		_exit(0);
	}
	close(ends[1]);
	send_rounds(listening, n, ends[0]);
	waitpid(readers, &status, 0);
	return status == 0 ? 0 : 1;
}
