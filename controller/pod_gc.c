#include "controller/pod_gc.h"

#include <stdlib.h>

#include "controller/key_run.h"
#include "lib/log.h"
#include "lib/metrics.h"
#include "lib/timefmt.h"

enum { MAX_RUNNING = 16, QUARANTINE_MS = 20000 };

struct pod_gc {
	struct api_client *client;
	struct cache *cache;
	const struct node_pods *node_pods;
	const struct resource *resource, *pod_resource;
	struct work_queue *queue; /* keys are nodes */
	int64_t quarantine_ms;
	bool begun;
};

/* One pod's end. */
struct removal {
	struct pod_gc *gc;
	char *namespace_, *name, *uid;
};

static struct metric removed_total =
    METRIC_COUNTER("knarr_pod_gc_removed_total", "Pods removed since their node is gone.");

static void deleted(struct key_run *run, const struct api_response *response, void *arg)
{
	(void)arg;
	if (key_run_check(run, response))
		metric_add(&removed_total, 1);
}

/* Nobody is there to end it: without grace. */
static void marked(struct key_run *run, const struct api_response *response, void *arg)
{
	struct removal *r = arg;
	CLEANUP(buf_close) struct buf path = BUF_INIT, body = BUF_INIT;

	if (key_run_check(run, response)) {
		meta_path(&path, r->gc->pod_resource, r->namespace_, r->name, NULL);
		buf_str(&body, "{\"apiVersion\":\"v1\",\"kind\":\"DeleteOptions\",\"gracePeriodSeconds\":0,"
			       "\"preconditions\":{\"uid\":");
		buf_json_string(&body, r->uid);
		buf_str(&body, "}}");
		key_run_call(run, "DELETE", &path, NULL, &body, deleted, NULL);
	}
	free(r->namespace_);
	free(r->name);
	free(r->uid);
	free(r);
}

static void remove_pod(struct pod_gc *gc, struct key_run *run, const struct cached_pod *pod)
{
	CLEANUP(buf_close) struct buf path = BUF_INIT, body = BUF_INIT;
	struct removal *r = mem_alloc(sizeof(*r));
	char now[TIMEFMT_SIZE];

	*r = (struct removal){ gc, mem_dup(pod->meta.namespace_), mem_dup(pod->meta.name),
			       mem_dup(pod->meta.item.uid) };
	log_info("removing a pod whose node is gone", "pod", pod->meta.item.key, "node", pod->node_name,
		 NULL);
	meta_path(&path, gc->pod_resource, r->namespace_, r->name, "status");
	buf_str(&body, "{\"metadata\":{\"uid\":");
	buf_json_string(&body, r->uid);
	buf_printf(&body,
		   "},\"status\":{%s\"conditions\":[{\"type\":\"DisruptionTarget\",\"status\":\"True\","
		   "\"lastTransitionTime\":\"%s\","
		   "\"reason\":\"DeletionByPodGC\",\"message\":\"PodGC: node no longer exists\"}]}}",
		   pod->phase == PHASE_SUCCEEDED || pod->phase == PHASE_FAILED ? "" : "\"phase\":\"Failed\",",
		   time_format(time_now_us(), now));
	key_run_call(run, "PATCH", &path, "application/strategic-merge-patch+json", &body, marked, r);
}

static void node_answered(struct key_run *run, const struct api_response *response, void *arg)
{
	struct pod_gc *gc = arg;

	if (response->err.kind != ERR_NOT_FOUND) {
		key_run_check(run, response);
		return;
	}
	for (const struct cached_pod *pod = node_pods_of(gc->node_pods, run->key); pod;
	     pod = pod->next_on_node)
		remove_pod(gc, run, pod);
}

static void reconcile(struct work_queue *queue, const char *key, void *arg)
{
	struct pod_gc *gc = arg;
	CLEANUP(buf_close) struct buf path = BUF_INIT;

	if (!gc->begun || cache_get(gc->cache, gc->resource, key) || !node_pods_of(gc->node_pods, key)) {
		work_queue_done(queue, key, WORK_OK);
		return;
	}
	struct key_run *run = key_run_begin(queue, key, gc->client, "node");
	meta_path(&path, gc->resource, NULL, key, NULL);
	key_run_call(run, "GET", &path, NULL, NULL, node_answered, gc);
	key_run_end(run);
}

static void node_changed(const struct resource *resource, struct meta *old, struct meta *new_, void *arg)
{
	struct pod_gc *gc = arg;

	(void)resource;
	if (!new_ && gc->begun)
		work_queue_add_after(gc->queue, old->item.key, gc->quarantine_ms);
}

static void pod_changed(const struct resource *resource, struct meta *old, struct meta *new_, void *arg)
{
	struct pod_gc *gc = arg;
	const struct cached_pod *was = (struct cached_pod *)old, *is = (struct cached_pod *)new_;

	(void)resource;
	if (gc->begun && is && is->node_name && !(was && was->node_name) &&
	    !cache_get(gc->cache, gc->resource, is->node_name))
		work_queue_add_after(gc->queue, is->node_name, gc->quarantine_ms);
}

struct pod_gc *pod_gc_new(struct loop *loop, struct api_client *client, struct cache *cache,
			  const struct node_pods *node_pods)
{
	struct pod_gc *gc = mem_zalloc(sizeof(*gc));

	gc->client = client;
	gc->cache = cache;
	gc->node_pods = node_pods;
	gc->resource = resource_find("", "v1", "nodes");
	gc->pod_resource = resource_find("", "v1", "pods");
	gc->queue = work_queue_new(loop, MAX_RUNNING, reconcile, gc);
	gc->quarantine_ms = QUARANTINE_MS;
	metrics_register(&removed_total);
	cache_watch(cache, gc->resource, node_changed, gc);
	cache_watch(cache, gc->pod_resource, pod_changed, gc);
	return gc;
}

void pod_gc_set_quarantine(struct pod_gc *gc, int64_t quarantine_ms)
{
	gc->quarantine_ms = quarantine_ms;
}

void pod_gc_synced(struct pod_gc *gc)
{
	const char *node;

	gc->begun = true;
	for (size_t i = 0; map_next(&gc->node_pods->by_node, &i, &node, NULL);)
		if (!cache_get(gc->cache, gc->resource, node))
			work_queue_add_after(gc->queue, node, gc->quarantine_ms);
}

void pod_gc_free(struct pod_gc *gc)
{
	if (!gc)
		return;
	work_queue_free(gc->queue);
	free(gc);
}
