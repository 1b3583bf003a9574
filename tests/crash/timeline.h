/* All changes of a chapter in the order of their revisions, put together from what the scribes saw, and the
 * state of each object between them.
 */
#pragma once

#include "tests/crash/verdict.h"

struct change {
	uint64_t revision;
	unsigned object;
	bool deleted;
	struct state before, after; /* a deletion's after is not there */
	uint32_t writer;            /* number of the write, 0: not known yet */
};

struct timeline {
	const struct history *history;
	struct change *changes;
	size_t n;
	size_t **of; /* per object: indices of its changes, in order */
	size_t *n_of;
	uint64_t *landed;      /* per op: the revision at which it happened; 0: it did not */
	uint64_t *least_after; /* per op: the least revision of it and those that began after it */
};

/* Faults are added to VERDICT. */
void timeline_init(struct timeline *timeline, const struct history *history, struct verdict *verdict);
void timeline_close(struct timeline *timeline);

/* Index among the changes of OBJECT of the first one after REVISION; n_of[object] when there is none. */
size_t timeline_after(const struct timeline *timeline, unsigned object, uint64_t revision);
/* What OBJECT was when REVISION was the newest. */
const struct state *timeline_state(const struct timeline *timeline, unsigned object, uint64_t revision);
/* The change at index I of those of OBJECT. */
const struct change *timeline_change(const struct timeline *timeline, unsigned object, size_t i);
/* Index in changes of the first one after REVISION. */
size_t timeline_find(const struct timeline *timeline, uint64_t revision);

/* Once the writes have been found in the timeline: what happened at CLOCK or before it has a revision of at
 * most this, since a greater one belongs to a write that began later. CLOCK 0: no limit. */
void timeline_landed(struct timeline *timeline);
uint64_t timeline_ceiling(const struct timeline *timeline, uint32_t clock);

/* "configmap 3", for messages; valid until the second next call. */
const char *timeline_object_name(const struct timeline *timeline, unsigned object);
const char *timeline_state_text(const struct state *state);
