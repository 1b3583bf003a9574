/* The floor under every write: rows of 1 KiB into one SQLite table with WAL and synchronous=FULL, one to a
 * transaction and many. */
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "lib/timefmt.h"

enum { ROW_BYTES = 1024, SECONDS = 2, BATCH = 32 };

static void run(sqlite3 *db, const char *sql)
{
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		bench_die("SQLite: %s: %s", sql, sqlite3_errmsg(db));
}

/* Rows a second when BATCH rows share a transaction. */
static double rate(sqlite3 *db, sqlite3_stmt *insert, int batch)
{
	int64_t began_us = time_mono_us(), now_us;
	size_t rows = 0;

	do {
		run(db, "BEGIN IMMEDIATE");
		for (int i = 0; i < batch; i++, rows++) {
			if (sqlite3_step(insert) != SQLITE_DONE)
				bench_die("SQLite: %s", sqlite3_errmsg(db));
			sqlite3_reset(insert);
		}
		run(db, "COMMIT");
		now_us = time_mono_us();
	} while (now_us - began_us < SECONDS * 1000000LL);
	return 1e6 * (double)rows / (double)(now_us - began_us);
}

int bench_floor_sqlite(int argc, char **argv)
{
	CLEANUP(mem_freep) char *path = mem_printf("%s/floor.db", argv[0]);
	sqlite3_stmt *insert = NULL;
	sqlite3 *db = NULL;
	char value[ROW_BYTES];

	(void)argc;
	memset(value, 'x', sizeof(value));
	if (sqlite3_open(path, &db) != SQLITE_OK)
		bench_die("SQLite: %s: %s", path, sqlite3_errmsg(db));
	run(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
		"CREATE TABLE log (revision INTEGER PRIMARY KEY, key TEXT, value BLOB)");
	if (sqlite3_prepare_v2(db, "INSERT INTO log (key, value) VALUES ('default/name', ?)", -1, &insert,
			       NULL) != SQLITE_OK)
		bench_die("SQLite: %s", sqlite3_errmsg(db));
	sqlite3_bind_blob(insert, 1, value, sizeof(value), SQLITE_STATIC);
	bench_figure("commits-per-s", rate(db, insert, 1));
	bench_figure("rows-per-s", rate(db, insert, BATCH));
	sqlite3_finalize(insert);
	sqlite3_close(db);
	return 0;
}
