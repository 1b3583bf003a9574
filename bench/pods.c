/* Pods on a real node: created until all are Ready, then deleted until all are gone. */
#include "bench/bench.h"
#include "bench/client.h"
#include "bench/objects.h"
#include "bench/tally.h"
#include "lib/timefmt.h"

static void make_pod(size_t i, struct buf *path, struct buf *body, void *arg)
{
	buf_str(path, OBJECTS_PODS);
	object_pod(body, arg, i, true);
}

static void make_delete(size_t i, struct buf *path, struct buf *body, void *arg)
{
	buf_printf(path, "%s/%s-%zu", OBJECTS_PODS, (const char *)arg, i);
	buf_str(body, "{}");
}

static double ms(int64_t from_us, int64_t to_us)
{
	return (double)(to_us - from_us) / 1000;
}

int bench_pods(int argc, char **argv)
{
	size_t n = bench_count(argv[1]), rounds = bench_count(argv[2]);
	struct loop *loop = loop_new(NULL);
	struct api_client *client = client_new(loop, argv[0]);
	struct tally_watch *pods = tally_pods(loop, client, OBJECTS_SELECTOR, NULL);

	(void)argc;
	for (size_t round = 0; round < rounds; round++) {
		CLEANUP(mem_freep) char *prefix = mem_printf("bench-%zu", round);
		int64_t began_us = time_mono_us();
		struct client_sender *sender = client_send(client, "POST", n, make_pod, prefix, NULL);
		bench_figure("ready-ms", ms(began_us, tally_until_least(pods, &tally_now(pods)->ready, n)));
		client_sender_finish(sender, loop);

		began_us = time_mono_us();
		sender = client_send(client, "DELETE", n, make_delete, prefix, NULL);
		bench_figure("gone-ms", ms(began_us, tally_until(pods, (struct tally){ 0 })));
		client_sender_finish(sender, loop);
	}
	tally_free(pods);
	api_client_free(client);
	loop_free(loop);
	return 0;
}
