/* Followers: state derived from objects, kept inside the server, such as an index of who may do what.
 *
 * A follower watches a few resources through the core's own queues. Nothing runs when an object changes but
 * the setting of a flag: the first thread that needs the derived state afterwards takes the changes and hands
 * them to the owner's function one by one, under the follower's lock, and goes on. There is no thread, no
 * polling and no rebuilding. Events are published before the answers to their writes, so whoever has an
 * answer and asks then finds the change.
 *
 *     read ─▶ no flag ──────────────────────────────────────▶ shared lock ─▶ look things up ─▶ follow_done
 *          └▶ flag ─▶ exclusive lock ─▶ changes one by one ──▶┘
 *                         └▶ the queue was closed, or never open: list again, differences as changes
 *
 * A queue has the limit of a slow watcher (core_opts.watch_max_bytes). When nobody asked for so long that it
 * overflowed, the next one who asks lists again: the owner sees what is new, changed and gone since, as if it
 * had come by and by. It waits for the core then, as it does the first time. What a follower that nobody asks
 * holds in memory beside what is stored is thus one older state of each object and that limit.
 */
#pragma once

#include "apiserver/core/core.h"

struct follow;

/* OBJECT is the state from here on, NULL: gone; PREVIOUS what FN was given before, NULL: new. Never both
 * NULL, never the same. Both are borrowed; the follower keeps a reference to OBJECT until its next change, so
 * FN may keep the pointer until then. Changes of one object come in order, and states between may be left
 * out. */
struct follow_change {
	const struct resource *resource;
	struct object *object, *previous;
};

/* Runs on the thread that asked, with the exclusive lock held: it changes the derived state and may not call
 * anything here. */
typedef void (*follow_fn)(const struct follow_change *change, void *arg);

/* Follows the N resources in RESOURCES (copied). Nothing is watched before the first follow_read, so CORE
 * need not be started yet. */
struct follow *follow_new(struct core *core, const struct resource *const *resources, size_t n, follow_fn fn,
			  void *arg);
/* FN is called on the core thread whenever there is something to take: for a thread that wants to know before
 * anybody asks. It must be short, and is not called any more once follow_free returned. Before the first
 * follow_read; NULL: nobody. */
void follow_on_change(struct follow *follow, void (*fn)(void *arg), void *arg);
/* Before or after the core is gone, when nobody reads any more. FN is not called. NULL is fine. */
void follow_free(struct follow *follow);

/* Brings the derived state up to date and holds it still, for any number of threads at once, until
 * follow_done on the same thread. Not on the core thread, nor between a follow_read and its follow_done.
 * Costs an uncontended lock when nothing changed. On failure (ERR_SERVICE_UNAVAILABLE: the store is in doubt)
 * nothing is held. */
int follow_read(struct follow *follow, struct err *err);
void follow_done(struct follow *follow);
/* The object as of the last change, borrowed until follow_done; NULL when there is none. KEY: object_key. */
struct object *follow_get(const struct follow *follow, const struct resource *resource, const char *key);
