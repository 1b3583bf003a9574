/* Requests that no client library sends: open to two readings, malformed, or without an end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <gnutls/gnutls.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/resource.h"
#include "lib/mem.h"
#include "tests/api/api_fixture.h"

#define CONFIG_MAPS "/api/v1/namespaces/default/configmaps"
#define HOST        "Host: x\r\nAuthorization: Bearer " API_TOKEN "\r\n"
#define POST        "POST " CONFIG_MAPS " HTTP/1.1\r\n" HOST "Content-Type: application/json\r\n"
#define LEASES      "/apis/coordination.k8s.io/v1/namespaces/"
/* What a smuggled request would be answered with: 200. */
#define SECOND "GET /version HTTP/1.1\r\n" HOST "\r\n"

/* A connection that sends what it is told. */
struct raw {
	int fd;
	gnutls_certificate_credentials_t credentials;
	gnutls_session_t session;
};

/* RECEIVE_BUFFER 0: the system's own. */
static void raw_open_with(struct raw *raw, uint16_t port, int receive_buffer)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	raw->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (receive_buffer)
		setsockopt(raw->fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
	assert_int_equal(connect(raw->fd, (struct sockaddr *)&address, sizeof(address)), 0);
	gnutls_certificate_allocate_credentials(&raw->credentials);
	gnutls_init(&raw->session, GNUTLS_CLIENT);
	gnutls_set_default_priority(raw->session);
	gnutls_credentials_set(raw->session, GNUTLS_CRD_CERTIFICATE, raw->credentials);
	gnutls_transport_set_int(raw->session, raw->fd);
	gnutls_handshake_set_timeout(raw->session, 5000);
	assert_int_equal(gnutls_handshake(raw->session), 0);
}

static void raw_open(struct raw *raw, uint16_t port)
{
	raw_open_with(raw, port, 0);
}

static void raw_close(struct raw *raw)
{
	gnutls_deinit(raw->session);
	gnutls_certificate_free_credentials(raw->credentials);
	close(raw->fd);
}

static void raw_send(struct raw *raw, const char *text)
{
	assert_int_equal(gnutls_record_send(raw->session, text, strlen(text)), (ssize_t)strlen(text));
}

/* Until the server closes or has been silent for TIMEOUT_MS; *ret_closed says which. */
static void raw_receive(struct raw *raw, unsigned timeout_ms, char *text, size_t size, bool *ret_closed)
{
	size_t len = 0;
	ssize_t n = 0;
	gnutls_record_set_timeout(raw->session, timeout_ms);
	while (len < size - 1 && (n = gnutls_record_recv(raw->session, text + len, size - 1 - len)) > 0)
		len += (size_t)n;
	text[len] = '\0';
	*ret_closed = n != GNUTLS_E_TIMEDOUT;
}

static int setup(void **state)
{
	struct api_fixture *fixture = mem_zalloc(sizeof(*fixture));
	fixture->max_writes = 1;
	fixture->max_reads = 2;
	api_fixture_start(fixture);
	*state = fixture;
	return 0;
}

static int setup_impatient(void **state)
{
	struct api_fixture *fixture = mem_zalloc(sizeof(*fixture));
	fixture->silence_ms = fixture->answer_ms = 1000;
	api_fixture_start(fixture);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	api_fixture_stop(*state);
	free(*state);
	return 0;
}

static void two_readings_are_refused(void **state)
{
	struct api_fixture *fixture = *state;
	static const char *const requests[] = {
		POST "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" SECOND,
		POST "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" SECOND,
		POST "Content-Length: 2\r\nContent-Length: 4\r\n\r\n{}" SECOND,
		POST "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}" SECOND,
		POST "Content-Length: 2, 2\r\n\r\n{}" SECOND,
		POST "Content-Length: +2\r\n\r\n{}" SECOND,
		POST "Content-Length: -1\r\n\r\n{}" SECOND,
		POST "Content-Length: 0x2\r\n\r\n{}" SECOND,
		POST "Transfer-Encoding: gzip\r\n\r\n{}" SECOND,
		POST "Transfer-Encoding: xchunked\r\nContent-Length: 2\r\n\r\n{}" SECOND,
		POST "Transfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n" SECOND,
		POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" SECOND,
		POST "Transfer-Encoding : chunked\r\nContent-Length: 2\r\n\r\n{}" SECOND,
		POST "Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n" SECOND,
		"GET /version HTTP/1.1\r\n" HOST "Host: y\r\n\r\n" SECOND,
		"GET /version HTTP/1.1\r\n\r\n" SECOND,
	};
	for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
		struct raw raw;
		char answer[4096];
		bool closed;
		raw_open(&raw, server_port(fixture->server));
		raw_send(&raw, requests[i]);
		raw_receive(&raw, 5000, answer, sizeof(answer), &closed);
		bool refused =
		    strncmp(answer, "HTTP/1.1 400", 12) == 0 || strncmp(answer, "HTTP/1.1 501", 12) == 0;
		if (!refused || !strstr(answer, "\"kind\":\"Status\"") || strstr(answer, "HTTP/1.1 200") ||
		    !closed)
			fail_msg("%s\n\nwas answered with\n\n%s", requests[i], answer);
		raw_close(&raw);
	}
}

static void a_nul_does_not_cut_a_name(void **state)
{
	struct api_fixture *fixture = *state;
	struct raw raw;
	char answer[4096];
	bool closed;
	raw_open(&raw, server_port(fixture->server));
	raw_send(&raw, "GET /api/v1/namespaces/default%00x HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
	raw_receive(&raw, 5000, answer, sizeof(answer), &closed);
	assert_int_equal(strncmp(answer, "HTTP/1.1 404", 12), 0);
	raw_close(&raw);
}

/* One place for writes: a sender who never ends does not take it. */
static void slow_senders_hinder_nobody(void **state)
{
	struct api_fixture *fixture = *state;
	static const char body[] = "{\"metadata\":{\"name\":\"quick\"}}";
	struct raw slow[20];
	for (size_t i = 0; i < ARRAY_SIZE(slow); i++) {
		raw_open(&slow[i], server_port(fixture->server));
		raw_send(&slow[i], POST "Content-Length: 1000\r\n\r\n{");
	}
	struct api_request request = { .method = "POST",
				       .path = CONFIG_MAPS,
				       .type = "application/json",
				       .body = body,
				       .body_len = sizeof(body) - 1 };
	struct api_answer answer;
	api_exchange(fixture, &request, &answer);
	assert_int_equal(answer.code, 201);
	api_answer_close(&answer);
	for (size_t i = 0; i < ARRAY_SIZE(slow); i++)
		raw_close(&slow[i]);
}

static void fill(struct api_fixture *fixture, size_t n)
{
	CLEANUP(buf_close) struct buf body = BUF_INIT;
	for (size_t i = 0; i < n; i++) {
		struct api_answer answer;
		buf_reset(&body);
		buf_printf(&body, "{\"metadata\":{\"name\":\"large-%zu\"},\"data\":{\"x\":\"", i);
		for (size_t k = 0; k < 1000000; k++)
			buf_char(&body, 'x');
		buf_str(&body, "\"}}");
		struct api_request create = { .method = "POST",
					      .path = CONFIG_MAPS,
					      .type = "application/json",
					      .body = body.data,
					      .body_len = body.len };
		api_exchange(fixture, &create, &answer);
		assert_int_equal(answer.code, 201);
		api_answer_close(&answer);
	}
}

static int post(struct api_fixture *fixture, const char *path, const char *body, const char *const *headers)
{
	struct api_request request = { .method = "POST",
				       .path = path,
				       .type = "application/json",
				       .body = body,
				       .body_len = strlen(body),
				       .headers = headers };
	struct api_answer answer;
	api_exchange(fixture, &request, &answer);
	int code = answer.code;
	api_answer_close(&answer);
	return code;
}

static bool metrics_say(struct api_fixture *fixture, const char *text)
{
	struct api_request get = { .method = "GET", .path = "/metrics" };
	struct api_answer answer;
	api_exchange(fixture, &get, &answer);
	assert_int_equal(answer.code, 200);
	bool said = strstr(answer.text, text);
	api_answer_close(&answer);
	return said;
}

/* One place for writes, which a pod has that waits for the account of its namespace: a lease of a node, and
 * of who leads, is renewed all the same, and nobody else's. */
static void leases_are_renewed_under_overload(void **state)
{
	struct api_fixture *fixture = *state;
	static const char *const node[] = { "Impersonate-User: system:node:n",
					    "Impersonate-Group: system:nodes", NULL };
	static const char *const scheduler[] = { "Impersonate-User: system:kube-scheduler", NULL };
	static const char *const user[] = { "Impersonate-User: u", "Impersonate-Group: system:masters",
					    NULL };
	static const char pod[] = "{\"metadata\":{\"name\":\"p\"},\"spec\":{\"containers\":"
				  "[{\"name\":\"c\",\"image\":\"i\"}]}}";
	struct raw busy;
	raw_open(&busy, server_port(fixture->server));
	assert_int_equal(post(fixture, "/api/v1/namespaces", "{\"metadata\":{\"name\":\"busy\"}}", NULL),
			 201);
	CLEANUP(mem_freep)
	char *text = mem_printf("POST /api/v1/namespaces/busy/pods HTTP/1.1\r\n" HOST
				"Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
				strlen(pod), pod);
	/* Each waits for a second. */
	for (int i = 0; i < 10; i++)
		raw_send(&busy, text);
	while (!metrics_say(fixture, "{request_kind=\"mutating\"} 1\n")) {
	}
	assert_int_equal(
	    post(fixture, LEASES "kube-node-lease/leases", "{\"metadata\":{\"name\":\"n\"}}", node), 201);
	assert_int_equal(post(fixture, "/api/v1/namespaces/default/events", "{}", node), 429);
	assert_int_equal(post(fixture, CONFIG_MAPS, "{}", NULL), 429);
	assert_int_equal(post(fixture, LEASES "kube-system/leases",
			      "{\"metadata\":{\"name\":\"kube-scheduler\"}}", scheduler),
			 201);
	assert_int_equal(post(fixture, LEASES "kube-system/leases", "{\"metadata\":{\"name\":\"l\"}}", user),
			 429);
	raw_close(&busy);
}

/* A list of which only the first byte is read. */
static void open_deaf(struct raw *raw, uint16_t port)
{
	char first[2];
	bool closed;
	raw_open_with(raw, port, 4096);
	raw_send(raw, "GET " CONFIG_MAPS " HTTP/1.1\r\n" HOST "\r\n");
	raw_receive(raw, 5000, first, sizeof(first), &closed);
	assert_string_equal(first, "H");
}

/* Two places for reads: those who do not take their lists have none of them. */
static void readers_who_take_nothing_hinder_nobody(void **state)
{
	struct api_fixture *fixture = *state;
	struct raw deaf[5];
	struct api_answer answer;
	fill(fixture, 4);
	for (size_t i = 0; i < ARRAY_SIZE(deaf); i++)
		open_deaf(&deaf[i], server_port(fixture->server));
	struct api_request get = { .method = "GET", .path = CONFIG_MAPS "?limit=1" };
	api_exchange(fixture, &get, &answer);
	assert_int_equal(answer.code, 200);
	api_answer_close(&answer);
	for (size_t i = 0; i < ARRAY_SIZE(deaf); i++)
		raw_close(&deaf[i]);
}

/* Until the server hangs up on a connection whose peer reads nothing. */
static void wait_for_hang_up(int fd)
{
	struct pollfd peer = { .fd = fd, .events = POLLRDHUP }; /* and a reset */
	assert_int_equal(poll(&peer, 1, 10000), 1);
}

static void who_does_not_begin_is_hung_up_on(void **state)
{
	struct api_fixture *fixture = *state;
	struct raw raw;
	raw_open(&raw, server_port(fixture->server));
	raw_send(&raw, "GET /version HTTP/1.1\r\nHost:");
	wait_for_hang_up(raw.fd);
	raw_close(&raw);
}

static void who_has_begun_has_time(void **state)
{
	struct api_fixture *fixture = *state;
	struct raw raw, later;
	char answer[4096];
	bool closed;
	raw_open(&raw, server_port(fixture->server));
	raw_send(&raw, "GET /version HTTP/1.1\r\nHost: x\r\n\r\n");
	raw_receive(&raw, 100, answer, sizeof(answer), &closed);
	raw_open(&later, server_port(fixture->server));
	wait_for_hang_up(later.fd); /* one that came after it and said nothing */
	raw_send(&raw, "GET /version HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	raw_receive(&raw, 5000, answer, sizeof(answer), &closed);
	assert_int_equal(strncmp(answer, "HTTP/1.1 200", 12), 0);
	raw_close(&raw);
	raw_close(&later);
}

static void who_does_not_take_a_list_is_hung_up_on(void **state)
{
	struct api_fixture *fixture = *state;
	struct raw raw;
	fill(fixture, 4);
	open_deaf(&raw, server_port(fixture->server));
	wait_for_hang_up(raw.fd);
	raw_close(&raw);
}

static void what_is_no_tls_is_forgotten(void **state)
{
	struct api_fixture *fixture = *state;
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons(server_port(fixture->server)) };
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int fds[100];
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		assert_int_equal(connect(fds[i], (struct sockaddr *)&address, sizeof(address)), 0);
		if (i % 2)
			assert_true(send(fds[i], "GET / HTTP/1.1\r\n\r\n", 18, MSG_NOSIGNAL) == 18);
	}
	struct api_request request = { .method = "GET", .path = "/readyz" };
	struct api_answer answer;
	api_exchange(fixture, &request, &answer);
	assert_int_equal(answer.code, 200);
	api_answer_close(&answer);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(two_readings_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(a_nul_does_not_cut_a_name, setup, teardown),
		cmocka_unit_test_setup_teardown(slow_senders_hinder_nobody, setup, teardown),
		cmocka_unit_test_setup_teardown(leases_are_renewed_under_overload, setup, teardown),
		cmocka_unit_test_setup_teardown(readers_who_take_nothing_hinder_nobody, setup, teardown),
		cmocka_unit_test_setup_teardown(who_does_not_begin_is_hung_up_on, setup_impatient, teardown),
		cmocka_unit_test_setup_teardown(who_has_begun_has_time, setup_impatient, teardown),
		cmocka_unit_test_setup_teardown(who_does_not_take_a_list_is_hung_up_on, setup_impatient,
						teardown),
		cmocka_unit_test_setup_teardown(what_is_no_tls_is_forgotten, setup, teardown),
	};
	resource_all(&(size_t){ 0 });
	return cmocka_run_group_tests(tests, NULL, NULL);
}
