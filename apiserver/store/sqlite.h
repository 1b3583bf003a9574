/* Inside of the SQLite store: sqlite.c reads and writes rows, sqlite_file.c opens the file and knows what is
 * wrong with it, checkpointer.c copies the write-ahead log into it beside the commits.
 */
#pragma once

#include <sqlite3.h>

#include "apiserver/store/checkpointer.h"
#include "apiserver/store/store.h"

#define STORE_SCHEMA_VERSION 1

struct known_resource {
	char *group, *plural;
	int64_t id;
};

struct sqlite_store {
	struct store base;
	char *dir, *path, *wal_path;
	int lock_fd;
	sqlite3 *db;
	sqlite3_stmt *begin, *commit, *rollback, *insert, *compact, *horizon, *add_resource, *rewrite;
	struct known_resource *resources;
	size_t n_resources;
	int64_t wal_bytes;           /* in the log now */
	int64_t checkpoint_asked_at; /* wal_bytes when the checkpointer was last asked; 0: not since the log
					began */
	bool shreds;                 /* nothing that was dropped may stay in the log either */
	struct checkpointer checkpointer;
};

/* The one place where SQLite's codes get their meaning. WHAT failed; -1. */
int sqlite_error(struct err *err, sqlite3 *db, int code, const char *what);
/* Turns an ERR_CORRUPT into advice on what to do; -1. */
int sqlite_add_advice(struct err *err, const struct sqlite_store *store);
/* Says of a failed commit what became of it and what to do; -1. */
int sqlite_add_commit_advice(struct err *err, const struct sqlite_store *store);
/* The number in the one row that SQL gives. */
int sqlite_number(sqlite3 *db, const char *sql, int64_t *ret, struct err *err);
/* A connection for one thread. */
int sqlite_connect(const char *path, sqlite3 **ret, struct err *err);
/* Locks the folder, makes or checks the file, and leaves store->db ready for statements. */
int sqlite_file_open(struct sqlite_store *store, struct err *err);
/* Bytes of a file, 0 when it is not there. */
uint64_t sqlite_file_size(const char *path);
