#include "scheduler/queue.h"

#include <stdlib.h>

#include "lib/mem.h"

enum { BACKOFF_FIRST_MS = 1000, BACKOFF_MAX_MS = 10 * 1000, FLUSH_MS = 5 * 60 * 1000 };

static bool more_urgent(const struct pod *a, const struct pod *b)
{
	if (a->priority != b->priority)
		return a->priority > b->priority;
	return a->order < b->order;
}

static bool due_earlier(const struct pod *a, const struct pod *b)
{
	return a->due_ms < b->due_ms;
}

/* --- heap --- */

static void heap_place(struct pod_heap *heap, size_t i, struct pod *pod)
{
	heap->pods[i] = pod;
	pod->heap_index = i;
}

static void heap_sift(struct pod_heap *heap, size_t i)
{
	struct pod *pod = heap->pods[i];

	for (; i > 0 && heap->before(pod, heap->pods[(i - 1) / 2]); i = (i - 1) / 2)
		heap_place(heap, i, heap->pods[(i - 1) / 2]);
	for (;;) {
		size_t child = 2 * i + 1;
		if (child + 1 < heap->n && heap->before(heap->pods[child + 1], heap->pods[child]))
			child++;
		if (child >= heap->n || !heap->before(heap->pods[child], pod))
			break;
		heap_place(heap, i, heap->pods[child]);
		i = child;
	}
	heap_place(heap, i, pod);
}

static void heap_add(struct pod_heap *heap, struct pod *pod)
{
	if (heap->n == heap->cap) {
		heap->cap = heap->cap ? heap->cap * 2 : 64;
		heap->pods = mem_realloc_array(heap->pods, heap->cap, sizeof(struct pod *));
	}
	heap_place(heap, heap->n++, pod);
	heap_sift(heap, heap->n - 1);
}

static void heap_remove(struct pod_heap *heap, struct pod *pod)
{
	size_t i = pod->heap_index;
	struct pod *last = heap->pods[--heap->n];

	pod->heap_index = SIZE_MAX;
	if (last == pod)
		return;
	heap_place(heap, i, last);
	heap_sift(heap, i);
}

/* --- queue --- */

/* One timer for both: the earliest back-off or the first unschedulable pod's flush; none when nothing waits.
 */
static void arm(struct queue *queue)
{
	int64_t due_ms = INT64_MAX;

	if (queue->backoff.n > 0)
		due_ms = queue->backoff.pods[0]->due_ms;
	if (queue->unschedulable && queue->unschedulable->parked_ms + FLUSH_MS < due_ms)
		due_ms = queue->unschedulable->parked_ms + FLUSH_MS;
	if (due_ms == INT64_MAX)
		loop_timer_disarm(&queue->timer);
	else
		loop_timer_arm_at(&queue->timer, due_ms);
}

static void activate(struct queue *queue, struct pod *pod)
{
	pod->place = POD_ACTIVE;
	heap_add(&queue->active, pod);
	queue->wake(queue->arg);
}

static void to_backoff(struct queue *queue, struct pod *pod)
{
	if (pod->due_ms <= loop_now_ms(queue->loop)) {
		activate(queue, pod);
		return;
	}
	pod->place = POD_BACKOFF;
	heap_add(&queue->backoff, pod);
}

static void unschedulable_unlink(struct queue *queue, struct pod *pod)
{
	*(pod->prev ? &pod->prev->next : &queue->unschedulable) = pod->next;
	*(pod->next ? &pod->next->prev : &queue->unschedulable_last) = pod->prev;
	pod->next = pod->prev = NULL;
	queue->n_unschedulable--;
}

/* Puts POD behind AFTER, or first when that is NULL. */
static void unschedulable_link(struct queue *queue, struct pod *pod, struct pod *after)
{
	pod->place = POD_UNSCHEDULABLE;
	pod->prev = after;
	pod->next = after ? after->next : queue->unschedulable;
	*(after ? &after->next : &queue->unschedulable) = pod;
	*(pod->next ? &pod->next->prev : &queue->unschedulable_last) = pod;
	queue->n_unschedulable++;
}

static void unpark(struct queue *queue, struct pod *pod)
{
	unschedulable_unlink(queue, pod);
	to_backoff(queue, pod);
}

static void timer_due(struct loop_timer *timer, void *arg)
{
	struct queue *queue = arg;
	int64_t now_ms = loop_now_ms(queue->loop);

	(void)timer;
	while (queue->unschedulable && queue->unschedulable->parked_ms + FLUSH_MS <= now_ms)
		unpark(queue, queue->unschedulable);
	while (queue->backoff.n > 0 && queue->backoff.pods[0]->due_ms <= now_ms) {
		struct pod *pod = queue->backoff.pods[0];
		heap_remove(&queue->backoff, pod);
		activate(queue, pod);
	}
	arm(queue);
}

void queue_init(struct queue *queue, struct loop *loop, void (*wake)(void *arg), void *arg)
{
	*queue = (struct queue){ .loop = loop, .wake = wake, .arg = arg };
	queue->active.before = more_urgent;
	queue->backoff.before = due_earlier;
	loop_timer_init(&queue->timer, loop, timer_due, queue);
}

void queue_close(struct queue *queue)
{
	loop_timer_disarm(&queue->timer);
	free(queue->active.pods);
	free(queue->backoff.pods);
}

void queue_add(struct queue *queue, struct pod *pod)
{
	pod->order = queue->orders++;
	activate(queue, pod);
}

struct pod *queue_pop(struct queue *queue)
{
	struct pod *pod = queue->active.n ? queue->active.pods[0] : NULL;

	if (pod) {
		heap_remove(&queue->active, pod);
		pod->place = POD_NONE;
	}
	return pod;
}

void queue_begin(struct queue *queue, struct pod *pod)
{
	int64_t backoff = BACKOFF_FIRST_MS;

	for (unsigned i = 0; i < pod->attempts && backoff < BACKOFF_MAX_MS; i++)
		backoff *= 2;
	pod->attempts++;
	pod->due_ms = loop_now_ms(queue->loop) + (backoff < BACKOFF_MAX_MS ? backoff : BACKOFF_MAX_MS);
}

void queue_unschedulable(struct queue *queue, struct pod *pod, unsigned waits_for)
{
	pod->waits_for = waits_for;
	pod->parked_ms = loop_now_ms(queue->loop);
	unschedulable_link(queue, pod, queue->unschedulable_last);
	arm(queue);
}

void queue_retry(struct queue *queue, struct pod *pod)
{
	to_backoff(queue, pod);
	arm(queue);
}

void queue_remove(struct queue *queue, struct pod *pod)
{
	switch (pod->place) {
	case POD_ACTIVE:
		heap_remove(&queue->active, pod);
		break;
	case POD_BACKOFF:
		heap_remove(&queue->backoff, pod);
		break;
	case POD_UNSCHEDULABLE:
		unschedulable_unlink(queue, pod);
		break;
	case POD_NONE:
	case POD_BINDING:
		break;
	}
	pod->place = POD_NONE;
	arm(queue);
}

void queue_replace(struct queue *queue, struct pod *old, struct pod *new_)
{
	enum pod_place place = old->place;

	new_->order = old->order;
	new_->attempts = old->attempts;
	new_->due_ms = old->due_ms;
	new_->waits_for = old->waits_for;
	new_->parked_ms = old->parked_ms;
	struct pod *before = place == POD_UNSCHEDULABLE ? old->prev : NULL;
	queue_remove(queue, old);
	switch (place) {
	case POD_ACTIVE:
		activate(queue, new_);
		break;
	case POD_BACKOFF:
		to_backoff(queue, new_);
		break;
	case POD_UNSCHEDULABLE:
		/* A change of the pod itself may let it fit; one of its status does not. */
		if (new_->shape != old->shape)
			to_backoff(queue, new_);
		else
			unschedulable_link(queue, new_, before);
		break;
	case POD_NONE:
	case POD_BINDING:
		break;
	}
	arm(queue);
}

void queue_event(struct queue *queue, enum wake_event event)
{
	for (struct pod *pod = queue->unschedulable, *next; pod; pod = next) {
		next = pod->next;
		if (pod->waits_for & event)
			unpark(queue, pod);
	}
	arm(queue);
}
