#include "controller/taint_eviction.h"

#include <stdlib.h>
#include <string.h>

#include "controller/key_run.h"
#include "controller/toleration.h"
#include "lib/event_recorder.h"
#include "lib/metrics.h"
#include "lib/timefmt.h"

enum { MAX_RUNNING = 64 };

/* A node with NoExecute taints. Usually there are none. */
struct tainted_node {
	struct no_execute_taints taints;
	char name[];
};

/* A pod on such a node. */
struct doomed_pod {
	int64_t since_ms;
	bool told; /* its time has been set: taking that back is worth an event */
	char uid[];
};

struct taint_eviction {
	struct loop *loop;
	struct api_client *client;
	struct cache *cache;
	const struct node_pods *node_pods;
	const struct resource *resource, *pod_resource;
	struct event_recorder *events;
	struct work_queue *queue; /* keys are pods */
	struct map nodes;         /* name -> struct tainted_node */
	struct map doomed;        /* pod uid -> struct doomed_pod */
	bool begun;
};

/* A pod's end: first it is told why, then it is deleted. */
struct eviction {
	struct taint_eviction *owner;
	char *namespace_, *name, *uid;
};

static struct metric evicted_total =
    METRIC_COUNTER("knarr_taint_evictions_total", "Pods deleted for a taint of their node.");

static struct event_object about_pod(const struct meta *pod)
{
	return (struct event_object){ .api_version = "v1",
				      .kind = "Pod",
				      .namespace_ = pod->namespace_,
				      .name = pod->name,
				      .uid = pod->item.uid };
}

/* --- evicting --- */

static void deleted(struct key_run *run, const struct api_response *response, void *arg)
{
	(void)arg;
	if (key_run_check(run, response))
		metric_add(&evicted_total, 1);
}

static void told(struct key_run *run, const struct api_response *response, void *arg)
{
	struct eviction *e = arg;
	CLEANUP(buf_close) struct buf path = BUF_INIT, body = BUF_INIT;

	if (key_run_check(run, response)) {
		meta_path(&path, e->owner->pod_resource, e->namespace_, e->name, NULL);
		key_run_delete_options(&body, e->uid);
		key_run_call(run, "DELETE", &path, NULL, &body, deleted, NULL);
	}
	free(e->namespace_);
	free(e->name);
	free(e->uid);
	free(e);
}

/* A pod that is deleted because its node is lost is not ready any more either (node_lifecycle.c leaves that
 * to us). */
static bool lost_with_node(const struct taint_eviction *eviction, const struct cached_pod *pod)
{
	const struct cached_node *node = cache_get(eviction->cache, eviction->resource, pod->node_name);

	return pod->ready && node && !node->ready;
}

static void evict(struct taint_eviction *eviction, struct key_run *run, const struct cached_pod *pod)
{
	CLEANUP(buf_close) struct buf path = BUF_INIT, body = BUF_INIT;
	struct event_object about = about_pod(&pod->meta);
	struct eviction *e = mem_alloc(sizeof(*e));
	char now[TIMEFMT_SIZE];

	*e = (struct eviction){ eviction, mem_dup(pod->meta.namespace_), mem_dup(pod->meta.name),
				mem_dup(pod->meta.item.uid) };
	event_record(eviction->events, &about, "Normal", "TaintManagerEviction",
		     "Marking for deletion Pod %s", pod->meta.item.key);
	meta_path(&path, eviction->pod_resource, e->namespace_, e->name, "status");
	buf_str(&body, "{\"metadata\":{\"uid\":");
	buf_json_string(&body, e->uid);
	time_format(time_now_us(), now);
	buf_printf(&body,
		   "},\"status\":{\"conditions\":[{\"type\":\"DisruptionTarget\",\"status\":\"True\","
		   "\"lastTransitionTime\":\"%s\","
		   "\"reason\":\"DeletionByTaintManager\",\"message\":\"Taint manager: deleting due to "
		   "NoExecute taint\"}",
		   now);
	if (lost_with_node(eviction, pod))
		buf_printf(&body, ",{\"type\":\"Ready\",\"status\":\"False\",\"lastTransitionTime\":\"%s\"}",
			   now);
	buf_str(&body, "]}}");
	key_run_call(run, "PATCH", &path, "application/strategic-merge-patch+json", &body, told, e);
}

static void forget(struct taint_eviction *eviction, const struct meta *pod, bool tell)
{
	struct doomed_pod *doomed = map_remove(&eviction->doomed, pod->item.uid);
	struct event_object about = about_pod(pod);

	if (doomed && doomed->told && tell)
		event_record(eviction->events, &about, "Normal", "TaintManagerEviction",
			     "Cancelling deletion of Pod %s", pod->item.key);
	free(doomed);
}

static struct doomed_pod *doom(struct taint_eviction *eviction, const struct meta *pod)
{
	struct doomed_pod *doomed = map_get(&eviction->doomed, pod->item.uid);
	size_t size = strlen(pod->item.uid) + 1;

	if (doomed)
		return doomed;
	doomed = mem_zalloc(sizeof(*doomed) + size);
	doomed->since_ms = loop_now_ms(eviction->loop);
	memcpy(doomed->uid, pod->item.uid, size);
	map_put(&eviction->doomed, doomed->uid, doomed);
	return doomed;
}

static void reconcile(struct work_queue *queue, const char *key, void *arg)
{
	struct taint_eviction *eviction = arg;
	const struct cached_pod *pod = cache_get(eviction->cache, eviction->pod_resource, key);
	const struct tainted_node *node =
	    pod && pod->node_name ? map_get(&eviction->nodes, pod->node_name) : NULL;

	if (!node || pod->meta.deleting || !eviction->begun) {
		work_queue_done(queue, key, WORK_OK);
		return;
	}
	struct doomed_pod *doomed = doom(eviction, &pod->meta);
	int64_t stays_ms = toleration_ms(&node->taints, pod->tolerations, pod->n_tolerations);
	int64_t left_ms = doomed->since_ms + stays_ms - loop_now_ms(eviction->loop);
	doomed->told = stays_ms != TOLERATED_FOR_EVER;
	if (stays_ms == TOLERATED_FOR_EVER || left_ms > 0) {
		if (stays_ms != TOLERATED_FOR_EVER)
			work_queue_add_after(queue, key, left_ms);
		work_queue_done(queue, key, WORK_OK);
		return;
	}
	struct key_run *run = key_run_begin(queue, key, eviction->client, "pod");
	evict(eviction, run, pod);
	key_run_end(run);
}

/* --- what the cache tells --- */

static void tainted_free(struct tainted_node *node)
{
	if (node)
		no_execute_close(&node->taints);
	free(node);
}

/* The node's taints as they are now, when it has any; true when they are others than before. */
static bool note_taints(struct taint_eviction *eviction, const struct cached_node *node)
{
	struct tainted_node *old = map_get(&eviction->nodes, node->meta.name), *new_;
	struct no_execute_taints taints;
	size_t size = strlen(node->meta.name) + 1;

	no_execute_parse(node->taints_json, &taints);
	if (old ? no_execute_equal(&old->taints, &taints) : taints.n == 0) {
		no_execute_close(&taints);
		return false;
	}
	map_remove(&eviction->nodes, node->meta.name);
	tainted_free(old);
	if (taints.n > 0) {
		new_ = mem_alloc(sizeof(*new_) + size);
		new_->taints = taints;
		memcpy(new_->name, node->meta.name, size);
		map_put(&eviction->nodes, new_->name, new_);
	}
	return true;
}

static void look_at_pods(struct taint_eviction *eviction, const char *node, bool tell)
{
	bool tainted = map_get(&eviction->nodes, node) != NULL;

	for (const struct cached_pod *pod = node_pods_of(eviction->node_pods, node); pod;
	     pod = pod->next_on_node) {
		if (tainted)
			work_queue_add(eviction->queue, pod->meta.item.key);
		else
			forget(eviction, &pod->meta, tell && !pod->meta.deleting);
	}
}

static void node_changed(const struct resource *resource, struct meta *old, struct meta *new_, void *arg)
{
	struct taint_eviction *eviction = arg;
	const struct cached_node *was = (struct cached_node *)old, *is = (struct cached_node *)new_;

	(void)resource;
	if (!is) {
		/* Its pods are another controller's now; should it come back, their time begins anew. */
		tainted_free(map_remove(&eviction->nodes, old->name));
		look_at_pods(eviction, old->name, false);
		return;
	}
	if (was && (was->taints_json == is->taints_json ||
		    (was->taints_json && is->taints_json && strcmp(was->taints_json, is->taints_json) == 0)))
		return;
	if (note_taints(eviction, is))
		look_at_pods(eviction, is->meta.name, true);
}

static void pod_changed(const struct resource *resource, struct meta *old, struct meta *new_, void *arg)
{
	struct taint_eviction *eviction = arg;
	const struct cached_pod *is = (struct cached_pod *)new_;

	(void)resource;
	if (!is)
		forget(eviction, old, false);
	else if (is->node_name && !new_->deleting && map_get(&eviction->nodes, is->node_name))
		work_queue_add(eviction->queue, is->meta.item.key);
}

struct taint_eviction *taint_eviction_new(struct loop *loop, struct api_client *client, struct cache *cache,
					  const struct node_pods *node_pods)
{
	struct taint_eviction *eviction = mem_zalloc(sizeof(*eviction));

	eviction->loop = loop;
	eviction->client = client;
	eviction->cache = cache;
	eviction->node_pods = node_pods;
	eviction->resource = resource_find("", "v1", "nodes");
	eviction->pod_resource = resource_find("", "v1", "pods");
	eviction->events = event_recorder_new(loop, client, "taint-eviction-controller", NULL);
	eviction->queue = work_queue_new(loop, MAX_RUNNING, reconcile, eviction);
	metrics_register(&evicted_total);
	cache_watch(cache, eviction->resource, node_changed, eviction);
	cache_watch(cache, eviction->pod_resource, pod_changed, eviction);
	return eviction;
}

void taint_eviction_synced(struct taint_eviction *eviction)
{
	const char *node;

	eviction->begun = true;
	for (size_t i = 0; map_next(&eviction->nodes, &i, &node, NULL);)
		look_at_pods(eviction, node, true);
}

void taint_eviction_free(struct taint_eviction *eviction)
{
	void *value;

	if (!eviction)
		return;
	work_queue_free(eviction->queue);
	event_recorder_free(eviction->events);
	for (size_t i = 0; map_next(&eviction->nodes, &i, NULL, &value);)
		tainted_free(value);
	map_close(&eviction->nodes);
	for (size_t i = 0; map_next(&eviction->doomed, &i, NULL, &value);)
		free(value);
	map_close(&eviction->doomed);
	free(eviction);
}
