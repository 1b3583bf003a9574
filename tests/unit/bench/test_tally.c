#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bench/tally.h"
#include "tests/support/test_server.h"

struct fixture {
	struct test_server server;
	struct test_stream stream;
	struct api_client *client;
	const char *items;
};

/* One page, then one watch. */
static void route(struct http_exchange *exchange, void *arg)
{
	struct fixture *f = arg;

	if (http_exchange_query(exchange, "watch")) {
		test_stream_begin(&f->stream, exchange, "application/json");
		return;
	}
	CLEANUP(mem_freep)
	char *list = mem_printf("{\"kind\":\"List\",\"metadata\":{\"resourceVersion\":\"9\"},\"items\":[%s]}",
				f->items);
	reply_json(exchange, 200, list);
}

static int setup(void **state)
{
	struct fixture *f = mem_zalloc(sizeof(*f));
	struct err err = ERR_INIT;

	test_server_start(&f->server, route, f);
	f->client = api_client_new(f->server.loop, &f->server.config, "test", &err);
	assert_non_null(f->client);
	f->items = "";
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

#define META(name_, revision_)                                                                               \
	"\"metadata\":{\"name\":\"" name_ "\",\"namespace\":\"d\",\"uid\":\"" name_                          \
	"\",\"resourceVersion\":\"" revision_ "\""
#define READY "\"status\":{\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"}]}"

static void tell(struct fixture *f, const char *event)
{
	LOOP_UNTIL(f->server.loop, f->stream.exchange != NULL);
	test_stream_write(&f->stream, event);
}

static void test_pods(void **state)
{
	struct fixture *f = *state;
	const struct tally *now;

	f->items = "{" META("a", "1") "},\"spec\":{\"nodeName\":\"bad-1\"}," READY "},"
				      "{" META("b", "2") "},\"spec\":{}}";
	struct tally_watch *watch = tally_pods(f->server.loop, f->client, NULL, "bad-");
	now = tally_now(watch);
	assert_int_equal(now->present, 2);
	assert_int_equal(now->placed, 0);
	assert_int_equal(now->ready, 1);

	int64_t before_us = time_mono_us();
	tell(f, "{\"type\":\"MODIFIED\",\"object\":{" META("b",
							   "10") "},\"spec\":{\"nodeName\":\"good-1\"}}}\n");
	assert_true(tally_until_least(watch, &now->placed, 1) >= before_us);
	/* One that is being deleted holds no place; it is still there. */
	tell(f,
	     "{\"type\":\"MODIFIED\",\"object\":{" META("b", "11") ",\"deletionTimestamp\":\"x\"},\"spec\":{"
								   "\"nodeName\":\"good-1\"}}}\n");
	tally_until(watch, (struct tally){ .present = 2, .placed = 0, .ready = TALLY_ANY, .tainted = 0 });
	tell(f, "{\"type\":\"DELETED\",\"object\":{" META(
		    "a", "12") "},\"spec\":{\"nodeName\":\"bad-1\"}}}\n"
			       "{\"type\":\"DELETED\",\"object\":{" META(
				   "b", "13") "},\"spec\":{\"nodeName\":\"good-1\"}}}\n");
	tally_until(watch, (struct tally){ 0 });
	tally_free(watch);
}

static void test_nodes(void **state)
{
	struct fixture *f = *state;
	const struct tally *now;

	f->items = "{" META("a", "1") "},\"spec\":{\"taints\":[{\"effect\":\"NoSchedule\"}]}},"
				      "{" META("b", "2") "},\"spec\":{}}";
	struct tally_watch *watch = tally_nodes(f->server.loop, f->client);
	now = tally_now(watch);
	assert_int_equal(now->ready, 1);
	assert_int_equal(now->tainted, 0);
	tell(f, "{\"type\":\"MODIFIED\",\"object\":{" META(
		    "b", "10") "},\"spec\":{\"taints\":[{\"effect\":"
			       "\"NoSchedule\"},{\"effect\":\"NoExecute\"}]}}}\n");
	tally_until_least(watch, &now->tainted, 1);
	assert_int_equal(now->ready, 0);
	tally_free(watch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_pods, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nodes, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
