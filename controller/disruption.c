#include "controller/disruption.h"

#include <stdlib.h>
#include <string.h>

#include "controller/disruption_status.h"
#include "controller/key_run.h"
#include "lib/map.h"
#include "lib/timefmt.h"

/* What changes often changes together: looked at once. */
enum { MAX_RUNNING = 8, SETTLE_MS = 20 };

struct disruptions {
	struct api_client *client;
	struct cache *cache;
	const struct resource *resource, *pod_resource, *set_resource, *deployment_resource;
	struct work_queue *queue; /* keys are budgets */
	bool begun;
};

/* One budget looked at; over when the last scale has come. */
struct look {
	struct disruptions *disruptions;
	struct json_object *budget; /* as the server has it */
	int64_t expected;
	size_t in_flight;
	char *unknown; /* why nobody can say how many pods there should be, or NULL */
};

static void look_free(struct look *look)
{
	json_object_put(look->budget);
	free(look->unknown);
	free(look);
}

static const char *namespace_of(const struct look *look)
{
	return json_str_or_empty(json_get(look->budget, "metadata"), "namespace");
}

/* The pods that the budget covers, one by one. */
static const struct cached_pod *next_pod(const struct look *look, const struct selector *selector, size_t *i)
{
	const struct disruptions *d = look->disruptions;
	const struct cached_pod *pod;

	while ((pod = cache_next(d->cache, d->pod_resource, i)))
		if (strcmp(pod->meta.namespace_, namespace_of(look)) == 0 &&
		    labels_match(pod->meta.labels, selector))
			return pod;
	return NULL;
}

static void selector_of(const struct json_object *budget, struct selector *ret)
{
	if (selector_from_json(json_path(budget, "spec", "selector", NULL), ret, NULL) < 0)
		*ret = (struct selector){ .nothing = true };
}

/* --- writing it down --- */

static void written(struct key_run *run, const struct api_response *response, void *arg)
{
	(void)arg;
	/* A pod was evicted meanwhile. */
	if (!key_run_check(run, response) && response->err.kind == ERR_CONFLICT)
		run->failed = true;
}

static struct json_object *status_of(const struct look *look, int64_t *ret_recheck_ms)
{
	CLEANUP(selector_close) struct selector selector = { 0 };
	CLEANUP(mem_freep) struct disruption_pod *pods = NULL;
	const struct cached_pod *pod;
	size_t n = 0;

	*ret_recheck_ms = -1;
	if (look->unknown)
		return disruption_status_unknown(look->budget, look->unknown, time_now_us());
	selector_of(look->budget, &selector);
	for (size_t i = 0; (pod = next_pod(look, &selector, &i));) {
		pods = mem_realloc_array(pods, n + 1, sizeof(*pods));
		pods[n++] = (struct disruption_pod){ pod->meta.name, pod->ready, pod->meta.deleting };
	}
	return disruption_status(look->budget, pods, n, look->expected, time_now_us(), ret_recheck_ms);
}

static void write_status(struct key_run *run, struct look *look)
{
	const char *name = json_str_or_empty(json_get(look->budget, "metadata"), "name");
	CLEANUP(buf_close) struct buf path = BUF_INIT, body = BUF_INIT;
	int64_t recheck_ms;
	struct json_object *status = status_of(look, &recheck_ms);

	if (recheck_ms >= 0)
		work_queue_add_after(look->disruptions->queue, run->key, recheck_ms);
	if (json_equal(status, json_get(look->budget, "status"))) {
		json_object_put(status);
		return;
	}
	json_set(look->budget, "status", status);
	meta_path(&path, look->disruptions->resource, namespace_of(look), name, "status");
	json_write(&body, look->budget);
	key_run_call(run, "PUT", &path, NULL, &body, written, NULL);
}

static void look_over(struct key_run *run, struct look *look)
{
	if (--look->in_flight)
		return;
	write_status(run, look);
	look_free(look);
}

/* --- how many there should be --- */

static void scale_came(struct key_run *run, const struct api_response *response, void *arg)
{
	struct look *look = arg;
	CLEANUP(json_putp) struct json_object *scale = NULL;

	if (response->err.kind == ERR_NONE &&
	    json_parse(response->data, response->len, &scale, NULL, NULL) == 0)
		look->expected += json_int(json_get(scale, "spec"), "replicas", 0);
	else if (!look->unknown && response->err.kind != ERR_NOT_FOUND)
		look->unknown = mem_dup(response->err.msg);
	look_over(run, look);
}

/* A replica set's Deployment says how many there should be of all its sets together. */
static const struct owner_ref *responsible(const struct disruptions *d, const struct owner_ref *ref,
					   int64_t *ret_replicas)
{
	const struct meta *owner = cache_by_uid(d->cache, ref->uid);
	const struct owner_ref *above;

	*ret_replicas = -1;
	if (owner && owner->resource == d->set_resource) {
		above = meta_controller(owner);
		if (above)
			return responsible(d, above, ret_replicas);
		*ret_replicas = ((const struct cached_replica_set *)owner)->replicas;
	} else if (owner && owner->resource == d->deployment_resource) {
		*ret_replicas = ((const struct cached_deployment *)owner)->replicas;
	}
	return ref;
}

static void ask_scale(struct key_run *run, struct look *look, const struct owner_ref *ref)
{
	const struct resource *resource = resource_find_kind(ref->api_version, ref->kind);
	CLEANUP(buf_close) struct buf path = BUF_INIT;

	if (!resource || !resource_subresource(resource, "scale")) {
		if (!look->unknown)
			look->unknown = mem_printf("%s %s does not implement the scale subresource",
						   ref->kind, ref->name);
		return;
	}
	look->in_flight++;
	meta_path(&path, resource, namespace_of(look), ref->name, "scale");
	key_run_call(run, "GET", &path, NULL, NULL, scale_came, look);
}

static void count_expected(struct key_run *run, struct look *look)
{
	CLEANUP(selector_close) struct selector selector = { 0 };
	const struct cached_pod *pod;
	struct map seen = MAP_INIT;
	int64_t replicas;

	selector_of(look->budget, &selector);
	for (size_t i = 0; (pod = next_pod(look, &selector, &i));) {
		const struct owner_ref *ref = meta_controller(&pod->meta);

		if (!ref)
			continue; /* nobody says how many of it there should be */
		ref = responsible(look->disruptions, ref, &replicas);
		if (map_get(&seen, ref->uid))
			continue;
		map_put(&seen, ref->uid, look);
		if (replicas >= 0)
			look->expected += replicas;
		else
			ask_scale(run, look, ref);
	}
	map_close(&seen);
}

static void got(struct key_run *run, const struct api_response *response, void *arg)
{
	struct json_object *budget = NULL;
	struct look *look;

	if (!key_run_check(run, response) ||
	    json_parse(response->data, response->len, &budget, NULL, NULL) < 0)
		return;
	look = mem_zalloc(sizeof(*look));
	*look = (struct look){ .disruptions = arg, .budget = budget, .in_flight = 1 };
	if (disruption_needs_scale(budget))
		count_expected(run, look);
	look_over(run, look);
}

static void reconcile(struct work_queue *queue, const char *key, void *arg)
{
	struct disruptions *d = arg;
	const struct meta *budget = cache_get(d->cache, d->resource, key);
	CLEANUP(buf_close) struct buf path = BUF_INIT;

	if (!budget || !d->begun) {
		work_queue_done(queue, key, WORK_OK);
		return;
	}
	struct key_run *run = key_run_begin(queue, key, d->client, "disruption budget");
	meta_path(&path, d->resource, budget->namespace_, budget->name, NULL);
	key_run_call(run, "GET", &path, NULL, NULL, got, d);
	key_run_end(run);
}

/* --- what the cache tells --- */

/* Budgets of the namespace that cover LABELS; NULL: all of them. */
static void look_at(struct disruptions *d, const char *namespace_, const struct labels *const *labels)
{
	const struct cached_budget *budget;

	for (size_t i = 0; (budget = cache_next(d->cache, d->resource, &i));)
		if (strcmp(budget->meta.namespace_, namespace_) == 0 &&
		    (!labels || labels_match(*labels, &budget->selector)))
			work_queue_add_after(d->queue, budget->meta.item.key, SETTLE_MS);
}

static void pod_changed(struct disruptions *d, const struct cached_pod *old, const struct cached_pod *new_)
{
	const struct labels *labels;

	if (old && new_ && old->ready == new_->ready && old->meta.deleting == new_->meta.deleting &&
	    old->meta.labels == new_->meta.labels)
		return;
	if (old) {
		labels = old->meta.labels;
		look_at(d, old->meta.namespace_, &labels);
	}
	if (new_ && (!old || old->meta.labels != new_->meta.labels)) {
		labels = new_->meta.labels;
		look_at(d, new_->meta.namespace_, &labels);
	}
}

static void changed(const struct resource *resource, struct meta *old, struct meta *new_, void *arg)
{
	struct disruptions *d = arg;

	if (!d->begun || !resource->namespaced)
		return;
	if (resource == d->pod_resource)
		pod_changed(d, (struct cached_pod *)old, (struct cached_pod *)new_);
	else if (resource == d->resource && new_)
		work_queue_add(d->queue, new_->item.key);
	else if (new_ && (!old || old->generation != new_->generation) &&
		 resource_subresource(resource, "scale"))
		look_at(d, new_->namespace_, NULL);
}

struct disruptions *disruptions_new(struct loop *loop, struct api_client *client, struct cache *cache)
{
	struct disruptions *d = mem_zalloc(sizeof(*d));

	d->client = client;
	d->cache = cache;
	d->resource = resource_find("policy", "v1", "poddisruptionbudgets");
	d->pod_resource = resource_find("", "v1", "pods");
	d->set_resource = resource_find("apps", "v1", "replicasets");
	d->deployment_resource = resource_find("apps", "v1", "deployments");
	d->queue = work_queue_new(loop, MAX_RUNNING, reconcile, d);
	cache_watch(cache, NULL, changed, d);
	return d;
}

void disruptions_synced(struct disruptions *d)
{
	const struct meta *budget;

	d->begun = true;
	for (size_t i = 0; (budget = cache_next(d->cache, d->resource, &i));)
		work_queue_add(d->queue, budget->item.key);
}

void disruptions_free(struct disruptions *d)
{
	if (!d)
		return;
	work_queue_free(d->queue);
	free(d);
}
