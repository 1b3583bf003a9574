#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "apiserver/edge/transport.h"

struct pair {
	struct transport transport;
	int peer;
};

static void pair_open(struct pair *pair)
{
	gnutls_session_t session;
	int fds[2];

	assert_int_equal(gnutls_init(&session, GNUTLS_SERVER | GNUTLS_NONBLOCK), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
	transport_init(&pair->transport, session, fds[0]);
	pair->peer = fds[1];
}

static void pair_close(struct pair *pair)
{
	gnutls_deinit(pair->transport.session);
	close(pair->transport.fd);
	close(pair->peer);
	transport_close(&pair->transport);
}

static ssize_t push(struct pair *pair, const char *text, size_t len)
{
	/* In two parts, as GnuTLS may. */
	giovec_t parts[] = { { (void *)(uintptr_t)text, len / 2 },
			     { (void *)(uintptr_t)(text + len / 2), len - len / 2 } };

	return transport_push(&pair->transport, parts, 2);
}

static void assert_received(struct pair *pair, const char *expected)
{
	char text[64];
	ssize_t n = recv(pair->peer, text, sizeof(text), 0);

	assert_int_equal(n, strlen(expected));
	assert_memory_equal(text, expected, (size_t)n);
}

static void test_held_goes_with_the_next(void **state)
{
	(void)state;
	struct pair pair;
	char byte;

	pair_open(&pair);
	assert_int_equal(push(&pair, "plain", 5), 5);
	assert_received(&pair, "plain");
	transport_hold(&pair.transport);
	assert_int_equal(push(&pair, "head ", 5), 5);
	assert_int_equal(recv(pair.peer, &byte, 1, 0), -1);
	assert_int_equal(push(&pair, "body", 4), 4);
	assert_received(&pair, "head body");
	assert_int_equal(push(&pair, "more", 4), 4);
	assert_received(&pair, "more");
	pair_close(&pair);
}

/* Sends TEXT as GnuTLS does, again and again what did not go, while the peer reads; nothing is lost or twice.
 */
static void test_full_socket(void **state)
{
	(void)state;
	CLEANUP(mem_freep) char *sent = mem_alloc(1 << 20), *got = mem_alloc(1 << 20);
	const size_t head = 300 * 1000, total = 900 * 1000;
	size_t at = 0, received = 0;
	struct pair pair;

	for (size_t i = 0; i < total; i++)
		sent[i] = (char)(i * 31 + i / 251);
	pair_open(&pair);
	transport_hold(&pair.transport);
	assert_int_equal(push(&pair, sent, head), head);
	at = head;
	while (received < total) {
		ssize_t n = at < total ? push(&pair, sent + at, total - at) : 0;

		assert_true(n >= 0 || errno == EAGAIN);
		at += n > 0 ? (size_t)n : 0;
		n = recv(pair.peer, got + received, 10000, 0);
		received += n > 0 ? (size_t)n : 0;
	}
	assert_int_equal(at, total);
	assert_memory_equal(got, sent, total);
	pair_close(&pair);
}

static void test_peer_is_gone(void **state)
{
	(void)state;
	struct pair pair;

	pair_open(&pair);
	shutdown(pair.peer, SHUT_RDWR);
	assert_int_equal(push(&pair, "text", 4), -1);
	assert_int_equal(errno, EPIPE);
	pair_close(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_held_goes_with_the_next),
		cmocka_unit_test(test_full_socket),
		cmocka_unit_test(test_peer_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
