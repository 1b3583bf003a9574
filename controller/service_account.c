#include "controller/service_account.h"

#include <stdlib.h>
#include <string.h>

#include "controller/key_run.h"
#include "lib/mem.h"

#define NAME "default"
enum { MAX_RUNNING = 32 };

/* Keys are namespaces. */
struct service_accounts {
	struct api_client *client;
	struct cache *cache;
	const struct resource *resource, *namespace_resource;
	struct work_queue *queue;
};

static void created(struct key_run *run, const struct api_response *response, void *arg)
{
	(void)arg;
	/* A namespace on its way out refuses with 403; the watch tells when it is. */
	if (response->err.kind != ERR_ALREADY_EXISTS && response->err.kind != ERR_FORBIDDEN)
		key_run_check(run, response);
}

static void reconcile(struct work_queue *queue, const char *key, void *arg)
{
	struct service_accounts *accounts = arg;
	const struct cached_namespace *ns = cache_get(accounts->cache, accounts->namespace_resource, key);
	CLEANUP(mem_freep) char *account = mem_printf("%s/" NAME, key);
	CLEANUP(buf_close) struct buf path = BUF_INIT, body = BUF_INIT;

	if (!cache_synced(accounts->cache) || !ns || ns->terminating || ns->meta.deleting ||
	    cache_get(accounts->cache, accounts->resource, account)) {
		work_queue_done(queue, key, WORK_OK);
		return;
	}
	meta_path(&path, accounts->resource, key, NULL, NULL);
	buf_str(&body,
		"{\"apiVersion\":\"v1\",\"kind\":\"ServiceAccount\",\"metadata\":{\"name\":\"" NAME "\"}}");
	struct key_run *run = key_run_begin(queue, key, accounts->client, "namespace");
	key_run_call(run, "POST", &path, NULL, &body, created, NULL);
	key_run_end(run);
}

static void account_changed(const struct resource *resource, struct meta *old, struct meta *new_, void *arg)
{
	struct service_accounts *accounts = arg;

	(void)resource;
	if (!new_ && strcmp(old->name, NAME) == 0)
		work_queue_add(accounts->queue, old->namespace_);
}

static void namespace_changed(const struct resource *resource, struct meta *old, struct meta *new_, void *arg)
{
	struct service_accounts *accounts = arg;

	(void)resource;
	(void)old;
	if (new_)
		work_queue_add(accounts->queue, new_->item.key);
}

struct service_accounts *service_accounts_new(struct loop *loop, struct api_client *client,
					      struct cache *cache)
{
	struct service_accounts *accounts = mem_zalloc(sizeof(*accounts));

	accounts->client = client;
	accounts->cache = cache;
	accounts->resource = resource_find("", "v1", "serviceaccounts");
	accounts->namespace_resource = resource_find("", "v1", "namespaces");
	accounts->queue = work_queue_new(loop, MAX_RUNNING, reconcile, accounts);
	cache_watch(cache, accounts->resource, account_changed, accounts);
	cache_watch(cache, accounts->namespace_resource, namespace_changed, accounts);
	return accounts;
}

void service_accounts_synced(struct service_accounts *accounts)
{
	const struct meta *ns;

	for (size_t i = 0; (ns = cache_next(accounts->cache, accounts->namespace_resource, &i));)
		work_queue_add(accounts->queue, ns->item.key);
}

void service_accounts_free(struct service_accounts *accounts)
{
	if (!accounts)
		return;
	work_queue_free(accounts->queue);
	free(accounts);
}
