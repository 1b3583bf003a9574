#include "controller/set_index.h"

#include <stdlib.h>

#include "lib/mem.h"

static struct set_list *list_get(struct map *map, const char *key)
{
	struct set_list *list = map_get(map, key);

	if (!list) {
		list = mem_zalloc(sizeof(*list));
		list->key = mem_dup(key);
		map_put(map, list->key, list);
	}
	return list;
}

static struct set_list *list_of(struct set_index *index, const struct cached_replica_set *rs)
{
	const struct owner_ref *controller = meta_controller(&rs->meta);

	return controller ? list_get(&index->by_deployment, controller->uid)
			  : list_get(&index->orphans, rs->meta.namespace_);
}

static void list_add(struct set_list *list, struct cached_replica_set *rs)
{
	if (list->n == list->cap) {
		list->cap = list->cap ? list->cap * 2 : 4;
		list->sets = mem_realloc_array(list->sets, list->cap, sizeof(*list->sets));
	}
	list->sets[list->n++] = rs;
}

static void list_remove(struct set_list *list, const struct cached_replica_set *rs)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->sets[i] == rs) {
			list->sets[i] = list->sets[--list->n];
			return;
		}
}

static void list_free(struct set_list *list)
{
	free(list->sets);
	free(list->key);
	free(list);
}

void set_index_change(struct set_index *index, struct cached_replica_set *old,
		      struct cached_replica_set *new_)
{
	if (old)
		list_remove(list_of(index, old), old);
	if (new_)
		list_add(list_of(index, new_), new_);
}

struct set_list *set_index_of(struct set_index *index, const char *deployment_uid)
{
	return list_get(&index->by_deployment, deployment_uid);
}

const struct set_list *set_index_orphans(const struct set_index *index, const char *namespace_)
{
	return map_get(&index->orphans, namespace_);
}

void set_index_drop(struct set_index *index, const char *deployment_uid)
{
	struct set_list *list = map_get(&index->by_deployment, deployment_uid);

	if (!list || list->n > 0)
		return;
	map_remove(&index->by_deployment, deployment_uid);
	list_free(list);
}

static void lists_close(struct map *map)
{
	const char *key;
	void *value;

	for (size_t i = 0; map_next(map, &i, &key, &value);) {
		list_free(value);
	}
	map_close(map);
}

void set_index_close(struct set_index *index)
{
	lists_close(&index->by_deployment);
	lists_close(&index->orphans);
}
