#include "apiserver/core/history.h"

#include <stdlib.h>
#include <string.h>

static struct history_event *event_at(const struct history *history, size_t i)
{
	return &history->ring[(history->first + i) & (history->cap - 1)];
}

const struct history_event *history_at(const struct history *history, size_t i)
{
	return event_at(history, i);
}

/* What the history alone keeps alive once the event is in it. */
static size_t bytes_of(const struct history_event *event)
{
	return (event->previous ? object_size(event->previous) : 0) +
	       (event->deleted ? object_size(event->object) : 0);
}

static void resize(struct history *history, size_t cap)
{
	struct history_event *ring = mem_alloc(cap * sizeof(*ring));

	for (size_t i = 0; i < history->n; i++)
		ring[i] = *event_at(history, i);
	free(history->ring);
	history->ring = ring;
	history->first = 0;
	history->cap = cap;
}

void history_close(struct history *history)
{
	for (size_t i = 0; i < history->n; i++) {
		object_unref(event_at(history, i)->object);
		object_unref(event_at(history, i)->previous);
	}
	free(history->ring);
	*history = (struct history){ 0 };
}

void history_add(struct history *history, struct object *object, struct object *previous, bool deleted,
		 uint32_t now_s)
{
	struct history_event *event;

	if (history->n == history->cap)
		resize(history, history->cap ? history->cap * 2 : 8);
	event = event_at(history, history->n++);
	event->object = object_ref(object);
	event->previous = previous ? object_ref(previous) : NULL;
	event->time_s = now_s;
	event->deleted = deleted;
	history->bytes += bytes_of(event);
}

bool history_expire(struct history *history, const struct history_limits *limits, uint32_t now_s,
		    uint64_t *ret_superseded, uint64_t *ret_deleted)
{
	struct history_event event;

	if (!history->n)
		return false;
	event = *event_at(history, 0);
	if (history->n <= limits->events && history->bytes <= limits->bytes &&
	    now_s < event.time_s + limits->seconds)
		return false;
	history->first = (history->first + 1) & (history->cap - 1);
	history->n--;
	history->bytes -= bytes_of(&event);
	history->horizon = object_revision(event.object);
	*ret_superseded = event.previous ? object_revision(event.previous) : 0;
	*ret_deleted = event.deleted ? object_revision(event.object) : 0;
	object_unref(event.object);
	object_unref(event.previous);
	if (history->cap > 64 && history->n < history->cap / 4)
		resize(history, history->cap / 2);
	return true;
}

size_t history_find(const struct history *history, uint64_t revision)
{
	size_t low = 0, high = history->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (object_revision(event_at(history, middle)->object) <= revision)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}
