#include "controller/node_pods.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

static void link_pod(struct node_pods *index, struct cached_pod *pod)
{
	struct node_pod_list *list = map_get(&index->by_node, pod->node_name);
	size_t size = strlen(pod->node_name) + 1;

	if (!list) {
		list = mem_zalloc(sizeof(*list) + size);
		memcpy(list->name, pod->node_name, size);
		map_put(&index->by_node, list->name, list);
	}
	pod->prev_on_node = NULL;
	pod->next_on_node = list->pods;
	if (pod->next_on_node)
		pod->next_on_node->prev_on_node = pod;
	list->pods = pod;
}

static void unlink_pod(struct node_pods *index, struct cached_pod *pod)
{
	struct node_pod_list *list = map_get(&index->by_node, pod->node_name);

	if (pod->next_on_node)
		pod->next_on_node->prev_on_node = pod->prev_on_node;
	if (pod->prev_on_node) {
		pod->prev_on_node->next_on_node = pod->next_on_node;
		return;
	}
	list->pods = pod->next_on_node;
	if (list->pods)
		return;
	map_remove(&index->by_node, list->name);
	free(list);
}

/* The common change: NEW_ is on the same node, and takes OLD's place. */
static void replace_pod(struct node_pods *index, const struct cached_pod *old, struct cached_pod *new_)
{
	new_->next_on_node = old->next_on_node;
	new_->prev_on_node = old->prev_on_node;
	if (new_->next_on_node)
		new_->next_on_node->prev_on_node = new_;
	if (new_->prev_on_node)
		new_->prev_on_node->next_on_node = new_;
	else
		((struct node_pod_list *)map_get(&index->by_node, old->node_name))->pods = new_;
}

static void pod_changed(const struct resource *resource, struct meta *old, struct meta *new_, void *arg)
{
	struct cached_pod *was = (struct cached_pod *)old, *is = (struct cached_pod *)new_;

	(void)resource;
	if (was && is && was->node_name && is->node_name && strcmp(was->node_name, is->node_name) == 0) {
		replace_pod(arg, was, is);
		return;
	}
	/* The new one first: a node's only pod then keeps its list. */
	if (is && is->node_name)
		link_pod(arg, is);
	if (was && was->node_name)
		unlink_pod(arg, was);
}

void node_pods_init(struct node_pods *index, struct cache *cache)
{
	*index = (struct node_pods){ .by_node = MAP_INIT };
	cache_watch(cache, resource_find("", "v1", "pods"), pod_changed, index);
}

void node_pods_close(struct node_pods *index)
{
	void *list;

	for (size_t i = 0; map_next(&index->by_node, &i, NULL, &list);)
		free(list);
	map_close(&index->by_node);
}

struct cached_pod *node_pods_of(const struct node_pods *index, const char *node)
{
	const struct node_pod_list *list = map_get(&index->by_node, node);

	return list ? list->pods : NULL;
}
