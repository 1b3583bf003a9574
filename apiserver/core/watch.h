/* One watch inside the core: a queue without locks from the core thread to one reader, and who owns it when.
 *
 *              attach                    reader: watch_close
 *     NEW ───────────────▶ ATTACHED ───────────────────────────▶ CLOSED   the core unlinks and frees it
 *      │                      │ core: slow reader, stop
 *      │ watch_close          ▼
 *      ▼                  DETACHED ── watch_close ──▶ freed by the reader
 *    freed
 *
 * The core publishes what it queued once per commit (watch_flush), which wakes the reader when nothing was
 * ready.
 */
#pragma once

#include <stdatomic.h>

#include "apiserver/core/core.h"

enum watch_state { WATCH_STATE_NEW, WATCH_STATE_ATTACHED, WATCH_STATE_CLOSED, WATCH_STATE_DETACHED };

struct watch_chunk;

struct watch {
	void (*wake)(void *arg);
	void *arg;
	atomic_int state;     /* enum watch_state */
	atomic_bool waking;   /* the core is inside WAKE */
	atomic_bool ended;    /* the core closed it; queued events do not count any more */
	_Atomic size_t ready; /* events the reader may take */
	_Atomic size_t bytes; /* of the counted ones not taken yet, published or not */

	/* Reader. */
	struct watch_chunk *head;
	unsigned head_at;
	bool told; /* that it is closed */

	/* Core. */
	struct watch_chunk *tail;
	unsigned tail_at;
	size_t unpublished;
	enum err_kind end_kind; /* before ended is set */
	char *end_message;
	struct core_filter filter;
	bool bookmarks;
	uint64_t after; /* the reader wants changes above this revision only */
	const struct resource *resource;
	struct watch *next, **link; /* its bucket */
	struct watch *next_dirty;   /* has unpublished events */
	struct watch *next_closed;  /* handed back by its reader */
};

/* Queues an event; OBJECT is referenced anew, NULL for bookmarks. COUNTED: towards the limit of a slow
 * reader; what a watch starts with is not. */
void watch_push(struct watch *watch, enum watch_event_type type, struct object *object, uint64_t revision,
		bool counted);
/* Publishes what was queued and wakes the reader when nothing was ready before. */
void watch_flush(struct watch *watch);
/* Ends it from the core's side: the reader sees WATCH_CLOSED next. The last touch of the core when it gives
 * true; on false the reader has closed it meanwhile and it comes back through watch_hand_back. MESSAGE NULL:
 * an orderly end. */
bool watch_end(struct watch *watch, enum err_kind kind, const char *message);
/* The reader's close. True: the caller must hand WATCH to the core, which frees it; false: it is gone. */
bool watch_release(struct watch *watch, bool on_core_thread);
void watch_free(struct watch *watch);
