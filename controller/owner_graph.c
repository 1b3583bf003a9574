#include "controller/owner_graph.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

static struct owner_node *node_get(struct owner_graph *graph, const char *uid)
{
	struct owner_node *node = map_get(&graph->nodes, uid);

	if (!node) {
		node = mem_zalloc(sizeof(*node));
		node->uid = mem_dup(uid);
		map_put(&graph->nodes, node->uid, node);
	}
	return node;
}

static void node_free(struct owner_node *node)
{
	free(node->owners);
	free(node->uid);
	free(node);
}

/* Nobody names it, and it names nobody: nothing is worth remembering. */
static void node_drop(struct owner_graph *graph, struct owner_node *node)
{
	if (node->dependants || node->n_owners > 0)
		return;
	map_remove(&graph->nodes, node->uid);
	node_free(node);
}

static void edge_link(struct owner_edge *edge)
{
	edge->next = edge->owner->dependants;
	edge->prev = NULL;
	if (edge->next)
		edge->next->prev = edge;
	edge->owner->dependants = edge;
}

static void edge_unlink(struct owner_edge *edge)
{
	if (edge->prev)
		edge->prev->next = edge->next;
	else
		edge->owner->dependants = edge->next;
	if (edge->next)
		edge->next->prev = edge->prev;
}

static bool same_owners(const struct meta *a, const struct meta *b)
{
	if (a->owners == b->owners)
		return true;
	if (a->n_owners != b->n_owners)
		return false;
	for (size_t i = 0; i < a->n_owners; i++)
		if (strcmp(a->owners[i].uid, b->owners[i].uid) != 0 ||
		    a->owners[i].block_deletion != b->owners[i].block_deletion)
			return false;
	return true;
}

static void add_owners(struct owner_graph *graph, const struct meta *meta)
{
	struct owner_node *node = node_get(graph, meta->item.uid);

	node->n_owners = meta->n_owners;
	node->owners = mem_zalloc(meta->n_owners * sizeof(*node->owners));
	for (size_t i = 0; i < meta->n_owners; i++) {
		node->owners[i] = (struct owner_edge){ .dependant = node,
						       .owner = node_get(graph, meta->owners[i].uid),
						       .blocks = meta->owners[i].block_deletion };
		edge_link(&node->owners[i]);
	}
}

static struct owner_edge *take_owners(struct owner_node *node, size_t *ret_n)
{
	*ret_n = node->n_owners;
	for (size_t i = 0; i < node->n_owners; i++)
		edge_unlink(&node->owners[i]);
	node->n_owners = 0;
	return TAKE(node->owners);
}

void owner_graph_change(struct owner_graph *graph, const struct meta *old, const struct meta *new_,
			void (*lost)(const char *owner_uid, void *arg), void *arg)
{
	CLEANUP(mem_freep) struct owner_edge *edges = NULL;
	size_t n = 0;

	if (old && new_ && same_owners(old, new_))
		return;
	struct owner_node *node = old ? map_get(&graph->nodes, old->item.uid) : NULL;
	if (node)
		edges = take_owners(node, &n);
	if (new_ && new_->n_owners > 0)
		add_owners(graph, new_);
	for (size_t i = 0; i < n; i++) {
		lost(edges[i].owner->uid, arg);
		/* An object that names itself is its own owner: it goes below. A uid named twice is dropped
		 * once. */
		bool again = edges[i].owner == node;
		for (size_t k = i + 1; k < n; k++)
			again |= edges[k].owner == edges[i].owner;
		if (!again)
			node_drop(graph, edges[i].owner);
	}
	if (!node)
		return;
	node->gone |= !new_;
	node_drop(graph, node);
}

struct owner_node *owner_graph_get(const struct owner_graph *graph, const char *uid)
{
	return map_get(&graph->nodes, uid);
}

void owner_graph_close(struct owner_graph *graph)
{
	void *node;

	for (size_t i = 0; map_next(&graph->nodes, &i, NULL, &node);)
		node_free(node);
	map_close(&graph->nodes);
}
