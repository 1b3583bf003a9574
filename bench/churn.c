/* Pods that come and go at a steady rate, and what that does to answers: each pod is created, read a few
 * times and deleted after a while; the requests start on time whether or not earlier ones are answered. */
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "bench/client.h"
#include "bench/objects.h"
#include "bench/stats.h"
#include "lib/timefmt.h"

enum { TICK_MS = 5, LIFE_S = 3 };

struct churn {
	struct loop *loop;
	struct api_client *client;
	struct loop_timer timer;
	const char *prefix; /* another one in each round: the last pods of the one before still end */
	size_t rate;
	int64_t began_us;
	size_t created, deleted;
	size_t until; /* pods to create in all */
	size_t in_flight;
	struct stats writes_ms, gets_ms;
};

struct timed {
	struct churn *churn;
	struct stats *into;
	int64_t began_us;
};

static void answered(const struct api_response *response, void *arg)
{
	struct timed *timed = arg;

	if (response->err.kind != ERR_NONE)
		bench_die("churn: %s", response->err.msg);
	stats_add(timed->into, (double)(time_mono_us() - timed->began_us) / 1000);
	timed->churn->in_flight--;
	free(timed);
}

static void send_timed(struct churn *churn, struct stats *into, const char *method, const char *path,
		       const struct buf *body)
{
	struct timed *timed = mem_alloc(sizeof(*timed));

	*timed = (struct timed){ .churn = churn, .into = into, .began_us = time_mono_us() };
	churn->in_flight++;
	api_client_call(churn->client, method, path, NULL, body ? body->data : NULL, body ? body->len : 0,
			answered, timed);
}

static void create(struct churn *churn)
{
	CLEANUP(buf_close) struct buf body = BUF_INIT;

	object_pod(&body, churn->prefix, churn->created++, false);
	send_timed(churn, &churn->writes_ms, "POST", OBJECTS_PODS, &body);
}

static void get_one(struct churn *churn, size_t i)
{
	CLEANUP(mem_freep) char *path = mem_printf("%s/%s-%zu", OBJECTS_PODS, churn->prefix, i);

	send_timed(churn, &churn->gets_ms, "GET", path, NULL);
}

static void delete_oldest(struct churn *churn)
{
	CLEANUP(mem_freep)
	char *path = mem_printf("%s/%s-%zu", OBJECTS_PODS, churn->prefix, churn->deleted++);
	struct buf body = { .data = (char[]){ "{}" }, .len = 2 };

	send_timed(churn, &churn->writes_ms, "DELETE", path, &body);
}

static void tick(struct loop_timer *timer, void *arg)
{
	struct churn *churn = arg;
	size_t due = (size_t)((double)(time_mono_us() - churn->began_us) / 1e6 * (double)churn->rate);
	size_t life = churn->rate * LIFE_S;

	while (churn->created < due && churn->created < churn->until) {
		create(churn);
		/* A pod of two thirds of the way through its life is there for certain. */
		if (churn->created > life)
			get_one(churn, churn->created - life * 2 / 3);
	}
	while (churn->deleted + life < due && churn->deleted < churn->created)
		delete_oldest(churn);
	if (churn->deleted < churn->until || churn->in_flight > 0)
		loop_timer_arm(timer, TICK_MS);
	else
		loop_stop(churn->loop);
}

int bench_churn(int argc, char **argv)
{
	struct churn churn = { .loop = loop_new(NULL), .rate = bench_count(argv[1]) };
	size_t seconds = bench_count(argv[2]), rounds = bench_count(argv[3]);

	(void)argc;
	churn.client = client_new(churn.loop, argv[0]);
	loop_timer_init(&churn.timer, churn.loop, tick, &churn);
	for (size_t round = 0; round < rounds; round++) {
		CLEANUP(mem_freep) char *prefix = mem_printf("churn-%zu", round);

		churn.prefix = prefix;
		churn.created = churn.deleted = 0;
		churn.until = churn.rate * (seconds + LIFE_S);
		churn.began_us = time_mono_us();
		loop_timer_arm(&churn.timer, 0);
		loop_run(churn.loop);
		bench_figure("write-p99-ms", stats_rank(&churn.writes_ms, 0.99));
		bench_figure("get-p99-ms", stats_rank(&churn.gets_ms, 0.99));
		stats_close(&churn.writes_ms);
		stats_close(&churn.gets_ms);
	}
	api_client_free(churn.client);
	loop_free(churn.loop);
	return 0;
}
