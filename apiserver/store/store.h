/* The store: a durable, ordered log of changes. The newest change of a key is its state; the changes before
 * it are the history that lets a watch resume across a restart, until they are compacted.
 *
 * One thread uses it at a time (the core). An implementation fills in struct store_ops; sqlite.h is the
 * embedded one.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/buf.h"
#include "lib/err.h"

enum store_change_kind { STORE_PUT, STORE_DELETE };

/* One change of one object. VALUE of a DELETE is the last state (what a watcher is shown). */
struct store_change {
	enum store_change_kind kind;
	const char *group, *plural; /* resource */
	const char *key;            /* object_key() */
	uint64_t revision;          /* commit: assigned by the core, growing; load: as stored */
	uint64_t previous; /* revision of the change of this key before it; 0: it is created by this one */
	int64_t time_s;    /* seconds since 1970 */
	const char *value; /* object_write_stored() */
	size_t value_len;
};

/* History of a resource is whole for revisions above this one. */
struct store_horizon {
	const char *group, *plural;
	uint64_t revision;
};

struct store_batch {
	const struct store_change *changes;
	size_t n_changes;
	const uint64_t *compact; /* revisions of superseded changes and of deletions to drop */
	size_t n_compact;
	const struct store_horizon *horizons; /* of the resources whose changes are dropped */
	size_t n_horizons;
	const struct store_change *rewrites; /* changes stored already: their values are kept in this form */
	size_t n_rewrites;
};

/* What load tells; -1 with *err stops it. */
struct store_loader {
	int (*horizon)(const struct store_horizon *horizon, void *arg, struct err *err);
	int (*change)(const struct store_change *change, void *arg, struct err *err);
	void *arg;
};

struct store;

struct store_ops {
	const char *name;
	/* All horizons, then all changes that are kept in revision order. *ret_revision: of the newest change
	 * ever committed, 0 when there is none. ERR_CORRUPT names the damage. */
	int (*load)(struct store *store, const struct store_loader *loader, uint64_t *ret_revision,
		    struct err *err);
	/* All of BATCH, or none; durable when it returns 0. -1: nothing of it is stored, and no crash brings
	 * it back, unless the store is in doubt (below; ERR_SERVICE_UNAVAILABLE). The newest change of all is
	 * never among those to compact. */
	int (*commit)(struct store *store, const struct store_batch *batch, struct err *err);
	/* Housekeeping. Called after each commit once its answers are out (IDLE false: only what must not
	 * wait, such as a log file grown long) and when nothing was written for a while (IDLE true:
	 * checkpoint, give pages back; bounded to some 20 ms a call). true: call again when idle. */
	bool (*maintain)(struct store *store, bool idle);
	/* What is dropped or rewritten from here on leaves nothing readable in the file. */
	void (*shred)(struct store *store);
	/* Bytes on disk. */
	uint64_t (*size)(struct store *store);
	void (*close)(struct store *store);
};

/* A commit whose end the disk did not confirm (above all: a failed fsync, after which the kernel may have
 * written its pages, dropped them, or shown them as clean while the disk has the old ones) may be found by
 * the next start, or not. The store then writes over it and syncs that before it returns -1, so that the
 * answer is true. When the disk refuses this as well, IN_DOUBT is set: what a later start will find is not
 * known. From then on the store commits nothing, and its user must answer nothing more, reads neither, and
 * open it anew (in practice: end the process and be started again). Opening writes what it found in the log
 * to the disk once more and syncs it before anything is read, and fails when that fails: what is served is
 * durable.
 *
 * A commit that could not even be written (a full disk, a file system that went read-only) is not in doubt,
 * but where the part that was written, with what was there before, may be all of it: reads go on, each write
 * is tried, and writes work again when the disk does. */
struct store {
	const struct store_ops *ops;
	bool in_doubt;
};

/* Opens DIR/store.db with a lock that a second server is refused by (ERR_CONFLICT: "data folder DIR is in use
 * by process N"). Makes or migrates the schema (PRAGMA user_version); a newer schema or a damaged file is
 * refused with what to do, and nothing is changed. WAL, synchronous=FULL. */
int store_sqlite_open(const char *dir, struct store **ret, struct err *err);
