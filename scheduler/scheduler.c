#include "scheduler/scheduler.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "lib/event_recorder.h"
#include "lib/informer.h"
#include "lib/log.h"
#include "lib/metrics.h"
#include "lib/timefmt.h"
#include "scheduler/cycle.h"
#include "scheduler/queue.h"

/* Bindings under way at once: as many as the API's client has connections, or decisions would wait in it.
 * Decisions per turn of the loop: answers and watch events come in between. */
enum { MAX_BINDING = 32, DECISIONS_PER_TURN = 64, FLUSH_MS = 1000 };

LIST_HEAD(write_list, write);

struct scheduler {
	struct loop *loop;
	struct api_client *client;
	struct event_recorder *events;
	struct shapes shapes;
	struct nodes nodes;
	struct queue queue;
	struct informer *node_informer, *pod_informer;
	struct informer_type node_type, pod_type;
	struct loop_task decide;
	struct write_list writes;
	size_t binding;
	uint64_t turn;
	void (*synced)(void *arg);
	void *arg;
};

static struct metric bound_total =
    METRIC_COUNTER("knarr_scheduler_pods_bound_total", "Pods bound to a node.");
static struct metric unschedulable_total =
    METRIC_COUNTER("knarr_scheduler_unschedulable_total", "Decisions that found no node.");
static struct metric bind_errors_total =
    METRIC_COUNTER("knarr_scheduler_bind_errors_total", "Bindings that were refused or lost.");
static struct metric decision_duration =
    METRIC_HISTOGRAM("scheduler_scheduling_algorithm_duration_seconds", "Time to decide over one pod.");
static struct metric pending_pods = METRIC_GAUGE("scheduler_pending_pods", "Pods that wait for a node.");

/* A binding or status write under way. It names the pod by key and uid: the pod's struct is replaced with
 * each update. */
struct write {
	LIST_ENTRY(write) link;
	struct scheduler *scheduler;
	struct http_call *call;
	char *key, *uid;
};

static struct write *write_new(struct scheduler *s, const struct pod *pod)
{
	struct write *w = mem_zalloc(sizeof(*w));

	w->scheduler = s;
	w->key = mem_dup(pod->item.key);
	w->uid = mem_dup(pod->item.uid);
	LIST_INSERT_HEAD(&s->writes, w, link);
	return w;
}

static void write_free(struct write *w)
{
	LIST_REMOVE(w, link);
	free(w->key);
	free(w->uid);
	free(w);
}

/* The pod that W was about, if it is still there and still the same one. */
static struct pod *write_pod(const struct write *w)
{
	struct pod *pod = informer_get(w->scheduler->pod_informer, w->key);

	return pod && strcmp(pod->item.uid, w->uid) == 0 ? pod : NULL;
}

static struct event_object about(const struct pod *pod)
{
	return (struct event_object){ .api_version = "v1",
				      .kind = "Pod",
				      .namespace_ = pod->namespace_,
				      .name = pod->name,
				      .uid = pod->item.uid,
				      .revision = pod->item.revision };
}

static void wake(void *arg)
{
	struct scheduler *s = arg;

	if (s->pod_informer && informer_synced(s->pod_informer) && informer_synced(s->node_informer))
		loop_post(s->loop, &s->decide);
}

/* --- binding --- */

static void bind_done(const struct api_response *response, void *arg)
{
	struct write *w = arg;
	struct scheduler *s = w->scheduler;
	struct pod *pod = write_pod(w);

	s->binding--;
	if (response->err.kind == ERR_NONE) {
		metric_add(&bound_total, 1);
		if (pod) {
			struct event_object object = about(pod);
			const char *node = pod->on ? pod->on->name : pod->node_name;
			/* It stays POD_BINDING until the watch shows it bound: an older event may come first.
			 */
			event_record(s->events, &object, "Normal", "Scheduled",
				     "Successfully assigned %s to %s", pod->item.key, node ? node : "a node");
		}
	} else {
		metric_add(&bind_errors_total, 1);
		log_warn("binding failed", "pod", w->key, "error", response->err.msg, NULL);
		/* If the watch has shown it bound meanwhile, the answer was lost on its way, not the binding.
		 */
		if (pod && pod->place == POD_BINDING) {
			pod->place = POD_NONE;
			node_account_remove(&s->nodes, pod->on, pod);
			queue_event(&s->queue, WAKE_POD_LEFT);
			if (pod->schedulable)
				queue_retry(&s->queue, pod);
		}
	}
	write_free(w);
	wake(s);
}

static void bind_pod(struct scheduler *s, struct pod *pod, const char *node_name)
{
	CLEANUP(buf_close) struct buf path = BUF_INIT, body = BUF_INIT;

	buf_printf(&path, "/api/v1/namespaces/%s/pods/%s/binding", pod->namespace_, pod->name);
	buf_str(&body, "{\"apiVersion\":\"v1\",\"kind\":\"Binding\",\"metadata\":{\"name\":");
	buf_json_string(&body, pod->name);
	buf_str(&body, ",\"namespace\":");
	buf_json_string(&body, pod->namespace_);
	buf_str(&body, ",\"uid\":");
	buf_json_string(&body, pod->item.uid);
	buf_str(&body, "},\"target\":{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"name\":");
	buf_json_string(&body, node_name);
	buf_str(&body, "}}");
	s->binding++;
	pod->place = POD_BINDING;
	struct write *w = write_new(s, pod);
	w->call = api_client_call(s->client, "POST", path.data, NULL, body.data, body.len, bind_done, w);
}

/* --- a pod that fits nowhere --- */

static void condition_done(const struct api_response *response, void *arg)
{
	struct write *w = arg;

	/* A lost write is written again with the next attempt. */
	if (response->err.kind != ERR_NONE && response->err.kind != ERR_NOT_FOUND)
		log_warn("writing PodScheduled failed", "pod", w->key, "error", response->err.msg, NULL);
	write_free(w);
}

static void write_condition(struct scheduler *s, struct pod *pod, const char *message)
{
	CLEANUP(buf_close) struct buf path = BUF_INIT, body = BUF_INIT;
	char now[TIMEFMT_SIZE];

	if (pod->condition_message && strcmp(pod->condition_message, message) == 0)
		return;
	buf_printf(&path, "/api/v1/namespaces/%s/pods/%s/status", pod->namespace_, pod->name);
	buf_str(&body, "{\"metadata\":{\"uid\":");
	buf_json_string(&body, pod->item.uid);
	buf_printf(
	    &body,
	    "},\"status\":{\"conditions\":[{\"type\":\"PodScheduled\",\"observedGeneration\":%lld,\"status\":"
	    "\"False\","
	    "\"lastProbeTime\":null,\"lastTransitionTime\":\"%s\",\"reason\":\"Unschedulable\",\"message\":",
	    (long long)pod->generation, time_format(time_now_us(), now));
	buf_json_string(&body, message);
	buf_str(&body, "}]}}");
	struct write *w = write_new(s, pod);
	w->call = api_client_call(s->client, "PATCH", path.data, "application/strategic-merge-patch+json",
				  body.data, body.len, condition_done, w);
}

static void decide_one(struct scheduler *s, struct pod *pod)
{
	struct decision decision;
	int64_t began_us = time_mono_us();

	queue_begin(&s->queue, pod);
	cycle_decide(&s->nodes, pod, s->turn++, &decision);
	metric_observe_us(&decision_duration, time_mono_us() - began_us);
	if (decision.chosen) {
		node_account_add(&s->nodes, decision.chosen->name, pod);
		bind_pod(s, pod, decision.chosen->name);
	} else {
		struct event_object object = about(pod);
		metric_add(&unschedulable_total, 1);
		event_record(s->events, &object, "Warning", "FailedScheduling", "%s", decision.message.data);
		write_condition(s, pod, decision.message.data);
		queue_unschedulable(&s->queue, pod, decision.waits_for);
	}
	buf_close(&decision.message);
}

static void decide(struct loop_task *task, void *arg)
{
	struct scheduler *s = arg;
	unsigned n = 0;

	while (s->binding < MAX_BINDING && n++ < DECISIONS_PER_TURN) {
		struct pod *pod = queue_pop(&s->queue);
		if (!pod)
			break;
		decide_one(s, pod);
	}
	metric_set(&pending_pods,
		   (int64_t)(s->queue.active.n + s->queue.backoff.n + s->queue.n_unschedulable));
	if (s->queue.active.n > 0 && s->binding < MAX_BINDING)
		loop_post(s->loop, task);
}

/* --- what the watches tell --- */

static bool decode_pod(void *item, const struct json_span *found, void *arg)
{
	struct scheduler *s = arg;

	return pod_decode(item, found, &s->shapes);
}

static void pod_added(void *item, void *arg)
{
	struct scheduler *s = arg;
	struct pod *pod = item;

	if (!pod->shape)
		log_warn("a pod's spec is not understood, it is left alone", "pod", pod->item.key, NULL);
	if (pod->node_name)
		node_account_add(&s->nodes, pod->node_name, pod);
	else if (pod->schedulable)
		queue_add(&s->queue, pod);
}

/* A pod that is gone or ended (the watch selects neither Succeeded nor Failed). */
static void pod_deleted(void *item, void *arg)
{
	struct scheduler *s = arg;
	struct pod *pod = item;

	queue_remove(&s->queue, pod);
	if (pod->on) {
		node_account_remove(&s->nodes, pod->on, pod);
		queue_event(&s->queue, WAKE_POD_LEFT);
	}
}

/* Confirmed, or bound by somebody else: the account follows the API server. */
static void pod_is_bound(struct scheduler *s, struct pod *old, struct pod *new_)
{
	bool makes_room =
	    old->on && (old->shape != new_->shape || strcmp(old->on->name, new_->node_name) != 0);

	queue_remove(&s->queue, old);
	node_account_add(&s->nodes, new_->node_name, new_);
	if (old->on)
		node_account_remove(&s->nodes, old->on, old);
	if (makes_room)
		queue_event(&s->queue, WAKE_POD_LEFT);
}

/* Both are the same pod: of another uid the informer tells as deleted and added. */
static void pod_updated(void *old_item, void *new_item, void *arg)
{
	struct scheduler *s = arg;
	struct pod *old = old_item, *new_ = new_item;

	if (new_->node_name) {
		pod_is_bound(s, old, new_);
	} else if (old->place == POD_BINDING) {
		new_->place = POD_BINDING;
		new_->attempts = old->attempts;
		new_->due_ms = old->due_ms;
		new_->order = old->order;
		node_account_replace(&s->nodes, old->on, old, new_);
	} else if (!new_->schedulable) {
		queue_remove(&s->queue, old);
	} else if (old->place == POD_NONE) {
		queue_add(&s->queue, new_);
	} else {
		queue_replace(&s->queue, old, new_);
	}
}

static void node_came(void *item, void *arg)
{
	struct scheduler *s = arg;

	node_added(&s->nodes, item);
	queue_event(&s->queue, WAKE_NODE_CHANGED);
}

static void node_changed(void *old_item, void *new_item, void *arg)
{
	struct scheduler *s = arg;

	if (node_updated(&s->nodes, old_item, new_item))
		queue_event(&s->queue, WAKE_NODE_CHANGED);
}

static void node_went(void *item, void *arg)
{
	struct scheduler *s = arg;

	node_deleted(&s->nodes, item);
}

static void list_synced(void *arg)
{
	struct scheduler *s = arg;

	if (!s->pod_informer || !informer_synced(s->pod_informer) || !informer_synced(s->node_informer))
		return;
	log_info("synced", "nodes", log_num((int64_t)informer_count(s->node_informer)), "pods",
		 log_num((int64_t)informer_count(s->pod_informer)), NULL);
	s->synced(s->arg);
	wake(s);
}

struct scheduler *scheduler_new(struct loop *loop, struct api_client *client, void (*synced)(void *arg),
				void *arg)
{
	struct scheduler *s = mem_zalloc(sizeof(*s));

	s->loop = loop;
	s->client = client;
	s->synced = synced;
	s->arg = arg;
	s->decide = (struct loop_task){ .fn = decide, .arg = s };
	s->events = event_recorder_new(loop, client, "default-scheduler", NULL);
	queue_init(&s->queue, loop, wake, s);
	metrics_register(&bound_total);
	metrics_register(&unschedulable_total);
	metrics_register(&bind_errors_total);
	metrics_register(&decision_duration);
	metrics_register(&pending_pods);
	s->node_type = (struct informer_type){ .path = "/api/v1/nodes",
					       .item_size = sizeof(struct node),
					       .decode = node_decode,
					       .close = node_close,
					       .added = node_came,
					       .updated = node_changed,
					       .deleted = node_went,
					       .synced = list_synced };
	s->pod_type = (struct informer_type){
		.path = "/api/v1/pods",
		.query = "fieldSelector=status.phase%21%3DSucceeded%2Cstatus.phase%21%3DFailed",
		.wants = pod_wants,
		.item_size = sizeof(struct pod),
		.decode_text = decode_pod,
		.close = pod_close,
		.added = pod_added,
		.updated = pod_updated,
		.deleted = pod_deleted,
		.synced = list_synced
	};
	s->node_informer = informer_new(loop, client, &s->node_type, s);
	s->pod_informer = informer_new(loop, client, &s->pod_type, s);
	return s;
}

/* What is under way is given up; should a binding arrive all the same, the next start finds it. */
static void writes_cancel(struct scheduler *s)
{
	for (struct write *w; (w = LIST_FIRST(&s->writes));) {
		http_call_cancel(w->call);
		write_free(w);
	}
}

void scheduler_free(struct scheduler *s)
{
	if (!s)
		return;
	writes_cancel(s);
	loop_unpost(s->loop, &s->decide);
	queue_close(&s->queue);
	informer_free(s->pod_informer);
	informer_free(s->node_informer);
	event_recorder_flush(s->events, FLUSH_MS);
	event_recorder_free(s->events);
	nodes_close(&s->nodes);
	shapes_close(&s->shapes);
	free(s);
}
