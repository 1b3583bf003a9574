/* The recent changes of one resource, in revision order: what a watch resumes from and what a list of an
 * older revision is computed with. A change leaves it when there are too many, it is too old, or the states
 * that only the history still holds take too much memory; from then on the store may drop what the change
 * superseded.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "apiserver/core/object.h"

struct history_event {
	struct object *object;   /* state after it; of a deletion: the final state, under its revision */
	struct object *previous; /* NULL: it created the object */
	uint32_t time_s;
	bool deleted;
};

struct history {
	struct history_event *ring;
	size_t first, n, cap; /* cap is a power of two, or 0 */
	size_t bytes;         /* of superseded and final states in it */
	uint64_t horizon;     /* it is whole for revisions above this one */
};

struct history_limits {
	size_t events, bytes;
	uint32_t seconds;
};

void history_close(struct history *history);
/* Appends a change; references are taken anew. */
void history_add(struct history *history, struct object *object, struct object *previous, bool deleted,
		 uint32_t now_s);
/* Takes the oldest change out when LIMITS say so. *RET_SUPERSEDED and *RET_DELETED are the revisions the
 * store need not keep any longer, or 0. */
bool history_expire(struct history *history, const struct history_limits *limits, uint32_t now_s,
		    uint64_t *ret_superseded, uint64_t *ret_deleted);
/* The I-th change, oldest first. */
const struct history_event *history_at(const struct history *history, size_t i);
/* How many of the changes have a revision up to REVISION. */
size_t history_find(const struct history *history, uint64_t revision);
