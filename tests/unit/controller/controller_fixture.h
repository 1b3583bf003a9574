/* A controller under test against a scripted API server: lists come from a table, watches stay open for the test to write to, and
 * every other request is noted, but for Events, and answered by the test's own function.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "controller/node_pods.h"
#include "controller/owned_pods.h"
#include "tests/support/test_server.h"

enum { FIXTURE_MAX_WATCHES = 64 };

struct fixture {
	struct test_server server;
	struct api_client *client;
	struct cache *cache;
	struct node_pods node_pods;
	bool synced;
	const struct fixture_list { const char *path, *items; } *lists; /* ends with a NULL path */
	int (*answer)(const char *method, const char *path, const char **ret_body); /* the code */
	struct fixture_watch { char *path; struct test_stream stream; } watches[FIXTURE_MAX_WATCHES];
	size_t n_watches;
	struct buf requests; /* "METHOD path body\n" */
};

static inline void fixture_list(struct fixture *f, struct http_exchange *exchange, const char *path)
{
	CLEANUP(buf_close) struct buf body = BUF_INIT;
	const char *items = "";

	for (size_t i = 0; f->lists[i].path; i++)
		if (strcmp(f->lists[i].path, path) == 0)
			items = f->lists[i].items;
	buf_printf(&body, "{\"kind\":\"List\",\"metadata\":{\"resourceVersion\":\"10\"},\"items\":[%s]}", items);
	reply_json(exchange, 200, body.data);
}

static inline void fixture_route(struct http_exchange *exchange, void *arg)
{
	struct fixture *f = arg;
	const char *method = http_exchange_method(exchange), *path = http_exchange_path(exchange), *body = "{}";

	if (strcmp(method, "GET") == 0 && http_exchange_query(exchange, "watch")) {
		assert_true(f->n_watches < FIXTURE_MAX_WATCHES);
		struct fixture_watch *watch = &f->watches[f->n_watches++];
		watch->path = mem_dup(path);
		test_stream_begin(&watch->stream, exchange, "application/json");
	} else if (strcmp(method, "GET") == 0 && http_exchange_query(exchange, "limit")) {
		fixture_list(f, exchange, path);
	} else if (strstr(path, "/events")) {
		reply_json(exchange, 201, "{}");
	} else {
		size_t len;
		buf_printf(&f->requests, "%s %s %s\n", method, path, http_exchange_body(exchange, &len));
		int code = f->answer(method, path, &body);
		reply_json(exchange, code, body);
	}
}

static inline void fixture_synced(void *arg)
{
	((struct fixture *)arg)->synced = true;
}

/* Begins; the test makes its controller on f->cache, then waits with fixture_wait_synced. */
static inline void fixture_start(struct fixture *f, const struct fixture_list *lists,
				 int (*answer)(const char *method, const char *path, const char **ret_body))
{
	*f = (struct fixture){ .lists = lists, .answer = answer };
	test_server_start(&f->server, fixture_route, f);
	f->client = api_client_new(f->server.loop, &f->server.config, "test", NULL);
	assert_non_null(f->client);
	f->cache = cache_new(f->server.loop, f->client, fixture_synced, f);
	node_pods_init(&f->node_pods, f->cache);
}

static inline void fixture_wait_synced(struct fixture *f)
{
	LOOP_UNTIL(f->server.loop, f->synced);
}

static inline bool fixture_has(const struct fixture *f, const char *text)
{
	return f->requests.data && strstr(f->requests.data, text);
}

static inline bool fixture_watching(const struct fixture *f, const char *path)
{
	for (size_t i = 0; i < f->n_watches; i++)
		if (strcmp(f->watches[i].path, path) == 0)
			return true;
	return false;
}

/* One event on PATH's watch, once it is there. */
static inline void fixture_event(struct fixture *f, const char *path, const char *event)
{
	LOOP_UNTIL(f->server.loop, fixture_watching(f, path));
	for (size_t i = 0; i < f->n_watches; i++)
		if (strcmp(f->watches[i].path, path) == 0) {
			test_stream_write(&f->watches[i].stream, event);
			test_stream_write(&f->watches[i].stream, "\n");
		}
}

/* Before the controller is freed: all it asked is answered, nothing but the watches is under way. */
static inline void fixture_settle(struct fixture *f)
{
	LOOP_UNTIL(f->server.loop, http_client_in_flight(api_client_http(f->client)) <= f->n_watches);
}

static inline void fixture_stop(struct fixture *f)
{
	node_pods_close(&f->node_pods);
	cache_free(f->cache);
	api_client_free(f->client);
	test_server_close(&f->server);
	for (size_t i = 0; i < f->n_watches; i++)
		free(f->watches[i].path);
	buf_close(&f->requests);
}
