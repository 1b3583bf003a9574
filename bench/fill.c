/* Fills a cluster, and returns when it has settled: nodes without taints, pods Ready, for which fake nodes
 * must be there to answer. */
#include <string.h>

#include "bench/bench.h"
#include "bench/client.h"
#include "bench/objects.h"
#include "bench/tally.h"
#include "lib/timefmt.h"

struct kind {
	const char *name, *path;
	void (*make)(struct buf *b, const char *prefix, size_t i);
};

static void make_pod(struct buf *b, const char *prefix, size_t i)
{
	object_pod(b, prefix, i, false);
}

static void make_config_map(struct buf *b, const char *prefix, size_t i)
{
	object_config_map(b, prefix, i, 0);
}

static const struct kind kinds[] = {
	{ "nodes", "/api/v1/nodes", object_node },
	{ "pods", OBJECTS_PODS, make_pod },
	{ "configmaps", OBJECTS_CONFIGMAPS, make_config_map },
};

struct fill {
	const struct kind *kind;
	const char *prefix;
};

static void make(size_t i, struct buf *path, struct buf *body, void *arg)
{
	const struct fill *fill = arg;

	buf_str(path, fill->kind->path);
	fill->kind->make(body, fill->prefix, i);
}

int bench_fill(int argc, char **argv)
{
	struct fill fill = { .prefix = argv[2] };
	size_t n = bench_count(argv[3]);
	struct loop *loop = loop_new(NULL);
	struct api_client *client = client_new(loop, argv[0]);
	struct tally_watch *watch = NULL;

	(void)argc;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strcmp(argv[1], kinds[i].name) == 0)
			fill.kind = &kinds[i];
	if (!fill.kind)
		bench_die("fill: nodes, pods or configmaps, not \"%s\"", argv[1]);
	if (fill.kind == &kinds[0])
		watch = tally_nodes(loop, client);
	else if (fill.kind == &kinds[1])
		watch = tally_pods(loop, client, OBJECTS_SELECTOR, NULL);
	size_t already = watch ? tally_now(watch)->ready : 0;
	int64_t began_us = time_mono_us();
	struct client_sender *sender = client_send(client, "POST", n, make, &fill, NULL);
	if (watch)
		tally_until_least(watch, &tally_now(watch)->ready, already + n);
	client_sender_finish(sender, loop);
	bench_figure("fill-per-s", 1e6 * (double)n / (double)(time_mono_us() - began_us));
	if (watch)
		tally_free(watch);
	api_client_free(client);
	loop_free(loop);
	return 0;
}
