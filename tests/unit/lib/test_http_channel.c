/* How TLS begins, and what it takes from a peer. The rest is tested through the clients of the server
 * (test_http_routes.c, tests/api). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/http_exchange.h"
#include "tests/support/http_fixture.h"

static void start_with_tls(struct http_fixture *f)
{
	struct pki_ca ca;

	pki_ca_init(&ca, "CA");
	struct pki_pair pair = pki_server(&ca, NULL);
	f->opts.credentials = http_credentials_new(pair.cert_pem, pair.key_pem, NULL, NULL);
	http_fixture_start(f);
	http_credentials_unref(f->opts.credentials); /* the server has it */
	pki_pair_close(&pair);
	pki_ca_close(&ca);
}

/* A byte at a time. */
static ssize_t push_byte(gnutls_transport_ptr_t arg, const void *data, size_t size)
{
	struct http_fixture *f = arg;

	for (size_t i = 0; i < size; i++) {
		assert_int_equal(send(f->peer, (const char *)data + i, 1, MSG_NOSIGNAL), 1);
		loop_turn(f->loop, 0);
	}
	return (ssize_t)size;
}

static ssize_t push_all(gnutls_transport_ptr_t arg, const void *data, size_t size)
{
	return send(((struct http_fixture *)arg)->peer, data, size, MSG_NOSIGNAL);
}

static ssize_t pull_some(gnutls_transport_ptr_t arg, void *data, size_t size)
{
	struct http_fixture *f = arg;

	loop_turn(f->loop, 0);
	return recv(f->peer, data, size, 0);
}

struct tls_peer {
	gnutls_certificate_credentials_t credentials;
	gnutls_session_t session;
};

/* Shakes hands as PRIORITY has it. */
static void tls_peer_open(struct tls_peer *peer, struct http_fixture *f, const char *priority)
{
	int code;

	gnutls_certificate_allocate_credentials(&peer->credentials);
	gnutls_init(&peer->session, GNUTLS_CLIENT | GNUTLS_NONBLOCK);
	gnutls_priority_set_direct(peer->session, priority, NULL);
	gnutls_credentials_set(peer->session, GNUTLS_CRD_CERTIFICATE, peer->credentials);
	gnutls_transport_set_ptr(peer->session, f);
	gnutls_transport_set_push_function(peer->session, push_byte);
	gnutls_transport_set_pull_function(peer->session, pull_some);
	while ((code = gnutls_handshake(peer->session)) != 0)
		assert_false(gnutls_error_is_fatal(code));
}

static void tls_peer_close(struct tls_peer *peer)
{
	gnutls_deinit(peer->session);
	gnutls_certificate_free_credentials(peer->credentials);
}

/* An answer to a GET; false: the server hung up. */
static bool is_answered(struct http_fixture *f, struct tls_peer *peer)
{
	char text[1000];
	ssize_t n;

	if (gnutls_record_send(peer->session, GET("/1"), strlen(GET("/1"))) < 0)
		return false;
	LOOP_UNTIL(f->loop,
		   (n = gnutls_record_recv(peer->session, text, sizeof(text) - 1)) != GNUTLS_E_AGAIN);
	if (n <= 0)
		return false;
	text[n] = '\0';
	assert_non_null(strstr(text, "GET /1 "));
	return true;
}

static void tls_begins_a_byte_at_a_time(void **state)
{
	struct http_fixture *f = *state;
	struct tls_peer peer;

	start_with_tls(f);
	tls_peer_open(&peer, f, "NORMAL");
	assert_true(is_answered(f, &peer));
	tls_peer_close(&peer);
}

/* N warnings that the server finds all at once. */
static void warn(struct http_fixture *f, struct tls_peer *peer, int n)
{
	gnutls_transport_set_push_function(peer->session, push_all);
	for (int i = 0; i < n; i++)
		gnutls_alert_send(peer->session, GNUTLS_AL_WARNING, GNUTLS_A_USER_CANCELED);
	gnutls_transport_set_push_function(peer->session, push_byte);
	for (int i = 0; i < 5; i++)
		loop_turn(f->loop, 0);
}

/* A few mean nothing; more are there to keep the server from its other connections. */
static void warnings_are_counted(void **state)
{
	struct http_fixture *f = *state;
	struct tls_peer peer;

	start_with_tls(f);
	tls_peer_open(&peer, f, "NORMAL:-VERS-ALL:+VERS-TLS1.2");
	warn(f, &peer, 3);
	assert_true(is_answered(f, &peer));
	warn(f, &peer, 500);
	assert_int_equal(http_server_connections(f->server), 0);
	tls_peer_close(&peer);
}

static void tls_that_does_not_begin_has_an_end(void **state)
{
	struct http_fixture *f = *state;

	f->opts.silence_ms = 50;
	start_with_tls(f);
	peer_hear_end(f); /* nothing was said */
	close(f->peer);
	f->peer = peer_connect(f);
	peer_say(f, "\x16\x03\x01\x01\xff\x01"); /* some of a hello */
	peer_hear_end(f);
	close(f->peer);
	f->peer = peer_connect(f);
	peer_say(f, "\x16\x03\x01\x01\xff\x01");
	shutdown(f->peer, SHUT_WR);
	peer_hear_end(f);
	assert_int_equal(http_server_connections(f->server), 0);
}

static void what_is_not_tls_is_refused(void **state)
{
	struct http_fixture *f = *state;

	start_with_tls(f);
	peer_say(f, GET("/1"));
	peer_hear_end(f);
	assert_int_equal(f->begun, 0);
}

#define TEST(fn_) cmocka_unit_test_setup_teardown(fn_, http_fixture_setup, http_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(tls_begins_a_byte_at_a_time),
		TEST(warnings_are_counted),
		TEST(tls_that_does_not_begin_has_an_end),
		TEST(what_is_not_tls_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
