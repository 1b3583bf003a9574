/* Pods on a real node: one after the other, and a burst of many. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "lib/informer.h"
#include "lib/mem.h"
#include "lib/timefmt.h"

enum { CONNECTIONS = 32, MAX_RUNS = 1000 };

struct pods {
	struct loop *loop;
	struct api_client *client;
	const char *prefix;
	size_t first, n; /* names PREFIX-FIRST to PREFIX-(FIRST+N-1) */
	size_t ready, present;
	bool synced;
	struct bench_sender *sender;
};

struct seen {
	struct informer_item item;
	bool ready;
};

static bool decode(void *item, struct json_object *obj, void *arg)
{
	struct seen *seen = item;
	const struct json_object *conditions = json_path(obj, "status", "conditions", NULL);

	(void)arg;
	for (size_t i = 0; i < json_len(conditions); i++)
		if (strcmp(json_str_or_empty(json_at(conditions, i), "type"), "Ready") == 0)
			seen->ready =
			    strcmp(json_str_or_empty(json_at(conditions, i), "status"), "True") == 0;
	return true;
}

static void count(struct pods *p, int ready, int present)
{
	p->ready = (size_t)((long)p->ready + ready);
	p->present = (size_t)((long)p->present + present);
	loop_stop(p->loop);
}

static void added(void *item, void *arg)
{
	count(arg, ((struct seen *)item)->ready, 1);
}

static void updated(void *old, void *new_, void *arg)
{
	count(arg, ((struct seen *)new_)->ready - ((struct seen *)old)->ready, 0);
}

static void deleted(void *item, void *arg)
{
	count(arg, -((struct seen *)item)->ready, -1);
}

static void synced(void *arg)
{
	struct pods *p = arg;

	p->synced = true;
	loop_stop(p->loop);
}

static void make_pod(size_t i, struct buf *path, struct buf *body, void *arg)
{
	struct pods *p = arg;

	buf_str(path, "/api/v1/namespaces/default/pods");
	buf_printf(
	    body,
	    "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"%s-%zu\",\"labels\":{\"app\":"
	    "\"bench\"}},\"spec\":{"
	    "\"terminationGracePeriodSeconds\":2,\"containers\":[{\"name\":\"c\",\"image\":\"market-data:"
	    "v1\",\"imagePullPolicy\":\"IfNotPresent\","
	    "\"readinessProbe\":{\"httpGet\":{\"path\":\"/ping\",\"port\":8080},\"periodSeconds\":1}}]}}",
	    p->prefix, p->first + i);
}

static void make_delete(size_t i, struct buf *path, struct buf *body, void *arg)
{
	struct pods *p = arg;

	buf_printf(path, "/api/v1/namespaces/default/pods/%s-%zu", p->prefix, p->first + i);
	buf_str(body, "{}");
}

static void wait_until(struct pods *p, size_t ready, size_t present)
{
	while (p->ready != ready || p->present != present)
		loop_run(p->loop);
}

/* Creates N pods, waits until all are Ready, deletes them, waits until they are gone. Milliseconds of each.
 */
static void round_trip(struct pods *p, size_t first, size_t n, double *ret_ready_ms, double *ret_gone_ms)
{
	int64_t began_us = time_mono_us();

	p->first = first;
	p->n = n;
	p->sender = bench_send(p->client, n, CONNECTIONS, make_pod, "POST", NULL, p);
	wait_until(p, n, n);
	*ret_ready_ms = (double)(time_mono_us() - began_us) / 1000;
	bench_sender_free(p->sender);
	began_us = time_mono_us();
	p->sender = bench_send(p->client, n, CONNECTIONS, make_delete, "DELETE", NULL, p);
	wait_until(p, 0, 0);
	*ret_gone_ms = (double)(time_mono_us() - began_us) / 1000;
	/* The last answers may still be on their way: the watch was faster. */
	loop_turn(p->loop, 100);
	bench_sender_free(TAKE(p->sender));
}

static struct informer_type type = { .path = "/api/v1/namespaces/default/pods",
				     .query = "labelSelector=app%3Dbench",
				     .item_size = sizeof(struct seen),
				     .decode = decode,
				     .added = added,
				     .updated = updated,
				     .deleted = deleted,
				     .synced = synced };

static struct informer *open_pods(struct pods *p, const char *kubeconfig)
{
	p->loop = loop_new(NULL);
	p->client = bench_client(p->loop, kubeconfig);
	struct informer *informer = informer_new(p->loop, p->client, &type, p);
	while (!p->synced)
		loop_run(p->loop);
	return informer;
}

static void close_pods(struct pods *p, struct informer *informer)
{
	informer_free(informer);
	api_client_free(p->client);
	loop_free(p->loop);
}

int bench_pod_ready(int argc, char **argv)
{
	struct pods p = { .prefix = "bench-one" };
	double ready[MAX_RUNS], gone;

	if (argc != 2) {
		fprintf(stderr, "usage: knarr-bench pod-ready KUBECONFIG RUNS\n");
		return 1;
	}
	size_t runs = strtoul(argv[1], NULL, 10);
	if (runs < 1 || runs > MAX_RUNS)
		return 1;
	struct informer *informer = open_pods(&p, argv[0]);
	for (size_t i = 0; i < runs; i++)
		round_trip(&p, i, 1, &ready[i], &gone);
	printf("%.1f\n", bench_median(ready, runs));
	close_pods(&p, informer);
	return 0;
}

int bench_burst(int argc, char **argv)
{
	struct pods p = { .prefix = "bench-burst" };
	double ready, gone;

	if (argc != 2) {
		fprintf(stderr, "usage: knarr-bench burst KUBECONFIG PODS\n");
		return 1;
	}
	struct informer *informer = open_pods(&p, argv[0]);
	round_trip(&p, 0, strtoul(argv[1], NULL, 10), &ready, &gone);
	printf("%.0f %.0f\n", ready, gone);
	close_pods(&p, informer);
	return 0;
}
