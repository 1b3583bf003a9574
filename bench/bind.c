#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "lib/informer.h"
#include "lib/mem.h"
#include "lib/timefmt.h"

enum { CONNECTIONS = 32 };

struct bind {
	struct loop *loop;
	struct api_client *client;
	size_t n_nodes, n_pods;
	size_t ready_nodes, bound;
	bool nodes_sent, pods_began, synced;
	int64_t began_us, ended_us;
	struct bench_sender *senders[2];
};

struct seen {
	struct informer_item item;
	bool good; /* a node without taints; a pod with a node */
};

static bool decode_node(void *item, struct json_object *obj, void *arg)
{
	struct seen *seen = item;

	(void)arg;
	seen->good = json_len(json_path(obj, "spec", "taints", NULL)) == 0;
	return true;
}

static bool decode_pod(void *item, struct json_object *obj, void *arg)
{
	struct seen *seen = item;

	(void)arg;
	seen->good = *json_str_or_empty(json_get(obj, "spec"), "nodeName") != '\0';
	return true;
}

static void make_node(size_t i, struct buf *path, struct buf *body, void *arg)
{
	(void)arg;
	buf_str(path, "/api/v1/nodes");
	buf_printf(
	    body,
	    "{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{\"name\":\"bench-%zu\"},\"status\":{"
	    "\"capacity\":{\"cpu\":\"16\",\"memory\":\"64Gi\",\"pods\":\"110\"},\"allocatable\":{\"cpu\":"
	    "\"16\",\"memory\":\"64Gi\",\"pods\":\"110\"},"
	    "\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\",\"reason\":\"KubeletReady\",\"message\":"
	    "\"fake\"}]}}",
	    i);
}

static void make_pod(size_t i, struct buf *path, struct buf *body, void *arg)
{
	(void)arg;
	buf_str(path, "/api/v1/namespaces/default/pods");
	buf_printf(body,
		   "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"bench-%zu\",\"labels\":{"
		   "\"app\":\"bench\"}},\"spec\":{\"containers\":["
		   "{\"name\":\"c\",\"image\":\"market-data:v1\",\"resources\":{\"requests\":{\"cpu\":"
		   "\"100m\",\"memory\":\"64Mi\"}}}]}}",
		   i);
}

static void begin_pods(struct bind *b)
{
	if (b->pods_began || b->ready_nodes < b->n_nodes || !b->synced)
		return;
	b->pods_began = true;
	b->began_us = time_mono_us();
	b->senders[1] = bench_send(b->client, b->n_pods, CONNECTIONS, make_pod, "POST", NULL, b);
}

static void node_seen(struct bind *b, int change)
{
	b->ready_nodes = (size_t)((long)b->ready_nodes + change);
	begin_pods(b);
}

static void node_added(void *item, void *arg)
{
	node_seen(arg, ((struct seen *)item)->good);
}

static void node_updated(void *old, void *new_, void *arg)
{
	node_seen(arg, ((struct seen *)new_)->good - ((struct seen *)old)->good);
}

static void node_deleted(void *item, void *arg)
{
	node_seen(arg, -((struct seen *)item)->good);
}

static void pods_synced(void *arg)
{
	struct bind *b = arg;

	b->synced = true;
	b->senders[0] = bench_send(b->client, b->n_nodes, CONNECTIONS, make_node, "POST", NULL, b);
}

static void pod_bound(struct bind *b)
{
	if (++b->bound == b->n_pods) {
		b->ended_us = time_mono_us();
		loop_stop(b->loop);
	}
}

static void pod_added(void *item, void *arg)
{
	if (((struct seen *)item)->good)
		pod_bound(arg);
}

static void pod_updated(void *old, void *new_, void *arg)
{
	if (((struct seen *)new_)->good && !((struct seen *)old)->good)
		pod_bound(arg);
}

static void pod_deleted(void *item, void *arg)
{
	(void)item;
	(void)arg;
	fprintf(stderr, "error: a pod was deleted while binding was measured\n");
	exit(1);
}

int bench_bind(int argc, char **argv)
{
	struct informer_type nodes = { .path = "/api/v1/nodes",
				       .item_size = sizeof(struct seen),
				       .decode = decode_node,
				       .added = node_added,
				       .updated = node_updated,
				       .deleted = node_deleted };
	struct informer_type pods = { .path = "/api/v1/namespaces/default/pods",
				      .item_size = sizeof(struct seen),
				      .decode = decode_pod,
				      .added = pod_added,
				      .updated = pod_updated,
				      .deleted = pod_deleted,
				      .synced = pods_synced };

	if (argc != 3) {
		fprintf(stderr, "usage: knarr-bench bind KUBECONFIG NODES PODS\n");
		return 1;
	}
	struct bind b = { .loop = loop_new(NULL),
			  .n_nodes = strtoul(argv[1], NULL, 10),
			  .n_pods = strtoul(argv[2], NULL, 10) };
	b.client = bench_client(b.loop, argv[0]);
	struct informer *node_informer = informer_new(b.loop, b.client, &nodes, &b);
	struct informer *pod_informer = informer_new(b.loop, b.client, &pods, &b);
	loop_run(b.loop);
	printf("%.0f\n", (double)b.n_pods * 1e6 / (double)(b.ended_us - b.began_us));
	informer_free(pod_informer);
	informer_free(node_informer);
	for (size_t i = 0; i < 2; i++)
		bench_sender_free(b.senders[i]);
	api_client_free(b.client);
	loop_free(b.loop);
	return 0;
}
