#include "controller/namespace.h"

#include <stdlib.h>
#include <string.h>

#include "api/resource_set.h"
#include "controller/key_run.h"
#include "controller/namespace_status.h"
#include "lib/mem.h"
#include "lib/timefmt.h"

/* Looked at again while content remains, for its conditions: the end itself comes by the cache. */
enum { MAX_RUNNING = 16, LOOK_AGAIN_MS = 8000, PAGE_SIZE = 500 };

/* How much the cache knows in a namespace. */
struct content_count {
	size_t n;
	char name[];
};

struct namespaces {
	struct api_client *client;
	struct cache *cache;
	const struct resource *resource;
	struct work_queue *queue; /* keys are names */
	struct map counts;        /* name -> struct content_count */
};

/* One attempt at a namespace. Each phase's calls are answered before the next begins. */
struct emptying {
	struct namespaces *namespaces;
	struct json_object *object; /* the namespace as the server has it */
	char *name;
	size_t in_flight;
	struct namespace_content content;
};

/* A call of a phase about one resource. */
struct part {
	struct emptying *emptying;
	const struct resource *resource; /* referenced */
};

static bool has_content(const struct resource *resource)
{
	return resource->namespaced && resource->stored == resource &&
	       (resource->verbs & VERB_DELETECOLLECTION) && (resource->verbs & VERB_LIST);
}

static void emptying_free(struct emptying *e)
{
	namespace_content_close(&e->content);
	json_putp(&e->object);
	free(e->name);
	free(e);
}

/* --- the last phase: status and finalize --- */

static void put_object(struct key_run *run, struct emptying *e, const char *subresource,
		       void (*answered)(struct key_run *run, const struct api_response *response, void *arg))
{
	CLEANUP(buf_close) struct buf path = BUF_INIT, body = BUF_INIT;

	meta_path(&path, e->namespaces->resource, NULL, e->name, subresource);
	json_write(&body, e->object);
	key_run_call(run, "PUT", &path, NULL, &body, answered, e);
}

static void drop_finalizer(struct json_object *object)
{
	struct json_object *spec = json_ensure_object(object, "spec"), *old = json_get(spec, "finalizers");
	struct json_object *finalizers = json_object_new_array();

	for (size_t i = 0; i < json_len(old); i++)
		if (strcmp(json_object_get_string(json_at(old, i)), "kubernetes") != 0)
			json_object_array_add(finalizers, json_object_get(json_at(old, i)));
	json_set(spec, "finalizers", finalizers);
}

static void finalized(struct key_run *run, const struct api_response *response, void *arg)
{
	/* Somebody changed it meanwhile. Its event may be one that we heard before the conflict. */
	if (!key_run_check(run, response) && response->err.kind == ERR_CONFLICT)
		run->failed = true;
	emptying_free(arg);
}

static void end(struct key_run *run, struct emptying *e)
{
	if (namespace_content_empty(&e->content)) {
		drop_finalizer(e->object);
		put_object(run, e, "finalize", finalized);
		return;
	}
	if (e->content.failures.len)
		run->failed = true;
	work_queue_add_after(e->namespaces->queue, e->name, LOOK_AGAIN_MS);
	emptying_free(e);
}

static void status_written(struct key_run *run, const struct api_response *response, void *arg)
{
	struct emptying *e = arg;
	struct json_object *object = NULL;

	if (!key_run_check(run, response) ||
	    json_parse(response->data, response->len, &object, NULL, NULL) < 0) {
		run->failed |= response->err.kind == ERR_CONFLICT;
		emptying_free(e);
		return;
	}
	json_putp(&e->object);
	e->object = object; /* with its new revision */
	end(run, e);
}

static void write_status(struct key_run *run, struct emptying *e)
{
	if (namespace_conditions(e->object, &e->content, time_now_us()))
		put_object(run, e, "status", status_written);
	else
		end(run, e);
}

/* --- deleting and listing --- */

/* The answer of one part; true when it was the phase's last. */
static bool part_done(struct part *part, const struct api_response *response)
{
	struct emptying *e = part->emptying;

	if (response->err.kind != ERR_NONE && response->err.kind != ERR_NOT_FOUND)
		namespace_content_fail(&e->content, response->err.msg);
	resource_unref(part->resource);
	free(part);
	return --e->in_flight == 0;
}

/* Another version of the same objects. */
static bool seen_before(const struct resource_set *set, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (set->rows[i]->index == set->rows[at]->index)
			return true;
	return false;
}

static void call_parts(struct key_run *run, struct emptying *e, const char *method, const char *query,
		       void (*answered)(struct key_run *run, const struct api_response *response, void *arg))
{
	CLEANUP(resource_set_putp) struct resource_set *set = resource_set_get();

	for (size_t i = 0; i < set->n; i++) {
		CLEANUP(buf_close) struct buf path = BUF_INIT;
		struct part *part;
		if (!has_content(set->rows[i]) || seen_before(set, i))
			continue;
		part = mem_alloc(sizeof(*part));
		*part = (struct part){ e, resource_ref(set->rows[i]) };
		meta_path(&path, part->resource, e->name, NULL, NULL);
		buf_str(&path, query);
		e->in_flight++;
		key_run_call(run, method, &path, NULL, NULL, answered, part);
	}
}

static void listed(struct key_run *run, const struct api_response *response, void *arg)
{
	struct part *part = arg;
	struct emptying *e = part->emptying;
	CLEANUP(json_putp) struct json_object *list = NULL;

	if (response->err.kind == ERR_NONE &&
	    json_parse(response->data, response->len, &list, NULL, NULL) == 0)
		namespace_content_add(&e->content, part->resource, list);
	if (part_done(part, response))
		write_status(run, e);
}

static void collection_deleted(struct key_run *run, const struct api_response *response, void *arg)
{
	struct part *part = arg;
	struct emptying *e = part->emptying;
	CLEANUP(mem_freep) char *query = mem_printf("?limit=%d", PAGE_SIZE);

	if (part_done(part, response))
		call_parts(run, e, "GET", query, listed);
}

/* --- one run --- */

static bool to_empty(const struct json_object *object)
{
	const struct json_object *finalizers = json_path(object, "spec", "finalizers", NULL);

	for (size_t i = 0; i < json_len(finalizers); i++)
		if (strcmp(json_object_get_string(json_at(finalizers, i)), "kubernetes") == 0)
			return json_path(object, "metadata", "deletionTimestamp", NULL) != NULL;
	return false;
}

static void got(struct key_run *run, const struct api_response *response, void *arg)
{
	struct emptying *e = arg;

	if (!key_run_check(run, response) ||
	    json_parse(response->data, response->len, &e->object, NULL, NULL) < 0 || !to_empty(e->object)) {
		emptying_free(e);
		return;
	}
	call_parts(run, e, "DELETE", "?propagationPolicy=Background", collection_deleted);
}

static void reconcile(struct work_queue *queue, const char *key, void *arg)
{
	struct namespaces *namespaces = arg;
	const struct cached_namespace *ns = cache_get(namespaces->cache, namespaces->resource, key);
	CLEANUP(buf_close) struct buf path = BUF_INIT;

	if (!ns || !ns->meta.deleting || !ns->has_kubernetes_finalizer || !cache_synced(namespaces->cache)) {
		work_queue_done(queue, key, WORK_OK);
		return;
	}
	struct emptying *e = mem_zalloc(sizeof(*e));
	e->namespaces = namespaces;
	e->name = mem_dup(key);
	namespace_content_init(&e->content);
	struct key_run *run = key_run_begin(queue, key, namespaces->client, "namespace");
	meta_path(&path, namespaces->resource, NULL, key, NULL);
	key_run_call(run, "GET", &path, NULL, NULL, got, e);
	key_run_end(run);
}

/* --- what the cache tells --- */

static void namespace_changed(struct namespaces *namespaces, const struct meta *old, const struct meta *new_)
{
	if (new_ && new_->deleting && (!old || !old->deleting))
		work_queue_add(namespaces->queue, new_->item.key);
}

static void count_object(struct namespaces *namespaces, const char *name)
{
	struct content_count *count = map_get(&namespaces->counts, name);
	size_t size = strlen(name) + 1;

	if (!count) {
		count = mem_zalloc(sizeof(*count) + size);
		memcpy(count->name, name, size);
		map_put(&namespaces->counts, count->name, count);
	}
	count->n++;
}

/* The last object that the cache knows in a namespace wakes it, should it be on its way out. */
static void uncount_object(struct namespaces *namespaces, const char *name)
{
	struct content_count *count = map_get(&namespaces->counts, name);
	const struct meta *ns = cache_get(namespaces->cache, namespaces->resource, name);

	if (!count || --count->n > 0)
		return;
	map_remove(&namespaces->counts, name);
	free(count);
	if (ns && ns->deleting)
		work_queue_add(namespaces->queue, name);
}

static void changed(const struct resource *resource, struct meta *old, struct meta *new_, void *arg)
{
	struct namespaces *namespaces = arg;

	if (resource == namespaces->resource)
		namespace_changed(namespaces, old, new_);
	else if (resource->namespaced && !old)
		count_object(namespaces, new_->namespace_);
	else if (resource->namespaced && !new_)
		uncount_object(namespaces, old->namespace_);
}

struct namespaces *namespaces_new(struct loop *loop, struct api_client *client, struct cache *cache)
{
	struct namespaces *namespaces = mem_zalloc(sizeof(*namespaces));

	namespaces->client = client;
	namespaces->cache = cache;
	namespaces->resource = resource_find("", "v1", "namespaces");
	namespaces->queue = work_queue_new(loop, MAX_RUNNING, reconcile, namespaces);
	cache_watch(cache, NULL, changed, namespaces);
	return namespaces;
}

void namespaces_synced(struct namespaces *namespaces)
{
	const struct meta *ns;

	for (size_t i = 0; (ns = cache_next(namespaces->cache, namespaces->resource, &i));)
		if (ns->deleting)
			work_queue_add(namespaces->queue, ns->item.key);
}

void namespaces_free(struct namespaces *namespaces)
{
	void *count;

	if (!namespaces)
		return;
	work_queue_free(namespaces->queue);
	for (size_t i = 0; map_next(&namespaces->counts, &i, NULL, &count);)
		free(count);
	map_close(&namespaces->counts);
	free(namespaces);
}
