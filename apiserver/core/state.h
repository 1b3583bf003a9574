/* What the core knows: the objects of every resource, who owns them, and their recent history. Plain data of
 * the core thread, which reads and changes it (batch.h), but for one thing: any thread may look up an object.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "apiserver/core/core.h"
#include "apiserver/core/history.h"
#include "apiserver/core/index.h"
#include "apiserver/core/owners.h"

struct table {
	const struct resource *resource; /* stored or holder, referenced */
	struct index objects;
	size_t bytes; /* of them */
	struct history history;
	_Atomic uint64_t count; /* of published objects; read by any thread */
	bool horizon_moved;     /* changes left the history that the store still has to be told to drop */
	bool expires;           /* Events */
	bool retired; /* its definition is gone: it waits for the store to drop what is superseded */
};

struct state {
	/* Over the indexes of all tables and the revision: the core takes it for writing while it publishes a
	 * batch, other threads for reading while they look up one object or few. What the core itself reads
	 * needs no lock. */
	pthread_rwlock_t lock;
	struct table **tables; /* by index of what is stored; NULL: none, or not used yet */
	size_t n_tables;
	struct table *namespaces; /* or NULL */
	struct owners owners;
	struct history_limits limits;
	uint64_t revision;    /* of the newest published change */
	uint64_t *superseded; /* revisions that the store need not keep any longer */
	size_t n_superseded, cap_superseded;
	int64_t clock_offset_ms; /* wall clock less monotonic clock when we started */
};

void state_init(struct state *state, const struct history_limits *limits);
void state_close(struct state *state);
/* Fills it from the store. What is of resources that are not known is looked at again once DEFINE was called
 * with every object of DEFINITIONS and published what they define. */
int state_load(struct state *state, struct store *store, const struct resource *definitions,
	       void (*define)(struct object *definition, void *arg), void *arg, struct err *err);

/* Seconds since 1970 on a clock that does not jump: the wall clock as it was at the start, moved on by the
 * monotonic one. */
uint32_t state_now_s(const struct state *state);

/* The table of RESOURCE; core thread. Made when it is the first time that the resource is used. */
struct table *state_table(struct state *state, const struct resource *resource);
/* Table I if it is there, else NULL: for (size_t i = 0; i < state->n_tables; i++). */
struct table *state_table_at(const struct state *state, size_t i);
/* TABLE's resource is no more, and it has no objects: its history goes, and when the store has dropped what
 * is superseded, the table as well. ERR_CONFLICT: there are objects. */
int state_retire(struct state *state, struct table *table, struct err *err);
/* All that was superseded has left the store. */
void state_drop_retired(struct state *state);
/* The key of an object, in BUF; NULL when it is longer than any object's can be. */
const char *state_key(const char *namespace_, const char *name, char *buf, size_t size);
#define STATE_KEY_SIZE 1024

/* The store need not keep the change of REVISION any longer; 0: none. */
void state_supersede(struct state *state, uint64_t revision);
/* OBJECT is what TABLE holds under its key from now on, or, when DELETED, no longer. Returns what was there
 * before, whose reference is the caller's, or NULL. */
struct object *state_replace(struct table *table, struct object *object, bool deleted);
/* Lets changes leave TABLE's history. What only the history holds may take as many bytes as the objects that
 * are there, within a quarter of the limit and the limit: a store full of history serves nobody. */
void state_trim(struct state *state, struct table *table, uint32_t now_s);

/* Answers a LIST of what is there now, any thread; false when it is one for the core: of another moment, or
 * of a resource with so many objects that the core would have to wait for it. */
bool state_list_now(struct state *state, struct core_command *command);
/* A new reference to the newest published state, or ERR_NOT_FOUND; any thread. */
int state_get(struct state *state, const struct resource *resource, const char *namespace_, const char *name,
	      struct object **ret, struct err *err);
/* How many published objects there are; any thread. */
uint64_t state_count(struct state *state, const struct resource *resource);
/* Answer a command of that op. */
void state_list(struct state *state, struct core_command *command);
void state_by_owner(struct state *state, struct core_command *command);
