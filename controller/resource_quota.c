#include "controller/resource_quota.h"

#include <stdlib.h>
#include <string.h>

#include "api/quota.h"
#include "controller/key_run.h"
#include "lib/list_page.h"

/* What goes often goes together: counted once. */
enum { MAX_RUNNING = 4, SETTLE_MS = 100, PAGE_SIZE = 500 };

struct resource_quotas {
	struct api_client *client;
	struct cache *cache;
	const struct resource *resource, *pod_resource;
	struct work_queue *queue; /* keys are quotas */
	bool begun;
};

/* One count, over when the last list has come. */
struct count {
	struct resource_quotas *quotas;
	struct json_object *quota; /* as the server had it before the first list */
	struct json_object *used;
	size_t in_flight;
	bool failed;
};

/* The list of one resource under way. */
struct listing {
	struct count *count;
	const struct resource *resource;
};

static const struct json_object *hard_of(const struct count *count)
{
	return json_path(count->quota, "spec", "hard", NULL);
}

static const char *namespace_of(const struct count *count)
{
	return json_str_or_empty(json_get(count->quota, "metadata"), "namespace");
}

static void count_free(struct count *count)
{
	json_object_put(count->quota);
	json_object_put(count->used);
	free(count);
}

/* --- writing it down --- */

static void written(struct key_run *run, const struct api_response *response, void *arg)
{
	(void)arg;
	/* Something was stored meanwhile, and has been charged. */
	if (!key_run_check(run, response) && response->err.kind == ERR_CONFLICT)
		run->failed = true;
}

static void write_status(struct key_run *run, struct count *count)
{
	const struct json_object *metadata = json_get(count->quota, "metadata");
	CLEANUP(json_putp) struct json_object *before = json_clone(json_get(count->quota, "status"));
	struct json_object *status = json_object_new_object();
	CLEANUP(buf_close) struct buf path = BUF_INIT, body = BUF_INIT;

	if (hard_of(count))
		json_set(status, "hard", json_clone(hard_of(count)));
	json_set(status, "used", json_object_get(count->used));
	json_set(count->quota, "status", status);
	if (json_equal(before, status))
		return;
	meta_path(&path, count->quotas->resource, namespace_of(count), json_str_or_empty(metadata, "name"),
		  "status");
	json_write(&body, count->quota);
	key_run_call(run, "PUT", &path, NULL, &body, written, NULL);
}

/* --- counting --- */

static bool count_item(struct json_object *obj, void *arg)
{
	const struct listing *listing = arg;
	struct count *count = listing->count;

	if (quota_in_scope(count->quota, listing->resource, obj)) {
		CLEANUP(json_putp) struct json_object *usage = quota_usage(listing->resource, obj);
		quota_add(count->used, usage, 1, hard_of(count));
	}
	return true;
}

static void list_part(struct key_run *run, struct listing *listing, const char *continue_);

static void listing_over(struct key_run *run, struct listing *listing)
{
	struct count *count = listing->count;

	free(listing);
	if (--count->in_flight)
		return;
	if (count->failed)
		run->failed = true;
	else
		write_status(run, count);
	count_free(count);
}

static void listed(struct key_run *run, const struct api_response *response, void *arg)
{
	struct listing *listing = arg;
	CLEANUP(list_page_close) struct list_page page = { 0 };
	struct err err;

	if (!key_run_check(run, response) ||
	    list_page_walk(response->data, response->len, NULL, "metadata.managedFields", count_item, listing,
			   &page, &err) < 0)
		listing->count->failed = true;
	if (page.continue_)
		list_part(run, listing, page.continue_);
	else
		listing_over(run, listing);
}

static void list_part(struct key_run *run, struct listing *listing, const char *continue_)
{
	CLEANUP(buf_close) struct buf path = BUF_INIT;

	meta_path(&path, listing->resource, namespace_of(listing->count), NULL, NULL);
	buf_printf(&path, "?limit=%d", PAGE_SIZE);
	if (continue_) {
		buf_str(&path, "&continue=");
		buf_url_encode(&path, continue_);
	}
	key_run_call(run, "GET", &path, NULL, NULL, listed, listing);
}

static bool is_counted(struct json_object *hard, const struct resource *resource)
{
	if (!resource->namespaced || !(resource->verbs & VERB_LIST) || resource->stored != resource)
		return false;
	json_object_object_foreach(hard, name, value)
	{
		(void)value;
		if (quota_counts(name, resource))
			return true;
	}
	return false;
}

/* Names that no object counts for yet are there with 0. */
static struct json_object *zeros(struct json_object *hard)
{
	struct json_object *used = json_object_new_object();

	json_object_object_foreach(hard, name, value)
	{
		(void)value;
		json_set_str(used, name, "0");
	}
	return used;
}

static void got(struct key_run *run, const struct api_response *response, void *arg)
{
	struct json_object *quota = NULL, *hard;
	size_t n;

	if (!key_run_check(run, response) ||
	    json_parse(response->data, response->len, &quota, NULL, NULL) < 0)
		return;
	struct count *count = mem_zalloc(sizeof(*count));
	*count = (struct count){ .quotas = arg, .quota = quota, .in_flight = 1 };
	hard = json_ensure_object(json_ensure_object(quota, "spec"), "hard");
	count->used = zeros(hard);
	const struct resource *resources = resource_all(&n);
	for (size_t i = 0; i < n; i++) {
		struct listing *listing;
		if (!is_counted(hard, &resources[i]))
			continue;
		listing = mem_alloc(sizeof(*listing));
		*listing = (struct listing){ count, &resources[i] };
		count->in_flight++;
		list_part(run, listing, NULL);
	}
	struct listing *last = mem_alloc(sizeof(*last));
	*last = (struct listing){ count, NULL };
	listing_over(run, last);
}

static void reconcile(struct work_queue *queue, const char *key, void *arg)
{
	struct resource_quotas *quotas = arg;
	const struct cached_quota *quota = cache_get(quotas->cache, quotas->resource, key);
	CLEANUP(buf_close) struct buf path = BUF_INIT;

	if (!quota || !quotas->begun) {
		work_queue_done(queue, key, WORK_OK);
		return;
	}
	struct key_run *run = key_run_begin(queue, key, quotas->client, "resource quota");
	meta_path(&path, quotas->resource, quota->meta.namespace_, quota->meta.name, NULL);
	key_run_call(run, "GET", &path, NULL, NULL, got, quotas);
	key_run_end(run);
}

/* --- what the cache tells --- */

static bool is_over(const struct cached_pod *pod)
{
	return pod->phase == PHASE_SUCCEEDED || pod->phase == PHASE_FAILED;
}

/* Room has become free in the namespace. */
static void freed(struct resource_quotas *quotas, const char *namespace_)
{
	const struct meta *quota;

	for (size_t i = 0; (quota = cache_next(quotas->cache, quotas->resource, &i));)
		if (strcmp(quota->namespace_, namespace_) == 0)
			work_queue_add_after(quotas->queue, quota->item.key, SETTLE_MS);
}

static void changed(const struct resource *resource, struct meta *old, struct meta *new_, void *arg)
{
	struct resource_quotas *quotas = arg;

	if (!quotas->begun || !resource->namespaced)
		return;
	if (!new_)
		freed(quotas, old->namespace_);
	else if (resource == quotas->resource && !((struct cached_quota *)new_)->counted)
		work_queue_add(quotas->queue, new_->item.key);
	else if (resource == quotas->pod_resource && old && is_over((struct cached_pod *)new_) &&
		 !is_over((struct cached_pod *)old))
		freed(quotas, new_->namespace_);
}

struct resource_quotas *resource_quotas_new(struct loop *loop, struct api_client *client, struct cache *cache)
{
	struct resource_quotas *quotas = mem_zalloc(sizeof(*quotas));

	quotas->client = client;
	quotas->cache = cache;
	quotas->resource = resource_find("", "v1", "resourcequotas");
	quotas->pod_resource = resource_find("", "v1", "pods");
	quotas->queue = work_queue_new(loop, MAX_RUNNING, reconcile, quotas);
	cache_watch(cache, NULL, changed, quotas);
	return quotas;
}

void resource_quotas_synced(struct resource_quotas *quotas)
{
	const struct meta *quota;

	quotas->begun = true;
	for (size_t i = 0; (quota = cache_next(quotas->cache, quotas->resource, &i));)
		work_queue_add(quotas->queue, quota->item.key);
}

void resource_quotas_free(struct resource_quotas *quotas)
{
	if (!quotas)
		return;
	work_queue_free(quotas->queue);
	free(quotas);
}
