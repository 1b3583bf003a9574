#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/api_client.h"
#include "tests/support/test_server.h"

struct fixture {
	struct test_server server;
	struct api_client *client;
	int code;
	const char *type, *body;
	char seen[256];
	struct test_stream stream;
};

static void route(struct http_exchange *exchange, void *arg)
{
	struct fixture *f = arg;
	const char *type = http_exchange_header(exchange, "Content-Type");

	snprintf(f->seen, sizeof(f->seen), "%s %s %s %s %s", http_exchange_method(exchange),
		 http_exchange_path(exchange), http_exchange_header(exchange, "Accept"), type ? type : "-",
		 http_exchange_header(exchange, "User-Agent"));
	if (strcmp(http_exchange_path(exchange), "/stream") == 0) {
		test_stream_begin(&f->stream, exchange, "text/plain");
		test_stream_write(&f->stream, "abc");
		return;
	}
	http_exchange_add_header(exchange, "Warning", "299 - \"careful\"");
	http_exchange_reply(exchange, f->code, f->type, f->body, strlen(f->body));
}

static int setup(void **state)
{
	struct fixture *f = mem_zalloc(sizeof(*f));

	test_server_start(&f->server, route, f);
	f->client = api_client_new(f->server.loop, &f->server.config, "knarr-test/1", NULL);
	assert_string_equal(api_client_server(f->client), f->server.config.server);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	api_client_free(f->client);
	test_server_close(&f->server);
	free(f);
	return 0;
}

/* api_client_do runs the loop, and with it the server. */
static void one_exchange(void **state)
{
	struct fixture *f = *state;
	CLEANUP(buf_close) struct buf body = BUF_INIT;
	CLEANUP(mem_freep) char *warning = NULL;
	struct err err = ERR_INIT;

	f->code = 200;
	f->type = "application/json";
	f->body = "{\"kind\":\"Pod\"}";
	assert_int_equal(
	    api_client_do(f->client, "GET", "/api/v1/pods?x=1", NULL, NULL, NULL, 0, &body, &warning, &err),
	    0);
	assert_string_equal(body.data, f->body);
	assert_string_equal(warning, "careful");
	assert_string_equal(f->seen, "GET /api/v1/pods application/json - knarr-test/1");
	assert_int_equal(api_client_do(f->client, "PATCH", "/x", "text/plain", "application/merge-patch+json",
				       "{}", 2, NULL, NULL, &err),
			 0);
	assert_string_equal(f->seen, "PATCH /x text/plain application/merge-patch+json knarr-test/1");
}

static void refusals_are_errors(void **state)
{
	struct fixture *f = *state;
	static const struct {
		int code;
		const char *type, *body;
		enum err_kind kind;
		const char *message;
	} cases[] = {
		{ 404, "application/json",
		  "{\"kind\":\"Status\",\"message\":\"pods \\\"x\\\" not "
		  "found\",\"reason\":\"NotFound\",\"code\":404}",
		  ERR_NOT_FOUND, "pods \"x\" not found" },
		{ 409, "application/json",
		  "{\"kind\":\"Status\",\"message\":\"m\",\"reason\":\"AlreadyExists\"}", ERR_ALREADY_EXISTS,
		  "m" },
		{ 409, "application/json", "{\"kind\":\"Status\",\"message\":\"m\",\"reason\":\"Conflict\"}",
		  ERR_CONFLICT, "m" },
		{ 410, "application/json; charset=utf-8", "{\"kind\":\"Status\",\"reason\":\"Expired\"}",
		  ERR_EXPIRED, "Expired" },
		{ 403, "text/plain", "go away\n", ERR_FORBIDDEN, "the server answered 403: go away" },
		{ 502, "text/html", "", ERR_INTERNAL, "the server answered 502" },
		{ 401, "application/json", "{\"kind\":", ERR_UNAUTHORIZED,
		  "the server answered 401: {\"kind\":" },
		{ 302, "text/plain", "", ERR_INTERNAL, "the server answered 302" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(buf_close) struct buf body = BUF_INIT;
		struct err err = ERR_INIT;

		f->code = cases[i].code;
		f->type = cases[i].type;
		f->body = cases[i].body;
		assert_int_equal(
		    api_client_do(f->client, "GET", "/x", NULL, NULL, NULL, 0, &body, NULL, &err), -1);
		assert_int_equal(err.kind, cases[i].kind);
		assert_string_equal(err.msg, cases[i].message);
		assert_int_equal(body.len, 0);
	}
}

static void nobody_there(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;

	test_server_stop(&f->server);
	assert_int_equal(api_client_do(f->client, "GET", "/x", NULL, NULL, NULL, 0, NULL, NULL, &err), -1);
	assert_int_equal(err.kind, ERR_CONNECTION);
}

struct reader {
	size_t bytes;
	bool done;
	enum err_kind kind;
};

static bool count_bytes(const char *data, size_t len, void *arg)
{
	(void)data;
	((struct reader *)arg)->bytes += len;
	return true;
}

static void keep_kind(const struct api_response *response, void *arg)
{
	((struct reader *)arg)->done = true;
	((struct reader *)arg)->kind = response->err.kind;
}

static void streams_and_cancels(void **state)
{
	struct fixture *f = *state;
	struct reader reader = { 0 }, cancelled = { 0 };
	struct http_call *call;

	api_client_stream(f->client, "/stream", "text/plain", count_bytes, keep_kind, &reader);
	LOOP_UNTIL(f->server.loop, reader.bytes == 3);
	test_stream_end(&f->stream);
	LOOP_UNTIL(f->server.loop, reader.done);
	assert_int_equal(reader.kind, ERR_NONE);
	/* What belongs to a call goes with it however it ends: the sanitizer would tell. */
	call = api_client_stream(f->client, "/stream", NULL, count_bytes, keep_kind, &cancelled);
	LOOP_UNTIL(f->server.loop, cancelled.bytes == 3);
	http_call_cancel(call);
	call = api_client_call(f->client, "GET", "/x", NULL, NULL, 0, keep_kind, &cancelled);
	http_call_cancel(call);
	api_client_call(f->client, "GET", "/x", NULL, NULL, 0, keep_kind, &cancelled);
	assert_int_equal(http_client_in_flight(api_client_http(f->client)), 1);
	api_client_free(TAKE(f->client));
	LOOP_UNTIL(f->server.loop, !f->stream.exchange);
	assert_false(cancelled.done);
}

/* What is wrong with a patch stands behind it, and characters are not cut. */
static void long_patches(void **state)
{
	static const char begin[] = "{\"kind\":\"Status\",\"reason\":\"Invalid\",\"message\":\" \\\"\\\" is "
				    "invalid: patch: Invalid value: x";
	CLEANUP(buf_close) struct buf text = BUF_INIT;
	struct err err = ERR_INIT;

	(void)state;
	buf_str(&text, begin);
	for (int i = 0; i < 1000; i++)
		buf_str(&text, "\xc3\xa9");
	buf_str(&text, ": what is wrong\"}");
	const struct http_response http = {
		.code = 422, .content_type = "application/json", .data = text.data, .len = text.len
	};
	api_client_status_error(&http, &err);
	assert_int_equal(err.kind, ERR_INVALID);
	assert_memory_equal(err.msg, " \"\" is invalid: patch: Invalid value: x\xc3\xa9", 40);
	assert_non_null(strstr(err.msg, "\xc3\xa9...\xc3\xa9"));
	assert_string_equal(err.msg + strlen(err.msg) - strlen(": what is wrong"), ": what is wrong");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_exchange, setup, teardown),
		cmocka_unit_test_setup_teardown(refusals_are_errors, setup, teardown),
		cmocka_unit_test_setup_teardown(nobody_there, setup, teardown),
		cmocka_unit_test(long_patches),
		cmocka_unit_test_setup_teardown(streams_and_cancels, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
