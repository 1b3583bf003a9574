#include "tests/faults/faulty_disk.h"

#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "tests/faults/disk_image.h"

struct faulty_file {
	sqlite3_file base;
	struct disk_image *image; /* NULL: a temporary file */
				  /* The unix VFS' file follows. */
};

static sqlite3_vfs *below;
static sqlite3_mem_methods memory;
/* Recursive: SQLite allocates within calls of the VFS. */
static pthread_mutex_t lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static struct disk_fault fault;
static bool armed, hit;
static unsigned count;
static unsigned long faults;
static int last_errno;

static sqlite3_file *real(sqlite3_file *file)
{
	return (sqlite3_file *)((struct faulty_file *)file + 1);
}

static struct disk_image *image_of(sqlite3_file *file)
{
	return ((struct faulty_file *)file)->image;
}

/* Whether this call is one that fails. */
static bool fails(enum disk_call call, int errnum)
{
	bool yes;

	pthread_mutex_lock(&lock);
	yes = armed && hit && fault.kind == DISK_DEAD && (call & DISK_CHANGES);
	if (!yes && armed && (fault.calls & call) && !(hit && fault.kind == DISK_ONCE))
		yes = ++count == fault.nth || hit;
	if (yes) {
		hit = true;
		faults++;
		last_errno = errnum;
	}
	pthread_mutex_unlock(&lock);
	return yes;
}

/* --- files --- */

static int faulty_close(sqlite3_file *file)
{
	return real(file)->pMethods->xClose(real(file));
}

static int faulty_read(sqlite3_file *file, void *data, int len, sqlite3_int64 at)
{
	if (fails(DISK_READ, EIO))
		return SQLITE_IOERR_READ;
	return real(file)->pMethods->xRead(real(file), data, len, at);
}

static int write_through(sqlite3_file *file, const void *data, int len, sqlite3_int64 at)
{
	int code = real(file)->pMethods->xWrite(real(file), data, len, at);

	if (code == SQLITE_OK && image_of(file))
		disk_image_write(image_of(file), data, (size_t)len, at);
	return code;
}

static int faulty_write(sqlite3_file *file, const void *data, int len, sqlite3_int64 at)
{
	bool was_dead = armed && hit && fault.kind == DISK_DEAD;
	int code, part;

	pthread_mutex_lock(&lock);
	if (!fails(DISK_WRITE, fault.full ? ENOSPC : EIO)) {
		code = write_through(file, data, len, at);
	} else {
		part = (int)disk_image_random((uint32_t)len);
		if (!was_dead && part > 0 && disk_image_random(2))
			write_through(file, data, part, at);
		code = fault.full ? SQLITE_FULL : SQLITE_IOERR_WRITE;
	}
	pthread_mutex_unlock(&lock);
	return code;
}

static int faulty_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	int code;

	pthread_mutex_lock(&lock);
	code = fails(DISK_TRUNCATE, EIO) ? SQLITE_IOERR_TRUNCATE
					 : real(file)->pMethods->xTruncate(real(file), size);
	if (code == SQLITE_OK && image_of(file))
		disk_image_truncate(image_of(file), size);
	pthread_mutex_unlock(&lock);
	return code;
}

/* The cache dropped this page: reads see what the disk has. */
static void show(const void *page, size_t len, int64_t at, void *arg)
{
	sqlite3_file *file = arg;
	sqlite3_int64 size = 0;

	real(file)->pMethods->xFileSize(real(file), &size);
	if (at < size)
		real(file)->pMethods->xWrite(real(file), page,
					     size - at < (int64_t)len ? (int)(size - at) : (int)len, at);
}

static int faulty_sync(sqlite3_file *file, int flags)
{
	bool was_dead = armed && hit && fault.kind == DISK_DEAD;
	int code = SQLITE_OK;

	(void)flags;
	pthread_mutex_lock(&lock);
	if (fails(DISK_SYNC, EIO)) {
		code = SQLITE_IOERR_FSYNC;
		if (image_of(file) && !was_dead && fault.kind != DISK_DEAD)
			disk_image_sync_failed(image_of(file), show, file);
	} else if (image_of(file)) {
		disk_image_sync(image_of(file));
	}
	pthread_mutex_unlock(&lock);
	return code;
}

static int faulty_file_size(sqlite3_file *file, sqlite3_int64 *ret)
{
	return fails(DISK_STAT, EIO) ? SQLITE_IOERR_FSTAT : real(file)->pMethods->xFileSize(real(file), ret);
}

static int faulty_lock(sqlite3_file *file, int level)
{
	return fails(DISK_LOCK, EIO) ? SQLITE_IOERR_LOCK : real(file)->pMethods->xLock(real(file), level);
}

static int faulty_unlock(sqlite3_file *file, int level)
{
	return real(file)->pMethods->xUnlock(real(file), level);
}

static int faulty_check_lock(sqlite3_file *file, int *ret)
{
	return real(file)->pMethods->xCheckReservedLock(real(file), ret);
}

static int faulty_control(sqlite3_file *file, int op, void *arg)
{
	return real(file)->pMethods->xFileControl(real(file), op, arg);
}

static int faulty_sector_size(sqlite3_file *file)
{
	return real(file)->pMethods->xSectorSize(real(file));
}

static int faulty_characteristics(sqlite3_file *file)
{
	return real(file)->pMethods->xDeviceCharacteristics(real(file));
}

static int faulty_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **ret)
{
	if (fails(DISK_SHARED, ENOMEM)) {
		*ret = NULL;
		return SQLITE_IOERR_SHMMAP;
	}
	return real(file)->pMethods->xShmMap(real(file), page, size, extend, ret);
}

static int faulty_shm_lock(sqlite3_file *file, int offset, int n, int flags)
{
	if ((flags & SQLITE_SHM_LOCK) && fails(DISK_SHARED_LOCK, EAGAIN))
		return SQLITE_BUSY;
	return real(file)->pMethods->xShmLock(real(file), offset, n, flags);
}

static void faulty_shm_barrier(sqlite3_file *file)
{
	real(file)->pMethods->xShmBarrier(real(file));
}

static int faulty_shm_unmap(sqlite3_file *file, int remove)
{
	return real(file)->pMethods->xShmUnmap(real(file), remove);
}

static const sqlite3_io_methods methods = {
	.iVersion = 2, /* no memory mapping: it would go past us */
	.xClose = faulty_close,
	.xRead = faulty_read,
	.xWrite = faulty_write,
	.xTruncate = faulty_truncate,
	.xSync = faulty_sync,
	.xFileSize = faulty_file_size,
	.xLock = faulty_lock,
	.xUnlock = faulty_unlock,
	.xCheckReservedLock = faulty_check_lock,
	.xFileControl = faulty_control,
	.xSectorSize = faulty_sector_size,
	.xDeviceCharacteristics = faulty_characteristics,
	.xShmMap = faulty_shm_map,
	.xShmLock = faulty_shm_lock,
	.xShmBarrier = faulty_shm_barrier,
	.xShmUnmap = faulty_shm_unmap,
};

/* --- the VFS --- */

static int faulty_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags, int *ret_flags)
{
	struct faulty_file *faulty = (struct faulty_file *)file;
	int code;

	(void)vfs;
	*faulty = (struct faulty_file){ 0 };
	pthread_mutex_lock(&lock);
	code = fails(DISK_OPEN, EMFILE) ? SQLITE_CANTOPEN
					: below->xOpen(below, path, real(file), flags, ret_flags);
	if (code == SQLITE_OK) {
		faulty->base.pMethods = &methods;
		if (path && (flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL)))
			faulty->image = disk_image_of(path);
	}
	pthread_mutex_unlock(&lock);
	return code;
}

static int faulty_remove(sqlite3_vfs *vfs, const char *path, int sync_folder)
{
	int code, there = 0;

	(void)vfs;
	pthread_mutex_lock(&lock);
	below->xAccess(below, path, SQLITE_ACCESS_EXISTS, &there);
	if (fails(DISK_REMOVE, EIO)) {
		code = SQLITE_IOERR_DELETE;
	} else {
		if (there)
			disk_image_removed(path);
		code = below->xDelete(below, path, sync_folder);
	}
	pthread_mutex_unlock(&lock);
	return code;
}

static int faulty_access(sqlite3_vfs *vfs, const char *path, int flags, int *ret)
{
	(void)vfs;
	return fails(DISK_STAT, EIO) ? SQLITE_IOERR_ACCESS : below->xAccess(below, path, flags, ret);
}

static int faulty_last_error(sqlite3_vfs *vfs, int len, char *text)
{
	(void)vfs;
	(void)len;
	(void)text;
	return last_errno ? last_errno : below->xGetLastError(below, len, text);
}

/* --- memory --- */

static void *faulty_malloc(int size)
{
	return fails(DISK_MEMORY, ENOMEM) ? NULL : memory.xMalloc(size);
}

static void *faulty_realloc(void *p, int size)
{
	return fails(DISK_MEMORY, ENOMEM) ? NULL : memory.xRealloc(p, size);
}

/* --- using it --- */

void faulty_disk_install(void)
{
	static sqlite3_vfs vfs;
	sqlite3_mem_methods faulty;

	sqlite3_config(SQLITE_CONFIG_GETMALLOC, &memory);
	faulty = memory;
	faulty.xMalloc = faulty_malloc;
	faulty.xRealloc = faulty_realloc;
	sqlite3_config(SQLITE_CONFIG_MALLOC, &faulty);
	below = sqlite3_vfs_find(NULL);
	vfs = *below;
	vfs.zName = "faulty";
	vfs.szOsFile = (int)sizeof(struct faulty_file) + below->szOsFile;
	vfs.pNext = NULL;
	vfs.xOpen = faulty_open;
	vfs.xDelete = faulty_remove;
	vfs.xAccess = faulty_access;
	vfs.xGetLastError = faulty_last_error;
	if (sqlite3_vfs_register(&vfs, 1) != SQLITE_OK)
		abort();
}

void faulty_disk_arm(const struct disk_fault *new_fault)
{
	pthread_mutex_lock(&lock);
	fault = *new_fault;
	disk_image_seed(fault.seed);
	armed = true;
	hit = false;
	count = 0;
	last_errno = 0;
	pthread_mutex_unlock(&lock);
}

bool faulty_disk_heal(void)
{
	bool happened;

	pthread_mutex_lock(&lock);
	happened = hit;
	armed = hit = false;
	last_errno = 0;
	pthread_mutex_unlock(&lock);
	return happened;
}

unsigned long faulty_disk_faults(void)
{
	return faults;
}
