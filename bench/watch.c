/* Many watches of one ConfigMap, a connection each: what an open one costs the server in memory, and how long
 * a change takes, from the first byte of the write, to reach them.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "bench/bench.h"
#include "bench/client.h"
#include "bench/objects.h"
#include "bench/process.h"
#include "bench/stats.h"
#include "bench/tls_client.h"
#include "lib/json.h"
#include "lib/timefmt.h"

#define MARK    "\"tick\":\""
#define NAME    "watched"
#define WATCHED OBJECTS_CONFIGMAPS "/" NAME "-0"

enum { OPENING = 64, SETTLE_MS = 2000, PAUSE_MS = 20 };

struct fan {
	struct loop *loop;
	struct api_client *client;
	struct tls_client *tls;
	struct tls_conn **conns;
	size_t n, begun, opened;
	char *path;
	/* The change under way. */
	size_t tick, seen;
	int64_t began_us;
	struct stats reached_ms; /* of every watch */
};

static void open_next(struct fan *fan)
{
	if (fan->begun == fan->n)
		return;
	fan->conns[fan->begun] = tls_conn_new(fan->tls, fan);
	fan->begun++;
}

static void opened(struct tls_conn *conn, void *arg)
{
	struct fan *fan = arg;

	tls_conn_send(conn, "GET", fan->path, NULL, 0);
	fan->opened++;
	open_next(fan);
}

static void answered(struct tls_conn *conn, int code, void *arg)
{
	(void)conn;
	(void)arg;
	bench_die("a watch ended with %d", code);
}

static void line(struct tls_conn *conn, const char *text, size_t len, void *arg)
{
	struct fan *fan = arg;
	const char *mark = memmem(text, len, MARK, strlen(MARK));

	(void)conn;
	if (!mark || strtoul(mark + strlen(MARK), NULL, 10) != fan->tick)
		return;
	stats_add(&fan->reached_ms, (double)(time_mono_us() - fan->began_us) / 1000);
	fan->seen++;
}

static const struct tls_events events = { .opened = opened, .answered = answered, .line = line };

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
	CLEANUP(buf_close) struct buf body = BUF_INIT, answer = BUF_INIT;
	CLEANUP(json_putp) struct json_object *obj = NULL;

	/* One that an earlier run left is taken over. */
	api_client_do(fan->client, "DELETE", WATCHED, NULL, NULL, "{}", 2, NULL, NULL, NULL);
	object_config_map(&body, NAME, 0, 0);
	client_do(fan->client, "POST", OBJECTS_CONFIGMAPS, NULL, body.data, &answer);
	if (json_parse(answer.data, answer.len, &obj, NULL, NULL) < 0)
		bench_die("the answer to a creation is no JSON");
	fan->path = mem_printf("%s?watch=1&resourceVersion=%s", OBJECTS_CONFIGMAPS,
			       json_str_or_empty(json_get(obj, "metadata"), "resourceVersion"));
}

static void raise_file_limit(size_t n)
{
	struct rlimit files;

	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	if (files.rlim_cur < n + 64)
		bench_die("%zu watches need as many file descriptors, this machine grants %llu (ulimit -Hn)",
			  n, (unsigned long long)files.rlim_cur);
}

int bench_watch(int argc, char **argv)
{
	CLEANUP(kubeconfig_close) struct kubeconfig config = { 0 };
	pid_t server = (pid_t)bench_count(argv[1]);
	struct fan fan = { .loop = loop_new(NULL), .n = bench_count(argv[2]) };
	size_t n_events = bench_count(argv[3]);

	(void)argc;
	raise_file_limit(fan.n);
	fan.client = client_new(fan.loop, argv[0]);
	client_config(argv[0], &config);
	fan.tls = tls_client_new(fan.loop, &config, &events);
	fan.conns = mem_zalloc(fan.n * sizeof(struct tls_conn *));
	make_watched(&fan);
	double before_kib = process_pss_kib(server);
	for (size_t i = 0; i < OPENING; i++)
		open_next(&fan);
	while (fan.opened < fan.n)
		loop_turn(fan.loop, -1);
	change(&fan); /* all of them watch: they have seen this */
	quiet(&fan, SETTLE_MS);
	bench_figure("watch-kib", (process_pss_kib(server) - before_kib) / (double)fan.n);
	stats_close(&fan.reached_ms);
	for (size_t i = 0; i < n_events; i++) {
		bench_figure("all-ms", change(&fan));
		quiet(&fan, PAUSE_MS);
	}
	bench_figure("watch-p99-ms", stats_rank(&fan.reached_ms, 0.99));
	for (size_t i = 0; i < fan.n; i++)
		tls_conn_close(fan.conns[i]);
	stats_close(&fan.reached_ms);
	tls_client_free(fan.tls);
	api_client_free(fan.client);
	loop_free(fan.loop);
	free(fan.conns);
	free(fan.path);
	return 0;
}
