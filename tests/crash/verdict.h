/* Judges a history: is there an order of all writes, that of their revisions, which explains everything that
 * was answered and seen? Since each write that happened shows its own number under its own revision, that
 * order is known and each check is one walk along it.
 *
 *   timeline.c      the changes in order, as the scribes saw them; revisions are unique and follow from each
 * other check_writes.c  each change is the work of one write that may have happened, at a moment when it may
 * have, on the state it asked for; each write that was acknowledged is there; refusals were right
 *   check_reads.c   whatever was shown is a state on the timeline, not older than what was known before;
 * lists are the timeline folded up to their revision; streams have each change once and in order
 */
#pragma once

#include "lib/buf.h"
#include "tests/crash/history.h"

/* The server's promise about how far back it remembers; 410 Expired within it is a fault. */
#define VERDICT_WINDOW_CHANGES 1000 /* as many states as fit into 4 MiB, with room */
#define VERDICT_WINDOW_MS      290000
/* How often the server tries a write again that others get in the way of, before it answers 409. */
#define VERDICT_TRIES 5

struct verdict {
	size_t faults;
	struct buf text;        /* the first faults, a line each */
	uint64_t lost_happened; /* writes whose answer was lost and which are there */
};

void verdict_close(struct verdict *verdict);
void verdict_fault(struct verdict *verdict, const char *format, ...) PRINTF_LIKE(2, 3);
/* Adds what is wrong with HISTORY, whose operations are all over. */
void verdict_judge(struct verdict *verdict, const struct history *history);
