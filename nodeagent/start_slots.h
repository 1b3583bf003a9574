/* How many containers are made and started at the same time: a runtime is a big program that is started for
 * each, and a hundred of them at once only take each other's processors and memory away. First come, first
 * served.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct start_slots;

/* Embedded in whoever wants one; all zero but FN and ARG at first. */
struct start_slot {
	struct start_slot *next;
	struct start_slots *slots; /* held or waited for there; NULL: neither */
	bool held;
	void (*fn)(void *arg); /* it is held now: called from the start_slots_give of another */
	void *arg;
};

/* N may be held at once. */
struct start_slots *start_slots_new(size_t n);
void start_slots_free(struct start_slots *slots); /* when nobody holds one or waits; NULL is fine */
/* True: SLOT is held (again: stays held). False: it waits in line, FN is called when its turn comes. */
bool start_slots_take(struct start_slots *slots, struct start_slot *slot);
/* Gives it back, or leaves the line; nothing when it is neither held nor waiting. */
void start_slots_give(struct start_slot *slot);
