#include "lib/loop_inbox.h"

#include <sched.h>
#include <stdlib.h>

#define LETTERS_PER_TURN 64

struct loop_inbox {
	struct loop *loop;
	struct loop_wake *wake;
	struct loop_task task;
	_Atomic(struct loop_letter *) newest; /* a stack of what came since the loop looked */
	_Atomic unsigned posting;             /* threads within loop_inbox_post */
	struct loop_letter *first, *last;     /* what it has taken from there, the oldest first */
};

static void append(struct loop_inbox *inbox, struct loop_letter *letter)
{
	letter->next = NULL;
	letter->previous = inbox->last;
	if (inbox->last)
		inbox->last->next = letter;
	else
		inbox->first = letter;
	inbox->last = letter;
}

static void unlink_letter(struct loop_inbox *inbox, struct loop_letter *letter)
{
	if (letter->previous)
		letter->previous->next = letter->next;
	else
		inbox->first = letter->next;
	if (letter->next)
		letter->next->previous = letter->previous;
	else
		inbox->last = letter->previous;
}

static void collect(struct loop_inbox *inbox)
{
	struct loop_letter *letter = atomic_exchange(&inbox->newest, NULL), *oldest = NULL;

	while (letter) {
		struct loop_letter *next = letter->next;

		letter->next = oldest;
		oldest = letter;
		letter = next;
	}
	while (oldest) {
		struct loop_letter *next = oldest->next;

		append(inbox, oldest);
		oldest = next;
	}
}

static void open_first(struct loop_inbox *inbox)
{
	struct loop_letter *letter = inbox->first;

	unlink_letter(inbox, letter);
	/* Before FN looks at what it is about: who posts from here on is heard anew. */
	atomic_store(&letter->posted, false);
	letter->fn(letter, letter->arg);
}

static void deliver(struct loop_inbox *inbox)
{
	for (unsigned n = 0; n < LETTERS_PER_TURN && inbox->first; n++)
		open_first(inbox);
	if (inbox->first)
		loop_post(inbox->loop, &inbox->task);
}

static void on_wake(void *arg)
{
	struct loop_inbox *inbox = arg;

	collect(inbox);
	/* Those of an earlier turn come first, by the task. */
	if (!inbox->task.posted)
		deliver(inbox);
}

static void on_task(struct loop_task *task, void *arg)
{
	(void)task;
	deliver(arg);
}

struct loop_inbox *loop_inbox_new(struct loop *loop, struct err *err)
{
	struct loop_inbox *inbox = mem_zalloc(sizeof(*inbox));

	inbox->loop = loop;
	inbox->task = (struct loop_task){ .fn = on_task, .arg = inbox };
	inbox->wake = loop_wake_new(loop, on_wake, inbox, err);
	if (!inbox->wake)
		free(TAKE(inbox));
	return inbox;
}

void loop_inbox_free(struct loop_inbox *inbox)
{
	if (!inbox)
		return;
	/* Who posted a letter that was opened already may still be about to wake the loop. */
	while (atomic_load(&inbox->posting))
		sched_yield();
	collect(inbox);
	while (inbox->first)
		open_first(inbox);
	loop_unpost(inbox->loop, &inbox->task);
	loop_wake_free(inbox->wake);
	free(inbox);
}

void loop_inbox_post(struct loop_inbox *inbox, struct loop_letter *letter)
{
	struct loop_letter *newest;

	if (atomic_exchange(&letter->posted, true))
		return;
	atomic_fetch_add(&inbox->posting, 1);
	newest = atomic_load(&inbox->newest);
	do {
		letter->next = newest;
	} while (!atomic_compare_exchange_weak(&inbox->newest, &newest, letter));
	/* Whoever found it empty wakes the loop, for all that come until it looks. */
	if (!newest)
		loop_wake_send(inbox->wake);
	atomic_fetch_sub(&inbox->posting, 1);
}

void loop_inbox_cancel(struct loop_inbox *inbox, struct loop_letter *letter)
{
	if (!atomic_load(&letter->posted))
		return;
	collect(inbox);
	unlink_letter(inbox, letter);
	atomic_store(&letter->posted, false);
	if (inbox->first)
		loop_post(inbox->loop, &inbox->task);
}
