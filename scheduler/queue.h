/* Pods that wait for a node.
 *
 *           ┌──────────── new, woken after its back-off ────────────┐
 *           ▼                                                       │
 *        ACTIVE ──fits nowhere──▶ UNSCHEDULABLE ──an event that can help──▶ BACKOFF
 *           │  └──binding failed──────────────────────────────────────────────▲
 *           └──chosen──▶ BINDING ──bound──▶ (gone)
 *
 * Active pods go by priority, then first come first served. Back-off is per pod, 1 s doubling to 10 s,
 * counted from the last attempt: a pod that is woken later than that is active at once. An unschedulable pod
 * is also woken after five minutes, in case an event was missed (as Kubernetes does).
 */
#pragma once

#include "lib/loop.h"
#include "scheduler/plugins.h"

struct pod_heap {
	struct pod **pods;
	size_t n, cap;
	bool (*before)(const struct pod *a, const struct pod *b);
};

struct queue {
	struct loop *loop;
	struct pod_heap active, backoff;
	struct pod *unschedulable, *unschedulable_last; /* list, longest waiting first */
	size_t n_unschedulable;
	struct loop_timer timer; /* the next back-off's end, or the next flush */
	uint64_t orders;
	void (*wake)(void *arg); /* there is an active pod */
	void *arg;
};

void queue_init(struct queue *queue, struct loop *loop, void (*wake)(void *arg), void *arg);
void queue_close(struct queue *queue);
void queue_add(struct queue *queue, struct pod *pod);
/* The next pod, taken out (POD_NONE); NULL when none is active. */
struct pod *queue_pop(struct queue *queue);
/* Before deciding over a pod: counts the attempt, its back-off runs from now. */
void queue_begin(struct queue *queue, struct pod *pod);
/* POD fits nowhere until one of WAITS_FOR. */
void queue_unschedulable(struct queue *queue, struct pod *pod, unsigned waits_for);
/* Try again after its back-off. */
void queue_retry(struct queue *queue, struct pod *pod);
/* Out of wherever it is. */
void queue_remove(struct queue *queue, struct pod *pod);
/* NEW stands where OLD stood, with its attempts and times. */
void queue_replace(struct queue *queue, struct pod *old, struct pod *new_);
/* Something happened that may help unschedulable pods. */
void queue_event(struct queue *queue, enum wake_event event);
