/* The store in one SQLite file, as an append-only log: a change is one inserted row, the newest row of a key
 * is its state. Revisions grow, so rows go in at the right end of the table; compaction takes them out by
 * number.
 *
 *     resource  id, group, plural, horizon        a row per resource that was ever written
 *     log       revision, resource, kind, previous, time, checksum, key, value
 *
 * Checkpoints are made by sqlite_maintain and the checkpointer, never by a commit.
 */
#include "apiserver/store/sqlite.h"

#include <stdlib.h>
#include <string.h>

#include "apiserver/store/gathering_vfs.h"

#define LOG_SHORT        (4 << 20)   /* left alone under load */
#define LOG_LEFT         (1 << 20)   /* copied between two commits */
#define LOG_LONG         (64 << 20)  /* shortened whatever it takes */
#define LOG_QUIET        (256 << 10) /* left alone when nothing is written */
#define VACUUM_PAGES     512         /* given back in one call of maintain */
#define VACUUM_MIN_PAGES 1024        /* fewer free pages are left for the next writes */

/* --- rows --- */

static uint64_t mix(uint64_t h, uint64_t word)
{
	h = (h ^ word) * UINT64_C(0x9E3779B97F4A7C15);
	return h ^ (h >> 32);
}

static uint64_t mix_bytes(uint64_t h, const char *data, size_t len)
{
	uint64_t word;

	h = mix(h, len);
	for (; len >= sizeof(word); data += sizeof(word), len -= sizeof(word)) {
		memcpy(&word, data, sizeof(word));
		h = mix(h, word);
	}
	word = 0;
	memcpy(&word, data, len);
	return mix(h, word);
}

/* Of all that a row says. SQLite's own checks find torn pages, not flipped bits. */
static int64_t checksum(const struct store_change *change, int64_t resource)
{
	uint64_t h = mix(1, change->revision);

	h = mix(h, (uint64_t)resource);
	h = mix(h, change->kind);
	h = mix(h, change->previous);
	h = mix(h, (uint64_t)change->time_s);
	h = mix_bytes(h, change->key, strlen(change->key));
	return (int64_t)mix_bytes(h, change->value, change->value_len);
}

static void remember_resource(struct sqlite_store *store, const char *group, const char *plural, int64_t id)
{
	store->resources =
	    mem_realloc_array(store->resources, store->n_resources + 1, sizeof(*store->resources));
	store->resources[store->n_resources++] =
	    (struct known_resource){ mem_dup(group), mem_dup(plural), id };
}

static void forget_resources(struct sqlite_store *store, size_t keep)
{
	while (store->n_resources > keep) {
		struct known_resource *last = &store->resources[--store->n_resources];

		free(last->group);
		free(last->plural);
	}
}

/* Runs a statement that gives no rows and leaves it ready for the next time. */
static int run(struct sqlite_store *store, sqlite3_stmt *statement, const char *what, struct err *err)
{
	int code = sqlite3_step(statement);
	int result = code == SQLITE_DONE || code == SQLITE_ROW ? 0 : sqlite_error(err, store->db, code, what);

	sqlite3_reset(statement);
	return result;
}

static int resource_id(struct sqlite_store *store, const char *group, const char *plural, int64_t *ret,
		       struct err *err)
{
	for (size_t i = 0; i < store->n_resources; i++) {
		const struct known_resource *known = &store->resources[i];

		if (!strcmp(known->plural, plural) && !strcmp(known->group, group)) {
			*ret = known->id;
			return 0;
		}
	}
	sqlite3_bind_text(store->add_resource, 1, group, -1, SQLITE_STATIC);
	sqlite3_bind_text(store->add_resource, 2, plural, -1, SQLITE_STATIC);
	if (run(store, store->add_resource, "adding a resource", err) < 0)
		return -1;
	*ret = sqlite3_last_insert_rowid(store->db);
	remember_resource(store, group, plural, *ret);
	return 0;
}

/* --- loading --- */

static int load_resources(struct sqlite_store *store, const struct store_loader *loader, struct err *err)
{
	sqlite3_stmt *rows = NULL;
	int code, result = 0;

	code = sqlite3_prepare_v2(store->db, "SELECT id, \"group\", plural, horizon FROM resource", -1, &rows,
				  NULL);
	if (code != SQLITE_OK)
		return sqlite_error(err, store->db, code, "resources");
	while (result == 0 && (code = sqlite3_step(rows)) == SQLITE_ROW) {
		struct store_horizon horizon = {
			.group = (const char *)sqlite3_column_text(rows, 1),
			.plural = (const char *)sqlite3_column_text(rows, 2),
			.revision = (uint64_t)sqlite3_column_int64(rows, 3),
		};

		if (!horizon.group || !horizon.plural) {
			result = sqlite3_errcode(store->db) == SQLITE_NOMEM
				     ? sqlite_error(err, store->db, SQLITE_NOMEM, "resources")
				     : err_set(err, ERR_CORRUPT, "a resource has no name");
			break;
		}
		remember_resource(store, horizon.group, horizon.plural, sqlite3_column_int64(rows, 0));
		result = loader->horizon(&horizon, loader->arg, err);
	}
	if (result == 0 && code != SQLITE_DONE)
		result = sqlite_error(err, store->db, code, "resources");
	sqlite3_finalize(rows);
	return result;
}

static int load_row(struct sqlite_store *store, sqlite3_stmt *row, uint64_t after, struct store_change *ret,
		    struct err *err)
{
	int64_t id = sqlite3_column_int64(row, 1);
	struct store_change change = {
		.revision = (uint64_t)sqlite3_column_int64(row, 0),
		.kind = sqlite3_column_int(row, 2) == STORE_DELETE ? STORE_DELETE : STORE_PUT,
		.previous = (uint64_t)sqlite3_column_int64(row, 3),
		.time_s = sqlite3_column_int64(row, 4),
		.key = (const char *)sqlite3_column_text(row, 6),
		.value = sqlite3_column_blob(row, 7),
		.value_len = (size_t)sqlite3_column_bytes(row, 7),
	};

	if ((!change.key || !change.value) && sqlite3_errcode(store->db) == SQLITE_NOMEM)
		return sqlite_error(err, store->db, SQLITE_NOMEM, "log");
	if (change.revision <= after || !change.key || !change.value ||
	    checksum(&change, id) != sqlite3_column_int64(row, 5))
		return err_set(err, ERR_CORRUPT, "row %llu after %llu is not what was written",
			       (unsigned long long)change.revision, (unsigned long long)after);
	for (size_t i = 0; i < store->n_resources && !change.plural; i++) {
		if (store->resources[i].id == id) {
			change.group = store->resources[i].group;
			change.plural = store->resources[i].plural;
		}
	}
	if (!change.plural)
		return err_set(err, ERR_CORRUPT, "row %llu is of no resource",
			       (unsigned long long)change.revision);
	*ret = change;
	return 0;
}

static int load_log(struct sqlite_store *store, const struct store_loader *loader, uint64_t *ret_revision,
		    struct err *err)
{
	sqlite3_stmt *rows = NULL;
	uint64_t last = 0;
	int code, result = 0;

	code = sqlite3_prepare_v2(store->db,
				  "SELECT revision, resource, kind, previous, time, checksum, key, value"
				  " FROM log ORDER BY revision",
				  -1, &rows, NULL);
	if (code != SQLITE_OK)
		return sqlite_error(err, store->db, code, "log");
	while (result == 0 && (code = sqlite3_step(rows)) == SQLITE_ROW) {
		struct store_change change = { 0 };

		result = load_row(store, rows, last, &change, err);
		if (result == 0) {
			last = change.revision;
			result = loader->change(&change, loader->arg, err);
			if (result < 0)
				err_wrap(err, "%s%s%s %s", change.plural, *change.group ? "." : "",
					 change.group, change.key);
		}
	}
	if (result == 0 && code != SQLITE_DONE)
		result = sqlite_error(err, store->db, code, "log");
	sqlite3_finalize(rows);
	if (result == 0)
		*ret_revision = last;
	return result;
}

static int sqlite_load(struct store *base, const struct store_loader *loader, uint64_t *ret_revision,
		       struct err *err)
{
	struct sqlite_store *store = CONTAINER_OF(base, struct sqlite_store, base);

	if (load_resources(store, loader, err) < 0 || load_log(store, loader, ret_revision, err) < 0)
		return sqlite_add_advice(err, store);
	/* Every row was read and is sound: from here on closing may checkpoint. */
	sqlite3_db_config(store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
	sqlite3_db_release_memory(store->db);
	return 0;
}

/* --- committing --- */

static int insert(struct sqlite_store *store, const struct store_change *change, struct err *err)
{
	sqlite3_stmt *s = store->insert;
	int64_t resource;

	if (resource_id(store, change->group, change->plural, &resource, err) < 0)
		return -1;
	sqlite3_bind_int64(s, 1, (int64_t)change->revision);
	sqlite3_bind_int64(s, 2, resource);
	sqlite3_bind_int(s, 3, (int)change->kind);
	sqlite3_bind_int64(s, 4, (int64_t)change->previous);
	sqlite3_bind_int64(s, 5, change->time_s);
	sqlite3_bind_int64(s, 6, checksum(change, resource));
	sqlite3_bind_text(s, 7, change->key, -1, SQLITE_STATIC);
	sqlite3_bind_blob64(s, 8, change->value, change->value_len, SQLITE_STATIC);
	return run(store, s, "writing a change", err);
}

static int drop(struct sqlite_store *store, const struct store_batch *batch, struct err *err)
{
	for (size_t i = 0; i < batch->n_compact; i++) {
		sqlite3_bind_int64(store->compact, 1, (int64_t)batch->compact[i]);
		if (run(store, store->compact, "dropping a superseded change", err) < 0)
			return -1;
	}
	for (size_t i = 0; i < batch->n_horizons; i++) {
		const struct store_horizon *horizon = &batch->horizons[i];
		int64_t resource;

		if (resource_id(store, horizon->group, horizon->plural, &resource, err) < 0)
			return -1;
		sqlite3_bind_int64(store->horizon, 1, (int64_t)horizon->revision);
		sqlite3_bind_int64(store->horizon, 2, resource);
		if (run(store, store->horizon, "moving the history's end", err) < 0)
			return -1;
	}
	return 0;
}

static int rewrite(struct sqlite_store *store, const struct store_change *change, struct err *err)
{
	sqlite3_stmt *s = store->rewrite;
	int64_t resource;

	if (resource_id(store, change->group, change->plural, &resource, err) < 0)
		return -1;
	sqlite3_bind_int64(s, 1, checksum(change, resource));
	sqlite3_bind_blob64(s, 2, change->value, change->value_len, SQLITE_STATIC);
	sqlite3_bind_int64(s, 3, (int64_t)change->revision);
	return run(store, s, "writing a change in another form", err);
}

static int write_rows(struct sqlite_store *store, const struct store_batch *batch, struct err *err)
{
	if (run(store, store->begin, "beginning a transaction", err) < 0)
		return -1;
	for (size_t i = 0; i < batch->n_changes; i++) {
		if (insert(store, &batch->changes[i], err) < 0)
			return -1;
	}
	for (size_t i = 0; i < batch->n_rewrites; i++) {
		if (rewrite(store, &batch->rewrites[i], err) < 0)
			return -1;
	}
	return drop(store, batch, err);
}

/* Whether a COMMIT that failed with CODE left nothing in the log that a later start could take for a
 * transaction: a frame of it, if only the last one, which makes it count, is not there (gathering_vfs.h). */
static bool surely_not_stored(int code)
{
	return code == SQLITE_IOERR_WRITE || (code & 0xff) == SQLITE_FULL;
}

/* Writes another transaction over what a failed one left in the log, and syncs it. The frames of a
 * transaction follow the last valid one, and each is chained to all before it by checksums: with the first
 * one replaced none of the old ones counts. */
static bool write_over(struct sqlite_store *store)
{
	CLEANUP(mem_freep)
	char *sql = mem_printf("PRAGMA user_version=%d", STORE_SCHEMA_VERSION); /* as it is */

	return sqlite3_exec(store->db, sql, NULL, NULL, NULL) == SQLITE_OK;
}

/* A full disk or a failed write has rolled back already; other errors leave the transaction open. */
static void roll_back(struct sqlite_store *store)
{
	if (!sqlite3_get_autocommit(store->db))
		run(store, store->rollback, "rolling back", NULL);
	gathering_forget(store->db);
}

static int sqlite_commit(struct store *base, const struct store_batch *batch, struct err *err)
{
	struct sqlite_store *store = CONTAINER_OF(base, struct sqlite_store, base);
	size_t known = store->n_resources;
	int code;

	if (base->in_doubt)
		return err_set(err, ERR_SERVICE_UNAVAILABLE, "store %s is in doubt", store->path);
	roll_back(store); /* of a commit before this one, when it could not be then */
	if (write_rows(store, batch, err) == 0) {
		code = sqlite3_step(store->commit);
		sqlite3_reset(store->commit);
		if (code == SQLITE_DONE)
			return 0;
		sqlite_error(err, store->db, code, "committing");
		roll_back(store);
		/* Tried in any case: what the cache has not, the disk may have from a transaction before. */
		base->in_doubt = !write_over(store) && !surely_not_stored(code);
	} else {
		roll_back(store);
	}
	forget_resources(store, known);
	return sqlite_add_commit_advice(err, store);
}

/* --- housekeeping --- */

static int count_wal(void *arg, sqlite3 *db, const char *name, int pages)
{
	struct sqlite_store *store = arg;

	(void)db;
	(void)name;
	store->wal_bytes = (int64_t)pages * 4096;
	return SQLITE_OK;
}

static bool vacuum_some(struct sqlite_store *store)
{
	int64_t pages, free_pages;
	CLEANUP(mem_freep) char *sql = mem_printf("PRAGMA incremental_vacuum(%d)", VACUUM_PAGES);

	if (sqlite_number(store->db, "PRAGMA page_count", &pages, NULL) < 0 ||
	    sqlite_number(store->db, "PRAGMA freelist_count", &free_pages, NULL) < 0 ||
	    free_pages < VACUUM_MIN_PAGES || free_pages < pages / 4)
		return false;
	return sqlite3_exec(store->db, sql, NULL, NULL, NULL) == SQLITE_OK;
}

/* Under load the checkpointer copies the log beside the commits, pass after pass, each having only what was
 * committed during the one before. What little is left then is copied here, between two commits: only when
 * nothing is left does SQLite begin the log anew. */
static void shorten_log(struct sqlite_store *store)
{
	int64_t left = store->wal_bytes - store->checkpoint_asked_at;
	bool asked = store->checkpoint_asked_at > 0;

	if (store->wal_bytes < store->checkpoint_asked_at)
		store->checkpoint_asked_at = 0; /* it began anew by itself */
	if (store->wal_bytes < LOG_SHORT || checkpointer_busy(&store->checkpointer))
		return;
	if (!asked || (left > LOG_LEFT && store->wal_bytes < LOG_LONG)) {
		store->checkpoint_asked_at = store->wal_bytes;
		checkpointer_ask(&store->checkpointer, store->path);
		return;
	}
	store->checkpoint_asked_at = 0;
	sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
}

/* A failure here costs nothing but space and shows again at the next commit, which reports it. */
static bool sqlite_maintain(struct store *base, bool idle)
{
	struct sqlite_store *store = CONTAINER_OF(base, struct sqlite_store, base);

	if (!idle) {
		shorten_log(store);
		return true;
	}
	if (checkpointer_busy(&store->checkpointer) || vacuum_some(store))
		return true;
	/* An idle cluster renews a lease every ten seconds. A checkpoint after each would flush three times,
	 * and the next one's commit once more for the header of a new log. */
	if (store->wal_bytes > (store->shreds ? 0 : LOG_QUIET) &&
	    sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL) == SQLITE_OK)
		store->wal_bytes = store->checkpoint_asked_at = 0;
	sqlite3_db_release_memory(store->db);
	return false;
}

static void sqlite_shred(struct store *base)
{
	struct sqlite_store *store = CONTAINER_OF(base, struct sqlite_store, base);

	sqlite3_exec(store->db, "PRAGMA secure_delete=ON", NULL, NULL, NULL);
	store->shreds = true;
}

static uint64_t sqlite_size(struct store *base)
{
	struct sqlite_store *store = CONTAINER_OF(base, struct sqlite_store, base);

	return sqlite_file_size(store->path) + sqlite_file_size(store->wal_path);
}

static void sqlite_close(struct store *base)
{
	struct sqlite_store *store = CONTAINER_OF(base, struct sqlite_store, base);

	checkpointer_stop(&store->checkpointer);
	/* The next start looks at what is there. */
	if (base->in_doubt)
		sqlite3_db_config(store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	sqlite3_finalize(store->begin);
	sqlite3_finalize(store->commit);
	sqlite3_finalize(store->rollback);
	sqlite3_finalize(store->insert);
	sqlite3_finalize(store->compact);
	sqlite3_finalize(store->horizon);
	sqlite3_finalize(store->add_resource);
	sqlite3_finalize(store->rewrite);
	sqlite3_close(store->db);
	forget_resources(store, 0);
	free(store->resources);
	mem_closep(&store->lock_fd);
	free(store->dir);
	free(store->path);
	free(store->wal_path);
	free(store);
}

static const struct store_ops sqlite_ops = {
	.name = "sqlite",
	.load = sqlite_load,
	.commit = sqlite_commit,
	.maintain = sqlite_maintain,
	.shred = sqlite_shred,
	.size = sqlite_size,
	.close = sqlite_close,
};

/* --- opening --- */

static int prepare(struct sqlite_store *store, struct err *err)
{
	const struct {
		sqlite3_stmt **statement;
		const char *sql;
	} rows[] = {
		{ &store->begin, "BEGIN IMMEDIATE" },
		{ &store->commit, "COMMIT" },
		{ &store->rollback, "ROLLBACK" },
		{ &store->insert,
		  "INSERT INTO log(revision, resource, kind, previous, time, checksum, key, value)"
		  " VALUES(?, ?, ?, ?, ?, ?, ?, ?)" },
		{ &store->compact, "DELETE FROM log WHERE revision=?" },
		{ &store->horizon, "UPDATE resource SET horizon=? WHERE id=?" },
		{ &store->rewrite, "UPDATE log SET checksum=?, value=? WHERE revision=?" },
		{ &store->add_resource, "INSERT INTO resource(\"group\", plural) VALUES(?, ?)" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int code = sqlite3_prepare_v3(store->db, rows[i].sql, -1, SQLITE_PREPARE_PERSISTENT,
					      rows[i].statement, NULL);

		if (code != SQLITE_OK)
			return sqlite_error(err, store->db, code, "schema");
	}
	return 0;
}

int store_sqlite_open(const char *dir, struct store **ret, struct err *err)
{
	struct sqlite_store *store = mem_zalloc(sizeof(*store));

	store->base.ops = &sqlite_ops;
	store->dir = mem_dup(dir);
	store->path = mem_printf("%s/store.db", dir);
	store->wal_path = mem_printf("%s-wal", store->path);
	store->lock_fd = -1;
	if (sqlite_file_open(store, err) < 0 || prepare(store, err) < 0) {
		sqlite_add_advice(err, store);
		sqlite_close(&store->base);
		return -1;
	}
	store->wal_bytes = (int64_t)sqlite_file_size(store->wal_path);
	sqlite3_wal_hook(store->db, count_wal, store);
	*ret = &store->base;
	return 0;
}
