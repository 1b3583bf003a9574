/* A pod as the scheduler knows it: the compact struct of its informer.
 */
#pragma once

#include "lib/informer.h"
#include "scheduler/shape.h"

/* Where the pod stands with the scheduler. */
enum pod_place {
	POD_NONE,          /* not ours: another scheduler's, gated, ending, or bound */
	POD_ACTIVE,        /* in the queue */
	POD_BACKOFF,       /* failed lately, waits for its time */
	POD_UNSCHEDULABLE, /* fits nowhere; waits for something to change */
	POD_BINDING,       /* assumed on a node, binding under way */
};

struct node_account;

struct pod {
	struct informer_item item; /* first: informer.h */
	char *namespace_;
	const char *name;    /* the end of the item's key */
	char *node_name;     /* spec.nodeName, or NULL */
	char *owner_uid;     /* its controller's, or NULL */
	struct shape *shape; /* NULL: not understood */
	int64_t priority;
	int64_t generation;
	bool schedulable; /* ours to place: no node yet, our scheduler name, no gates, not ending, understood
			   */
	char *condition_message; /* of PodScheduled=False, so that it is not written twice */

	enum pod_place place;
	struct node_account *on; /* the account it is in: bound or assumed */
	struct pod *next, *prev; /* of the node's or the queue's list */
	size_t heap_index;       /* in the active or back-off heap */
	uint64_t order;          /* first come among equals */
	unsigned attempts;
	int64_t due_ms;     /* end of back-off */
	int64_t parked_ms;  /* since when it is unschedulable */
	unsigned waits_for; /* enum wake_event bits that can help an unschedulable one */
};

#define POD_SCHEDULER_NAME "default-scheduler"

/* What pod_decode looks at: struct informer_type's wants. */
extern const char *const pod_wants[];
/* Fills POD, which has its item and is zeroed otherwise, from what pod_wants found; its shape is shared
 * through SHAPES. */
bool pod_decode(struct pod *pod, const struct json_span *found, struct shapes *shapes);
void pod_close(void *item); /* struct informer_type's close */
