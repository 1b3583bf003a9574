#include "controller/owned_pods.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

struct unseen_pod {
	uint64_t revision;
	char uid[];
};

static struct owned_pods *get(struct map *map, const char *key)
{
	struct owned_pods *owned = map_get(map, key);

	if (!owned) {
		owned = mem_zalloc(sizeof(*owned));
		owned->uid = mem_dup(key);
		map_put(map, owned->uid, owned);
	}
	return owned;
}

static void owned_free(struct owned_pods *owned)
{
	const char *uid;
	void *unseen;

	for (size_t i = 0; map_next(&owned->unseen, &i, &uid, &unseen);)
		free(unseen);
	map_close(&owned->unseen);
	free(owned->uid);
	free(owned);
}

/* The list that POD belongs in. */
static struct owned_pods *list_of(struct owned_index *index, const struct cached_pod *pod)
{
	const struct owner_ref *controller = meta_controller(&pod->meta);

	return controller ? get(&index->by_owner, controller->uid)
			  : get(&index->orphans, pod->meta.namespace_);
}

static void link_pod(struct owned_index *index, struct cached_pod *pod)
{
	struct owned_pods *owned = list_of(index, pod);

	pod->owned = owned;
	pod->prev_owned = NULL;
	pod->next_owned = owned->pods;
	if (pod->next_owned)
		pod->next_owned->prev_owned = pod;
	owned->pods = pod;
	owned->n++;
	free(map_remove(&owned->unseen, pod->meta.item.uid));
}

static void unlink_pod(struct cached_pod *pod)
{
	struct owned_pods *owned = pod->owned;

	if (pod->prev_owned)
		pod->prev_owned->next_owned = pod->next_owned;
	else
		owned->pods = pod->next_owned;
	if (pod->next_owned)
		pod->next_owned->prev_owned = pod->prev_owned;
	owned->n--;
}

/* The common change: NEW_ has the same controller, and takes OLD's place. */
static void replace_pod(const struct cached_pod *old, struct cached_pod *new_)
{
	new_->owned = old->owned;
	new_->next_owned = old->next_owned;
	new_->prev_owned = old->prev_owned;
	if (new_->next_owned)
		new_->next_owned->prev_owned = new_;
	if (new_->prev_owned)
		new_->prev_owned->next_owned = new_;
	else
		new_->owned->pods = new_;
}

static void pod_changed(const struct resource *resource, struct meta *old, struct meta *new_, void *arg)
{
	struct owned_index *index = arg;
	struct cached_pod *old_pod = (struct cached_pod *)old, *new_pod = (struct cached_pod *)new_;

	(void)resource;
	if (old_pod && new_pod)
		new_pod->delete_asked = old_pod->delete_asked;
	if (old_pod && new_pod && old->owners == new_->owners) {
		replace_pod(old_pod, new_pod);
		return;
	}
	if (old_pod)
		unlink_pod(old_pod);
	if (new_pod)
		link_pod(index, new_pod);
}

void owned_index_init(struct owned_index *index, struct cache *cache)
{
	*index = (struct owned_index){ .cache = cache, .pod_resource = resource_find("", "v1", "pods") };
	cache_watch(cache, index->pod_resource, pod_changed, index);
}

static void close_all(struct map *map)
{
	const char *key;
	void *owned;

	for (size_t i = 0; map_next(map, &i, &key, &owned);)
		owned_free(owned);
	map_close(map);
}

void owned_index_close(struct owned_index *index)
{
	close_all(&index->by_owner);
	close_all(&index->orphans);
}

struct owned_pods *owned_pods_of(struct owned_index *index, const char *owner_uid)
{
	return get(&index->by_owner, owner_uid);
}

struct cached_pod *owned_orphans(const struct owned_index *index, const char *namespace_)
{
	const struct owned_pods *owned = map_get(&index->orphans, namespace_);

	return owned ? owned->pods : NULL;
}

void owned_pods_created(struct owned_index *index, struct owned_pods *owned, const char *uid,
			uint64_t revision)
{
	size_t size = strlen(uid) + 1;

	if (cache_by_uid(index->cache, uid) || cache_revision(index->cache, index->pod_resource) >= revision)
		return;
	struct unseen_pod *unseen = mem_alloc(sizeof(*unseen) + size);
	unseen->revision = revision;
	memcpy(unseen->uid, uid, size);
	free(map_put(&owned->unseen, unseen->uid, unseen));
}

size_t owned_pods_unseen(struct owned_index *index, struct owned_pods *owned)
{
	uint64_t known = cache_revision(index->cache, index->pod_resource);
	const char *uid;
	void *value;

	for (size_t i = 0; map_next(&owned->unseen, &i, &uid, &value);) {
		struct unseen_pod *unseen = value;
		if (unseen->revision <= known) {
			map_remove(&owned->unseen, uid);
			free(unseen);
		}
	}
	return owned->unseen.count;
}

void owned_pods_drop(struct owned_index *index, const char *owner_uid)
{
	struct owned_pods *owned = map_get(&index->by_owner, owner_uid);

	if (!owned || owned->n > 0 || owned->creating > 0)
		return;
	map_remove(&index->by_owner, owner_uid);
	owned_free(owned);
}
