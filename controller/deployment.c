#include "controller/deployment.h"

#include <stdlib.h>
#include <string.h>

#include "controller/deployment_decide.h"
#include "controller/deployment_set.h"
#include "controller/deployment_status.h"
#include "lib/log.h"
#include "lib/timefmt.h"

enum { MAX_RUNNING = 128 };

static void status_done(const struct api_response *response, void *arg)
{
	struct deployment_run *run = arg;
	struct set_list *list = set_index_of(&run->deployments->sets, run->uid);

	if (response->err.kind == ERR_NONE) {
		list->wait_deployment = deployment_response_revision(response);
	} else if (response->err.kind != ERR_NOT_FOUND) {
		log_warn("writing a deployment's status failed", "deployment", run->key, "error",
			 response->err.msg, NULL);
		run->failed = true;
	}
	deployment_run_finish(run);
}

/* Members that are zero are absent; in a merge patch they must be named to go. The revision (0: as it is)
 * goes with the status, since written with the spec it would count as a new generation. */
static void write_status_patch(struct buf *b, struct json_object *status, int64_t revision)
{
	static const char *const counts[] = { "replicas", "updatedReplicas", "readyReplicas",
					      "availableReplicas", "unavailableReplicas" };

	for (size_t i = 0; i < ARRAY_SIZE(counts); i++)
		if (!json_get(status, counts[i]))
			json_object_object_add(status, counts[i], NULL);
	buf_char(b, '{');
	if (revision)
		buf_printf(b, "\"metadata\":{\"annotations\":{\"" REVISION_ANNOTATION "\":\"%lld\"}},",
			   (long long)revision);
	buf_str(b, "\"status\":");
	json_write(b, status);
	buf_char(b, '}');
}

static void write_status(struct deployment_run *run)
{
	struct deployments *ds = run->deployments;
	const struct cached_deployment *d = deployment_run_object(run);
	CLEANUP(buf_close) struct buf path = BUF_INIT, body = BUF_INIT;
	CLEANUP(json_putp) struct json_object *status = NULL, *old = NULL;
	CLEANUP(deployment_view_close) struct deployment_view v = { 0 };
	int64_t deadline_ms;

	if (!d) {
		deployment_run_finish(run);
		return;
	}
	deployment_view_open(run, d, &v);
	struct deployment_facts facts = { .deployment = d,
					  .new_set = v.new_set,
					  .sets = (const struct cached_replica_set *const *)v.sets,
					  .n_sets = v.n,
					  .created_set = run->created_set,
					  .create_error = run->create_error,
					  .found_set = v.new_set && !run->created_set && !d->revision_text,
					  .surge = v.surge,
					  .unavailable = v.unavailable,
					  .now_us = time_now_us() };
	status = deployment_status(&facts, &deadline_ms);
	if (deadline_ms > 0)
		work_queue_add_after(ds->queue, run->key, deadline_ms);
	bool new_revision =
	    run->revision && !run->create_error && deployment_revision(d->revision_text) != run->revision;
	if (!new_revision && d->status_json &&
	    json_parse(d->status_json, strlen(d->status_json), &old, NULL, NULL) == 0 &&
	    json_equal(old, status)) {
		deployment_run_finish(run);
		return;
	}
	meta_path(&path, ds->resource, run->namespace_, run->name, "status");
	write_status_patch(&body, status, new_revision ? run->revision : 0);
	api_client_call(ds->client, "PATCH", path.data, "application/merge-patch+json", body.data, body.len,
			status_done, run);
}

/* The cache does not show our own last writes yet; when it does, it brings the key again. */
static bool behind(const struct deployments *ds, const struct set_list *list)
{
	return cache_revision(ds->cache, ds->set_resource) < list->wait_sets ||
	       cache_revision(ds->cache, ds->resource) < list->wait_deployment;
}

static void reconcile(struct work_queue *queue, const char *key, void *arg)
{
	struct deployments *ds = arg;
	const struct cached_deployment *d = cache_get(ds->cache, ds->resource, key);

	if (!d || !cache_synced(ds->cache) || behind(ds, set_index_of(&ds->sets, d->meta.item.uid))) {
		work_queue_done(queue, key, WORK_OK);
		return;
	}
	struct deployment_run *run = deployment_run_begin(ds, d, write_status);
	if (!d->meta.deleting)
		deployment_decide(run, d);
	if (run->in_flight == 0)
		write_status(run);
}

static void deployment_changed(const struct resource *resource, struct meta *old, struct meta *new_,
			       void *arg)
{
	struct deployments *ds = arg;

	(void)resource;
	work_queue_add(ds->queue, new_ ? new_->item.key : old->item.key);
	if (!new_)
		set_index_drop(&ds->sets, old->item.uid);
}

static void wake_owner(struct deployments *ds, const struct meta *set)
{
	const struct owner_ref *controller = meta_controller(set);
	const struct meta *owner = controller ? cache_by_uid(ds->cache, controller->uid) : NULL;
	struct cached_deployment *d;

	if (owner && owner->resource == ds->resource)
		work_queue_add(ds->queue, owner->item.key);
	for (size_t i = 0; !controller && (d = cache_next(ds->cache, ds->resource, &i));)
		if (strcmp(d->meta.namespace_, set->namespace_) == 0 &&
		    labels_match(set->labels, &d->selector))
			work_queue_add(ds->queue, d->meta.item.key);
}

static void set_changed(const struct resource *resource, struct meta *old, struct meta *new_, void *arg)
{
	struct deployments *ds = arg;

	(void)resource;
	set_index_change(&ds->sets, (struct cached_replica_set *)old, (struct cached_replica_set *)new_);
	wake_owner(ds, new_ ? new_ : old);
}

/* Only a Recreate looks at pods themselves: the last old one that ends lets it go on. */
static void pod_changed(const struct resource *resource, struct meta *old, struct meta *new_, void *arg)
{
	struct deployments *ds = arg;
	const struct cached_pod *was = (struct cached_pod *)old, *is = (struct cached_pod *)new_;

	(void)resource;
	if (!was || (is && is->phase == was->phase))
		return;
	const struct owner_ref *controller = meta_controller(old);
	const struct meta *set = controller ? cache_by_uid(ds->cache, controller->uid) : NULL;
	if (set && set->resource == ds->set_resource)
		wake_owner(ds, set);
}

struct deployments *deployments_new(struct loop *loop, struct api_client *client, struct cache *cache,
				    struct owned_index *owned)
{
	struct deployments *ds = mem_zalloc(sizeof(*ds));

	ds->client = client;
	ds->cache = cache;
	ds->owned = owned;
	ds->resource = resource_find("apps", "v1", "deployments");
	ds->set_resource = resource_find("apps", "v1", "replicasets");
	ds->events = event_recorder_new(loop, client, "deployment-controller", NULL);
	ds->queue = work_queue_new(loop, MAX_RUNNING, reconcile, ds);
	cache_watch(cache, ds->resource, deployment_changed, ds);
	cache_watch(cache, ds->set_resource, set_changed, ds);
	cache_watch(cache, resource_find("", "v1", "pods"), pod_changed, ds);
	return ds;
}

void deployments_synced(struct deployments *ds)
{
	const struct cached_deployment *d;

	for (size_t i = 0; (d = cache_next(ds->cache, ds->resource, &i));)
		work_queue_add(ds->queue, d->meta.item.key);
}

void deployments_free(struct deployments *ds)
{
	if (!ds)
		return;
	work_queue_free(ds->queue);
	event_recorder_free(ds->events);
	set_index_close(&ds->sets);
	free(ds);
}
