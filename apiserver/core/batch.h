/* Group commit. Writes are checked one by one against the tentative view: the state with the batch's own
 * writes in front of it. Then all go to the store in one transaction; then they are published: objects,
 * history, watches, answers, in revision order. When the transaction fails every write is answered with the
 * error; the state never held any of it.
 */
#pragma once

#include "apiserver/core/state.h"
#include "apiserver/core/watch_hub.h"

struct batch_write;

#define BATCH_BUCKETS 1024

struct batch {
	struct state *state;
	struct store *store;
	struct watch_hub *hub;
	struct batch_write *writes;
	size_t n, cap;
	size_t n_changes;               /* writes that change something */
	unsigned newest[BATCH_BUCKETS]; /* by hash of the key: 1 + place in writes; 0: none */
	uint64_t revision;              /* of the newest write */
	struct buf values;              /* what the store gets of all of them */
	struct store_change *changes;
	size_t cap_changes;
	atomic_bool failed;   /* the last transaction did; read by any thread */
	atomic_bool in_doubt; /* the store is; nothing may be added any more. Read by any thread */
	struct err doubt;     /* why; written before in_doubt is */
};

void batch_init(struct batch *batch, struct state *state, struct store *store, struct watch_hub *hub);
void batch_close(struct batch *batch);
/* A write; it is answered by batch_commit, whatever becomes of it. */
void batch_add(struct batch *batch, struct core_command *command);
/* Answers COMMAND, a dry run, from the published state, any thread; false when it is one for a batch: of
 * several objects, or of a custom resource of which there was none yet. */
bool batch_try(struct state *state, struct core_command *command);
/* Removes OBJECT of TABLE, which is there, without a command. */
void batch_remove(struct batch *batch, struct table *table, struct object *object);
/* More should wait for the next transaction. */
bool batch_full(const struct batch *batch);
/* Also drops superseded changes from the store: when ALL is set even a few, else only once it is worth it.
 * Without writes and without anything to drop it does nothing. REVISION gets the newest one before the
 * answers leave. */
void batch_commit(struct batch *batch, bool all, _Atomic uint64_t *revision);
/* Changes wait for being dropped from the store. */
bool batch_has_backlog(const struct batch *batch);
