/* A node and the account of what runs there. Its account is kept by increments: assuming, binding and ending
 * of a pod add and subtract; nothing is ever summed up anew.
 */
#pragma once

#include "lib/informer.h"
#include "scheduler/pod.h"

struct node {
	struct informer_item item; /* first: informer.h */
	char *name;
	struct json_object *labels;
	struct taint *taints;
	size_t n_taints;
	bool unschedulable;
	struct resources allocatable;
	int64_t max_pods;

	struct node_account *account; /* outlives the node's updates, and the node while pods name it */
};

/* What runs on a node, by name: pods may be known before their node, and after it. */
struct node_account {
	char *name;
	size_t slot; /* dense index, reused: verdicts and owner counts are arrays over it */
	/* Drawn from nodes.generation, so no two states of any node ever share one: verdicts are kept by them
	 * (shape.h). */
	uint64_t static_generation; /* changes with labels, taints, unschedulable */
	uint64_t load_generation;   /* changes with pods and allocatable */
	struct node *node;          /* NULL: no such Node now */
	struct resources used;
	int64_t scored_milli_cpu, scored_memory;
	int64_t n_pods;
	struct pod *pods; /* list by next, prev */
};

/* How many pods of one controller each node has: spreading. */
struct owner_group {
	char *uid;
	uint32_t *counts; /* by slot */
	size_t n_counts;
	uint64_t total;
};

struct nodes {
	struct map accounts; /* by node name */
	struct node_account **by_slot;
	size_t n_slots, cap_slots;
	size_t *free_slots;
	size_t n_free, cap_free;
	struct map owners; /* by controller uid */
	uint64_t generation;
};

/* For informer_type. */
bool node_decode(void *item, struct json_object *obj, void *arg);
void node_close(void *item);

/* A Node came, changed (OLD to NODE: same account) or went. node_updated gives true when the change can make
 * room or lift a refusal. */
void node_added(struct nodes *nodes, struct node *node);
bool node_updated(struct nodes *nodes, struct node *old, struct node *node);
void node_deleted(struct nodes *nodes, struct node *node);

/* Adds POD to, or takes it from, the account of the node called NAME. */
struct node_account *node_account_add(struct nodes *nodes, const char *name, struct pod *pod);
void node_account_remove(struct nodes *nodes, struct node_account *account, struct pod *pod);
/* NEW takes OLD's place (the informer replaced its struct); their amounts may differ. */
void node_account_replace(struct nodes *nodes, struct node_account *account, struct pod *old,
			  struct pod *new_);
/* The pods of controller UID, NULL when there are none (or UID is NULL); and how many of them slot has. */
struct owner_group *node_owner_group(const struct nodes *nodes, const char *uid);
uint32_t node_owner_count(const struct owner_group *group, size_t slot);
/* Frees the accounts; the pods and nodes that they name may be gone already. */
void nodes_close(struct nodes *nodes);
