#include "controller/replica_set.h"

#include <stdlib.h>
#include <string.h>

#include "controller/pod_rank.h"
#include "lib/log.h"
#include "lib/metrics.h"
#include "lib/timefmt.h"
#include "lib/work_queue.h"

/* Pods made or ended in one run (Kubernetes' BurstReplicas), and runs at once. */
enum { BURST = 500, MAX_RUNNING = 256 };

struct replica_sets {
	struct loop *loop;
	struct api_client *client;
	struct cache *cache;
	struct owned_index *owned;
	struct event_recorder *events;
	struct work_queue *queue;
	const struct resource *resource, *pod_resource;
	struct json_paths *created; /* what is looked at of a created pod */
};

static const char *const created_wants[] = { "metadata.name", "metadata.uid", "metadata.resourceVersion",
					     NULL };
enum { CREATED_NAME, CREATED_UID, CREATED_REVISION, CREATED_PATHS };

/* One run of a key. It outlives changes of the cache, so it holds names, not pointers into it. */
struct run {
	struct replica_sets *sets;
	char *key, *namespace_, *name, *uid;
	char *pod_json; /* body of a creation */
	size_t pod_json_len;
	size_t to_create; /* left after the batch under way */
	size_t batch;     /* size of the next */
	size_t in_flight;
	bool failed;
	char *failure; /* message of the last failed creation or deletion */
	bool failed_create;
};

/* One call of a run that ends a pod. */
struct deletion {
	struct run *run;
	char *pod_key, *pod_uid, *pod_name;
};

static struct metric created_total =
    METRIC_COUNTER("knarr_replicaset_pods_created_total", "Pods created for replica sets.");
static struct metric deleted_total =
    METRIC_COUNTER("knarr_replicaset_pods_deleted_total", "Pods deleted for replica sets.");

bool replica_set_pod_active(const struct cached_pod *pod)
{
	return pod->phase != PHASE_SUCCEEDED && pod->phase != PHASE_FAILED && !pod->meta.deleting &&
	       !pod->delete_asked;
}

static struct cached_replica_set *run_replica_set(const struct run *run)
{
	struct cached_replica_set *rs = cache_get(run->sets->cache, run->sets->resource, run->key);

	return rs && strcmp(rs->meta.item.uid, run->uid) == 0 ? rs : NULL;
}

static struct event_object about(const struct run *run)
{
	return (struct event_object){ .api_version = "apps/v1",
				      .kind = "ReplicaSet",
				      .namespace_ = run->namespace_,
				      .name = run->name,
				      .uid = run->uid };
}

/* --- status --- */

struct counts {
	int64_t replicas, fully_labeled, ready, available, terminating;
	int64_t next_available_ms; /* until another becomes available; -1: none will by time alone */
};

static struct counts count_pods(const struct cached_replica_set *rs, const struct owned_pods *owned,
				int64_t now_us)
{
	struct counts c = { .next_available_ms = -1 };
	CLEANUP(json_putp) struct json_object *template = NULL;
	CLEANUP(labels_unrefp) struct labels *template_labels = NULL;
	CLEANUP(selector_close) struct selector template_selector = { 0 };

	if (json_parse(rs->template_json, strlen(rs->template_json), &template, NULL, NULL) == 0) {
		CLEANUP(json_putp) struct json_object *as_selector = json_object_new_object();
		struct json_object *labels = json_path(template, "metadata", "labels", NULL);
		template_labels = labels_intern(labels);
		json_set(as_selector, "matchLabels", json_clone(labels));
		if (selector_from_json(as_selector, &template_selector, NULL) < 0)
			template_selector = (struct selector){ .nothing = true };
	}
	for (const struct cached_pod *pod = owned->pods; pod; pod = pod->next_owned) {
		if (pod->phase == PHASE_SUCCEEDED || pod->phase == PHASE_FAILED)
			continue;
		if (pod->meta.deleting) {
			c.terminating++;
			continue;
		}
		c.replicas++;
		if (pod->meta.labels == template_labels || labels_match(pod->meta.labels, &template_selector))
			c.fully_labeled++;
		if (!pod->ready)
			continue;
		c.ready++;
		int64_t wait_us = rs->min_ready_s * 1000000 - (now_us - pod->ready_since_us);
		if (rs->min_ready_s == 0 || wait_us <= 0)
			c.available++;
		else if (c.next_available_ms < 0 || wait_us / 1000 < c.next_available_ms)
			c.next_available_ms = wait_us / 1000 + 1;
	}
	return c;
}

/* Zero is written as absent, as Kubernetes' omitempty does; null removes in a merge patch. */
static void write_count(struct buf *b, const char *name, int64_t n)
{
	if (n)
		buf_printf(b, ",\"%s\":%lld", name, (long long)n);
	else
		buf_printf(b, ",\"%s\":null", name);
}

static void run_finish(struct run *run);

static void status_done(const struct api_response *response, void *arg)
{
	struct run *run = arg;

	if (response->err.kind != ERR_NONE && response->err.kind != ERR_NOT_FOUND) {
		log_warn("writing a replica set's status failed", "replicaset", run->key, "error",
			 response->err.msg, NULL);
		run->failed = true;
	}
	run_finish(run);
}

/* Writes the status when it is not as it should be, and ends the run. */
static void run_status(struct run *run)
{
	struct replica_sets *sets = run->sets;
	struct cached_replica_set *rs = run_replica_set(run);
	CLEANUP(buf_close) struct buf path = BUF_INIT, body = BUF_INIT;
	char now[TIMEFMT_SIZE];

	if (!rs) {
		run_finish(run);
		return;
	}
	struct counts c = count_pods(rs, owned_pods_of(sets->owned, run->uid), time_now_us());
	if (c.next_available_ms >= 0)
		work_queue_add_after(sets->queue, run->key, c.next_available_ms);
	if (rs->status.replicas == c.replicas && rs->status.fully_labeled == c.fully_labeled &&
	    rs->status.ready == c.ready && rs->status.available == c.available &&
	    rs->status.terminating == c.terminating &&
	    rs->status.observed_generation == rs->meta.generation &&
	    rs->status.failure == (run->failure != NULL)) {
		run_finish(run);
		return;
	}
	meta_path(&path, sets->resource, run->namespace_, run->name, "status");
	buf_str(&body, "{\"metadata\":{\"uid\":");
	buf_json_string(&body, run->uid);
	buf_printf(&body, "},\"status\":{\"replicas\":%lld", (long long)c.replicas);
	write_count(&body, "fullyLabeledReplicas", c.fully_labeled);
	write_count(&body, "readyReplicas", c.ready);
	write_count(&body, "availableReplicas", c.available);
	buf_printf(&body, ",\"terminatingReplicas\":%lld,\"observedGeneration\":%lld",
		   (long long)c.terminating, (long long)rs->meta.generation);
	if (run->failure) {
		buf_printf(&body,
			   ",\"conditions\":[{\"type\":\"ReplicaFailure\",\"status\":\"True\","
			   "\"lastTransitionTime\":\"%s\",\"reason\":\"%s\",\"message\":",
			   time_format(time_now_us(), now),
			   run->failed_create ? "FailedCreate" : "FailedDelete");
		buf_json_string(&body, run->failure);
		buf_str(&body, "}]");
	} else {
		buf_str(&body, ",\"conditions\":null");
	}
	buf_str(&body, "}}");
	api_client_call(sets->client, "PATCH", path.data, "application/merge-patch+json", body.data, body.len,
			status_done, run);
}

static void run_finish(struct run *run)
{
	work_queue_done(run->sets->queue, run->key, run->failed ? WORK_RETRY : WORK_OK);
	free(run->key);
	free(run->namespace_);
	free(run->name);
	free(run->uid);
	free(run->pod_json);
	free(run->failure);
	free(run);
}

static void run_failed(struct run *run, bool create, const char *message)
{
	run->failed = true;
	run->failed_create = create;
	free(run->failure);
	run->failure = mem_dup(message);
}

/* --- creation --- */

static void create_batch(struct run *run);

static void create_done(const struct api_response *response, void *arg)
{
	struct run *run = arg;
	struct replica_sets *sets = run->sets;
	struct owned_pods *owned = owned_pods_of(sets->owned, run->uid);
	struct event_object object = about(run);
	struct json_span found[CREATED_PATHS];

	owned->creating--;
	run->in_flight--;
	if (response->err.kind == ERR_NONE &&
	    json_find(sets->created, response->data, response->len, found, NULL) == 0) {
		CLEANUP(mem_freep) char *name = json_span_dup(found[CREATED_NAME]);
		CLEANUP(mem_freep) char *uid = json_span_dup(found[CREATED_UID]);
		CLEANUP(mem_freep) char *revision = json_span_dup(found[CREATED_REVISION]);
		metric_add(&created_total, 1);
		owned_pods_created(sets->owned, owned, uid ? uid : "",
				   revision ? strtoull(revision, NULL, 10) : 0);
		event_record(sets->events, &object, "Normal", "SuccessfulCreate", "Created pod: %s",
			     name ? name : "");
	} else {
		run_failed(run, true, response->err.msg);
		/* The pods of a namespace that is going are no failure of the set. */
		if (!strstr(response->err.msg, "because it is being terminated"))
			event_record(sets->events, &object, "Warning", "FailedCreate", "Error creating: %s",
				     response->err.msg);
	}
	if (run->in_flight > 0)
		return;
	if (run->to_create > 0 && !run->failed && run_replica_set(run))
		create_batch(run);
	else
		run_status(run);
}

/* 1, 2, 4...: when creations are refused (a quota, say) only few are tried in vain. */
static void create_batch(struct run *run)
{
	struct replica_sets *sets = run->sets;
	CLEANUP(buf_close) struct buf path = BUF_INIT;
	size_t n = run->batch < run->to_create ? run->batch : run->to_create;

	run->to_create -= n;
	run->batch *= 2;
	run->in_flight = n;
	owned_pods_of(sets->owned, run->uid)->creating += (unsigned)n;
	meta_path(&path, sets->pod_resource, run->namespace_, NULL, NULL);
	for (size_t i = 0; i < n; i++)
		api_client_call(sets->client, "POST", path.data, NULL, run->pod_json, run->pod_json_len,
				create_done, run);
}

/* The pod of RS's template: labels, annotations and spec, the set as its controller. */
static void make_pod_json(struct run *run, const struct cached_replica_set *rs)
{
	CLEANUP(json_putp) struct json_object *pod = NULL;
	CLEANUP(mem_freep) char *prefix = mem_printf("%s-", rs->meta.name);
	struct buf text = BUF_INIT;

	if (json_parse(rs->template_json, strlen(rs->template_json), &pod, NULL, NULL) < 0)
		return;
	struct json_object *metadata = json_ensure_object(pod, "metadata");
	struct json_object *owner = json_object_new_object();
	json_object_object_del(metadata, "name");
	json_object_object_del(metadata, "creationTimestamp");
	json_set_str(metadata, "generateName", prefix);
	json_set_str(owner, "apiVersion", "apps/v1");
	json_set_str(owner, "kind", "ReplicaSet");
	json_set_str(owner, "name", rs->meta.name);
	json_set_str(owner, "uid", rs->meta.item.uid);
	json_set_bool(owner, "controller", true);
	json_set_bool(owner, "blockOwnerDeletion", true);
	json_object_array_add(json_ensure_array(metadata, "ownerReferences"), owner);
	json_set_str(pod, "apiVersion", "v1");
	json_set_str(pod, "kind", "Pod");
	json_write(&text, pod);
	run->pod_json_len = text.len;
	run->pod_json = buf_take(&text);
}

/* --- deletion --- */

static void delete_done(const struct api_response *response, void *arg)
{
	struct deletion *d = arg;
	struct run *run = d->run;
	struct replica_sets *sets = run->sets;
	struct event_object object = about(run);

	run->in_flight--;
	if (response->err.kind == ERR_NONE) {
		metric_add(&deleted_total, 1);
		event_record(sets->events, &object, "Normal", "SuccessfulDelete", "Deleted pod: %s",
			     d->pod_name);
	} else if (response->err.kind != ERR_NOT_FOUND && response->err.kind != ERR_CONFLICT) {
		struct cached_pod *pod = cache_get(sets->cache, sets->pod_resource, d->pod_key);
		if (pod && strcmp(pod->meta.item.uid, d->pod_uid) == 0)
			pod->delete_asked = false;
		run_failed(run, false, response->err.msg);
		event_record(sets->events, &object, "Warning", "FailedDelete", "Error deleting: %s",
			     response->err.msg);
	}
	free(d->pod_key);
	free(d->pod_uid);
	free(d->pod_name);
	free(d);
	if (run->in_flight == 0)
		run_status(run);
}

static void delete_pod(struct run *run, struct cached_pod *pod)
{
	struct replica_sets *sets = run->sets;
	CLEANUP(buf_close) struct buf path = BUF_INIT, body = BUF_INIT;
	struct deletion *d = mem_zalloc(sizeof(*d));

	d->run = run;
	d->pod_key = mem_dup(pod->meta.item.key);
	d->pod_uid = mem_dup(pod->meta.item.uid);
	d->pod_name = mem_dup(pod->meta.name);
	pod->delete_asked = true;
	run->in_flight++;
	meta_path(&path, sets->pod_resource, run->namespace_, pod->meta.name, NULL);
	buf_str(&body, "{\"apiVersion\":\"v1\",\"kind\":\"DeleteOptions\",\"preconditions\":{\"uid\":");
	buf_json_string(&body, pod->meta.item.uid);
	buf_str(&body, "}}");
	api_client_call(sets->client, "DELETE", path.data, NULL, body.data, body.len, delete_done, d);
}

static void delete_surplus(struct run *run, struct owned_pods *owned, size_t surplus)
{
	CLEANUP(mem_freep) struct cached_pod **active = mem_alloc((owned->n + 1) * sizeof(*active));
	size_t n = 0;

	for (struct cached_pod *pod = owned->pods; pod; pod = pod->next_owned)
		if (replica_set_pod_active(pod))
			active[n++] = pod;
	if (surplus < n)
		pod_rank_sort(active, n, time_now_us());
	for (size_t i = 0; i < n && i < surplus; i++)
		delete_pod(run, active[i]);
}

/* --- adoption and release --- */

static void owner_patched(const struct api_response *response, void *arg)
{
	struct run *run = arg;

	run->in_flight--;
	if (response->err.kind != ERR_NONE && response->err.kind != ERR_NOT_FOUND &&
	    response->err.kind != ERR_CONFLICT && response->err.kind != ERR_INVALID)
		run_failed(run, false, response->err.msg);
	/* The pod's change comes through the watch and brings the key again. */
	if (run->in_flight == 0)
		run_status(run);
}

static void patch_owner(struct run *run, const struct cached_pod *pod, const char *reference)
{
	CLEANUP(buf_close) struct buf path = BUF_INIT, body = BUF_INIT;

	meta_path(&path, run->sets->pod_resource, run->namespace_, pod->meta.name, NULL);
	buf_str(&body, "{\"metadata\":{\"uid\":");
	buf_json_string(&body, pod->meta.item.uid);
	buf_printf(&body, ",\"ownerReferences\":[%s]}}", reference);
	run->in_flight++;
	api_client_call(run->sets->client, "PATCH", path.data, "application/strategic-merge-patch+json",
			body.data, body.len, owner_patched, run);
}

/* Takes in matching pods that nobody controls, lets go those that match no longer. */
static void adopt_and_release(struct run *run, const struct cached_replica_set *rs,
			      const struct owned_pods *owned)
{
	CLEANUP(buf_close) struct buf adopt = BUF_INIT, release = BUF_INIT;

	buf_str(&adopt, "{\"apiVersion\":\"apps/v1\",\"kind\":\"ReplicaSet\",\"name\":");
	buf_json_string(&adopt, rs->meta.name);
	buf_str(&adopt, ",\"uid\":");
	buf_json_string(&adopt, rs->meta.item.uid);
	buf_str(&adopt, ",\"controller\":true,\"blockOwnerDeletion\":true}");
	buf_str(&release, "{\"$patch\":\"delete\",\"uid\":");
	buf_json_string(&release, rs->meta.item.uid);
	buf_char(&release, '}');
	for (const struct cached_pod *pod = owned_orphans(run->sets->owned, run->namespace_); pod;
	     pod = pod->next_owned)
		if (replica_set_pod_active(pod) && labels_match(pod->meta.labels, &rs->selector))
			patch_owner(run, pod, adopt.data);
	/* The pods of a template share their labels. */
	const struct labels *matching = NULL;
	for (const struct cached_pod *pod = owned->pods; pod; pod = pod->next_owned) {
		if (pod->meta.deleting || pod->meta.labels == matching)
			continue;
		if (labels_match(pod->meta.labels, &rs->selector))
			matching = pod->meta.labels;
		else
			patch_owner(run, pod, release.data);
	}
}

/* --- one run --- */

static void run_manage(struct run *run, const struct cached_replica_set *rs)
{
	struct replica_sets *sets = run->sets;
	struct owned_pods *owned = owned_pods_of(sets->owned, run->uid);
	int64_t have = (int64_t)owned_pods_unseen(sets->owned, owned) + owned->creating;

	adopt_and_release(run, rs, owned);
	if (run->in_flight > 0)
		return;
	for (const struct cached_pod *pod = owned->pods; pod; pod = pod->next_owned)
		have += replica_set_pod_active(pod);
	if (have < rs->replicas) {
		int64_t missing = rs->replicas - have;
		run->to_create = missing < BURST ? (size_t)missing : BURST;
		run->batch = 1;
		make_pod_json(run, rs);
		if (missing > BURST)
			work_queue_add(sets->queue, run->key);
		if (run->pod_json)
			create_batch(run);
	} else if (have > rs->replicas) {
		int64_t surplus = have - rs->replicas;
		delete_surplus(run, owned, surplus < BURST ? (size_t)surplus : BURST);
		if (surplus > BURST)
			work_queue_add(sets->queue, run->key);
	}
}

static void reconcile(struct work_queue *queue, const char *key, void *arg)
{
	struct replica_sets *sets = arg;
	struct cached_replica_set *rs = cache_get(sets->cache, sets->resource, key);

	if (!rs || !cache_synced(sets->cache)) {
		work_queue_done(queue, key, WORK_OK);
		return;
	}
	struct run *run = mem_zalloc(sizeof(*run));
	run->sets = sets;
	run->key = mem_dup(key);
	run->namespace_ = mem_dup(rs->meta.namespace_);
	run->name = mem_dup(rs->meta.name);
	run->uid = mem_dup(rs->meta.item.uid);
	if (!rs->meta.deleting)
		run_manage(run, rs);
	if (run->in_flight == 0)
		run_status(run);
}

/* --- what the cache tells --- */

static void replica_set_changed(const struct resource *resource, struct meta *old, struct meta *new_,
				void *arg)
{
	struct replica_sets *sets = arg;

	(void)resource;
	work_queue_add(sets->queue, new_ ? new_->item.key : old->item.key);
	if (!new_)
		owned_pods_drop(sets->owned, old->item.uid);
}

static void owner_key(struct replica_sets *sets, const struct meta *pod, bool *ret_controlled)
{
	const struct owner_ref *controller = meta_controller(pod);

	*ret_controlled = controller != NULL;
	if (controller && strcmp(controller->kind, "ReplicaSet") == 0) {
		CLEANUP(buf_close) struct buf key = BUF_INIT;
		buf_str(&key, pod->namespace_);
		buf_char(&key, '/');
		buf_str(&key, controller->name);
		work_queue_add(sets->queue, key.data);
	}
}

/* A pod without a controller may be wanted by any set of its namespace. */
static void wake_adopters(struct replica_sets *sets, const struct meta *pod)
{
	struct cached_replica_set *rs;

	for (size_t i = 0; (rs = cache_next(sets->cache, sets->resource, &i));)
		if (strcmp(rs->meta.namespace_, pod->namespace_) == 0 &&
		    labels_match(pod->labels, &rs->selector))
			work_queue_add(sets->queue, rs->meta.item.key);
}

static void pod_changed(const struct resource *resource, struct meta *old, struct meta *new_, void *arg)
{
	struct replica_sets *sets = arg;
	const struct cached_pod *was = (struct cached_pod *)old, *is = (struct cached_pod *)new_;
	bool controlled = false;

	(void)resource;
	/* Most changes of a pod's status mean nothing to its set. */
	if (was && is && was->phase == is->phase && was->ready == is->ready &&
	    old->deleting == new_->deleting && old->labels == new_->labels && old->n_owners == new_->n_owners)
		return;
	if (old && !(new_ && old->owners == new_->owners))
		owner_key(sets, old, &controlled);
	if (new_) {
		owner_key(sets, new_, &controlled);
		if (!controlled && !new_->deleting)
			wake_adopters(sets, new_);
	}
}

struct replica_sets *replica_sets_new(struct loop *loop, struct api_client *client, struct cache *cache,
				      struct owned_index *owned)
{
	struct replica_sets *sets = mem_zalloc(sizeof(*sets));

	sets->loop = loop;
	sets->client = client;
	sets->cache = cache;
	sets->owned = owned;
	sets->resource = resource_find("apps", "v1", "replicasets");
	sets->pod_resource = resource_find("", "v1", "pods");
	sets->events = event_recorder_new(loop, client, "replicaset-controller", NULL);
	sets->created = json_paths_new(created_wants);
	sets->queue = work_queue_new(loop, MAX_RUNNING, reconcile, sets);
	metrics_register(&created_total);
	metrics_register(&deleted_total);
	cache_watch(cache, sets->resource, replica_set_changed, sets);
	cache_watch(cache, sets->pod_resource, pod_changed, sets);
	return sets;
}

void replica_sets_synced(struct replica_sets *sets)
{
	struct cached_replica_set *rs;

	for (size_t i = 0; (rs = cache_next(sets->cache, sets->resource, &i));)
		work_queue_add(sets->queue, rs->meta.item.key);
}

void replica_sets_free(struct replica_sets *sets)
{
	if (!sets)
		return;
	work_queue_free(sets->queue);
	event_recorder_free(sets->events);
	json_paths_free(sets->created);
	free(sets);
}
