#include "controller/cache.h"

#include <stdlib.h>
#include <string.h>

#include "api/resource_set.h"
#include "controller/decode.h"
#include "lib/map.h"
#include "lib/mem.h"

struct listener {
	cache_change_fn fn;
	void *arg;
};

/* One resource's informer and those who listen. */
struct cache_table {
	struct cache *cache;
	const struct resource *resource;
	const struct cache_kind *kind;
	struct informer_type type;
	struct informer *informer;
	char *path;
	struct listener *listeners;
	size_t n_listeners;
};

struct cache {
	struct loop *loop;
	struct api_client *client;
	struct cache_table **tables; /* by resource index; NULL: not watched */
	size_t n_tables, n_wanted, n_synced;
	struct listener *everywhere; /* those who listen to all resources */
	size_t n_everywhere;
	struct map by_uid;
	void (*synced)(void *arg);
	void *arg;
};

/* The informer's item begins with its key: the table is found through the resource, which close() has no
 * other way to know. */
static bool decode_item(void *item, const struct json_span *found, void *arg)
{
	struct cache_table *table = arg;

	((struct meta *)item)->resource = table->resource;
	return cache_decode(table->kind, item, found);
}

static void close_item(void *item)
{
	cache_close(cache_kind_of(((struct meta *)item)->resource), item);
}

static void tell(struct cache_table *table, struct meta *old, struct meta *new_)
{
	for (size_t i = 0; i < table->n_listeners; i++)
		table->listeners[i].fn(table->resource, old, new_, table->listeners[i].arg);
}

static void item_added(void *item, void *arg)
{
	struct cache_table *table = arg;
	struct meta *meta = item;

	map_put(&table->cache->by_uid, meta->item.uid, meta);
	tell(table, NULL, meta);
}

static void item_deleted(void *item, void *arg)
{
	struct cache_table *table = arg;
	struct meta *meta = item;

	map_remove(&table->cache->by_uid, meta->item.uid);
	tell(table, meta, NULL);
}

static void item_updated(void *old_item, void *new_item, void *arg)
{
	struct cache_table *table = arg;
	struct meta *old = old_item, *new_ = new_item;

	if (strcmp(old->item.uid, new_->item.uid) != 0) {
		/* Deleted and made again while we did not look: two changes for everyone. */
		item_deleted(old, arg);
		item_added(new_, arg);
		return;
	}
	map_put(&table->cache->by_uid, new_->item.uid, new_);
	tell(table, old, new_);
}

static void table_synced(void *arg)
{
	struct cache_table *table = arg;
	struct cache *cache = table->cache;

	/* Custom resources come later, and again: nobody waits for them. */
	if (!table->resource->slot && ++cache->n_synced == cache->n_wanted)
		cache->synced(cache->arg);
}

static bool wanted(const struct resource *resource)
{
	return (resource->verbs & VERB_LIST) && (resource->verbs & VERB_WATCH) &&
	       resource->stored == resource && strcmp(resource->plural, "events") != 0;
}

static void listen_to(struct cache_table *table, cache_change_fn fn, void *arg)
{
	table->listeners =
	    mem_realloc_array(table->listeners, table->n_listeners + 1, sizeof(*table->listeners));
	table->listeners[table->n_listeners++] = (struct listener){ fn, arg };
}

static void table_start(struct cache *cache, const struct resource *resource)
{
	struct cache_table *table = mem_zalloc(sizeof(*table));
	struct buf path = BUF_INIT;

	table->cache = cache;
	table->resource = resource_ref(resource);
	table->kind = cache_kind_of(resource);
	meta_path(&path, resource, NULL, NULL, NULL);
	table->path = buf_take(&path);
	table->type = (struct informer_type){ .path = table->path,
					      .wants = table->kind->wants,
					      .item_size = table->kind->size,
					      .decode_text = decode_item,
					      .close = close_item,
					      .added = item_added,
					      .updated = item_updated,
					      .deleted = item_deleted,
					      .synced = table_synced };
	for (size_t i = 0; i < cache->n_everywhere; i++)
		listen_to(table, cache->everywhere[i].fn, cache->everywhere[i].arg);
	cache->tables[resource->index] = table;
	table->informer = informer_new(cache->loop, cache->client, &table->type, table);
}

static void table_free(struct cache_table *table)
{
	if (!table)
		return;
	informer_free(table->informer);
	free(table->listeners);
	free(table->path);
	resource_unref(table->resource);
	free(table);
}

static struct cache_table *table_of(const struct cache *cache, const struct resource *resource)
{
	return resource->index < cache->n_tables ? cache->tables[resource->index] : NULL;
}

struct cache *cache_new(struct loop *loop, struct api_client *client, void (*synced)(void *arg), void *arg)
{
	struct cache *cache = mem_zalloc(sizeof(*cache));

	cache->loop = loop;
	cache->client = client;
	cache->synced = synced;
	cache->arg = arg;
	const struct resource *resources = resource_all(&cache->n_tables);
	cache->tables = mem_zalloc(cache->n_tables * sizeof(struct cache_table *));
	for (size_t i = 0; i < cache->n_tables; i++)
		cache->n_wanted += wanted(&resources[i]);
	for (size_t i = 0; i < cache->n_tables; i++)
		if (wanted(&resources[i]))
			table_start(cache, &resources[i]);
	return cache;
}

void cache_free(struct cache *cache)
{
	if (!cache)
		return;
	for (size_t i = 0; i < cache->n_tables; i++)
		table_free(cache->tables[i]);
	map_close(&cache->by_uid);
	free(cache->tables);
	free(cache->everywhere);
	free(cache);
}

void cache_add(struct cache *cache, const struct resource *resource)
{
	size_t n = resource->index + 1;

	if (n > cache->n_tables) {
		cache->tables = mem_realloc_array(cache->tables, n, sizeof(struct cache_table *));
		memset(cache->tables + cache->n_tables, 0,
		       (n - cache->n_tables) * sizeof(struct cache_table *));
		cache->n_tables = n;
	}
	cache_drop(cache, resource);
	table_start(cache, resource);
}

void cache_drop(struct cache *cache, const struct resource *resource)
{
	struct cache_table *table = table_of(cache, resource);
	void *item;

	if (!table)
		return;
	for (size_t i = 0; (item = informer_next(table->informer, &i));)
		item_deleted(item, table);
	cache->tables[resource->index] = NULL;
	table_free(table);
}

void cache_watch(struct cache *cache, const struct resource *resource, cache_change_fn fn, void *arg)
{
	for (size_t i = 0; i < cache->n_tables; i++) {
		struct cache_table *table = cache->tables[i];

		if (table && (!resource || table->resource == resource))
			listen_to(table, fn, arg);
	}
	if (resource)
		return;
	cache->everywhere =
	    mem_realloc_array(cache->everywhere, cache->n_everywhere + 1, sizeof(*cache->everywhere));
	cache->everywhere[cache->n_everywhere++] = (struct listener){ fn, arg };
}

bool cache_synced(const struct cache *cache)
{
	return cache->n_synced == cache->n_wanted;
}

uint64_t cache_revision(const struct cache *cache, const struct resource *resource)
{
	const struct cache_table *table = table_of(cache, resource);

	return table ? informer_revision(table->informer) : 0;
}

void *cache_get(const struct cache *cache, const struct resource *resource, const char *key)
{
	const struct cache_table *table = table_of(cache, resource);

	return table ? informer_get(table->informer, key) : NULL;
}

struct meta *cache_by_uid(const struct cache *cache, const char *uid)
{
	return map_get(&cache->by_uid, uid);
}

void *cache_next(const struct cache *cache, const struct resource *resource, size_t *cursor)
{
	const struct cache_table *table = table_of(cache, resource);

	return table ? informer_next(table->informer, cursor) : NULL;
}

const struct owner_ref *meta_controller(const struct meta *meta)
{
	for (size_t i = 0; i < meta->n_owners; i++)
		if (meta->owners[i].controller)
			return &meta->owners[i];
	return NULL;
}

void meta_path(struct buf *b, const struct resource *resource, const char *namespace_, const char *name,
	       const char *subresource)
{
	const char *const parts[] = { *resource->group ? "/apis/" : "/api/",
				      resource->group_version,
				      namespace_ && *namespace_ ? "/namespaces/" : "",
				      namespace_ ? namespace_ : "",
				      "/",
				      resource->plural,
				      name ? "/" : "",
				      name ? name : "",
				      subresource ? "/" : "",
				      subresource ? subresource : "" };

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		buf_str(b, parts[i]);
}
