#include "apiserver/core/watch.h"

#include <sched.h>
#include <stdlib.h>

#include "api/resource_set.h"
#include "apiserver/core/filter.h"

#define CHUNK_SLOTS 14U

struct watch_slot {
	struct object *object;
	uint64_t revision;
	uint32_t bytes;
	uint8_t type; /* enum watch_event_type */
};

/* The reader follows NEXT only for events that were published to it, and those were written before. */
struct watch_chunk {
	struct watch_chunk *next;
	struct watch_slot slots[CHUNK_SLOTS];
};

struct watch *watch_new(void (*wake)(void *arg), void *arg)
{
	struct watch *watch = mem_zalloc(sizeof(*watch));

	watch->wake = wake;
	watch->arg = arg;
	watch->head = watch->tail = mem_alloc(sizeof(struct watch_chunk));
	watch->tail->next = NULL;
	return watch;
}

/* The next slot on the reader's side; the caller knows that there is one. */
static struct watch_slot take(struct watch *watch)
{
	if (watch->head_at == CHUNK_SLOTS) {
		struct watch_chunk *used = watch->head;

		watch->head = used->next;
		watch->head_at = 0;
		free(used);
	}
	return watch->head->slots[watch->head_at++];
}

void watch_free(struct watch *watch)
{
	while (watch->head != watch->tail || watch->head_at < watch->tail_at)
		object_unref(take(watch).object);
	free(watch->head);
	filter_close(&watch->filter);
	resource_unref(watch->resource);
	free(watch->end_message);
	free(watch);
}

/* --- core --- */

void watch_push(struct watch *watch, enum watch_event_type type, struct object *object, uint64_t revision,
		bool counted)
{
	struct watch_slot *slot;

	if (watch->tail_at == CHUNK_SLOTS) {
		watch->tail->next = mem_alloc(sizeof(struct watch_chunk));
		watch->tail = watch->tail->next;
		watch->tail->next = NULL;
		watch->tail_at = 0;
	}
	slot = &watch->tail->slots[watch->tail_at++];
	*slot = (struct watch_slot){
		.object = object ? object_ref(object) : NULL,
		.revision = revision,
		.bytes = object && counted ? (uint32_t)object_size(object) : 0,
		.type = (uint8_t)type,
	};
	watch->unpublished++;
	atomic_fetch_add_explicit(&watch->bytes, slot->bytes, memory_order_relaxed);
}

/* Both orders of `waking` and `state` are sequentially consistent: either the core sees that the reader has
 * closed, or the reader sees that it must wait for the call to end. */
static void wake(struct watch *watch)
{
	atomic_store(&watch->waking, true);
	if (atomic_load(&watch->state) == WATCH_STATE_ATTACHED)
		watch->wake(watch->arg);
	atomic_store(&watch->waking, false);
}

void watch_flush(struct watch *watch)
{
	size_t n = watch->unpublished;

	watch->unpublished = 0;
	if (n && atomic_fetch_add(&watch->ready, n) == 0)
		wake(watch);
}

bool watch_end(struct watch *watch, enum err_kind kind, const char *message)
{
	int expected = WATCH_STATE_ATTACHED;

	watch->end_kind = kind;
	watch->end_message = mem_dup(message);
	atomic_store(&watch->ended, true);
	wake(watch);
	return atomic_compare_exchange_strong(&watch->state, &expected, WATCH_STATE_DETACHED);
}

/* --- reader --- */

bool watch_next(struct watch *watch, struct watch_event *ret)
{
	struct watch_slot slot;

	if (atomic_load(&watch->ended)) {
		if (watch->told)
			return false;
		watch->told = true;
		/* A slow reader's backlog goes at once, not when its connection does. */
		for (size_t n = atomic_load(&watch->ready); n; n--)
			object_unref(take(watch).object);
		*ret = (struct watch_event){ .type = WATCH_CLOSED };
		if (watch->end_message)
			err_set(&ret->err, watch->end_kind, "%s", watch->end_message);
		return true;
	}
	if (!atomic_load_explicit(&watch->ready, memory_order_acquire))
		return false;
	slot = take(watch);
	ret->type = (enum watch_event_type)slot.type;
	ret->object = slot.object;
	ret->revision = slot.revision;
	ret->err.kind = ERR_NONE;
	atomic_fetch_sub_explicit(&watch->bytes, slot.bytes, memory_order_relaxed);
	atomic_fetch_sub(&watch->ready, 1);
	return true;
}

bool watch_release(struct watch *watch, bool on_core_thread)
{
	int expected = WATCH_STATE_ATTACHED;

	if (atomic_compare_exchange_strong(&watch->state, &expected, WATCH_STATE_CLOSED)) {
		while (!on_core_thread && atomic_load(&watch->waking))
			sched_yield();
		return true;
	}
	watch_free(watch);
	return false;
}
