/* Letters to a loop from other threads. Posting is lock-free and costs one system call for as many letters as
 * come before the loop looks; the loop opens them in the order they came, a bounded number each turn, so that
 * ten thousand of them hold up nobody else's bytes for longer than a few.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

#include "lib/loop.h"

/* Embedded in its sender; all zero but fn and arg. FN runs on the loop's thread. */
struct loop_letter {
	void (*fn)(struct loop_letter *letter, void *arg);
	void *arg;
	atomic_bool posted;
	struct loop_letter *next, *previous; /* the inbox's */
};

struct loop_inbox;
/* Of LOOP, which outlives it. NULL with ERR_SYSTEM as eventfd(2). */
struct loop_inbox *loop_inbox_new(struct loop *loop, struct err *err);
/* Opens what is in it; nobody posts any more, but the call that posted an opened letter may still be on its
 * way back. NULL is fine. */
void loop_inbox_free(struct loop_inbox *inbox);
/* Any thread. A letter that is posted already is not posted twice; from when its FN begins it can be again.
 */
void loop_inbox_post(struct loop_inbox *inbox, struct loop_letter *letter);
/* On the loop's thread, when nobody posts LETTER any more: takes it back. Needed before its memory goes. */
void loop_inbox_cancel(struct loop_inbox *inbox, struct loop_letter *letter);
