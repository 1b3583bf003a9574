#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/informer.h"
#include "lib/json.h"
#include "lib/list_page.h"
#include "lib/log.h"
#include "tests/support/test_server.h"

/* The cached struct: what a program would declare. */
struct thing {
	struct informer_item item;
	char *color;
};

/* One request that the server expects: its query has SEEN in it; it is answered with CODE and BODY, or when
 * CODE is 0 with a stream that begins with BODY. */
struct step {
	const char *seen;
	int code;
	const char *body;
};

struct fixture {
	struct test_server server;
	struct api_client *client;
	struct informer *informer;
	const struct step *steps;
	size_t step;
	struct test_stream stream;
	struct buf log; /* what the informer told */
	int members;    /* of the last object decoded, and of its spec */
	bool free_in_callback;
	bool hold; /* requests past the last step stay unanswered */
};

static bool decode(void *item, struct json_object *obj, void *arg)
{
	struct thing *thing = item;
	struct json_object *spec = json_get(obj, "spec");
	const char *color = json_str_or_empty(spec, "color");

	((struct fixture *)arg)->members =
	    json_object_object_length(obj) + (spec ? json_object_object_length(spec) : 0);
	thing->color = mem_dup(color);
	return strcmp(color, "invisible") != 0;
}

static void close_thing(void *item)
{
	free(((struct thing *)item)->color);
}

static void tell(struct fixture *f, const char *what, const struct thing *thing)
{
	buf_printf(&f->log, "%s %s %s;", what, thing->item.key, thing->color);
	if (f->free_in_callback)
		informer_free(TAKE(f->informer));
}

static void added(void *item, void *arg)
{
	tell(arg, "+", item);
}

static void updated(void *old, void *new_, void *arg)
{
	assert_string_equal(((struct thing *)old)->item.key, ((struct thing *)new_)->item.key);
	tell(arg, "=", new_);
}

static void deleted(void *item, void *arg)
{
	tell(arg, "-", item);
}

static void synced(void *arg)
{
	buf_str(&((struct fixture *)arg)->log, "synced;");
}

static const struct informer_type type = {
	.path = "/api/v1/things",
	.query = "labelSelector=a%3Db",
	.item_size = sizeof(struct thing),
	.decode = decode,
	.close = close_thing,
	.added = added,
	.updated = updated,
	.deleted = deleted,
	.synced = synced,
};

static void route(struct http_exchange *exchange, void *arg)
{
	static const char *const keys[] = { "limit", "continue", "watch", "allowWatchBookmarks",
					    "resourceVersion" };
	struct fixture *f = arg;
	const struct step *step = &f->steps[f->step];
	char query[256] = "";

	assert_string_equal(http_exchange_path(exchange), "/api/v1/things");
	assert_string_equal(http_exchange_query(exchange, "labelSelector"), "a=b");
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const char *value = http_exchange_query(exchange, keys[i]);
		size_t len = strlen(query);

		if (value)
			snprintf(query + len, sizeof(query) - len, "%s=%s ", keys[i], value);
	}
	if (http_exchange_query(exchange, "watch")) {
		int seconds = atoi(http_exchange_query(exchange, "timeoutSeconds"));

		assert_in_range(seconds, 300, 600);
	}
	if (!step->seen) {
		assert_true(f->hold);
		return;
	}
	assert_string_equal(query, step->seen);
	f->step++;
	if (step->code) {
		reply_json(exchange, step->code, step->body);
	} else {
		test_stream_begin(&f->stream, exchange, "application/json");
		test_stream_write(&f->stream, step->body);
	}
}

static int setup(void **state)
{
	struct fixture *f = mem_zalloc(sizeof(*f));

	log_init("test", LOG_LEVEL_ERROR, false);
	test_server_start(&f->server, route, f);
	f->client = api_client_new(f->server.loop, &f->server.config, "test/1", NULL);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	informer_free(f->informer);
	api_client_free(f->client);
	test_server_close(&f->server);
	buf_close(&f->log);
	free(f);
	return 0;
}

static void start_type(struct fixture *f, const struct informer_type *of, const struct step *steps)
{
	f->steps = steps;
	f->informer = informer_new(f->server.loop, f->client, of, f);
}

static void start(struct fixture *f, const struct step *steps)
{
	start_type(f, &type, steps);
}

/* Waits until the informer has told EXPECTED since the last time. */
static void expect(struct fixture *f, const char *expected)
{
	LOOP_UNTIL(f->server.loop, f->log.len >= strlen(expected));
	assert_string_equal(f->log.data, expected);
	buf_reset(&f->log);
}

#define THING(name, uid, revision, color)                                                                    \
	"{\"metadata\":{\"name\":\"" name "\",\"namespace\":\"ns\",\"uid\":\"" uid                           \
	"\",\"resourceVersion\":\"" revision "\"},\"spec\":{\"color\":\"" color "\"}}"
#define LIST(revision, items)                                                                                \
	"{\"kind\":\"List\",\"metadata\":{\"resourceVersion\":\"" revision "\"},\"items\":[" items "]}"
#define EVENT(type, thing) "{\"type\":\"" type "\",\"object\":" thing "}\n"
#define FIRST_LIST         "limit=500 "
#define WATCH(revision)    "watch=1 allowWatchBookmarks=true resourceVersion=" revision " "

static void list_then_watch(void **state)
{
	struct fixture *f = *state;
	static const struct step steps[] = {
		{ FIRST_LIST, 200,
		  LIST("10", THING("a", "u1", "7", "red") "," THING("b", "u2", "8", "invisible")) },
		{ WATCH("10"), 0, EVENT("ADDED", THING("c", "u3", "11", "blue")) },
		{ 0 },
	};

	start(f, steps);
	assert_false(informer_synced(f->informer));
	expect(f, "+ ns/a red;synced;+ ns/c blue;");
	assert_true(informer_synced(f->informer));
	assert_int_equal(informer_count(f->informer), 2);
	assert_int_equal(informer_revision(f->informer), 11);
	test_stream_write(&f->stream, EVENT("MODIFIED", THING("a", "u1", "12", "green"))
					  EVENT("DELETED", THING("c", "u3", "13", "blue")));
	expect(f, "= ns/a green;- ns/c blue;");
	assert_string_equal(((struct thing *)informer_get(f->informer, "ns/a"))->color, "green");
	assert_null(informer_get(f->informer, "ns/c"));
	/* Made anew under the same name, its deletion unseen; then out of sight, then deleted unseen. */
	test_stream_write(&f->stream, EVENT("ADDED", THING("a", "u9", "14", "pink")));
	expect(f, "- ns/a green;+ ns/a pink;");
	test_stream_write(&f->stream, EVENT("MODIFIED", THING("a", "u9", "15", "invisible")));
	expect(f, "- ns/a pink;");
	test_stream_write(&f->stream, EVENT("DELETED", THING("a", "u9", "16", "invisible"))
					  EVENT("ADDED", THING("z", "u5", "17", "red")));
	expect(f, "+ ns/z red;");
	size_t n = 0;
	for (size_t i = 0; informer_next(f->informer, &i);)
		n++;
	assert_int_equal(n, 1);
}

/* Of lists and events no more is decoded; what the informer itself needs is there all the same, as is what
 * ends a watch. */
static void only_what_is_wanted(void **state)
{
#define BIG(name, revision)                                                                                  \
	"{\"kind\":\"Thing\",\"metadata\":{\"name\":\"" name "\",\"namespace\":\"ns\",\"uid\":\"u1\","       \
	"\"resourceVersion\":\"" revision "\",\"labels\":{\"a\":\"b\"}},\"status\":{\"code\":3},"            \
	"\"spec\":{\"size\":[1,2],\"color\":\"red\"}}"
	struct fixture *f = *state;
	static const char *const wants[] = { "spec.color", NULL };
	static const struct step steps[] = {
		{ FIRST_LIST, 200, LIST("10", BIG("a", "7")) },
		{ WATCH("10"), 0, EVENT("MODIFIED", BIG("a", "11")) },
		{ FIRST_LIST, 200, LIST("20", "") },
		{ WATCH("20"), 0, "" },
		{ 0 },
	};
	static struct informer_type of;

	of = type;
	of.wants = wants;
	start_type(f, &of, steps);
	expect(f, "+ ns/a red;synced;= ns/a red;");
	assert_int_equal(f->members, 3); /* metadata, spec, and in it color */
	assert_int_equal(informer_revision(f->informer), 11);
	test_stream_write(&f->stream,
			  EVENT("ERROR", "{\"kind\":\"Status\",\"code\":410,\"message\":\"too old\"}"));
	expect(f, "- ns/a red;");
#undef BIG
}

static bool decode_text(void *item, const struct json_span *found, void *arg)
{
	struct thing *thing = item;

	(void)arg;
	assert_null(found[1].p);
	thing->color = json_span_dup(found[0]);
	return thing->color;
}

/* Without values: the same is told; an object that cannot be read has all listed again. */
static void texts_are_decoded(void **state)
{
	struct fixture *f = *state;
	static const char *const wants[] = { "spec.color", "spec.size", NULL };
	static const struct step steps[] = {
		{ FIRST_LIST, 200,
		  LIST("10", THING("a", "u1", "7", "red") "," THING("b", "u2", "8", "blue")) },
		{ WATCH("10"), 0,
		  EVENT("MODIFIED", THING("a", "u1", "11", "gr\\u0065en"))
		      EVENT("MODIFIED", THING("a", "u1", "11", "seen"))
			  EVENT("DELETED", THING("b", "u2", "12", "blue")) },
		{ FIRST_LIST, 200, LIST("20", THING("c", "u3", "15", "red")) },
		{ WATCH("20"), 0,
		  EVENT("ERROR", "{\"kind\":\"Status\",\"code\":410,\"message\":\"too old\"}") },
		{ FIRST_LIST, 200, LIST("30", "{\"metadata\":{\"name\":\"d\"}}") },
		{ FIRST_LIST, 200, LIST("40", "") },
		{ WATCH("40"), 0, "" },
		{ 0 },
	};
	static struct informer_type of;

	of = type;
	of.wants = wants;
	of.decode = NULL;
	of.decode_text = decode_text;
	start_type(f, &of, steps);
	expect(f, "+ ns/a red;+ ns/b blue;synced;= ns/a green;- ns/b blue;");
	assert_int_equal(informer_revision(f->informer), 12);
	test_stream_write(&f->stream,
			  EVENT("MODIFIED", "{\"metadata\":{\"name\":\"a\",\"namespace\":\"ns\","
					    "\"resourceVersion\":\"13\"},\"spec\":{\"color\":7}}"));
	expect(f, "+ ns/c red;- ns/a green;- ns/c red;");
	assert_int_equal(informer_revision(f->informer), 40);
}

static void pages_are_followed(void **state)
{
	struct fixture *f = *state;
	static const struct step steps[] = {
		{ FIRST_LIST, 200,
		  "{\"metadata\":{\"resourceVersion\":\"10\",\"continue\":\"a b/c\"},\"items\":[" THING(
		      "a", "u1", "1", "red") "]}" },
		{ "limit=500 continue=a b/c ", 200,
		  "{\"items\":[" THING(
		      "b", "u2", "2",
		      "red") "],\"metadata\":{\"resourceVersion\":\"10\",\"continue\":\"x\"}}" },
		{ "limit=500 continue=x ", 410,
		  "{\"kind\":\"Status\",\"reason\":\"Expired\",\"message\":\"token expired\",\"code\":410}" },
		/* From the start again: what is gone meanwhile is deleted, though nothing was ever synced. */
		{ FIRST_LIST, 200,
		  LIST("12", THING("b", "u2", "2", "red") "," THING("c", "u3", "3", "red")) },
		{ WATCH("12"), 0, "" },
		{ 0 },
	};

	start(f, steps);
	expect(f, "+ ns/a red;+ ns/b red;+ ns/c red;- ns/a red;synced;");
}

static void watch_resumes(void **state)
{
	struct fixture *f = *state;
	static const struct step steps[] = {
		{ FIRST_LIST, 200, LIST("10", "") },
		{ WATCH("10"), 0, EVENT("ADDED", THING("a", "u1", "11", "red")) },
		{ WATCH("20"), 0, "" },
		{ WATCH("20"), 503, "{\"kind\":\"Status\",\"reason\":\"ServiceUnavailable\",\"code\":503}" },
		{ WATCH("20"), 0, EVENT("MODIFIED", THING("a", "u1", "21", "blue")) },
		{ 0 },
	};

	start(f, steps);
	expect(f, "synced;+ ns/a red;");
	/* A bookmark moves the revision; what is torn in the middle of an event comes again. */
	test_stream_write(&f->stream,
			  "{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"resourceVersion\":\"20\"}}}\n");
	LOOP_UNTIL(f->server.loop, informer_revision(f->informer) == 20);
	test_stream_write(&f->stream, "{\"type\":\"MODIFIED\",\"object\":{\"metadata\":{\"name\":\"a\",");
	LOOP_UNTIL(f->server.loop, f->stream.out.len == 0);
	test_stream_tear(&f->stream);
	LOOP_UNTIL(f->server.loop, f->step == 3 && f->stream.exchange);
	test_stream_end(&f->stream);
	expect(f, "= ns/a blue;");
	assert_int_equal(f->step, 5);
}

static void slow_streams_are_put_together(void **state)
{
	struct fixture *f = *state;
	static const struct step steps[] = { { FIRST_LIST, 200, LIST("10", "") },
					     { WATCH("10"), 0, "" },
					     { 0 } };
	const char *text = EVENT("ADDED", THING("a", "u1", "11", "red")) "\r\n" EVENT(
	    "ADDED", THING("b", "u2", "12", "blue"));

	start(f, steps);
	LOOP_UNTIL(f->server.loop, f->stream.exchange);
	for (const char *p = text; *p; p++) {
		char one[2] = { *p, '\0' };

		test_stream_write(&f->stream, one);
		LOOP_UNTIL(f->server.loop, f->stream.out.len == 0);
	}
	expect(f, "synced;+ ns/a red;+ ns/b blue;");
}

static void gone_lists_again(void **state)
{
	struct fixture *f = *state;
	static const struct step steps[] = {
		{ FIRST_LIST, 200,
		  LIST("10", THING("a", "u1", "1", "red") "," THING("b", "u2", "2", "red") "," THING(
				 "c", "u3", "3", "red")) },
		{ WATCH("10"), 410, "{\"kind\":\"Status\",\"reason\":\"Expired\",\"code\":410}" },
		{ FIRST_LIST, 200,
		  LIST("50", THING("a", "u1", "1", "red") "," THING("b", "u2", "40", "blue")) },
		{ WATCH("50"), 0,
		  "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"reason\":\"Expired\",\"code\":410,"
		  "\"message\":\"too old\"}}\n" },
		{ FIRST_LIST, 200, LIST("60", THING("b", "u7", "55", "blue")) },
		{ WATCH("60"), 0, "no json\n" },
		{ FIRST_LIST, 200, LIST("70", THING("b", "u7", "55", "blue")) },
		/* The server lost its data and counts from low again. */
		{ WATCH("70"), 504, "{\"kind\":\"Status\",\"reason\":\"Timeout\",\"code\":504}" },
		{ FIRST_LIST, 200, LIST("3", "") },
		{ WATCH("3"), 0, EVENT("ADDED", THING("n", "u8", "4", "red")) },
		{ 0 },
	};

	start(f, steps);
	expect(f, "+ ns/a red;+ ns/b red;+ ns/c red;synced;= ns/b blue;- ns/c red;- ns/b blue;+ ns/b blue;"
		  "- ns/a red;- ns/b blue;+ ns/n red;");
	assert_int_equal(informer_revision(f->informer), 4);
}

static void server_goes_and_comes_back(void **state)
{
	struct fixture *f = *state;
	static const struct step steps[] = {
		{ FIRST_LIST, 500, "oops" },
		{ FIRST_LIST, 200, "{\"items\":[" },
		{ FIRST_LIST, 200, "{\"items\":[{]}" },
		{ FIRST_LIST, 200, "[]" },
		{ FIRST_LIST, 200, LIST("10", THING("a", "u1", "1", "red")) },
		{ WATCH("10"), 0, "" },
		{ WATCH("10"), 0, EVENT("DELETED", THING("a", "u1", "11", "red")) },
		{ 0 },
	};

	start(f, steps);
	expect(f, "+ ns/a red;synced;");
	LOOP_UNTIL(f->server.loop, f->stream.exchange);
	test_server_stop(&f->server);
	/* Long enough for some attempts in vain. */
	for (int64_t until_ms = time_mono_ms() + 200; time_mono_ms() < until_ms;)
		loop_turn(f->server.loop, 10);
	assert_int_equal(informer_count(f->informer), 1);
	test_server_restart(&f->server);
	expect(f, "- ns/a red;");
}

static void freed_in_a_callback(void **state)
{
	struct fixture *f = *state;
	static const struct step steps[] = {
		{ FIRST_LIST, 200,
		  LIST("10", THING("a", "u1", "1", "red") "," THING("b", "u2", "2", "red")) },
		{ FIRST_LIST, 200, LIST("10", "") },
		{ WATCH("10"), 0,
		  EVENT("ADDED", THING("a", "u1", "11", "red"))
		      EVENT("ADDED", THING("b", "u2", "12", "red")) },
		{ 0 },
	};

	f->free_in_callback = true;
	start(f, steps);
	expect(f, "+ ns/a red;");
	assert_null(f->informer);
	start(f, steps);
	expect(f, "synced;+ ns/a red;");
	assert_null(f->informer);
	LOOP_UNTIL(f->server.loop, !f->stream.exchange);
}

static void freed_while_waiting(void **state)
{
	struct fixture *f = *state;
	static const struct step none[] = { { 0 } };

	f->hold = true;
	start(f, none);
	loop_turn(f->server.loop, 0);
	informer_free(TAKE(f->informer));
	test_server_stop(&f->server);
	start(f, none);
	for (int i = 0; i < 5; i++)
		loop_turn(f->server.loop, 20);
	informer_free(TAKE(f->informer));
}

static bool count_item(struct json_object *obj, void *arg)
{
	size_t *left = arg;

	assert_true(json_object_is_type(obj, json_type_object));
	return --*left > 0;
}

static void list_pages_are_walked(void **state)
{
	static const struct {
		const char *text;
		int result;
		size_t items;
		uint64_t revision;
		const char *continue_;
	} cases[] = {
		{ "{\"items\":[]}", 0, 0, 0, NULL },
		{ "{\"items\":null,\"metadata\":{\"resourceVersion\":\"5\"}}", 0, 0, 5, NULL },
		{ " { \"x\" : [1,{\"items\":[3]},\"]}\\\"\"] , \"n\":-1.5e3 , \"items\" : [ {} , "
		  "{\"a\":\"}]\"} ] } ",
		  0, 2, 0, NULL },
		{ "{\"items\":[{}],\"metadata\":{\"continue\":\"t\",\"resourceVersion\":"
		  "\"18446744073709551615\"}}",
		  0, 1, UINT64_MAX, "t" },
		{ "{\"items\":[{},]}", -1, 1, 0, NULL },
		{ "{\"items\":[{}", -1, 1, 0, NULL },
		{ "{\"items\":[{\"a\":\"\\", -1, 0, 0, NULL },
		{ "{\"items\":{}}", -1, 0, 0, NULL },
		{ "{\"items\":[]}x", -1, 0, 0, NULL },
		{ "{\"metadata\":{}}", -1, 0, 0, NULL },
		{ "{\"metadata\":}", -1, 0, 0, NULL },
		{ "{\"a\"", -1, 0, 0, NULL },
		{ "", -1, 0, 0, NULL },
		{ "null", -1, 0, 0, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(list_page_close) struct list_page page = { 0 };
		size_t left = 100, len = strlen(cases[i].text);
		char *copy = mem_copy(cases[i].text, len ? len : 1); /* no NUL to stop at */
		struct err err = ERR_INIT;

		assert_int_equal(list_page_walk(copy, len, NULL, NULL, count_item, &left, &page, &err),
				 cases[i].result);
		free(copy);
		assert_int_equal(100 - left, cases[i].items);
		assert_int_equal(page.revision, cases[i].revision);
		if (cases[i].continue_)
			assert_string_equal(page.continue_, cases[i].continue_);
		else
			assert_null(page.continue_);
		assert_int_equal(err.kind, cases[i].result ? ERR_PARSE : ERR_NONE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(list_then_watch, setup, teardown),
		cmocka_unit_test_setup_teardown(only_what_is_wanted, setup, teardown),
		cmocka_unit_test_setup_teardown(texts_are_decoded, setup, teardown),
		cmocka_unit_test_setup_teardown(pages_are_followed, setup, teardown),
		cmocka_unit_test_setup_teardown(watch_resumes, setup, teardown),
		cmocka_unit_test_setup_teardown(slow_streams_are_put_together, setup, teardown),
		cmocka_unit_test_setup_teardown(gone_lists_again, setup, teardown),
		cmocka_unit_test_setup_teardown(server_goes_and_comes_back, setup, teardown),
		cmocka_unit_test_setup_teardown(freed_in_a_callback, setup, teardown),
		cmocka_unit_test_setup_teardown(freed_while_waiting, setup, teardown),
		cmocka_unit_test(list_pages_are_walked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
