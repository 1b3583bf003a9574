#include "apiserver/store/gathering_vfs.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#define GATHER_BYTES (120 * 1024) /* the unix VFS takes less than 128 KiB at once */
#define GROW_BYTES   (256 * 1024)
#define ZERO_BYTES   (64 * 1024)

struct log_file {
	sqlite3_file base;
	char *bytes; /* GATHER_BYTES; NULL until something is written */
	int len;
	sqlite3_int64 at;   /* where bytes[0] belongs */
	sqlite3_int64 size; /* the file has this much at least */
			    /* The file of the VFS below follows. */
};

static sqlite3_vfs *below;
static const char *name; /* NULL: it is not registered */

static sqlite3_file *real(sqlite3_file *file)
{
	return (sqlite3_file *)((struct log_file *)file + 1);
}

/* --- the log --- */

/* Whether the file has DATA at AT, or could have. */
static bool may_hold(sqlite3_file *file, const char *data, int len, sqlite3_int64 at)
{
	char there[4096];

	for (int done = 0; done < len; done += (int)sizeof(there)) {
		int n = len - done < (int)sizeof(there) ? len - done : (int)sizeof(there);
		int code = real(file)->pMethods->xRead(real(file), there, n, at + done);

		if (code == SQLITE_IOERR_SHORT_READ)
			return false;
		if (code == SQLITE_OK && memcmp(there, data + done, (size_t)n) != 0)
			return false;
	}
	return true;
}

/* After what was written up to END: a file that became longer gets zeros, up to the next step. With the data
 * of a longer file the disk has to flush its length and where it lies, by itself: that would be each commit,
 * and so it is one in some. Of what fails here nothing is missed. */
static void grow(sqlite3_file *file, sqlite3_int64 end)
{
	static char zeros[ZERO_BYTES]; /* never written: it takes no memory */
	struct log_file *log = (struct log_file *)file;
	sqlite3_int64 step = (end / GROW_BYTES + 1) * GROW_BYTES;

	if (end <= log->size || real(file)->pMethods->xFileSize(real(file), &log->size) != SQLITE_OK)
		return;
	for (sqlite3_int64 at = end; log->size <= end && at < step; at += ZERO_BYTES)
		real(file)->pMethods->xWrite(real(file), zeros,
					     (int)(step - at < ZERO_BYTES ? step - at : ZERO_BYTES), at);
	if (log->size <= end)
		log->size = step;
}

/* Of a write that failed a part may be in the file, and the bytes after it may be as they should be: a log is
 * written over and over, and pages change little. */
static int write_below(sqlite3_file *file, const char *data, int len, sqlite3_int64 at)
{
	int code = real(file)->pMethods->xWrite(real(file), data, len, at);

	if (code == SQLITE_OK)
		grow(file, at + len);
	else if (may_hold(file, data, len, at))
		code = SQLITE_IOERR;
	return code;
}

static int let_go(sqlite3_file *file)
{
	struct log_file *log = (struct log_file *)file;
	int len = log->len;

	log->len = 0;
	return len ? write_below(file, log->bytes, len, log->at) : SQLITE_OK;
}

static int log_write(sqlite3_file *file, const void *data, int len, sqlite3_int64 at)
{
	struct log_file *log = (struct log_file *)file;
	int code;

	if (log->len && (at != log->at + log->len || len > GATHER_BYTES - log->len)) {
		code = let_go(file);
		if (code != SQLITE_OK)
			return code;
	}
	if (!log->bytes)
		log->bytes = sqlite3_malloc(GATHER_BYTES);
	if (!log->bytes || len > GATHER_BYTES)
		return write_below(file, data, len, at);
	if (!log->len)
		log->at = at;
	memcpy(log->bytes + log->len, data, (size_t)len);
	log->len += len;
	return SQLITE_OK;
}

static int log_read(sqlite3_file *file, void *data, int len, sqlite3_int64 at)
{
	const struct log_file *log = (const struct log_file *)file;
	bool gathered = at < log->at + log->len && log->at < at + len;
	int code = gathered ? let_go(file) : SQLITE_OK;

	return code == SQLITE_OK ? real(file)->pMethods->xRead(real(file), data, len, at) : code;
}

static int log_sync(sqlite3_file *file, int flags)
{
	int code = let_go(file);

	return code == SQLITE_OK ? real(file)->pMethods->xSync(real(file), flags) : code;
}

static int log_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	int code = let_go(file);

	((struct log_file *)file)->size = 0;
	return code == SQLITE_OK ? real(file)->pMethods->xTruncate(real(file), size) : code;
}

static int log_file_size(sqlite3_file *file, sqlite3_int64 *ret)
{
	int code = let_go(file);

	return code == SQLITE_OK ? real(file)->pMethods->xFileSize(real(file), ret) : code;
}

static int log_close(sqlite3_file *file)
{
	struct log_file *log = (struct log_file *)file;
	int gone = let_go(file), code = real(file)->pMethods->xClose(real(file));

	sqlite3_free(log->bytes);
	return code == SQLITE_OK ? gone : code;
}

static int log_lock(sqlite3_file *file, int level)
{
	return real(file)->pMethods->xLock(real(file), level);
}

static int log_unlock(sqlite3_file *file, int level)
{
	return real(file)->pMethods->xUnlock(real(file), level);
}

static int log_check_lock(sqlite3_file *file, int *ret)
{
	return real(file)->pMethods->xCheckReservedLock(real(file), ret);
}

static int log_control(sqlite3_file *file, int op, void *arg)
{
	return real(file)->pMethods->xFileControl(real(file), op, arg);
}

static int log_sector_size(sqlite3_file *file)
{
	return real(file)->pMethods->xSectorSize(real(file));
}

static int log_characteristics(sqlite3_file *file)
{
	return real(file)->pMethods->xDeviceCharacteristics(real(file));
}

/* Version 1: shared memory and mapped pages are the database's, never the log's. */
static const sqlite3_io_methods methods = {
	.iVersion = 1,
	.xClose = log_close,
	.xRead = log_read,
	.xWrite = log_write,
	.xTruncate = log_truncate,
	.xSync = log_sync,
	.xFileSize = log_file_size,
	.xLock = log_lock,
	.xUnlock = log_unlock,
	.xCheckReservedLock = log_check_lock,
	.xFileControl = log_control,
	.xSectorSize = log_sector_size,
	.xDeviceCharacteristics = log_characteristics,
};

void gathering_forget(sqlite3 *db)
{
	sqlite3_file *file = NULL;

	sqlite3_file_control(db, NULL, SQLITE_FCNTL_JOURNAL_POINTER, &file); /* of "main" */
	if (file && file->pMethods == &methods)
		((struct log_file *)file)->len = 0;
}

/* --- the VFS --- */

/* All files but logs are those of the VFS below. */
static int open_file(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags, int *ret_flags)
{
	struct log_file *log = (struct log_file *)file;
	int code;

	(void)vfs;
	if (!(flags & SQLITE_OPEN_WAL))
		return below->xOpen(below, path, file, flags, ret_flags);
	*log = (struct log_file){ 0 };
	code = below->xOpen(below, path, real(file), flags, ret_flags);
	if (code == SQLITE_OK)
		log->base.pMethods = &methods;
	else if (real(file)->pMethods)
		real(file)->pMethods->xClose(real(file));
	return code;
}

static void install(void)
{
	static sqlite3_vfs vfs;

	below = sqlite3_vfs_find(NULL);
	if (!below)
		return;
	/* Its other functions do as well for this one: they look at nothing of the VFS but pAppData. */
	vfs = *below;
	vfs.zName = "gathering";
	vfs.szOsFile = (int)sizeof(struct log_file) + below->szOsFile;
	vfs.pNext = NULL;
	vfs.xOpen = open_file;
	if (sqlite3_vfs_register(&vfs, 0) == SQLITE_OK)
		name = vfs.zName;
}

const char *gathering_vfs(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, install);
	return name;
}
