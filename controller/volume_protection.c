#include "controller/volume_protection.h"

#include <stdlib.h>
#include <string.h>

#include "controller/key_run.h"
#include "lib/list_page.h"

enum { MAX_RUNNING = 8, PAGE_SIZE = 500 };

/* A kind that is protected. */
struct protected_kind {
	struct volume_protection *protection;
	const struct resource *resource;
	const char *finalizer;
	struct work_queue *queue; /* keys are its objects */
};

struct volume_protection {
	struct api_client *client;
	struct cache *cache;
	const struct resource *pod_resource;
	struct protected_kind claims, volumes;
	bool begun;
};

/* One object looked at. */
struct look {
	const struct protected_kind *kind;
	struct json_object *obj;
	bool in_use;
};

static void look_free(struct look *look)
{
	json_object_put(look->obj);
	free(look);
}

static const char *meta_of(const struct look *look, const char *key)
{
	return json_str_or_empty(json_get(look->obj, "metadata"), key);
}

/* True when the finalizer was there. */
static bool drop_finalizer(struct look *look)
{
	struct json_object *metadata = json_get(look->obj, "metadata"), *rest = json_object_new_array();
	const struct json_object *finalizers = json_get(metadata, "finalizers");
	size_t n = json_len(finalizers);

	for (size_t i = 0; i < n; i++)
		if (strcmp(json_object_get_string(json_at(finalizers, i)), look->kind->finalizer) != 0)
			json_object_array_add(rest, json_object_get(json_at(finalizers, i)));
	bool dropped = json_len(rest) < n;
	json_set(metadata, "finalizers", rest);
	return dropped;
}

static void release(struct key_run *run, struct look *look)
{
	CLEANUP(buf_close) struct buf path = BUF_INIT, body = BUF_INIT;

	if (!look->in_use && drop_finalizer(look)) {
		meta_path(&path, look->kind->resource, meta_of(look, "namespace"), meta_of(look, "name"),
			  NULL);
		json_write(&body, look->obj);
		key_run_call(run, "PUT", &path, NULL, &body, NULL, NULL);
	}
	look_free(look);
}

/* --- claims: the pods of the namespace --- */

static bool uses_claim(struct json_object *pod, void *arg)
{
	struct look *look = arg;
	const struct json_object *volumes = json_path(pod, "spec", "volumes", NULL);
	const char *phase = json_str_or_empty(json_get(pod, "status"), "phase");
	bool over = strcmp(phase, "Succeeded") == 0 || strcmp(phase, "Failed") == 0;

	for (size_t i = 0; !over && i < json_len(volumes); i++) {
		const struct json_object *claim = json_get(json_at(volumes, i), "persistentVolumeClaim");

		if (strcmp(json_str_or_empty(claim, "claimName"), meta_of(look, "name")) == 0)
			look->in_use = true;
	}
	return !look->in_use;
}

static void list_pods(struct key_run *run, struct look *look, const char *continue_);

static void pods_listed(struct key_run *run, const struct api_response *response, void *arg)
{
	struct look *look = arg;
	CLEANUP(list_page_close) struct list_page page = { 0 };
	struct err err;

	if (!key_run_check(run, response) ||
	    list_page_walk(response->data, response->len, NULL, "metadata.managedFields", uses_claim, look,
			   &page, &err) < 0) {
		run->failed = true;
		look_free(look);
		return;
	}
	if (page.continue_ && !look->in_use)
		list_pods(run, look, page.continue_);
	else
		release(run, look);
}

static void list_pods(struct key_run *run, struct look *look, const char *continue_)
{
	CLEANUP(buf_close) struct buf path = BUF_INIT;

	meta_path(&path, look->kind->protection->pod_resource, meta_of(look, "namespace"), NULL, NULL);
	buf_printf(&path, "?limit=%d", PAGE_SIZE);
	if (continue_) {
		buf_str(&path, "&continue=");
		buf_url_encode(&path, continue_);
	}
	key_run_call(run, "GET", &path, NULL, NULL, pods_listed, look);
}

/* --- both --- */

static void got(struct key_run *run, const struct api_response *response, void *arg)
{
	struct protected_kind *kind = arg;
	struct json_object *obj = NULL;
	struct look *look;

	if (!key_run_check(run, response) || json_parse(response->data, response->len, &obj, NULL, NULL) < 0)
		return;
	look = mem_zalloc(sizeof(*look));
	*look = (struct look){ .kind = kind, .obj = obj };
	if (!json_path(obj, "metadata", "deletionTimestamp", NULL)) {
		look_free(look);
	} else if (kind == &kind->protection->claims) {
		list_pods(run, look, NULL);
	} else {
		look->in_use = strcmp(json_str_or_empty(json_get(obj, "status"), "phase"), "Bound") == 0;
		release(run, look);
	}
}

static void reconcile(struct work_queue *queue, const char *key, void *arg)
{
	struct protected_kind *kind = arg;
	const struct volume_protection *p = kind->protection;
	const struct meta *meta = cache_get(p->cache, kind->resource, key);
	CLEANUP(buf_close) struct buf path = BUF_INIT;

	if (!meta || !meta->deleting || !p->begun) {
		work_queue_done(queue, key, WORK_OK);
		return;
	}
	struct key_run *run = key_run_begin(queue, key, p->client, kind->resource->kind_name);
	meta_path(&path, kind->resource, meta->namespace_, meta->name, NULL);
	key_run_call(run, "GET", &path, NULL, NULL, got, kind);
	key_run_end(run);
}

static void look_at(const struct protected_kind *kind, const char *namespace_)
{
	const struct meta *meta;

	for (size_t i = 0; (meta = cache_next(kind->protection->cache, kind->resource, &i));)
		if (meta->deleting && (!namespace_ || strcmp(meta->namespace_, namespace_) == 0))
			work_queue_add(kind->queue, meta->item.key);
}

static bool is_over(const struct meta *pod)
{
	enum pod_phase phase = ((const struct cached_pod *)pod)->phase;

	return phase == PHASE_SUCCEEDED || phase == PHASE_FAILED;
}

static void changed(const struct resource *resource, struct meta *old, struct meta *new_, void *arg)
{
	struct volume_protection *p = arg;

	if (!p->begun)
		return;
	if (resource == p->pod_resource) {
		if (old && (!new_ || (is_over(new_) && !is_over(old))))
			look_at(&p->claims, old->namespace_);
	} else if (new_ && new_->deleting) {
		if (resource == p->claims.resource)
			work_queue_add(p->claims.queue, new_->item.key);
		else if (resource == p->volumes.resource)
			work_queue_add(p->volumes.queue, new_->item.key);
	}
}

static void init_kind(struct protected_kind *kind, struct volume_protection *p, struct loop *loop,
		      const char *plural, const char *finalizer)
{
	kind->protection = p;
	kind->resource = resource_find("", "v1", plural);
	kind->finalizer = finalizer;
	kind->queue = work_queue_new(loop, MAX_RUNNING, reconcile, kind);
}

struct volume_protection *volume_protection_new(struct loop *loop, struct api_client *client,
						struct cache *cache)
{
	struct volume_protection *p = mem_zalloc(sizeof(*p));

	p->client = client;
	p->cache = cache;
	p->pod_resource = resource_find("", "v1", "pods");
	init_kind(&p->claims, p, loop, "persistentvolumeclaims", "kubernetes.io/pvc-protection");
	init_kind(&p->volumes, p, loop, "persistentvolumes", "kubernetes.io/pv-protection");
	cache_watch(cache, p->pod_resource, changed, p);
	cache_watch(cache, p->claims.resource, changed, p);
	cache_watch(cache, p->volumes.resource, changed, p);
	return p;
}

void volume_protection_synced(struct volume_protection *p)
{
	p->begun = true;
	look_at(&p->claims, NULL);
	look_at(&p->volumes, NULL);
}

void volume_protection_free(struct volume_protection *p)
{
	if (!p)
		return;
	work_queue_free(p->claims.queue);
	work_queue_free(p->volumes.queue);
	free(p);
}
