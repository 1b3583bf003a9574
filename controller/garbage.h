/* The garbage collector: dependants of deleted owners go (background), go first (foreground), or are let go
 * (orphan).
 *
 *   owner gone ──▶ its dependants are looked at ──▶ deleted, or freed of the dead reference when another
 * owner lives owner deleting, foregroundDeletion ──▶ dependants are deleted ──▶ none left that blocks:
 * finalizer removed owner deleting, orphan ──▶ references to it are removed ──▶ none left: finalizer removed
 *
 * An owner that the cache never saw is asked for at the server: only its answer, or a deletion that was seen,
 * makes an owner gone. Deletions carry uid and revision of what was judged, so that an object that changed
 * meanwhile is judged again.
 */
#pragma once

#include "controller/cache.h"

struct garbage;

struct garbage *garbage_new(struct loop *loop, struct api_client *client, struct cache *cache);
void garbage_synced(struct garbage *garbage);
void garbage_free(struct garbage *garbage);
