/* Many updates of few objects: how fast they go, the worst that a write had to wait, how long SQLite's log
 * grew meanwhile, and the database beside the data that is alive in it. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bench/bench.h"
#include "bench/client.h"
#include "bench/objects.h"
#include "lib/timefmt.h"

#define NAME "updated"

enum { LOOK_MS = 20 };

/* How long SQLite's log became. */
struct log_watch {
	const char *path;
	double mib;
	struct loop_timer timer;
};

static double file_mib(const char *path)
{
	struct stat st;

	return stat(path, &st) < 0 ? 0 : (double)st.st_size / (1 << 20);
}

static void look_at_log(struct loop_timer *timer, void *arg)
{
	struct log_watch *watch = arg;
	double mib = file_mib(watch->path);

	if (mib > watch->mib)
		watch->mib = mib;
	loop_timer_arm(timer, LOOK_MS);
}

static void make_config_map(size_t i, struct buf *path, struct buf *body, void *arg)
{
	(void)arg;
	buf_str(path, OBJECTS_CONFIGMAPS);
	object_config_map(body, NAME, i, 0);
}

static void make_update(size_t i, struct buf *path, struct buf *body, void *arg)
{
	const size_t *n_objects = arg;

	buf_printf(path, "%s/%s-%zu", OBJECTS_CONFIGMAPS, NAME, i % *n_objects);
	object_config_map(body, NAME, i % *n_objects, i + 1);
}

/* Bytes of the objects as a client gets them. */
static double live_mib(struct api_client *client)
{
	CLEANUP(buf_close) struct buf list = BUF_INIT;

	client_do(client, "GET", OBJECTS_CONFIGMAPS "?labelSelector=app%3Dbench", NULL, NULL, &list);
	return (double)list.len / (1 << 20);
}

int bench_update(int argc, char **argv)
{
	CLEANUP(stats_close) struct stats waited_ms = { 0 };
	size_t n_objects = bench_count(argv[1]), n_updates = bench_count(argv[2]);
	struct loop *loop = loop_new(NULL);
	struct api_client *client = client_new(loop, argv[0]);
	struct log_watch watch = { .path = argv[4] };

	(void)argc;
	client_sender_finish(client_send(client, "POST", n_objects, make_config_map, NULL, NULL), loop);
	loop_timer_init(&watch.timer, loop, look_at_log, &watch);
	loop_timer_arm(&watch.timer, LOOK_MS);
	int64_t began_us = time_mono_us();
	client_sender_finish(client_send(client, "PUT", n_updates, make_update, &n_objects, &waited_ms),
			     loop);
	double took_s = (double)(time_mono_us() - began_us) / 1e6;
	loop_timer_disarm(&watch.timer);
	bench_figure("update-per-s", (double)n_updates / took_s);
	bench_figure("update-p99-ms", stats_rank(&waited_ms, 0.99));
	bench_figure("update-worst-ms", stats_rank(&waited_ms, 1));
	bench_figure("log-mib", watch.mib);
	bench_figure("database-times", file_mib(argv[3]) / live_mib(client));
	api_client_free(client);
	loop_free(loop);
	return 0;
}
