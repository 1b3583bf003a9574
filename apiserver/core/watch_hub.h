/* All watches, found by what they can match: a change costs nothing for those that pin another node,
 * namespace or name. Core thread only.
 */
#pragma once

#include "apiserver/core/watch.h"
#include "lib/map.h"

/* Where a watch is kept, the narrowest that fits it. The order is that of enum watch_place. */
enum watch_place {
	WATCH_PLACE_KEY,
	WATCH_PLACE_NAME,
	WATCH_PLACE_NODE,
	WATCH_PLACE_NAMESPACE,
	WATCH_PLACE_ANY
};

struct watch_set {
	struct map buckets[WATCH_PLACE_ANY]; /* struct watch_bucket by key */
	struct watch *any;
};

struct watch_hub {
	struct watch_set **sets; /* by resource index; NULL: nobody watched yet */
	size_t n_sets;
	size_t count, n_bookmarks;
	size_t owed;      /* watches whose memory is the core's or will come back to it */
	size_t max_bytes; /* unread bytes at which a watch is closed */
	struct watch *dirty;
};

/* A published change: OBJECT is the state after it, of a deletion the final one; PREVIOUS NULL: created. */
struct watch_change {
	struct object *object, *previous;
	bool deleted;
};

void watch_hub_init(struct watch_hub *hub, size_t max_bytes);
/* Ends those of RESOURCE, in order. */
void watch_hub_end(struct watch_hub *hub, const struct resource *resource);
/* Ends all watches. Those that `owed` still counts then are on their way back from their readers. */
void watch_hub_end_all(struct watch_hub *hub);
void watch_hub_close(struct watch_hub *hub);

/* WATCH sees the changes published from here on whose revision is above AFTER. FILTER is copied. */
void watch_hub_add(struct watch_hub *hub, struct watch *watch, const struct resource *resource,
		   const struct core_filter *filter, uint64_t after, bool bookmarks);
/* Unlinks and frees a watch that its reader has closed. */
void watch_hub_remove(struct watch_hub *hub, struct watch *watch);
/* Queues the change to every watch of RESOURCE that it concerns. */
void watch_hub_publish(struct watch_hub *hub, const struct resource *resource,
		       const struct watch_change *change);
/* The same for one watch: what it missed (not counted against a slow reader). */
void watch_hub_replay(struct watch_hub *hub, struct watch *watch, const struct watch_change *change);
void watch_hub_send(struct watch_hub *hub, struct watch *watch, enum watch_event_type type,
		    struct object *object, uint64_t revision);
/* A bookmark to every watch that asked and has read what it was sent. */
void watch_hub_bookmark(struct watch_hub *hub, uint64_t revision);
/* Publishes what was queued, waking each reader at most once; closes those that are too far behind. */
void watch_hub_flush(struct watch_hub *hub);
