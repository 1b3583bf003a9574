/* Many updates of few objects: how fast they go, the worst that a write had to wait, how long SQLite's log
 * grew meanwhile, and the database beside the data that is alive in it. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bench/bench.h"
#include "bench/client.h"
#include "bench/objects.h"
#include "bench/stats.h"
#include "bench/tls_client.h"
#include "lib/timefmt.h"

#define NAME "updated"

enum { LOOK_MS = 20 };

struct update {
	struct loop *loop;
	size_t n_objects, n_updates, begun, done;
	int64_t sent_us[CLIENT_CONNECTIONS];
	struct tls_conn *conns[CLIENT_CONNECTIONS];
	size_t n_conns;
	struct stats waited_ms;
	const char *log_path;
	double log_mib;
	struct loop_timer timer;
};

static double file_mib(const char *path)
{
	struct stat st;

	return stat(path, &st) < 0 ? 0 : (double)st.st_size / (1 << 20);
}

static void look_at_log(struct loop_timer *timer, void *arg)
{
	struct update *update = arg;
	double mib = file_mib(update->log_path);

	if (mib > update->log_mib)
		update->log_mib = mib;
	loop_timer_arm(timer, LOOK_MS);
}

static size_t index_of(const struct update *update, const struct tls_conn *conn)
{
	size_t i = 0;

	while (update->conns[i] != conn)
		i++;
	return i;
}

static void send_next(struct update *update, struct tls_conn *conn)
{
	CLEANUP(buf_close) struct buf path = BUF_INIT, body = BUF_INIT;
	size_t i = update->begun++;

	if (i >= update->n_updates)
		return;
	buf_printf(&path, "%s/%s-%zu", OBJECTS_CONFIGMAPS, NAME, i % update->n_objects);
	object_config_map(&body, NAME, i % update->n_objects, i + 1);
	update->sent_us[index_of(update, conn)] = time_mono_us();
	tls_conn_send(conn, "PUT", path.data, body.data, body.len);
}

static void opened(struct tls_conn *conn, void *arg)
{
	send_next(arg, conn);
}

static void answered(struct tls_conn *conn, int code, void *arg)
{
	struct update *update = arg;

	if (code != 200)
		bench_die("an update was answered with %d", code);
	stats_add(&update->waited_ms,
		  (double)(time_mono_us() - update->sent_us[index_of(update, conn)]) / 1000);
	if (++update->done == update->n_updates)
		loop_stop(update->loop);
	send_next(update, conn);
}

static const struct tls_events events = { .opened = opened, .answered = answered };

static void make_config_map(size_t i, struct buf *path, struct buf *body, void *arg)
{
	(void)arg;
	buf_str(path, OBJECTS_CONFIGMAPS);
	object_config_map(body, NAME, i, 0);
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
	struct update update = { .loop = loop_new(NULL),
				 .n_objects = bench_count(argv[1]),
				 .n_updates = bench_count(argv[2]),
				 .log_path = argv[4] };
	struct api_client *client = client_new(update.loop, argv[0]);
	CLEANUP(kubeconfig_close) struct kubeconfig config = { 0 };

	(void)argc;
	client_config(argv[0], &config);
	struct tls_client *tls = tls_client_new(update.loop, &config, &events);
	client_sender_finish(client_send(client, "POST", update.n_objects, make_config_map, NULL),
			     update.loop);
	loop_timer_init(&update.timer, update.loop, look_at_log, &update);
	loop_timer_arm(&update.timer, LOOK_MS);
	int64_t began_us = time_mono_us();
	while (update.n_conns < CLIENT_CONNECTIONS) {
		update.conns[update.n_conns] = tls_conn_new(tls, &update);
		update.n_conns++;
	}
	loop_run(update.loop);
	double took_s = (double)(time_mono_us() - began_us) / 1e6;
	loop_timer_disarm(&update.timer);
	bench_figure("update-per-s", (double)update.n_updates / took_s);
	bench_figure("update-p99-ms", stats_rank(&update.waited_ms, 0.99));
	bench_figure("update-worst-ms", stats_rank(&update.waited_ms, 1));
	bench_figure("log-mib", update.log_mib);
	bench_figure("database-times", file_mib(argv[3]) / live_mib(client));
	for (size_t i = 0; i < update.n_conns; i++)
		tls_conn_close(update.conns[i]);
	stats_close(&update.waited_ms);
	tls_client_free(tls);
	api_client_free(client);
	loop_free(update.loop);
	return 0;
}
