#include "nodeagent/start_slots.h"

#include <stdlib.h>

#include "lib/mem.h"

struct start_slots {
	size_t free;
	struct start_slot *first, **last;
};

struct start_slots *start_slots_new(size_t n)
{
	struct start_slots *slots = mem_zalloc(sizeof(*slots));

	slots->free = n;
	slots->last = &slots->first;
	return slots;
}

void start_slots_free(struct start_slots *slots)
{
	free(slots);
}

bool start_slots_take(struct start_slots *slots, struct start_slot *slot)
{
	if (slot->slots)
		return slot->held;
	slot->slots = slots;
	if (slots->free > 0) {
		slots->free--;
		slot->held = true;
		return true;
	}
	slot->next = NULL;
	*slots->last = slot;
	slots->last = &slot->next;
	return false;
}

static void leave_line(struct start_slots *slots, struct start_slot *slot)
{
	for (struct start_slot **p = &slots->first; *p; p = &(*p)->next)
		if (*p == slot) {
			*p = slot->next;
			if (slots->last == &slot->next)
				slots->last = p;
			return;
		}
}

void start_slots_give(struct start_slot *slot)
{
	struct start_slots *slots = slot->slots;

	if (!slots)
		return;
	slot->slots = NULL;
	if (!slot->held) {
		leave_line(slots, slot);
		return;
	}
	slot->held = false;
	struct start_slot *next = slots->first;
	if (!next) {
		slots->free++;
		return;
	}
	leave_line(slots, next);
	next->held = true;
	next->fn(next->arg);
}
