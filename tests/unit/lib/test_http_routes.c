#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/http_client.h"
#include "tests/support/test_server.h"

/* What a request brought, as its DONE saw it. */
struct answer {
	int code;
	enum err_kind kind;
	char data[4096];
	char type[64];
	bool over;
};

static void keep_answer(const struct http_response *response, void *arg)
{
	struct answer *answer = arg;

	answer->code = response->code;
	answer->kind = response->err.kind;
	snprintf(answer->data, sizeof(answer->data), "%s", response->data);
	snprintf(answer->type, sizeof(answer->type), "%s", response->content_type);
	answer->over = true;
}

struct fixture {
	struct test_server server;
	struct http_client *client;
	struct http_exchange *later;
	struct test_stream stream;
};

static void route(struct http_exchange *exchange, void *arg)
{
	struct fixture *f = arg;
	const char *path = http_exchange_path(exchange);

	if (strcmp(path, "/later") == 0) {
		f->later = exchange;
	} else if (strcmp(path, "/stream") == 0) {
		test_stream_begin(&f->stream, exchange, "text/plain");
	} else if (strcmp(path, "/query") == 0) {
		const char *value = http_exchange_query(exchange, "name");

		http_exchange_reply(exchange, 200, "text/plain", value ? value : "none", value ? strlen(value) : 4);
	} else if (strcmp(path, "/body") == 0) {
		size_t len;
		const char *body = http_exchange_body(exchange, &len);

		http_exchange_reply(exchange, 201, "text/plain", body, len);
	} else if (strcmp(path, "/who") == 0) {
		const char *name = http_exchange_client(exchange);

		http_exchange_reply(exchange, 200, "text/plain", name, strlen(name));
	} else {
		http_exchange_reply(exchange, 404, "text/plain", "no", 2);
	}
}

static struct http_client *client_of(struct fixture *f, const struct pki_pair *pair)
{
	struct http_identity identity = { .ca_pem = f->server.ca.pem.cert_pem };

	if (pair) {
		identity.cert_pem = pair->cert_pem;
		identity.key_pem = pair->key_pem;
	}
	return http_client_new(f->server.loop, &identity, 8, "test", NULL);
}

static int setup(void **state)
{
	struct fixture *f = mem_zalloc(sizeof(*f));

	test_server_start(&f->server, route, f);
	f->client = client_of(f, &f->server.client_pair);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	http_client_free(f->client);
	test_server_close(&f->server);
	free(f);
	return 0;
}

static struct answer exchange(struct fixture *f, struct http_client *client, const char *method, const char *path,
			      const char *body)
{
	CLEANUP(mem_freep) char *url = mem_printf("https://127.0.0.1:%u%s", f->server.port, path);
	struct answer answer = { 0 };
	struct http_request request = { .method = method, .url = url, .body = body, .body_len = body ? strlen(body) : 0 };

	http_client_send(client, &request, NULL, keep_answer, &answer);
	LOOP_UNTIL(f->server.loop, answer.over);
	return answer;
}

static void certificate_is_needed(void **state)
{
	struct fixture *f = *state;
	struct http_client *nobody = client_of(f, NULL);
	struct answer answer = exchange(f, nobody, "GET", "/query", NULL);

	assert_int_equal(answer.code, 401);
	answer = exchange(f, nobody, "GET", "/metrics", NULL);
	assert_int_equal(answer.code, 401);
	answer = exchange(f, f->client, "GET", "/who", NULL);
	assert_int_equal(answer.code, 200);
	assert_string_equal(answer.data, "tester");
	http_client_free(nobody);
}

static void foreign_certificate_is_nobody(void **state)
{
	struct fixture *f = *state;
	struct pki_ca other;
	pki_ca_init(&other, "other CA");
	struct pki_pair pair = pki_client(&other, "tester", "system:masters");
	struct http_client *stranger = client_of(f, &pair);
	struct answer answer = exchange(f, stranger, "GET", "/who", NULL);

	assert_int_equal(answer.code, 401);
	http_client_free(stranger);
	pki_pair_close(&pair);
	/* A server's certificate is no client's, even of the right CA. */
	struct http_client *server = client_of(f, &f->server.server_pair);
	answer = exchange(f, server, "GET", "/who", NULL);
	assert_int_equal(answer.code, 401);
	http_client_free(server);
	pki_ca_close(&other);
}

static void own_routes_are_found(void **state)
{
	/* Without a row of the program's for "/", what is there of itself shows. */
	static const struct http_route routes[] = { { "GET", "/logs/", false, route }, { 0 } };
	struct fixture *f = *state;
	struct http_routes_opts opts = { .address = "127.0.0.1",
					 .cert_pem = f->server.server_pair.cert_pem,
					 .key_pem = f->server.server_pair.key_pem,
					 .client_ca_pem = f->server.ca.pem.cert_pem };
	struct http_routes *plain = http_routes_new(f->server.loop, &opts, routes, f, NULL);
	struct http_client *nobody = client_of(f, NULL);
	uint16_t port = f->server.port;

	f->server.port = http_routes_port(plain);
	struct answer answer = exchange(f, nobody, "GET", "/livez", NULL);
	assert_int_equal(answer.code, 200);
	assert_string_equal(answer.data, "ok");
	answer = exchange(f, nobody, "GET", "/nothing", NULL);
	assert_int_equal(answer.code, 401);
	answer = exchange(f, f->client, "GET", "/nothing", NULL);
	assert_int_equal(answer.code, 404);
	answer = exchange(f, f->client, "POST", "/metrics", NULL);
	assert_int_equal(answer.code, 405);
	answer = exchange(f, f->client, "GET", "/metrics", NULL);
	assert_int_equal(answer.code, 200);
	assert_non_null(strstr(answer.data, "process_"));
	answer = exchange(f, f->client, "GET", "/logs/a/b", NULL);
	assert_string_equal(answer.data, "no"); /* the program's */
	/* It takes no bodies. */
	answer = exchange(f, f->client, "POST", "/metrics", "x");
	assert_int_equal(answer.code, 413);
	f->server.port = port;
	http_client_free(nobody);
	http_routes_free(plain);
}

static void port_in_use(void **state)
{
	struct fixture *f = *state;
	struct http_routes_opts opts = { .address = "127.0.0.1", .port = f->server.port };
	struct err err = ERR_INIT;

	assert_null(http_routes_new(f->server.loop, &opts, NULL, NULL, &err));
	assert_int_equal(err.kind, ERR_SYSTEM);
	assert_non_null(strstr(err.msg, "Address already in use"));
	opts = (struct http_routes_opts){ .address = "nowhere" };
	assert_null(http_routes_new(f->server.loop, &opts, NULL, NULL, &err));
	opts = (struct http_routes_opts){ .address = "127.0.0.1", .cert_pem = "no", .key_pem = "pem" };
	assert_null(http_routes_new(f->server.loop, &opts, NULL, NULL, &err));
	assert_non_null(strstr(err.msg, "certificate"));
}

static void query_and_body(void **state)
{
	struct fixture *f = *state;
	struct answer answer = exchange(f, f->client, "GET", "/query?name=a%20b%2Fc&x=1", NULL);

	assert_string_equal(answer.data, "a b/c");
	answer = exchange(f, f->client, "GET", "/query?x=1", NULL);
	assert_string_equal(answer.data, "none");
	answer = exchange(f, f->client, "POST", "/body", "{\"a\":1}");
	assert_int_equal(answer.code, 201);
	assert_string_equal(answer.data, "{\"a\":1}");
	answer = exchange(f, f->client, "HEAD", "/query", NULL);
	assert_int_equal(answer.code, 200);
	assert_string_equal(answer.data, "");
}

static void huge_body_is_refused(void **state)
{
	struct fixture *f = *state;
	char *body = mem_zalloc(((size_t)1 << 20) + 2);

	memset(body, 'x', ((size_t)1 << 20) + 1);
	struct answer answer = exchange(f, f->client, "POST", "/body", body);
	assert_int_equal(answer.code, 413);
	free(body);
	answer = exchange(f, f->client, "POST", "/body", "small");
	assert_string_equal(answer.data, "small");
}

static void answer_comes_later(void **state)
{
	struct fixture *f = *state;
	CLEANUP(mem_freep) char *url = mem_printf("https://127.0.0.1:%u/later", f->server.port);
	struct http_request request = { .method = "GET", .url = url };
	struct answer answer = { 0 };

	http_client_send(f->client, &request, NULL, keep_answer, &answer);
	LOOP_UNTIL(f->server.loop, f->later);
	/* Another request is served meanwhile. */
	assert_int_equal(exchange(f, f->client, "GET", "/who", NULL).code, 200);
	assert_false(answer.over);
	http_exchange_add_header(f->later, "Warning", "299 - \"slow\"");
	http_exchange_reply(f->later, 200, "text/x", "at last", 7);
	LOOP_UNTIL(f->server.loop, answer.over);
	assert_string_equal(answer.data, "at last");
	assert_string_equal(answer.type, "text/x");
}

static void late_exchange_ends_with_the_server(void **state)
{
	struct fixture *f = *state;
	CLEANUP(mem_freep) char *url = mem_printf("https://127.0.0.1:%u/later", f->server.port);
	struct http_request request = { .method = "GET", .url = url };
	struct answer answer = { 0 };

	http_client_send(f->client, &request, NULL, keep_answer, &answer);
	LOOP_UNTIL(f->server.loop, f->later);
	test_server_stop(&f->server);
	LOOP_UNTIL(f->server.loop, answer.over);
	assert_int_equal(answer.kind, ERR_CONNECTION);
}

static void stream_notices_that_its_reader_left(void **state)
{
	struct fixture *f = *state;
	CLEANUP(mem_freep) char *url = mem_printf("https://127.0.0.1:%u/stream", f->server.port);
	struct http_request request = { .method = "GET", .url = url };
	struct answer answer = { 0 };
	struct http_call *call = http_client_send(f->client, &request, NULL, keep_answer, &answer);

	LOOP_UNTIL(f->server.loop, f->stream.exchange);
	test_stream_write(&f->stream, "line\n");
	LOOP_UNTIL(f->server.loop, f->stream.out.len == 0);
	http_call_cancel(call);
	/* Nothing is written any more, yet the exchange ends. */
	LOOP_UNTIL(f->server.loop, !f->stream.exchange);
	assert_false(answer.over);
}

static void stream_ends(void **state)
{
	struct fixture *f = *state;
	CLEANUP(mem_freep) char *url = mem_printf("https://127.0.0.1:%u/stream", f->server.port);
	struct http_request request = { .method = "GET", .url = url };
	struct answer answer = { 0 };

	http_client_send(f->client, &request, NULL, keep_answer, &answer);
	LOOP_UNTIL(f->server.loop, f->stream.exchange);
	test_stream_write(&f->stream, "one ");
	LOOP_UNTIL(f->server.loop, f->stream.out.len == 0);
	test_stream_write(&f->stream, "two");
	test_stream_end(&f->stream);
	LOOP_UNTIL(f->server.loop, answer.over);
	assert_int_equal(answer.kind, ERR_NONE);
	assert_string_equal(answer.data, "one two");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(certificate_is_needed, setup, teardown),
		cmocka_unit_test_setup_teardown(foreign_certificate_is_nobody, setup, teardown),
		cmocka_unit_test_setup_teardown(own_routes_are_found, setup, teardown),
		cmocka_unit_test_setup_teardown(port_in_use, setup, teardown),
		cmocka_unit_test_setup_teardown(query_and_body, setup, teardown),
		cmocka_unit_test_setup_teardown(huge_body_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(answer_comes_later, setup, teardown),
		cmocka_unit_test_setup_teardown(late_exchange_ends_with_the_server, setup, teardown),
		cmocka_unit_test_setup_teardown(stream_notices_that_its_reader_left, setup, teardown),
		cmocka_unit_test_setup_teardown(stream_ends, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
