/* Many watches of one ConfigMap, a connection each: what an open one costs the server in memory, and how long
 * a change takes, from the first byte of the write, to reach them.
 */
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "bench/client.h"
#include "bench/objects.h"
#include "bench/process.h"
#include "lib/timefmt.h"

#define MARK    "\"tick\":\""
#define NAME    "watched"
#define WATCHED OBJECTS_CONFIGMAPS "/" NAME "-0"

enum { OPENING = 64, SETTLE_MS = 2000, PAUSE_MS = 20 };

struct fan {
	struct loop *loop;
	struct api_client *client;
	struct http_client *http;
	char *url;
	struct watch *watches;
	size_t n, begun;
	/* The change under way, and who has it. */
	size_t tick, seen;
	int64_t began_us;
	struct stats reached_ms; /* of every watch */
};

struct watch {
	struct fan *fan;
	bool opened;
	struct buf line; /* the unfinished one */
};

static void open_next(struct fan *fan);

/* The first event tells what is there already: the watch is open, and another one may begin. */
static void line(struct watch *watch)
{
	struct fan *fan = watch->fan;
	const char *mark = memmem(watch->line.data, watch->line.len, MARK, strlen(MARK));

	if (!mark || strtoul(mark + strlen(MARK), NULL, 10) != fan->tick)
		return;
	stats_add(&fan->reached_ms, (double)(time_mono_us() - fan->began_us) / 1000);
	fan->seen++;
	if (!watch->opened)
		open_next(fan);
	watch->opened = true;
}

static bool data(const char *text, size_t len, void *arg)
{
	struct watch *watch = arg;
	const char *end;

	while (len > 0 && (end = memchr(text, '\n', len))) {
		size_t n = (size_t)(end - text) + 1;

		buf_add(&watch->line, text, n);
		line(watch);
		buf_reset(&watch->line);
		text += n;
		len -= n;
	}
	buf_add(&watch->line, text, len);
	return true;
}

static void done(const struct http_response *response, void *arg)
{
	(void)arg;
	bench_die("a watch ended with %d: %s", response->code, response->err.msg);
}

static void open_next(struct fan *fan)
{
	struct http_request request = { .method = "GET", .url = fan->url };

	if (fan->begun == fan->n)
		return;
	struct watch *watch = &fan->watches[fan->begun++];
	watch->fan = fan;
	http_client_send(fan->http, &request, data, done, watch);
}

static void written(const struct api_response *response, void *arg)
{
	bool *over = arg;

	if (response->err.kind != ERR_NONE)
		bench_die("%s", response->err.msg);
	*over = true;
}

/* One change, until all have it; milliseconds. */
static double change(struct fan *fan)
{
	CLEANUP(buf_close) struct buf body = BUF_INIT;
	bool over = false;

	object_config_map(&body, NAME, 0, ++fan->tick);
	fan->seen = 0;
	fan->began_us = time_mono_us();
	api_client_call(fan->client, "PUT", WATCHED, NULL, body.data, body.len, written, &over);
	while (fan->seen < fan->n)
		loop_turn(fan->loop, -1);
	double all_ms = (double)(time_mono_us() - fan->began_us) / 1000;
	while (!over)
		loop_turn(fan->loop, -1);
	return all_ms;
}

static void quiet(struct fan *fan, int ms)
{
	int64_t until_ms = time_mono_ms() + ms;

	for (int64_t left = ms; left > 0; left = until_ms - time_mono_ms())
		loop_turn(fan->loop, (int)left);
}

static void make_watched(struct fan *fan)
{
	CLEANUP(buf_close) struct buf body = BUF_INIT;

	/* One that an earlier run left is taken over. */
	api_client_do(fan->client, "DELETE", WATCHED, NULL, NULL, "{}", 2, NULL, NULL, NULL);
	object_config_map(&body, NAME, 0, 0);
	client_do(fan->client, "POST", OBJECTS_CONFIGMAPS, NULL, body.data, NULL);
}

/* lib's API client keeps fewer connections than this takes. */
static void open_watches(struct fan *fan, const char *kubeconfig)
{
	CLEANUP(kubeconfig_close) struct kubeconfig config = { 0 };
	struct err err = ERR_INIT;

	client_config(kubeconfig, &config);
	struct http_identity identity = { .ca_pem = config.ca_pem,
					  .cert_pem = config.cert_pem,
					  .key_pem = config.key_pem,
					  .token = config.token,
					  .tls_server_name = config.tls_server_name,
					  .insecure_skip_verify = config.insecure_skip_verify };
	fan->http = http_client_new(fan->loop, &identity, (long)fan->n, "knarr-bench", &err);
	if (!fan->http)
		bench_die("%s", err.msg);
	fan->url = mem_printf("%s%s?watch=1", config.server, OBJECTS_CONFIGMAPS);
	fan->watches = mem_zalloc(fan->n * sizeof(*fan->watches));
	for (size_t i = 0; i < OPENING; i++)
		open_next(fan);
	while (fan->seen < fan->n)
		loop_turn(fan->loop, -1);
}

int bench_watch(int argc, char **argv)
{
	pid_t server = (pid_t)bench_count(argv[1]);
	struct fan fan = { .loop = loop_new(NULL), .n = bench_count(argv[2]) };
	size_t n_events = bench_count(argv[3]);

	(void)argc;
	process_raise_file_limit(fan.n);
	fan.client = client_new(fan.loop, argv[0]);
	make_watched(&fan);
	double before_kib = process_pss_kib(server);
	open_watches(&fan, argv[0]);
	quiet(&fan, SETTLE_MS);
	bench_figure("watch-kib", (process_pss_kib(server) - before_kib) / (double)fan.n);
	stats_close(&fan.reached_ms);
	for (size_t i = 0; i < n_events; i++) {
		bench_figure("all-ms", change(&fan));
		quiet(&fan, PAUSE_MS);
	}
	bench_figure("watch-p99-ms", stats_rank(&fan.reached_ms, 0.99));
	http_client_free(fan.http);
	for (size_t i = 0; i < fan.n; i++)
		buf_close(&fan.watches[i].line);
	stats_close(&fan.reached_ms);
	api_client_free(fan.client);
	loop_free(fan.loop);
	free(fan.watches);
	free(fan.url);
	return 0;
}
