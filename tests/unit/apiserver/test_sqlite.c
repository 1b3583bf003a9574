#include <errno.h>
#include <sched.h>
#include <sqlite3.h>
#include <sys/mount.h>

#include "apiserver/store/sqlite.h"
#include "tests/unit/apiserver/core_fixture.h"

static struct store *open_store(const char *dir)
{
	struct store *store = NULL;
	struct err err = ERR_INIT;

	if (store_sqlite_open(dir, &store, &err) < 0)
		fail_msg("%s", err.msg);
	return store;
}

/* Everything loaded, as text: "horizon pods=3;2<1 pods d/a v2;". */
struct dump {
	struct buf text;
	uint64_t revision;
	size_t changes;
	bool brief; /* counts only */
};

static int dump_horizon(const struct store_horizon *horizon, void *arg, struct err *err)
{
	(void)err;
	if (horizon->revision)
		buf_printf(&((struct dump *)arg)->text, "horizon %s%s=%llu;", horizon->group, horizon->plural,
			   (unsigned long long)horizon->revision);
	return 0;
}

static int dump_change(const struct store_change *change, void *arg, struct err *err)
{
	struct dump *dump = arg;

	(void)err;
	dump->changes++;
	if (!dump->brief)
		buf_printf(&dump->text, "%llu<%llu %s%s%s %s %.*s;", (unsigned long long)change->revision,
			   (unsigned long long)change->previous, change->kind == STORE_DELETE ? "-" : "", change->group,
			   change->plural, change->key, (int)change->value_len, change->value);
	return 0;
}

static int load(struct store *store, struct dump *dump, struct err *err)
{
	struct store_loader loader = { dump_horizon, dump_change, dump };

	return store->ops->load(store, &loader, &dump->revision, err);
}

static void assert_content(struct store *store, const char *expected, uint64_t revision)
{
	struct dump dump = { 0 };
	struct err err = ERR_INIT;

	if (load(store, &dump, &err) < 0)
		fail_msg("%s", err.msg);
	assert_string_equal(dump.text.data ? dump.text.data : "", expected);
	assert_int_equal(dump.revision, revision);
	buf_close(&dump.text);
}

static struct store_change row(uint64_t revision, uint64_t previous, const char *key, const char *value)
{
	return (struct store_change){ .kind = STORE_PUT, .group = "", .plural = "pods", .key = key, .revision = revision,
				      .previous = previous, .time_s = 1000, .value = value, .value_len = strlen(value) };
}

static int commit(struct store *store, const struct store_change *changes, size_t n, struct err *err)
{
	return store->ops->commit(store, &(struct store_batch){ .changes = changes, .n_changes = n }, err);
}

static void commit_ok(struct store *store, const struct store_change *changes, size_t n)
{
	struct err err = ERR_INIT;

	if (commit(store, changes, n, &err) < 0)
		fail_msg("%s", err.msg);
}

static void test_keeps(void **state)
{
	(void)state;
	char *dir = make_folder();
	struct store *store = open_store(dir);
	struct store_change rows[] = { row(2, 0, "d/a", "v1"), row(3, 0, "d/b", "w"), row(4, 2, "d/a", "v2"),
				       row(5, 3, "d/b", "end") };

	rows[1].group = "apps";
	rows[1].plural = "deployments";
	rows[3].group = "apps";
	rows[3].plural = "deployments";
	rows[3].kind = STORE_DELETE;
	assert_content(store, "", 0);
	commit_ok(store, rows, 4);
	store->ops->close(store);
	store = open_store(dir);
	assert_content(store, "2<0 pods d/a v1;3<0 appsdeployments d/b w;4<2 pods d/a v2;5<3 -appsdeployments d/b end;", 5);

	uint64_t compact[] = { 2 };
	struct store_horizon horizon = { "", "pods", 4 };
	struct err err = ERR_INIT;

	assert_int_equal(store->ops->commit(store, &(struct store_batch){ .compact = compact, .n_compact = 1,
									  .horizons = &horizon, .n_horizons = 1 }, &err), 0);
	assert_true(store->ops->size(store) > 0);
	while (store->ops->maintain(store, true))
		;
	store->ops->close(store);
	store = open_store(dir);
	assert_content(store, "horizon pods=4;3<0 appsdeployments d/b w;4<2 pods d/a v2;5<3 -appsdeployments d/b end;", 5);
	store->ops->close(store);
	remove_folder(dir);
}

static void test_all_or_none(void **state)
{
	(void)state;
	char *dir = make_folder();
	struct store *store = open_store(dir);
	struct store_change rows[] = { row(2, 0, "d/a", "v"), row(2, 0, "d/b", "same number") };
	struct err err = ERR_INIT;

	rows[0].plural = "things"; /* the new resource goes with it */
	assert_int_equal(commit(store, rows, 2, &err), -1);
	assert_non_null(strstr(err.msg, dir));
	assert_content(store, "", 0);
	commit_ok(store, rows, 1);
	assert_content(store, "2<0 things d/a v;", 2);
	store->ops->close(store);
	remove_folder(dir);
}

static void test_lock(void **state)
{
	(void)state;
	char *dir = make_folder();
	struct store *store = open_store(dir), *second = NULL;
	struct err err = ERR_INIT;
	CLEANUP(mem_freep) char *expected = mem_printf("data folder %s is in use by process %d", dir, (int)getpid());

	assert_int_equal(store_sqlite_open(dir, &second, &err), -1);
	assert_int_equal(err.kind, ERR_CONFLICT);
	assert_string_equal(err.msg, expected);
	assert_null(second);
	store->ops->close(store);
	store = open_store(dir);
	store->ops->close(store);
	remove_folder(dir);
}

static char *file_bytes(const char *dir, size_t *ret_len)
{
	CLEANUP(mem_freep) char *path = mem_printf("%s/store.db", dir);
	struct buf b = BUF_INIT;

	assert_int_equal(buf_read_file(&b, path, 64 << 20, NULL), 0);
	*ret_len = b.len;
	return buf_take(&b);
}

static void write_bytes(const char *dir, const char *data, size_t len)
{
	CLEANUP(mem_freep) char *path = mem_printf("%s/store.db", dir);
	CLEANUP(mem_closep) int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

	assert_int_equal(write(fd, data, len), (ssize_t)len);
}

/* Opening or loading refuses the file, says what to do, and leaves it as it is. */
static void assert_refused(const char *dir, enum err_kind kind, const char *part)
{
	struct store *store = NULL;
	struct err err = ERR_INIT;
	struct dump dump = { .brief = true };
	size_t before_len, after_len;
	CLEANUP(mem_freep) char *before = file_bytes(dir, &before_len);

	if (store_sqlite_open(dir, &store, &err) == 0) {
		assert_int_equal(load(store, &dump, &err), -1);
		store->ops->close(store);
	}
	buf_close(&dump.text);
	assert_int_equal(err.kind, kind);
	if (!strstr(err.msg, part) || !strstr(err.msg, "nothing was changed"))
		fail_msg("%s", err.msg);

	CLEANUP(mem_freep) char *after = file_bytes(dir, &after_len);

	assert_int_equal(before_len, after_len);
	assert_memory_equal(before, after, after_len);
}

static char *folder_with_rows(size_t n)
{
	char *dir = make_folder();
	struct store *store = open_store(dir);
	char value[700];

	memset(value, 'v', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	assert_content(store, "", 0);
	for (uint64_t i = 2; i < n + 2; i++) {
		CLEANUP(mem_freep) char *key = mem_printf("d/p%llu", (unsigned long long)i);
		struct store_change change = row(i, 0, key, value);

		commit_ok(store, &change, 1);
	}
	store->ops->close(store);
	return dir;
}

static void test_damage(void **state)
{
	(void)state;
	char *dir = folder_with_rows(200);
	size_t len;
	CLEANUP(mem_freep) char *sound = file_bytes(dir, &len);
	CLEANUP(mem_freep) char *damaged = mem_copy(sound, len);

	write_bytes(dir, sound, 0);
	assert_refused(dir, ERR_CORRUPT, "cut short");
	write_bytes(dir, sound, len / 2);
	assert_refused(dir, ERR_CORRUPT, "is damaged");
	write_bytes(dir, "a text file that somebody put here, long enough to hold a header of one hundred bytes, "
		    "which this line does", 104);
	assert_refused(dir, ERR_CORRUPT, "not an SQLite database");
	memset(damaged + len / 2, 0xa5, 4096);
	write_bytes(dir, damaged, len);
	assert_refused(dir, ERR_CORRUPT, "is damaged");
	/* One bit of one value: no structure of SQLite's notices. */
	memcpy(damaged, sound, len);
	((char *)memmem(damaged, len, "vvvvvvvv", 8))[100] ^= 1;
	write_bytes(dir, damaged, len);
	assert_refused(dir, ERR_CORRUPT, "is not what was written");
	write_bytes(dir, sound, len);

	struct store *store = open_store(dir);
	struct dump dump = { .brief = true };

	assert_int_equal(load(store, &dump, NULL), 0);
	assert_int_equal(dump.changes, 200);
	store->ops->close(store);
	remove_folder(dir);
}

static void alter(const char *dir, const char *sql)
{
	CLEANUP(mem_freep) char *path = mem_printf("%s/store.db", dir);
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void test_other_schemas(void **state)
{
	(void)state;
	char *dir = folder_with_rows(1);

	alter(dir, "PRAGMA user_version=99");
	assert_refused(dir, ERR_INVALID, "newer knarr (schema 99");
	alter(dir, "PRAGMA user_version=1; PRAGMA application_id=7");
	assert_refused(dir, ERR_CORRUPT, "another program");
	alter(dir, "PRAGMA application_id=1802396018; ALTER TABLE log RENAME TO old");
	assert_refused(dir, ERR_CORRUPT, "no such table");
	remove_folder(dir);
}

static void test_lost_file(void **state)
{
	(void)state;
	char *dir = make_folder();
	CLEANUP(mem_freep) char *wal = mem_printf("%s/store.db-wal", dir);
	struct store *store = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(buf_write_file_atomic(wal, "x", 1, 0600, NULL), 0);
	assert_int_equal(store_sqlite_open(dir, &store, &err), -1);
	assert_int_equal(err.kind, ERR_CORRUPT);
	remove_folder(dir);
	err = ERR_INIT;
	assert_int_equal(store_sqlite_open("/nonexistent/folder", &store, &err), -1);
	assert_int_equal(err.kind, ERR_SYSTEM);
	assert_int_equal(err.errnum, ENOENT);
}

static char *mounted; /* for the teardown of a test that failed */

static bool mount_small(const char *dir)
{
	if (geteuid() != 0 || mount("tmpfs", dir, "tmpfs", 0, "size=400k") < 0)
		return false;
	mounted = mem_dup(dir);
	return true;
}

static int unmount(void **state)
{
	(void)state;
	if (mounted)
		umount2(mounted, MNT_DETACH);
	free(TAKE(mounted));
	return 0;
}

static void test_full_disk(void **state)
{
	char *dir = make_folder();
	char *value = mem_zalloc(100001);

	memset(value, 'v', 100000);
	if (mount_small(dir)) {
		struct store *store = open_store(dir);
		struct err err = ERR_INIT;
		uint64_t revision = 2, kept;
		struct store_change change = row(revision, 0, "d/a", value);

		assert_content(store, "", 0);
		while (commit(store, &change, 1, &err) == 0 && revision < 100)
			change = row(++revision, 0, "d/a", value);
		assert_int_equal(err.kind, ERR_SYSTEM);
		assert_int_equal(err.errnum, ENOSPC);
		assert_true(revision > 2);
		kept = revision - 1;
		/* Small ones still fit, or at least fail as clearly; what was kept is there. */
		change = row(revision, 0, "d/small", "v");
		if (commit(store, &change, 1, &err) == 0)
			kept = revision;
		else
			assert_int_equal(err.errnum, ENOSPC);
		store->ops->close(store);
		store = open_store(dir);

		struct dump dump = { .brief = true };

		assert_int_equal(load(store, &dump, NULL), 0);
		assert_int_equal(dump.revision, kept);
		store->ops->close(store);
		/* A read-only folder. */
		assert_int_equal(mount("tmpfs", dir, "tmpfs", MS_REMOUNT | MS_RDONLY, NULL), 0);
		err = ERR_INIT;
		assert_int_equal(store_sqlite_open(dir, &store, &err), -1);
		assert_int_equal(err.errnum, EROFS);
		assert_int_equal(unmount(state), 0);
	} else {
		print_message("skipped: needs root to mount a small tmpfs\n");
	}
	free(value);
	remove_folder(dir);
}

static void test_stays_bounded(void **state)
{
	(void)state;
	char *dir = make_folder();
	struct store *store = open_store(dir);
	char value[3000];
	uint64_t largest = 0;

	memset(value, 'v', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	assert_content(store, "", 0);
	/* One object changed over and over, of which the newest 100 states are kept. */
	for (uint64_t revision = 2; revision < 20000; revision += 50) {
		struct store_change changes[50];
		uint64_t compact[50];
		struct store_horizon horizon = { "", "pods", revision > 102 ? revision - 100 : 0 };
		struct store_batch batch = { .changes = changes, .n_changes = 50, .compact = compact,
					     .horizons = &horizon, .n_horizons = 1 };

		for (uint64_t i = 0; i < 50; i++) {
			changes[i] = row(revision + i, revision + i > 2 ? revision + i - 1 : 0, "d/a", value);
			if (revision + i > 102)
				compact[batch.n_compact++] = revision + i - 101;
		}
		assert_int_equal(store->ops->commit(store, &batch, NULL), 0);
		store->ops->maintain(store, false);
		largest = store->ops->size(store) > largest ? store->ops->size(store) : largest;
	}
	assert_true(largest < 40 << 20); /* of 60 MB written: the log as long as it may get, and little more */
	while (store->ops->maintain(store, true))
		;
	assert_true(store->ops->size(store) < 2 << 20);
	store->ops->close(store);
	remove_folder(dir);
}

/* What the checkpointer was asked to copy lies in the database file, whose owner did nothing but ask. */
static void test_checkpointer(void **state)
{
	(void)state;
	char *dir = make_folder();
	struct store *store = open_store(dir);
	struct sqlite_store *sqlite = CONTAINER_OF(store, struct sqlite_store, base);
	uint64_t before = sqlite_file_size(sqlite->path);
	char value[100001];

	memset(value, 'v', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	assert_content(store, "", 0);
	for (uint64_t revision = 2; revision < 12; revision++)
		commit_ok(store, (struct store_change[]){ row(revision, 0, "d/a", value) }, 1);
	assert_int_equal(sqlite_file_size(sqlite->path), before);
	checkpointer_ask(&sqlite->checkpointer, sqlite->path);
	while (checkpointer_busy(&sqlite->checkpointer))
		sched_yield();
	assert_true(sqlite_file_size(sqlite->path) > before + 10 * sizeof(value));
	store->ops->close(store);
	remove_folder(dir);
}

static void execute(sqlite3 *db, const char *sql)
{
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
}

/* What was gathered of a transaction that was rolled back is not written where another program has written since. */
static void test_beside_another_program(void **state)
{
	(void)state;
	char *dir = make_folder();
	struct store *store = open_store(dir);
	struct sqlite_store *sqlite = CONTAINER_OF(store, struct sqlite_store, base);
	sqlite3 *other;
	int64_t damaged = -1;

	assert_content(store, "", 0);
	commit_ok(store, (struct store_change[]){ row(2, 0, "d/a", "1") }, 1);
	/* More than the cache holds: pages of an open transaction go into the log. */
	execute(sqlite->db, "PRAGMA cache_size=3; BEGIN IMMEDIATE; CREATE TABLE t(x);"
			    "INSERT INTO t VALUES(hex(zeroblob(40000))); ROLLBACK");
	assert_int_equal(sqlite3_open_v2(sqlite->path, &other, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
	execute(other, "CREATE TABLE other(x); INSERT INTO other VALUES(replace(hex(zeroblob(60000)), '0', 'o'))");
	commit_ok(store, (struct store_change[]){ row(3, 2, "d/a", "2") }, 1);
	sqlite3_close(other);
	assert_int_equal(sqlite3_open_v2(sqlite->path, &other, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
	assert_int_equal(sqlite_number(other, "SELECT length(replace(x, 'o', '')) FROM other", &damaged, NULL), 0);
	assert_int_equal(damaged, 0);
	sqlite3_close(other);
	store->ops->close(store);
	remove_folder(dir);
}

/* Commits batches of three until it is killed, telling after each which revision is durable; beside it the
 * checkpointer copies. */
static void commit_forever(const char *dir, int tell)
{
	struct store *store = open_store(dir);
	struct sqlite_store *sqlite = CONTAINER_OF(store, struct sqlite_store, base);
	struct dump dump = { .brief = true };
	uint64_t revision;

	if (load(store, &dump, NULL) < 0)
		_exit(1);
	revision = dump.revision ? dump.revision : 1;
	for (;;) {
		struct store_change rows[] = { row(revision + 1, 0, "d/a", "1"), row(revision + 2, 0, "d/b", "2"),
					       row(revision + 3, 0, "d/c", "3") };

		if (commit(store, rows, 3, NULL) < 0)
			_exit(1);
		store->ops->maintain(store, revision % 7 == 0);
		if (revision % 5 == 0)
			checkpointer_ask(&sqlite->checkpointer, sqlite->path);
		revision += 3;
		if (write(tell, &revision, sizeof(revision)) < 0)
			_exit(1);
	}
}

static void test_killed(void **state)
{
	(void)state;
	char *dir = make_folder();
	uint64_t told = 1;

	for (unsigned round = 0; round < 10; round++) {
		told = write_until_killed(commit_forever, dir, 20 + round * 7, told);

		struct store *store = open_store(dir);
		struct dump dump = { .brief = true };

		assert_int_equal(load(store, &dump, NULL), 0);
		/* All that was told is there; of a batch all or nothing. */
		assert_true(dump.revision >= told);
		assert_int_equal((dump.revision - 1) % 3, 0);
		assert_int_equal(dump.changes, dump.revision - 1);
		store->ops->close(store);
	}
	remove_folder(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keeps),         cmocka_unit_test(test_all_or_none),
		cmocka_unit_test(test_lock),          cmocka_unit_test(test_damage),
		cmocka_unit_test(test_other_schemas), cmocka_unit_test(test_lost_file),
		cmocka_unit_test_teardown(test_full_disk, unmount),
		    cmocka_unit_test(test_stays_bounded),
		cmocka_unit_test(test_checkpointer),
		cmocka_unit_test(test_beside_another_program),
		cmocka_unit_test(test_killed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
