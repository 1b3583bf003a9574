/* The file of the SQLite store: who may open it, how it is made, what its schema is, and what is wrong with
 * it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "apiserver/store/gathering_vfs.h"
#include "apiserver/store/sqlite.h"

#define APPLICATION_ID            1802396018 /* "knar" */
#define TEXT_(number)             #number
#define TEXT(number)              TEXT_(number)
#define HEADER_SIZE               100
#define COPY_BYTES                (64 * 1024) /* the unix VFS takes less than 128 KiB at once */
#define STRUCTURE_CHECK_MAX_BYTES (8 * 1024 * 1024)

static const char create_file_sql[] = "PRAGMA page_size=4096;"
				      "PRAGMA auto_vacuum=INCREMENTAL;"
				      "PRAGMA synchronous=FULL;"
				      "PRAGMA application_id=" TEXT(APPLICATION_ID) ";";

/* Step i takes the schema from version i to i + 1, in one transaction with user_version. */
static const char *const migrations[STORE_SCHEMA_VERSION] = {
	"CREATE TABLE resource(id INTEGER PRIMARY KEY, \"group\" TEXT NOT NULL, plural TEXT NOT NULL,"
	" horizon INTEGER NOT NULL DEFAULT 0, UNIQUE(\"group\", plural));"
	"CREATE TABLE log(revision INTEGER PRIMARY KEY, resource INTEGER NOT NULL, kind INTEGER NOT NULL,"
	" previous INTEGER NOT NULL, time INTEGER NOT NULL, checksum INTEGER NOT NULL, key TEXT NOT NULL,"
	" value BLOB NOT NULL)",
};

int sqlite_error(struct err *err, sqlite3 *db, int code, const char *what)
{
	int extended = db ? sqlite3_extended_errcode(db) : code;
	int system = db ? sqlite3_system_errno(db) : 0;
	const char *text = db ? sqlite3_errmsg(db) : sqlite3_errstr(code);

	switch (code & 0xff) {
	case SQLITE_FULL:
		return err_set_errno(err, ENOSPC, "%s", what);
	case SQLITE_READONLY:
		return err_set_errno(err, EROFS, "%s", what);
	case SQLITE_IOERR:
		if (extended == SQLITE_IOERR_SHORT_READ)
			return err_set(err, ERR_CORRUPT, "%s: the file is cut short", what);
		return err_set_errno(err, system ? system : EIO, "%s", what);
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return err_set_errno(err, system ? system : EACCES, "%s", what);
	case SQLITE_NOMEM:
		return err_set_errno(err, ENOMEM, "%s", what);
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return err_set_errno(err, EBUSY, "%s: another program has the file open", what);
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_SCHEMA:
	case SQLITE_ERROR: /* our statements are right: a table or column is missing */
		return err_set(err, ERR_CORRUPT, "%s: %s", what, text);
	default:
		return err_set(err, ERR_INTERNAL, "%s: %s", what, text);
	}
}

int sqlite_add_advice(struct err *err, const struct sqlite_store *store)
{
	if (err && err->kind == ERR_CORRUPT) {
		CLEANUP(mem_freep) char *damage = mem_dup(err->msg);

		err_set(err, ERR_CORRUPT,
			"%s is damaged (%s); nothing was changed. Put a backup in its place, or move it and "
			"%s away "
			"to start with an empty cluster",
			store->path, damage, store->wal_path);
	}
	return -1;
}

/* What to do about a disk that gives ERRNUM. */
static const char *disk_advice(int errnum)
{
	switch (errnum) {
	case ENOSPC:
	case EDQUOT:
		return "free space there, then writes work again";
	case EROFS:
	case EACCES:
	case EPERM:
		return "make it writable, then writes work again";
	case ENOMEM:
		return "try again";
	default:
		return "try again; if it stays, look for errors of the disk in the kernel's log";
	}
}

int sqlite_add_commit_advice(struct err *err, const struct sqlite_store *store)
{
	CLEANUP(mem_freep) char *failure = NULL;

	if (!err)
		return -1;
	failure = mem_dup(err->msg);
	if (store->base.in_doubt)
		return err_set(err, ERR_SERVICE_UNAVAILABLE,
			       "store %s: %s; whether the change is stored is not known until the server was "
			       "started again and has read the disk",
			       store->path, failure);
	if (err->kind != ERR_SYSTEM)
		return err_wrap(err, "store %s: nothing was stored", store->path);
	/* errnum stays for whoever looks at it. */
	snprintf(err->msg, sizeof(err->msg), "store %s: %s; nothing was stored: %s", store->path, failure,
		 disk_advice(err->errnum));
	return -1;
}

int sqlite_number(sqlite3 *db, const char *sql, int64_t *ret, struct err *err)
{
	sqlite3_stmt *statement = NULL;
	int code = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
	int result = 0;

	if (code == SQLITE_OK)
		code = sqlite3_step(statement);
	if (code == SQLITE_ROW)
		*ret = sqlite3_column_int64(statement, 0);
	else
		result = sqlite_error(err, db, code, sql);
	sqlite3_finalize(statement);
	return result;
}

uint64_t sqlite_file_size(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
}

static int take_lock(struct sqlite_store *store, struct err *err)
{
	CLEANUP(mem_freep) char *path = mem_printf("%s/lock", store->dir);
	char text[32] = "";

	store->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (store->lock_fd < 0)
		return err_set_errno(err, errno, "data folder %s: cannot open %s for writing", store->dir,
				     path);
	if (flock(store->lock_fd, LOCK_EX | LOCK_NB) < 0) {
		int error = errno;
		ssize_t n = pread(store->lock_fd, text, sizeof(text) - 1, 0);

		if (error != EWOULDBLOCK)
			return err_set_errno(err, error, "data folder %s: cannot lock %s", store->dir, path);
		text[n > 0 ? n : 0] = '\0';
		text[strcspn(text, "\n")] = '\0';
		return err_set(err, ERR_CONFLICT, "data folder %s is in use by process %s", store->dir,
			       *text ? text : "(unknown)");
	}
	/* Who holds it is a courtesy: a full disk may leave it unsaid. */
	snprintf(text, sizeof(text), "%ld\n", (long)getpid());
	if (ftruncate(store->lock_fd, 0) < 0 || pwrite(store->lock_fd, text, strlen(text), 0) < 0)
		errno = 0;
	return 0;
}

int sqlite_connect(const char *path, sqlite3 **ret, struct err *err)
{
	sqlite3 *db = NULL;
	int code = sqlite3_open_v2(
	    path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, gathering_vfs());

	if (code != SQLITE_OK) {
		sqlite_error(err, db, code, path);
		sqlite3_close(db);
		return -1;
	}
	sqlite3_extended_result_codes(db, 1);
	*ret = db;
	return 0;
}

static int execute(sqlite3 *db, const char *sql, const char *what, struct err *err)
{
	int code = sqlite3_exec(db, sql, NULL, NULL, NULL);

	return code == SQLITE_OK ? 0 : sqlite_error(err, db, code, what);
}

static int sync_folder(const char *dir, struct err *err)
{
	CLEANUP(mem_closep) int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) < 0)
		return err_set_errno(err, errno, "data folder %s", dir);
	return 0;
}

static int migrate(sqlite3 *db, int64_t version, struct err *err)
{
	for (; version < STORE_SCHEMA_VERSION; version++) {
		CLEANUP(mem_freep)
		char *sql = mem_printf("BEGIN; %s; PRAGMA user_version=%lld; COMMIT", migrations[version],
				       (long long)version + 1);

		if (execute(db, sql, "migrating the schema", err) < 0)
			return -1;
	}
	return 0;
}

/* A new file gets its name only when it is whole, so a file of that name is never half made. */
static int create_file(const struct sqlite_store *store, struct err *err)
{
	CLEANUP(mem_freep) char *new_path = mem_printf("%s.new", store->path);
	CLEANUP(mem_freep) char *journal = mem_printf("%s-journal", new_path);
	sqlite3 *db = NULL;
	int result;

	if (sqlite_file_size(store->wal_path))
		return err_set(err, ERR_CORRUPT, "the file is gone, only its log is there");
	unlink(new_path);
	unlink(journal);
	if (sqlite_connect(new_path, &db, err) < 0)
		return -1;
	result = execute(db, create_file_sql, new_path, err);
	if (result == 0)
		result = migrate(db, 0, err);
	sqlite3_close(db);
	if (result == 0 && chmod(new_path, 0600) < 0)
		result = err_set_errno(err, errno, "%s", new_path);
	if (result == 0 && rename(new_path, store->path) < 0)
		result = err_set_errno(err, errno, "renaming %s", new_path);
	if (result < 0) {
		unlink(new_path);
		unlink(journal);
		return err_wrap(err, "making %s", store->path);
	}
	return 0;
}

/* Looks at the file before SQLite does: an empty file would be a new database to it. */
static int check_header(const struct sqlite_store *store, struct err *err)
{
	CLEANUP(mem_closep) int fd = open(store->path, O_RDONLY | O_CLOEXEC);
	char header[HEADER_SIZE];
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set_errno(err, errno, "%s", store->path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_CORRUPT, "it is not a file");
	if (pread(fd, header, sizeof(header), 0) != HEADER_SIZE)
		return err_set(err, ERR_CORRUPT, "the file is cut short");
	if (memcmp(header, "SQLite format 3", 16) != 0)
		return err_set(err, ERR_CORRUPT, "it is not an SQLite database");
	return 0;
}

/* Reads all of FILE, to know whether it can be. */
static int read_through(sqlite3_file *file, struct err *err)
{
	CLEANUP(mem_freep) char *chunk = mem_alloc(COPY_BYTES);
	sqlite3_int64 size = 0;
	int code = file->pMethods ? file->pMethods->xFileSize(file, &size) : SQLITE_OK;

	for (sqlite3_int64 at = 0; at < size && code == SQLITE_OK; at += COPY_BYTES)
		code = file->pMethods->xRead(file, chunk,
					     size - at < COPY_BYTES ? (int)(size - at) : COPY_BYTES, at);
	return code == SQLITE_OK ? 0 : sqlite_error(err, NULL, code, "reading the file");
}

static int check_readable(sqlite3 *db, struct err *err)
{
	static const int files[] = { SQLITE_FCNTL_FILE_POINTER, SQLITE_FCNTL_JOURNAL_POINTER };

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		sqlite3_file *file = NULL;

		if (sqlite3_file_control(db, "main", files[i], &file) == SQLITE_OK && file &&
		    read_through(file, err) < 0)
			return -1;
	}
	return 0;
}

/* *RET is empty, or what is wrong. */
static int quick_check(sqlite3 *db, struct buf *ret, struct err *err)
{
	sqlite3_stmt *statement = NULL;
	int code = sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &statement, NULL);
	const char *text = NULL;
	int result = 0;

	if (code == SQLITE_OK)
		code = sqlite3_step(statement);
	if (code == SQLITE_ROW)
		text = (const char *)sqlite3_column_text(statement, 0);
	if (!text)
		result = sqlite_error(err, db, code == SQLITE_ROW ? SQLITE_NOMEM : code, "checking the file");
	else if (strcmp(text, "ok") != 0)
		buf_str(ret, text);
	sqlite3_finalize(statement);
	return result;
}

/* Rows carry checksums and are all read at the load; what SQLite keeps beside them (free pages, the pointer
 * map) is only checked by itself. That reads the whole file, so it is left out where it would be felt at
 * every start. */
static int check_structure(const struct sqlite_store *store, struct err *err)
{
	CLEANUP(buf_close) struct buf wrong = BUF_INIT;

	if (sqlite_file_size(store->path) > STRUCTURE_CHECK_MAX_BYTES)
		return 0;
	if (quick_check(store->db, &wrong, err) < 0)
		return -1;
	if (!wrong.len)
		return 0;
	/* It calls a page damaged that it could not read: only what it says of a file that can be read
	 * counts. */
	if (check_readable(store->db, err) < 0)
		return -1;
	buf_reset(&wrong);
	if (quick_check(store->db, &wrong, err) < 0)
		return -1;
	return wrong.len ? err_set(err, ERR_CORRUPT, "%s", wrong.data) : 0;
}

static int check_version(struct sqlite_store *store, struct err *err)
{
	int64_t application, version;

	if (execute(store->db, "SELECT count(*) FROM sqlite_schema", "schema", err) < 0)
		return -1;
	if (sqlite_number(store->db, "PRAGMA application_id", &application, err) < 0 ||
	    sqlite_number(store->db, "PRAGMA user_version", &version, err) < 0)
		return -1;
	if (application != APPLICATION_ID || version < 1)
		return err_set(err, ERR_CORRUPT, "it is a database of another program");
	if (version > STORE_SCHEMA_VERSION)
		return err_set(
		    err, ERR_INVALID,
		    "%s was written by a newer knarr (schema %lld, this one knows %d); nothing was changed. "
		    "Use that version, or put a backup of the older one in its place",
		    store->path, (long long)version, STORE_SCHEMA_VERSION);
	return migrate(store->db, version, err);
}

/* Writes the log that a crash left to the disk once more, as it is read from the file, and syncs it. A
 * process that ended because an fsync failed left pages that the kernel holds for clean and the disk does not
 * have: the next fsync alone would not bring them there. */
static int secure_log(struct sqlite_store *store, struct err *err)
{
	CLEANUP(mem_freep) char *chunk = NULL;
	sqlite3_file *log = NULL;
	sqlite3_int64 size = 0;
	int code = sqlite3_file_control(store->db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);

	if (code == SQLITE_OK && log && log->pMethods)
		code = log->pMethods->xFileSize(log, &size);
	if (code == SQLITE_OK && size > 0)
		chunk = mem_alloc(COPY_BYTES);
	for (sqlite3_int64 at = 0; at < size && code == SQLITE_OK; at += COPY_BYTES) {
		int n = size - at < COPY_BYTES ? (int)(size - at) : COPY_BYTES;

		code = log->pMethods->xRead(log, chunk, n, at);
		if (code == SQLITE_OK)
			code = log->pMethods->xWrite(log, chunk, n, at);
	}
	if (code == SQLITE_OK && size > 0)
		code = log->pMethods->xSync(log, SQLITE_SYNC_NORMAL);
	if (code == SQLITE_OK)
		return 0;
	sqlite_error(err, NULL, code, store->wal_path);
	return err_wrap(
	    err, "what the last run left in its log cannot be written to the disk, so it is not served");
}

int sqlite_file_open(struct sqlite_store *store, struct err *err)
{
	if (take_lock(store, err) < 0)
		return -1;
	if (access(store->path, F_OK) < 0 && errno == ENOENT && create_file(store, err) < 0)
		return -1;
	if (check_header(store, err) < 0 || sqlite_connect(store->path, &store->db, err) < 0)
		return -1;
	if (sqlite3_db_readonly(store->db, "main"))
		return err_set_errno(err, access(store->path, W_OK) < 0 ? errno : EROFS,
				     "%s cannot be written", store->path);
	/* Until the load has found the file sound nothing may move from the log file into it. */
	sqlite3_db_config(store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	if (check_structure(store, err) < 0 || check_version(store, err) < 0)
		return -1;
	if (execute(store->db,
		    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0;"
		    "PRAGMA journal_size_limit=16777216; PRAGMA cache_size=-1024",
		    "opening", err) < 0)
		return -1;
	if (secure_log(store, err) < 0)
		return -1;
	/* The names of new files too: SQLite does not tell when that failed. */
	return sync_folder(store->dir, err);
}
