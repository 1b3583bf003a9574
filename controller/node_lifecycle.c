#include "controller/node_lifecycle.h"

#include <stdlib.h>
#include <string.h>

#include "controller/key_run.h"
#include "controller/node_health.h"
#include "controller/toleration.h"
#include "lib/event_recorder.h"
#include "lib/log.h"
#include "lib/timefmt.h"

enum { MAX_RUNNING = 64 };

#define LEASE_NAMESPACE "kube-node-lease"

/* A node as we watch over it. The list is ordered by the last sign of life, oldest first: a renewal moves its
 * node to the end, and the one timer looks at the beginning. */
struct watched_node {
	struct watched_node *next, *prev;
	int64_t alive_ms;
	bool mark_pods; /* it has just stopped being ready: so have its pods */
	char name[];
};

struct node_lifecycle {
	struct loop *loop;
	struct api_client *client;
	struct cache *cache;
	const struct node_pods *node_pods;
	const struct resource *resource, *lease_resource, *pod_resource;
	struct event_recorder *events;
	struct work_queue *queue; /* keys are node names */
	struct map nodes;         /* name -> struct watched_node */
	struct watched_node *oldest, *newest;
	struct loop_timer timer;
	int64_t grace_ms;
	bool begun;
};

static struct event_object about_node(const struct meta *node)
{
	return (struct event_object){
		.api_version = "v1", .kind = "Node", .name = node->name, .uid = node->item.uid
	};
}

/* --- signs of life --- */

static void list_remove(struct node_lifecycle *lifecycle, struct watched_node *node)
{
	*(node->prev ? &node->prev->next : &lifecycle->oldest) = node->next;
	*(node->next ? &node->next->prev : &lifecycle->newest) = node->prev;
}

static void list_append(struct node_lifecycle *lifecycle, struct watched_node *node)
{
	node->next = NULL;
	node->prev = lifecycle->newest;
	*(node->prev ? &node->prev->next : &lifecycle->oldest) = node;
	lifecycle->newest = node;
}

static bool expired(const struct node_lifecycle *lifecycle, const struct watched_node *node)
{
	return loop_now_ms(lifecycle->loop) - node->alive_ms >= lifecycle->grace_ms;
}

/* Arms the timer for the first node whose time has not run out; those before it have been queued when it did.
 */
static void arm(struct node_lifecycle *lifecycle)
{
	const struct watched_node *node = lifecycle->oldest;

	while (node && expired(lifecycle, node))
		node = node->next;
	if (node)
		loop_timer_arm(&lifecycle->timer,
			       node->alive_ms + lifecycle->grace_ms - loop_now_ms(lifecycle->loop));
}

static void time_is_up(struct loop_timer *timer, void *arg)
{
	struct node_lifecycle *lifecycle = arg;

	(void)timer;
	for (const struct watched_node *node = lifecycle->oldest; node && expired(lifecycle, node);
	     node = node->next)
		work_queue_add(lifecycle->queue, node->name);
	arm(lifecycle);
}

static void alive(struct node_lifecycle *lifecycle, struct watched_node *node)
{
	node->alive_ms = loop_now_ms(lifecycle->loop);
	list_remove(lifecycle, node);
	list_append(lifecycle, node);
	if (lifecycle->begun && !loop_timer_armed(&lifecycle->timer))
		arm(lifecycle);
}

static void all_alive(struct node_lifecycle *lifecycle)
{
	for (struct watched_node *node = lifecycle->oldest; node; node = node->next)
		node->alive_ms = loop_now_ms(lifecycle->loop);
	arm(lifecycle);
}

/* --- conditions, taints, pods --- */

static void written(struct key_run *run, const struct api_response *response, void *arg)
{
	struct node_lifecycle *lifecycle = arg;

	if (key_run_check(run, response))
		return;
	/* A conflict: the cache is behind, or was until just now. */
	run->failed |= response->err.kind == ERR_CONFLICT;
	if (response->code == 0)
		all_alive(lifecycle);
}

static void patch_node(struct node_lifecycle *lifecycle, struct key_run *run, const struct cached_node *node,
		       const char *subresource, const char *member, const char *list,
		       const struct json_object *value)
{
	CLEANUP(buf_close) struct buf path = BUF_INIT, body = BUF_INIT;

	meta_path(&path, lifecycle->resource, NULL, node->meta.name, subresource);
	buf_str(&body, "{\"metadata\":{\"uid\":");
	buf_json_string(&body, node->meta.item.uid);
	buf_printf(&body, ",\"resourceVersion\":\"%llu\"},\"%s\":{\"%s\":",
		   (unsigned long long)node->meta.item.revision, member, list);
	json_write(&body, value);
	buf_str(&body, "}}");
	key_run_call(run, "PATCH", &path, "application/merge-patch+json", &body, written, lifecycle);
}

static void pod_marked(struct key_run *run, const struct api_response *response, void *arg)
{
	struct node_lifecycle *lifecycle = arg;
	struct watched_node *node = map_get(&lifecycle->nodes, run->key);
	CLEANUP(json_putp) struct json_object *pod = NULL;

	if (!key_run_check(run, response)) {
		if (run->failed && node)
			node->mark_pods = true;
		return;
	}
	if (json_parse(response->data, response->len, &pod, NULL, NULL) < 0)
		return;
	const struct json_object *metadata = json_get(pod, "metadata");
	struct event_object about = { .api_version = "v1",
				      .kind = "Pod",
				      .namespace_ = json_str_or_empty(metadata, "namespace"),
				      .name = json_str_or_empty(metadata, "name"),
				      .uid = json_str_or_empty(metadata, "uid") };
	event_record(lifecycle->events, &about, "Warning", "NodeNotReady", "Node is not ready");
}

/* What runs on a node that is not ready serves nobody, as far as we can know. A pod that does not stay for
 * TAINTS is marked by its eviction, which follows at once: one write less for each when many nodes die. */
static void mark_pods(struct node_lifecycle *lifecycle, struct key_run *run, struct watched_node *node,
		      const struct no_execute_taints *taints)
{
	char now[TIMEFMT_SIZE];

	node->mark_pods = false;
	time_format(time_now_us(), now);
	for (const struct cached_pod *pod = node_pods_of(lifecycle->node_pods, node->name); pod;
	     pod = pod->next_on_node) {
		CLEANUP(buf_close) struct buf path = BUF_INIT, body = BUF_INIT;
		if (!pod->ready || toleration_ms(taints, pod->tolerations, pod->n_tolerations) == 0)
			continue;
		meta_path(&path, lifecycle->pod_resource, pod->meta.namespace_, pod->meta.name, "status");
		buf_str(&body, "{\"metadata\":{\"uid\":");
		buf_json_string(&body, pod->meta.item.uid);
		buf_printf(&body,
			   "},\"status\":{\"conditions\":[{\"type\":\"Ready\",\"status\":\"False\","
			   "\"lastTransitionTime\":\"%s\"}]}}",
			   now);
		key_run_call(run, "PATCH", &path, "application/strategic-merge-patch+json", &body, pod_marked,
			     lifecycle);
	}
}

static struct json_object *parse(const char *text)
{
	struct json_object *value = NULL;

	if (text && json_parse(text, strlen(text), &value, NULL, NULL) < 0)
		return NULL;
	return value;
}

static void reconcile(struct work_queue *queue, const char *key, void *arg)
{
	struct node_lifecycle *lifecycle = arg;
	const struct cached_node *node = cache_get(lifecycle->cache, lifecycle->resource, key);
	struct watched_node *watched = map_get(&lifecycle->nodes, key);

	if (!node || !watched || !lifecycle->begun) {
		work_queue_done(queue, key, WORK_OK);
		return;
	}
	CLEANUP(json_putp)
	struct json_object *conditions = parse(node->conditions_json), *taints = parse(node->taints_json);
	CLEANUP(json_putp) struct json_object *unknown = NULL, *new_taints = NULL;
	struct key_run *run = key_run_begin(queue, key, lifecycle->client, "node");
	int64_t now_us = time_now_us();
	if (expired(lifecycle, watched))
		unknown = node_health_unknown(conditions, node->meta.created_us, now_us);
	new_taints = node_health_taints(taints, conditions, node->unschedulable, now_us);
	if (unknown) /* comes back through the watch, and then brings taints */
		patch_node(lifecycle, run, node, "status", "status", "conditions", unknown);
	else if (new_taints)
		patch_node(lifecycle, run, node, NULL, "spec", "taints", new_taints);
	if (watched->mark_pods && !node->ready) {
		CLEANUP(no_execute_close) struct no_execute_taints no_execute;
		CLEANUP(buf_close) struct buf text = BUF_INIT;
		if (new_taints)
			json_write(&text, new_taints);
		no_execute_parse(new_taints ? text.data : node->taints_json, &no_execute);
		mark_pods(lifecycle, run, watched, &no_execute);
	}
	key_run_end(run);
}

/* --- what the cache tells --- */

/* The commonest change of all, every ten seconds for each node: two look-ups and a move. */
static void lease_changed(const struct resource *resource, struct meta *old, struct meta *new_, void *arg)
{
	struct node_lifecycle *lifecycle = arg;
	const struct cached_lease *was = (struct cached_lease *)old, *is = (struct cached_lease *)new_;
	struct watched_node *node;

	(void)resource;
	if (!is || (was && was->renewed_us == is->renewed_us) ||
	    strcmp(new_->namespace_, LEASE_NAMESPACE) != 0)
		return;
	node = map_get(&lifecycle->nodes, new_->name);
	if (node)
		alive(lifecycle, node);
}

static void node_came(struct node_lifecycle *lifecycle, const struct meta *meta)
{
	size_t size = strlen(meta->name) + 1;
	struct watched_node *node = mem_zalloc(sizeof(*node) + size);
	struct event_object about = about_node(meta);

	memcpy(node->name, meta->name, size);
	map_put(&lifecycle->nodes, node->name, node);
	list_append(lifecycle, node);
	alive(lifecycle, node);
	event_record(lifecycle->events, &about, "Normal", "RegisteredNode",
		     "Node %s event: Registered Node %s in Controller", meta->name, meta->name);
}

static void node_went(struct node_lifecycle *lifecycle, const struct meta *meta)
{
	struct watched_node *node = map_remove(&lifecycle->nodes, meta->name);
	struct event_object about = about_node(meta);

	if (node)
		list_remove(lifecycle, node);
	free(node);
	event_record(lifecycle->events, &about, "Normal", "RemovingNode",
		     "Node %s event: Removing Node %s from Controller", meta->name, meta->name);
}

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static void node_changed(const struct resource *resource, struct meta *old, struct meta *new_, void *arg)
{
	struct node_lifecycle *lifecycle = arg;
	const struct cached_node *was = (struct cached_node *)old, *is = (struct cached_node *)new_;
	struct event_object about;

	(void)resource;
	if (!new_) {
		node_went(lifecycle, old);
		return;
	}
	if (!old)
		node_came(lifecycle, new_);
	if (was && same(was->conditions_json, is->conditions_json) &&
	    same(was->taints_json, is->taints_json) && was->unschedulable == is->unschedulable)
		return;
	/* Its agent posts its status: as good as a lease. Our own Unknown is no sign of life. */
	if (was && !is->ready_unknown && !same(was->conditions_json, is->conditions_json))
		alive(lifecycle, map_get(&lifecycle->nodes, new_->name));
	/* One that was unreachable while we did not run may have pods left to mark. */
	if (was ? was->ready && !is->ready : is->ready_unknown)
		((struct watched_node *)map_get(&lifecycle->nodes, new_->name))->mark_pods = true;
	if (was && was->ready && !is->ready) {
		about = about_node(new_);
		event_record(lifecycle->events, &about, "Normal", "NodeNotReady",
			     "Node %s status is now: NodeNotReady", new_->name);
		log_info("a node is not ready", "node", new_->name, NULL);
	}
	work_queue_add(lifecycle->queue, new_->item.key);
}

struct node_lifecycle *node_lifecycle_new(struct loop *loop, struct api_client *client, struct cache *cache,
					  const struct node_pods *node_pods, int64_t grace_ms)
{
	struct node_lifecycle *lifecycle = mem_zalloc(sizeof(*lifecycle));

	lifecycle->loop = loop;
	lifecycle->client = client;
	lifecycle->cache = cache;
	lifecycle->node_pods = node_pods;
	lifecycle->grace_ms = grace_ms;
	lifecycle->resource = resource_find("", "v1", "nodes");
	lifecycle->pod_resource = resource_find("", "v1", "pods");
	lifecycle->lease_resource = resource_find("coordination.k8s.io", "v1", "leases");
	lifecycle->events = event_recorder_new(loop, client, "node-controller", NULL);
	lifecycle->queue = work_queue_new(loop, MAX_RUNNING, reconcile, lifecycle);
	loop_timer_init(&lifecycle->timer, loop, time_is_up, lifecycle);
	cache_watch(cache, lifecycle->resource, node_changed, lifecycle);
	cache_watch(cache, lifecycle->lease_resource, lease_changed, lifecycle);
	return lifecycle;
}

void node_lifecycle_synced(struct node_lifecycle *lifecycle)
{
	const char *name;

	lifecycle->begun = true;
	all_alive(lifecycle);
	for (size_t i = 0; map_next(&lifecycle->nodes, &i, &name, NULL);)
		work_queue_add(lifecycle->queue, name);
}

void node_lifecycle_free(struct node_lifecycle *lifecycle)
{
	void *node;

	if (!lifecycle)
		return;
	loop_timer_disarm(&lifecycle->timer);
	work_queue_free(lifecycle->queue);
	event_recorder_free(lifecycle->events);
	for (size_t i = 0; map_next(&lifecycle->nodes, &i, NULL, &node);)
		free(node);
	map_close(&lifecycle->nodes);
	free(lifecycle);
}
