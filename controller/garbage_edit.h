/* What the garbage collector changes in the metadata of custom resources. Of other objects it patches what it
 * means to change; these take no strategic patch, so the object is read, changed and written back, by its
 * version: who was faster makes it a conflict, and the watch tells.
 */
#pragma once

#include "controller/cache.h"
#include "controller/key_run.h"

void garbage_edit_drop_finalizer(struct key_run *run, const struct meta *meta, const char *finalizer);
/* The references to the owners with UIDS go, or, with UNBLOCK, do not block their owner's deletion any more.
 * All is copied. */
void garbage_edit_owners(struct key_run *run, const struct meta *meta, const char *const *uids, size_t n,
			 bool unblock);
