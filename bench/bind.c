/* Pods created and bound: from the first creation to the last binding that a watch shows. */
#include <stdlib.h>

#include "bench/bench.h"
#include "bench/client.h"
#include "bench/objects.h"
#include "bench/tally.h"
#include "lib/timefmt.h"

static void make_node(size_t i, struct buf *path, struct buf *body, void *arg)
{
	(void)arg;
	buf_str(path, "/api/v1/nodes");
	object_node(body, "bench", i);
}

static void make_pod(size_t i, struct buf *path, struct buf *body, void *arg)
{
	(void)arg;
	buf_str(path, OBJECTS_PODS);
	object_pod(body, "bench", i, false);
}

int bench_bind(int argc, char **argv)
{
	size_t n_nodes = bench_count(argv[1]), n_pods = bench_count(argv[2]);
	struct loop *loop = loop_new(NULL);
	struct api_client *client = client_new(loop, argv[0]);

	(void)argc;
	/* Nodes without agents stay ready for forty seconds, which is more than it takes. */
	struct tally_watch *nodes = tally_nodes(loop, client);
	struct client_sender *sender = client_send(client, "POST", n_nodes, make_node, NULL, NULL);
	tally_until_least(nodes, &tally_now(nodes)->ready, n_nodes);
	client_sender_finish(sender, loop);
	struct tally_watch *pods = tally_pods(loop, client, NULL, NULL);
	int64_t began_us = time_mono_us();
	sender = client_send(client, "POST", n_pods, make_pod, NULL, NULL);
	int64_t ended_us = tally_until_least(pods, &tally_now(pods)->placed, n_pods);
	client_sender_finish(sender, loop);
	bench_figure("bind-per-s", 1e6 * (double)n_pods / (double)(ended_us - began_us));
	tally_free(pods);
	tally_free(nodes);
	api_client_free(client);
	loop_free(loop);
	return 0;
}
