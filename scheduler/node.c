#include "scheduler/node.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "lib/quantity.h"

bool node_decode(void *item, struct json_object *obj, void *arg)
{
	struct node *node = item;
	struct json_object *spec = json_get(obj, "spec"),
			   *allocatable = json_path(obj, "status", "allocatable", NULL);

	(void)arg;
	if (!allocatable)
		allocatable = json_path(obj, "status", "capacity", NULL);
	node->name = mem_dup(json_str_or_empty(json_get(obj, "metadata"), "name"));
	node->labels = json_clone(json_path(obj, "metadata", "labels", NULL));
	node->taints = taints_parse(json_get(spec, "taints"), &node->n_taints);
	node->unschedulable = json_boolean(spec, "unschedulable", false);
	node->max_pods = quantity_value_of(json_object_get_string(json_get(allocatable, "pods")));
	resources_add_json(&node->allocatable, allocatable);
	return true;
}

void node_close(void *item)
{
	struct node *node = item;

	free(node->name);
	json_putp(&node->labels);
	taints_free(node->taints, node->n_taints);
	resources_close(&node->allocatable);
}

static void touch_static(struct nodes *nodes, struct node_account *account)
{
	account->static_generation = ++nodes->generation;
}

static void touch_load(struct nodes *nodes, struct node_account *account)
{
	account->load_generation = ++nodes->generation;
}

static struct node_account *account_get(struct nodes *nodes, const char *name)
{
	struct node_account *account = map_get(&nodes->accounts, name);

	if (account)
		return account;
	account = mem_zalloc(sizeof(*account));
	account->name = mem_dup(name);
	if (nodes->n_free > 0) {
		account->slot = nodes->free_slots[--nodes->n_free];
	} else {
		if (nodes->n_slots == nodes->cap_slots) {
			nodes->cap_slots = nodes->cap_slots ? nodes->cap_slots * 2 : 16;
			nodes->by_slot =
			    mem_realloc_array(nodes->by_slot, nodes->cap_slots, sizeof(*nodes->by_slot));
		}
		account->slot = nodes->n_slots++;
	}
	nodes->by_slot[account->slot] = account;
	touch_static(nodes, account);
	touch_load(nodes, account);
	map_put(&nodes->accounts, account->name, account);
	return account;
}

static void account_free(struct node_account *account)
{
	resources_close(&account->used);
	free(account->name);
	free(account);
}

/* Frees the account when neither a node nor pods need it. */
static void account_drop(struct nodes *nodes, struct node_account *account)
{
	if (account->node || account->pods)
		return;
	map_remove(&nodes->accounts, account->name);
	nodes->by_slot[account->slot] = NULL;
	if (nodes->n_free == nodes->cap_free) {
		nodes->cap_free = nodes->cap_free ? nodes->cap_free * 2 : 16;
		nodes->free_slots =
		    mem_realloc_array(nodes->free_slots, nodes->cap_free, sizeof(*nodes->free_slots));
	}
	nodes->free_slots[nodes->n_free++] = account->slot;
	account_free(account);
}

void node_added(struct nodes *nodes, struct node *node)
{
	node->account = account_get(nodes, node->name);
	node->account->node = node;
	touch_static(nodes, node->account);
	touch_load(nodes, node->account);
}

static bool same_taints(const struct node *a, const struct node *b)
{
	if (a->n_taints != b->n_taints)
		return false;
	for (size_t i = 0; i < a->n_taints; i++)
		if (a->taints[i].effect != b->taints[i].effect ||
		    strcmp(a->taints[i].key, b->taints[i].key) != 0 ||
		    strcmp(a->taints[i].value, b->taints[i].value) != 0)
			return false;
	return true;
}

static bool same_resources(const struct resources *a, const struct resources *b)
{
	if (a->milli_cpu != b->milli_cpu || a->memory != b->memory ||
	    a->ephemeral_storage != b->ephemeral_storage || a->n_named != b->n_named)
		return false;
	for (size_t i = 0; i < a->n_named; i++)
		if (a->named[i].value != b->named[i].value || strcmp(a->named[i].name, b->named[i].name) != 0)
			return false;
	return true;
}

bool node_updated(struct nodes *nodes, struct node *old, struct node *node)
{
	bool same_static = old->unschedulable == node->unschedulable && same_taints(old, node) &&
			   json_equal(old->labels, node->labels);

	bool same_load =
	    old->max_pods == node->max_pods && same_resources(&old->allocatable, &node->allocatable);

	node->account = old->account;
	node->account->node = node;
	if (!same_static)
		touch_static(nodes, node->account);
	if (!same_load)
		touch_load(nodes, node->account);
	return !same_static || !same_load;
}

void node_deleted(struct nodes *nodes, struct node *node)
{
	struct node_account *account = node->account;

	account->node = NULL;
	account_drop(nodes, account);
}

struct owner_group *node_owner_group(const struct nodes *nodes, const char *uid)
{
	return uid ? map_get(&nodes->owners, uid) : NULL;
}

uint32_t node_owner_count(const struct owner_group *group, size_t slot)
{
	return group && slot < group->n_counts ? group->counts[slot] : 0;
}

static void group_free(struct owner_group *group)
{
	free(group->counts);
	free(group->uid);
	free(group);
}

static void owner_count(struct nodes *nodes, const char *uid, size_t slot, int change)
{
	struct owner_group *group = node_owner_group(nodes, uid);

	if (!uid)
		return;
	if (!group) {
		group = mem_zalloc(sizeof(*group));
		group->uid = mem_dup(uid);
		map_put(&nodes->owners, group->uid, group);
	}
	if (slot >= group->n_counts) {
		size_t n = slot + slot / 2 + 8;
		group->counts = mem_realloc_array(group->counts, n, sizeof(*group->counts));
		memset(group->counts + group->n_counts, 0, (n - group->n_counts) * sizeof(*group->counts));
		group->n_counts = n;
	}
	group->counts[slot] = (uint32_t)((int)group->counts[slot] + change);
	group->total += (uint64_t)(int64_t)change;
	if (group->total == 0) {
		map_remove(&nodes->owners, group->uid);
		group_free(group);
	}
}

static void account_amounts(struct nodes *nodes, struct node_account *account, const struct pod *pod,
			    int sign)
{
	touch_load(nodes, account);
	if (!pod->shape)
		return;
	if (sign > 0)
		resources_add(&account->used, &pod->shape->requests);
	else
		resources_subtract(&account->used, &pod->shape->requests);
	account->scored_milli_cpu += sign * pod->shape->scored_milli_cpu;
	account->scored_memory += sign * pod->shape->scored_memory;
}

struct node_account *node_account_add(struct nodes *nodes, const char *name, struct pod *pod)
{
	struct node_account *account = account_get(nodes, name);

	account_amounts(nodes, account, pod, 1);
	owner_count(nodes, pod->owner_uid, account->slot, 1);
	account->n_pods++;
	pod->on = account;
	pod->prev = NULL;
	pod->next = account->pods;
	if (account->pods)
		account->pods->prev = pod;
	account->pods = pod;
	return account;
}

void node_account_remove(struct nodes *nodes, struct node_account *account, struct pod *pod)
{
	account_amounts(nodes, account, pod, -1);
	owner_count(nodes, pod->owner_uid, account->slot, -1);
	account->n_pods--;
	if (pod->prev)
		pod->prev->next = pod->next;
	else
		account->pods = pod->next;
	if (pod->next)
		pod->next->prev = pod->prev;
	pod->next = pod->prev = NULL;
	pod->on = NULL;
	account_drop(nodes, account);
}

void node_account_replace(struct nodes *nodes, struct node_account *account, struct pod *old,
			  struct pod *new_)
{
	/* The new one first, so that the account does not go in between. */
	node_account_add(nodes, account->name, new_);
	node_account_remove(nodes, account, old);
}

void nodes_close(struct nodes *nodes)
{
	const char *key;
	void *value;

	for (size_t i = 0; map_next(&nodes->accounts, &i, &key, &value);)
		account_free(value);
	for (size_t i = 0; map_next(&nodes->owners, &i, &key, &value);)
		group_free(value);
	map_close(&nodes->accounts);
	map_close(&nodes->owners);
	free(nodes->by_slot);
	free(nodes->free_slots);
	*nodes = (struct nodes){ 0 };
}
