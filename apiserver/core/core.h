/* The core: one thread that alone owns all objects, indexes, the revision counter and watch history.
 *
 *      edge ──command──▶ queue ──▶ drain ──▶ apply to a tentative view ──▶ ONE store commit ──▶ publish
 *        ◀── reply (refs of immutable objects) ◀───────────────────────────── state, events, replies
 *
 * Edges submit commands from any thread and get each reply by its callback, on the core thread: it must be
 * short and hand over (resume a suspended connection). Reads answer from published state; a read submitted
 * after a write was answered sees it. A single object needs no command, nor do few, nor a dry run: core_get,
 * core_list_now and core_dry_run look at what there is on the caller's thread, under the one lock there is
 * (state.h), which the core holds only while it publishes. Writes of one drain become one transaction:
 * compare-and-swap checks see the writes before them in the same batch; a failed commit fails every write in
 * it and leaves no trace; nothing is answered or seen by a watcher before it is durable. Reads go on while
 * writes fail.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "apiserver/core/object.h"
#include "apiserver/store/store.h"
#include "lib/selector.h"

struct core;

struct core_opts {
	struct store *store; /* taken */
	/* What can be resumed from, per resource; a change leaves the history at the first of the three
	 * limits. */
	unsigned history_events; /* changes: 10,000 */
	int64_t history_ms;      /* age: 5 minutes */
	size_t history_bytes;    /* of states that only the history still holds, see state_trim; 0: 16 MiB */
	int64_t event_ttl_ms;    /* Events go this long after their last write: 1 hour */
	size_t watch_max_bytes;  /* unsent bytes at which a slow watcher is closed: 8 MiB */
	unsigned max_watches;    /* 20,000 */
	/* Called once, on the core thread, when the store is in doubt (store.h): the core answers everything
	 * with ERR_SERVICE_UNAVAILABLE from then on, and the process should end. May be NULL. */
	void (*on_doubt)(const struct err *err, void *arg);
	void *on_doubt_arg;
	/* What defines further resources: once the store's other objects are loaded, core_new calls DEFINE
	 * with each object of this resource, which publishes what it defines (resource_set.h), and then loads
	 * those objects. NULL: nothing does. */
	const struct resource *definitions;
	void (*define)(struct object *definition, void *arg);
	void *define_arg;
};

/* Loads the store (blocking, before the thread starts); on failure it is closed. */
int core_new(const struct core_opts *opts, struct core **ret, struct err *err);
int core_start(struct core *core, struct err *err);
/* Answers what is queued, closes all watches, stops the thread, closes the store. Nothing may be submitted
 * any more; watches may still be read and must still be closed by their readers. */
void core_stop_and_free(struct core *core);

enum core_op {
	CORE_LIST,
	CORE_CREATE,
	CORE_UPDATE, /* replace, by compare-and-swap on revision */
	CORE_DELETE, /* remove for good, by compare-and-swap */
	CORE_WATCH,
	CORE_BY_OWNER,    /* objects of any resource whose owner has UID */
	CORE_END_WATCHES, /* in order: those of a resource that is served otherwise from now on */
	CORE_RETIRE, /* a resource whose definition goes: ERR_CONFLICT while it has objects, after that it
			never has any again, and what the store kept of it is dropped */
};

/* What a list or watch selects. Borrowed by the command until its reply; a watch copies. */
struct core_filter {
	const char *namespace_;        /* NULL: all */
	const char *name;              /* metadata.name pinned, or NULL */
	const struct selector *labels; /* NULL: all */
	const struct selector *fields; /* NULL: all */
};

struct core_command {
	enum core_op op;
	const struct resource *resource;
	const char *namespace_, *name; /* UPDATE, DELETE; "" for cluster scope */
	struct object *object;     /* CREATE, UPDATE: a reference, taken when submitted (NULL in the answer).
				      DELETE: the     final state shown to watchers (deletionTimestamp set), taken
				      as     well, or NULL for     the stored one */
	uint64_t revision;         /* UPDATE, DELETE: the revision that must be current; 0: any */
	const char *uid;           /* BY_OWNER; UPDATE, DELETE: must match when not NULL */
	bool check_namespace;      /* CREATE: the namespace must exist (NotFound) and not be terminating
				      (Forbidden) */
	bool dry_run;              /* writes: all checks, no change */
	struct core_command *with; /* writes: of other objects, linked by next, that are made along with it:
				      all or nothing. CREATEs of what is not there, UPDATEs, and DELETEs,
				      which may find it gone. They have no reply; their objects are taken */
	struct core_filter filter; /* LIST, WATCH */
	uint64_t at_revision; /* LIST: exactly this snapshot (continue, resourceVersionMatch=Exact); 0: now.
				 WATCH: events after it, which may lie ahead; 0: state as ADDED first */
	uint64_t
	    not_older_than;    /* LIST: ERR_TIMEOUT "Too large resource version" when we are not there yet */
	const char *after_key; /* LIST: keys after this one, or NULL */
	size_t limit;          /* LIST: 0 none */
	bool bookmarks;        /* WATCH: allowWatchBookmarks */
	bool initial_events;   /* WATCH: sendInitialEvents: state, then INITIAL_EVENTS_END; ERR_TIMEOUT while
				  at_revision is ahead */
	bool internal;         /* WATCH: the server's own, which clients' watches leave a place */
	struct watch
	    *watch; /* WATCH: from watch_new; the reader calls watch_close, also when the command failed */

	void (*reply)(struct core_command *command); /* core thread; command is the submitter's again */
	void *arg;

	/* The answer. */
	struct err err;        /* kind ERR_NONE: done */
	bool with_failed;      /* it was one of those in `with` that could not be made */
	uint64_t ret_revision; /* LIST: of the snapshot; WATCH: where it starts; CREATE, UPDATE, DELETE: of
				  the change */
	struct object
	    *ret_object; /* CREATE, UPDATE, DELETE: reference for the submitter. UPDATE with the bytes
			    that are stored already changes nothing and gives the stored one. */
	struct object **ret_objects; /* LIST, BY_OWNER: references in key order; free the array as well:
					core_command_close */
	size_t ret_n;
	bool ret_more;        /* LIST: cut at limit */
	size_t ret_remaining; /* LIST: how many came after, when ret_more and nothing but the namespace
				 selects; else 0 */

	struct core_command *next; /* queue link */
};

/* Whether NAME of RESOURCE may be created in NAMESPACE_NAME, whose object is NAMESPACE_ or NULL:
 * ERR_NOT_FOUND, or ERR_FORBIDDEN while it is on its way out. What a client is told of a namespace, whoever
 * looks at it. */
int core_check_namespace(const struct object *namespace_, const struct resource *resource,
			 const char *namespace_name, const char *name, struct err *err);

/* The newest published state of an object, as a new reference; ERR_NOT_FOUND. Any thread, at once: whoever
 * has the answer to a write sees it, and nobody sees what is not durable. */
int core_get(struct core *core, const struct resource *resource, const char *namespace_, const char *name,
	     struct object **ret, struct err *err);
/* Answers a CORE_LIST at once, as core_get does, when that is short work: of what is there now, of a resource
 * with few objects. False: it is to be submitted. The reply is not called. */
bool core_list_now(struct core *core, struct core_command *command);
/* The same for a write with dry_run: nothing waits for a disk. */
bool core_dry_run(struct core *core, struct core_command *command);
/* Any thread; lock-free. COMMAND stays the submitter's memory and must live until its reply. */
void core_submit(struct core *core, struct core_command *command);
/* Drops what the answer holds. */
void core_command_close(struct core_command *command);
/* Revision of the newest published change; any thread. */
uint64_t core_revision(const struct core *core);
/* Objects of a resource now; any thread (metrics). */
uint64_t core_count(struct core *core, const struct resource *resource);
bool core_healthy(const struct core *core); /* the last commit did not fail */

/* --- watches
 * --------------------------------------------------------------------------------------------------- A watch
 * is a bounded queue from the core to one reader. The reader (an edge thread) takes events as shared objects;
 * nothing is copied for it. WAKE is called on the core thread when the queue turned from empty to not empty
 * or was closed; several events of one commit wake once.
 */
enum watch_event_type {
	WATCH_ADDED,
	WATCH_MODIFIED,
	WATCH_DELETED,
	WATCH_BOOKMARK,
	WATCH_INITIAL_EVENTS_END,
	WATCH_CLOSED
};

struct watch_event {
	enum watch_event_type type;
	struct object
	    *object; /* reference for the reader; NULL for bookmarks and CLOSED. Its bytes show REVISION.
			DELETED of an object that left the selection: its last state in it */
	uint64_t revision; /* the event's; what a bookmark shows as resourceVersion */
	struct err err;    /* CLOSED: why; ERR_NONE for an orderly end */
};

struct watch;
/* WAKE runs on the core thread: short, without a lock that is held around watch_close. */
struct watch *watch_new(void (*wake)(void *arg), void *arg);
/* Next event, false when there is none now (WAKE follows). One reader thread. */
bool watch_next(struct watch *watch, struct watch_event *ret);
/* The reader is done with it, whatever became of it, and it is gone; any thread, exactly once, not before the
 * reply of its CORE_WATCH if that was submitted. WAKE is not called after it returned. NULL is fine. */
void watch_close(struct core *core, struct watch *watch);
