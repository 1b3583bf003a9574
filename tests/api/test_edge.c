/* What stories cannot tell: limits, identities, connections that hang up, restarts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/resource.h"
#include "lib/mem.h"
#include "lib/timefmt.h"
#include "tests/api/api_fixture.h"

#define CONFIG_MAPS "/api/v1/namespaces/default/configmaps"

static int setup(void **state)
{
	struct api_fixture *fixture = mem_zalloc(sizeof(*fixture));
	api_fixture_start(fixture);
	*state = fixture;
	return 0;
}

static int setup_narrow(void **state)
{
	struct api_fixture *fixture = mem_zalloc(sizeof(*fixture));
	fixture->max_reads = 1;
	fixture->max_writes = 1;
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

static int exchange(struct api_fixture *fixture, const char *method, const char *path, const char *body)
{
	struct api_request request = { .method = method, .path = path, .body = body, .body_len = body ? strlen(body) : 0,
				       .type = body ? "application/json" : NULL };
	struct api_answer answer;
	api_exchange(fixture, &request, &answer);
	int code = answer.code;
	api_answer_close(&answer);
	return code;
}

static char *config_map(const char *name, size_t bytes)
{
	char *padding = mem_alloc(bytes + 1);
	memset(padding, 'x', bytes);
	padding[bytes] = '\0';
	char *text = mem_printf("{\"metadata\":{\"name\":\"%s\"},\"data\":{\"k\":\"%s\"}}", name, padding);
	free(padding);
	return text;
}

static void large_bodies_are_refused(void **state)
{
	struct api_fixture *fixture = *state;
	CLEANUP(mem_freep) char *fits = config_map("fits", 900 * 1024);
	CLEANUP(mem_freep) char *large = config_map("large", 4 * 1024 * 1024);
	assert_int_equal(exchange(fixture, "POST", CONFIG_MAPS, fits), 201);
	assert_int_equal(exchange(fixture, "POST", CONFIG_MAPS, large), 413);
	assert_int_equal(exchange(fixture, "GET", CONFIG_MAPS "/large", NULL), 404);
	/* The connection goes on. */
	assert_int_equal(exchange(fixture, "GET", CONFIG_MAPS "/fits", NULL), 200);
}

static void large_lists_arrive_whole(void **state)
{
	struct api_fixture *fixture = *state;
	for (int i = 0; i < 40; i++) {
		CLEANUP(mem_freep) char *name = mem_printf("c%d", i);
		CLEANUP(mem_freep) char *body = config_map(name, 10000);
		assert_int_equal(exchange(fixture, "POST", CONFIG_MAPS, body), 201);
	}
	struct api_request request = { .method = "GET", .path = CONFIG_MAPS };
	struct api_answer answer;
	api_exchange(fixture, &request, &answer);
	assert_int_equal(answer.code, 200);
	assert_int_equal(json_len(json_get(answer.json, "items")), 40);
	api_answer_close(&answer);
}

static void deep_json_is_refused(void **state)
{
	struct api_fixture *fixture = *state;
	char body[3000];
	memset(body, '[', sizeof(body));
	body[sizeof(body) - 1] = '\0';
	assert_int_equal(exchange(fixture, "POST", CONFIG_MAPS, body), 400);
}

static void data_survives_a_restart(void **state)
{
	struct api_fixture *fixture = *state;
	CLEANUP(mem_freep) char *body = config_map("kept", 10);
	assert_int_equal(exchange(fixture, "POST", CONFIG_MAPS, body), 201);
	uint64_t revision = core_revision(fixture->core);
	api_fixture_restart(fixture);
	assert_int_equal(exchange(fixture, "GET", CONFIG_MAPS "/kept", NULL), 200);
	assert_true(core_revision(fixture->core) >= revision);
	/* A watch goes on from before. */
	CLEANUP(mem_freep) char *path = mem_printf(CONFIG_MAPS "?watch=1&resourceVersion=%llu",
						   (unsigned long long)revision - 1);
	struct api_request request = { .method = "GET", .path = path };
	int code;
	CLEANUP(json_putp) struct json_object *events = api_watch(fixture, &request, 1, &code);
	assert_int_equal(code, 200);
	assert_string_equal(json_str_or_empty(json_at(events, 0), "type"), "ADDED");
}

struct watched {
	size_t lines;
	int code; /* 0 until it ends */
};

static bool count_lines(const char *data, size_t len, void *arg)
{
	struct watched *watched = arg;
	for (size_t i = 0; i < len; i++)
		watched->lines += data[i] == '\n';
	return true;
}

static void count_done(const struct http_response *response, void *arg)
{
	struct watched *watched = arg;
	watched->code = response->code;
}

static void watchers_that_hang_up_are_forgotten(void **state)
{
	struct api_fixture *fixture = *state;
	CLEANUP(mem_freep) char *body = config_map("one", 10);
	assert_int_equal(exchange(fixture, "POST", CONFIG_MAPS, body), 201);
	CLEANUP(mem_freep) char *url = mem_printf("https://127.0.0.1:%u" CONFIG_MAPS "?watch=1", server_port(fixture->server));
	static const char *const headers[] = { "Authorization: Bearer " API_TOKEN, NULL };
	struct http_identity identity = { .ca_pem = fixture->ca.pem.cert_pem };
	struct http_client *client = http_client_new(fixture->loop, &identity, 64, "watcher", NULL);
	struct http_request request = { .method = "GET", .url = url, .headers = headers };
	struct watched watched[8] = { 0 };
	for (size_t i = 0; i < ARRAY_SIZE(watched); i++)
		http_client_send(client, &request, count_lines, count_done, &watched[i]);
	for (size_t all = 0; all < ARRAY_SIZE(watched);) {
		loop_turn(fixture->loop, 100);
		all = 0;
		for (size_t i = 0; i < ARRAY_SIZE(watched); i++)
			all += watched[i].lines;
	}
	assert_int_equal(fixture->server->watches, ARRAY_SIZE(watched));
	http_client_free(client); /* hangs up on all, while nothing happens that they would be told */
	int64_t until_ms = time_mono_ms() + 60000;
	while (fixture->server->watches && time_mono_ms() < until_ms)
		loop_turn(fixture->loop, 5);
	assert_int_equal(fixture->server->watches, 0);
}

static void open_watches_do_not_hinder_stopping(void **state)
{
	struct api_fixture *fixture = *state;
	CLEANUP(mem_freep) char *url = mem_printf("https://127.0.0.1:%u/api/v1/namespaces?watch=1", server_port(fixture->server));
	static const char *const headers[] = { "Authorization: Bearer " API_TOKEN, NULL };
	struct http_request request = { .method = "GET", .url = url, .headers = headers };
	struct watched watched = { 0 };
	http_client_send(fixture->client, &request, count_lines, count_done, &watched);
	while (watched.lines < 4)
		loop_turn(fixture->loop, 100);
	int64_t began_ms = time_mono_ms();
	api_fixture_restart(fixture);
	assert_true(time_mono_ms() - began_ms < 30000); /* the watches go on for many minutes */
	while (!watched.code)
		loop_turn(fixture->loop, 100);
	assert_int_equal(watched.code, 200); /* it ended in order */
}

static void certificates_name_a_user(void **state)
{
	struct api_fixture *fixture = *state;
	struct http_identity identity = { .ca_pem = fixture->ca.pem.cert_pem,
					  .cert_pem = fixture->client_pair.cert_pem,
					  .key_pem = fixture->client_pair.key_pem };
	struct http_client *mine = fixture->client;
	struct api_request request = { .method = "GET", .path = "/api", .token = "" };
	struct api_answer answer;
	fixture->client = http_client_new(fixture->loop, &identity, 4, "jane", NULL);
	api_exchange(fixture, &request, &answer);
	assert_int_equal(answer.code, 200);
	api_answer_close(&answer);
	/* A token that nobody has is not made good by it. */
	request.token = "wrong";
	api_exchange(fixture, &request, &answer);
	assert_int_equal(answer.code, 401);
	api_answer_close(&answer);
	http_client_free(fixture->client);
	/* Another authority's certificate is nobody's. */
	struct pki_ca other;
	pki_ca_init(&other, "other");
	struct pki_pair pair = pki_client(&other, "admin", "system:masters");
	identity.cert_pem = pair.cert_pem;
	identity.key_pem = pair.key_pem;
	fixture->client = http_client_new(fixture->loop, &identity, 4, "stranger", NULL);
	request.token = "";
	api_exchange(fixture, &request, &answer);
	assert_int_equal(answer.code, 401);
	api_answer_close(&answer);
	http_client_free(fixture->client);
	fixture->client = mine;
	pki_pair_close(&pair);
	pki_ca_close(&other);
}

/* What a new connection with that certificate is answered. */
static int code_for(struct api_fixture *fixture, const struct pki_pair *pair)
{
	struct http_identity identity = { .ca_pem = fixture->ca.pem.cert_pem,
					  .cert_pem = pair->cert_pem,
					  .key_pem = pair->key_pem };
	struct http_client *mine = fixture->client;
	struct api_request request = { .method = "GET", .path = "/api", .token = "" };
	struct api_answer answer;
	fixture->client = http_client_new(fixture->loop, &identity, 4, "jane", NULL);
	api_exchange(fixture, &request, &answer);
	int code = answer.code;
	api_answer_close(&answer);
	http_client_free(fixture->client);
	fixture->client = mine;
	return code;
}

/* Each edge takes new credentials up when it gets to it. */
static void becomes(struct api_fixture *fixture, const struct pki_pair *pair, int code)
{
	int64_t until_ms = time_mono_ms() + 60000;
	while (code_for(fixture, pair) != code)
		assert_true(time_mono_ms() < until_ms);
}

static void trust(struct api_fixture *fixture, const struct pki_ca *ca)
{
	assert_int_equal(server_set_credentials(fixture->server, fixture->server_pair.cert_pem,
						fixture->server_pair.key_pem, ca->pem.cert_pem, NULL),
			 0);
}

static void certificates_are_known_while_their_authority_is_trusted(void **state)
{
	struct api_fixture *fixture = *state;
	struct pki_ca other;
	pki_ca_init(&other, "other");
	struct pki_pair pair = pki_client(&other, "jack", "sailors");
	for (int i = 0; i < 3; i++) {
		assert_int_equal(code_for(fixture, &fixture->client_pair), 200);
		assert_int_equal(code_for(fixture, &pair), 401);
	}
	trust(fixture, &other);
	becomes(fixture, &fixture->client_pair, 401);
	becomes(fixture, &pair, 200);
	trust(fixture, &fixture->ca);
	becomes(fixture, &pair, 401);
	becomes(fixture, &fixture->client_pair, 200);
	pki_pair_close(&pair);
	pki_ca_close(&other);
}

static void tokens_are_read_again(void **state)
{
	struct api_fixture *fixture = *state;
	static const char tokens[] = "# changed\nfresh,\"o\"\"neil\",,\"a,b\"\n";
	struct api_request request = { .method = "GET", .path = "/api", .token = "fresh" };
	struct api_answer answer;
	assert_int_equal(exchange(fixture, "GET", "/api", NULL), 200);
	assert_int_equal(buf_write_file_atomic(fixture->token_file, tokens, sizeof(tokens) - 1, 0600, NULL), 0);
	int64_t until_ms = time_mono_ms() + 60000;
	int code = 0;
	while (code != 200 && time_mono_ms() < until_ms) {
		api_exchange(fixture, &request, &answer);
		code = answer.code;
		api_answer_close(&answer);
	}
	assert_int_equal(code, 200);
	assert_int_equal(exchange(fixture, "GET", "/api", NULL), 401);
}

static void count_code(const struct http_response *response, void *arg)
{
	int *codes = arg;
	codes[response->code == 429 ? 1 : response->code == 201 ? 0 : 2]++;
	if (response->code == 429 && response->retry_after_s != 1)
		codes[2]++;
}

static void too_many_at_once_are_sent_away(void **state)
{
	struct api_fixture *fixture = *state;
	CLEANUP(mem_freep) char *url = mem_printf("https://127.0.0.1:%u" CONFIG_MAPS, server_port(fixture->server));
	static const char *const headers[] = { "Authorization: Bearer " API_TOKEN, NULL };
	int codes[3] = { 0 };
	const int n = 200;
	for (int i = 0; i < n; i++) {
		CLEANUP(mem_freep) char *name = mem_printf("c%d", i);
		CLEANUP(mem_freep) char *body = config_map(name, 20000);
		struct http_request request = { .method = "POST", .url = url, .headers = headers, .body = body,
						.body_len = strlen(body), .content_type = "application/json" };
		http_client_send(fixture->client, &request, NULL, count_code, codes);
	}
	while (codes[0] + codes[1] + codes[2] < n)
		loop_turn(fixture->loop, 100);
	assert_int_equal(codes[2], 0);
	assert_true(codes[0] > 0);
	assert_true(codes[1] > 0);
	assert_int_equal(exchange(fixture, "GET", "/healthz", NULL), 200);
	assert_int_equal(fixture->server->writes, 0);
}

static void a_used_port_is_named(void **state)
{
	struct api_fixture *fixture = *state;
	struct err err = ERR_INIT;
	struct server *second = NULL;
	struct server_opts opts = { .core = fixture->core,
				    .address = "127.0.0.1",
				    .port = server_port(fixture->server),
				    .cert_pem = fixture->server_pair.cert_pem,
				    .key_pem = fixture->server_pair.key_pem };
	assert_int_equal(server_new(&opts, &second, &err), -1);
	assert_non_null(strstr(err.msg, "Address already in use"));
	opts.port = 0;
	opts.cert_pem = "no certificate";
	assert_int_equal(server_new(&opts, &second, &err), -1);
	opts.address = "harbour";
	assert_int_equal(server_new(&opts, &second, &err), -1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(large_bodies_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(large_lists_arrive_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(deep_json_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(data_survives_a_restart, setup, teardown),
		cmocka_unit_test_setup_teardown(watchers_that_hang_up_are_forgotten, setup, teardown),
		cmocka_unit_test_setup_teardown(open_watches_do_not_hinder_stopping, setup, teardown),
		cmocka_unit_test_setup_teardown(certificates_name_a_user, setup, teardown),
		cmocka_unit_test_setup_teardown(certificates_are_known_while_their_authority_is_trusted, setup, teardown),
		cmocka_unit_test_setup_teardown(tokens_are_read_again, setup, teardown),
		cmocka_unit_test_setup_teardown(too_many_at_once_are_sent_away, setup_narrow, teardown),
		cmocka_unit_test_setup_teardown(a_used_port_is_named, setup, teardown),
	};
	resource_all(&(size_t){ 0 });
	return cmocka_run_group_tests(tests, NULL, NULL);
}
