#include "controller/root_ca.h"

#include <stdlib.h>
#include <string.h>

#include "controller/key_run.h"

#define NAME "kube-root-ca.crt"
enum { MAX_RUNNING = 32 };

/* Keys are namespaces. */
struct root_ca {
	struct api_client *client;
	struct cache *cache;
	const struct resource *resource, *namespace_resource;
	struct work_queue *queue;
	struct buf body;
};

static void answered(struct key_run *run, const struct api_response *response, void *arg)
{
	(void)arg;
	/* A namespace on its way out refuses with 403; the watch tells when it is. */
	if (response->err.kind != ERR_FORBIDDEN)
		key_run_check(run, response);
}

/* What is there is replaced without being looked at: the cache has no contents, and what is equal already the
 * server leaves as it is. */
static void reconcile(struct work_queue *queue, const char *key, void *arg)
{
	struct root_ca *root_ca = arg;
	const struct cached_namespace *ns = cache_get(root_ca->cache, root_ca->namespace_resource, key);
	CLEANUP(mem_freep) char *name = mem_printf("%s/" NAME, key);
	CLEANUP(buf_close) struct buf path = BUF_INIT;

	if (!cache_synced(root_ca->cache) || !ns || ns->terminating || ns->meta.deleting) {
		work_queue_done(queue, key, WORK_OK);
		return;
	}
	bool there = cache_get(root_ca->cache, root_ca->resource, name);
	meta_path(&path, root_ca->resource, key, there ? NAME : NULL, NULL);
	struct key_run *run = key_run_begin(queue, key, root_ca->client, "namespace");
	key_run_call(run, there ? "PUT" : "POST", &path, NULL, &root_ca->body, answered, NULL);
	key_run_end(run);
}

static void object_changed(const struct resource *resource, struct meta *old, struct meta *new_, void *arg)
{
	struct root_ca *root_ca = arg;
	const struct meta *meta = new_ ? new_ : old;

	(void)resource;
	if (strcmp(meta->name, NAME) == 0)
		work_queue_add(root_ca->queue, meta->namespace_);
}

static void namespace_changed(const struct resource *resource, struct meta *old, struct meta *new_, void *arg)
{
	struct root_ca *root_ca = arg;

	(void)resource;
	if (new_ && !old)
		work_queue_add(root_ca->queue, new_->item.key);
}

static void write_body(struct buf *b, const char *pem)
{
	buf_str(b, "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"" NAME
		   "\",\"annotations\":{\"kubernetes.io/description\":\"Verifies the certificate of this "
		   "cluster's API server.\"}},\"data\":{\"ca.crt\":");
	buf_json_string(b, pem);
	buf_str(b, "}}");
}

struct root_ca *root_ca_new(struct loop *loop, struct api_client *client, struct cache *cache,
			    const char *pem)
{
	struct root_ca *root_ca = mem_zalloc(sizeof(*root_ca));

	root_ca->client = client;
	root_ca->cache = cache;
	root_ca->resource = resource_find("", "v1", "configmaps");
	root_ca->namespace_resource = resource_find("", "v1", "namespaces");
	root_ca->queue = work_queue_new(loop, MAX_RUNNING, reconcile, root_ca);
	if (pem) {
		write_body(&root_ca->body, pem);
		cache_watch(cache, root_ca->resource, object_changed, root_ca);
		cache_watch(cache, root_ca->namespace_resource, namespace_changed, root_ca);
	}
	return root_ca;
}

void root_ca_synced(struct root_ca *root_ca)
{
	const struct meta *ns;

	for (size_t i = 0;
	     root_ca->body.len && (ns = cache_next(root_ca->cache, root_ca->namespace_resource, &i));)
		work_queue_add(root_ca->queue, ns->item.key);
}

void root_ca_free(struct root_ca *root_ca)
{
	if (!root_ca)
		return;
	work_queue_free(root_ca->queue);
	buf_close(&root_ca->body);
	free(root_ca);
}
