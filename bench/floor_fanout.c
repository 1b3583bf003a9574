/* The floor under an event to many watchers: one process flushes some pages to the disk and sends a TLS
 * record to each of N connections, another one reads them, with GnuTLS, epoll and nothing else. Told, as of
 * watches, is when each of the readers has it, with the same pauses between events: who works without one
 * finds its memory in the caches. The sessions are keyed by a shared secret, which makes the handshakes
 * short; their records are those of any other session.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench/bench.h"
#include "bench/process.h"
#include "bench/stats.h"
#include "lib/timefmt.h"

#define PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:-KX-ALL:+PSK"

/* COMMIT_BYTES: what the change of one row appends to SQLite's log, four pages with their headers. */
enum {
	EVENT_BYTES = 1304,
	COMMIT_BYTES = 4 * (4096 + 24),
	EVENTS_AT_ONCE = 128,
	PAUSE_NS = 20 * 1000 * 1000
};

struct peer {
	int fd;
	gnutls_session_t session;
};

struct fanout {
	size_t n, rounds;
	int file;
	/* Shared with the readers: when the round began. */
	_Atomic int64_t *began_us;
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

static void read_event(const struct peer *peer)
{
	char event[EVENT_BYTES];
	ssize_t n = gnutls_record_recv(peer->session, event, sizeof(event));

	if (n != EVENT_BYTES)
		bench_die("a reader got %zd bytes instead of %d", n, EVENT_BYTES);
}

/* Tells OUT when all are open, and then each time that all have an event. */
static void read_all(const struct fanout *fanout, uint16_t port, int out)
{
	CLEANUP(stats_close) struct stats reached_ms = { 0 };
	size_t n = fanout->n;
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
	for (size_t round = 0; write(out, "", 1) == 1 && round < fanout->rounds; round++) {
		for (size_t seen = 0; seen < n;) {
			int ready = epoll_wait(epoll, events, EVENTS_AT_ONCE, -1);

			for (int i = 0; i < ready; i++, seen++) {
				read_event(events[i].data.ptr);
				stats_add(&reached_ms, (double)(time_mono_us() - *fanout->began_us) / 1000);
			}
		}
	}
	bench_figure("reached-p99-ms", stats_rank(&reached_ms, 0.99));
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

static void commit(const struct fanout *fanout)
{
	static char pages[COMMIT_BYTES];

	if (pwrite(fanout->file, pages, sizeof(pages), 0) != sizeof(pages) || fdatasync(fanout->file) < 0)
		bench_die("the file cannot be written: %s", strerror(errno));
}

static void send_rounds(const struct fanout *fanout, int listening, int in)
{
	size_t n = fanout->n;
	gnutls_psk_server_credentials_t credentials;
	struct peer *peers = mem_zalloc(n * sizeof(*peers));
	const struct timespec pause = { .tv_nsec = PAUSE_NS };
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
	for (size_t round = 0; round < fanout->rounds; round++) {
		nanosleep(&pause, NULL);
		*fanout->began_us = time_mono_us();
		commit(fanout);
		for (size_t i = 0; i < n; i++) {
			if (gnutls_record_send(peers[i].session, event, sizeof(event)) != EVENT_BYTES)
				bench_die("an event could not be sent to reader %zu", i);
		}
		if (read(in, &all, 1) != 1)
			bench_die("the readers ended");
		bench_figure("all-ms", (double)(time_mono_us() - *fanout->began_us) / 1000);
	}
}

int bench_floor_fanout(int argc, char **argv)
{
	CLEANUP(mem_freep) char *path = mem_printf("%s/floor-fanout", argv[0]);
	struct fanout fanout = { .n = bench_count(argv[1]), .rounds = bench_count(argv[2]) };
	uint16_t port;
	int ends[2], status;
	int listening = listen_anywhere(&port);

	(void)argc;
	process_raise_file_limit(fanout.n);
	fanout.file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	fanout.began_us =
	    mmap(NULL, sizeof(*fanout.began_us), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (fanout.file < 0 || fanout.began_us == MAP_FAILED || pipe(ends) < 0)
		bench_die("%s: %s", path, strerror(errno));
	unlink(path);
	pid_t readers = fork();
	if (readers < 0)
		bench_die("fork: %s", strerror(errno));
	if (readers == 0) {
		read_all(&fanout, port, ends[1]);
		_exit(0);
	}
	close(ends[1]);
	send_rounds(&fanout, listening, ends[0]);
	waitpid(readers, &status, 0);
	return status == 0 ? 0 : 1;
}
