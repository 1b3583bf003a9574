#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "apiserver/store/gathering_vfs.h"
#include "lib/buf.h"

/* The VFS below: a file in memory that tells what is done to it, "w32+24" for 24 bytes written at 32. */
static struct buf told;
static char disk[512 * 1024];
static sqlite3_int64 size, fits; /* bytes; fits: more is refused */
static bool writes_fail, reads_fail;

static int below_close(sqlite3_file *file)
{
	(void)file;
	buf_str(&told, "close ");
	return SQLITE_OK;
}

static int below_read(sqlite3_file *file, void *data, int len, sqlite3_int64 at)
{
	(void)file;
	memcpy(data, disk + at, (size_t)len);
	buf_printf(&told, "r%lld+%d ", (long long)at, len);
	return reads_fail ? SQLITE_IOERR_READ : SQLITE_OK;
}

static int below_write(sqlite3_file *file, const void *data, int len, sqlite3_int64 at)
{
	(void)file;
	buf_printf(&told, "w%lld+%d ", (long long)at, len);
	if (writes_fail || at + len > fits)
		return SQLITE_FULL;
	memcpy(disk + at, data, (size_t)len);
	size = at + len > size ? at + len : size;
	return SQLITE_OK;
}

static int below_truncate(sqlite3_file *file, sqlite3_int64 new_size)
{
	(void)file;
	buf_printf(&told, "t%lld ", (long long)new_size);
	size = new_size;
	return SQLITE_OK;
}

static int below_sync(sqlite3_file *file, int flags)
{
	(void)file;
	(void)flags;
	buf_str(&told, "sync ");
	return SQLITE_OK;
}

static int below_file_size(sqlite3_file *file, sqlite3_int64 *ret)
{
	(void)file;
	*ret = size;
	buf_str(&told, "size ");
	return SQLITE_OK;
}

static const sqlite3_io_methods below_methods = {
	.iVersion = 1,
	.xClose = below_close,
	.xRead = below_read,
	.xWrite = below_write,
	.xTruncate = below_truncate,
	.xSync = below_sync,
	.xFileSize = below_file_size,
};

static int below_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags, int *ret_flags)
{
	(void)vfs;
	(void)path;
	(void)flags;
	(void)ret_flags;
	file->pMethods = &below_methods;
	return SQLITE_OK;
}

/* --- a file --- */

static sqlite3_file *open_file(int flags)
{
	sqlite3_vfs *vfs = sqlite3_vfs_find(gathering_vfs());
	sqlite3_file *file = mem_zalloc((size_t)vfs->szOsFile);

	assert_int_equal(vfs->xOpen(vfs, "/file", file, flags, NULL), SQLITE_OK);
	return file;
}

static void close_file(sqlite3_file *file)
{
	assert_int_equal(file->pMethods->xClose(file), SQLITE_OK);
	free(file);
}

static int write_at(sqlite3_file *file, sqlite3_int64 at, int len, char what)
{
	CLEANUP(mem_freep) char *data = mem_alloc((size_t)len);

	memset(data, what, (size_t)len);
	return file->pMethods->xWrite(file, data, len, at);
}

static void assert_told(const char *expected)
{
	assert_string_equal(told.data ? told.data : "", expected);
	buf_reset(&told);
	buf_str(&told, "");
}

static int setup(void **state)
{
	(void)state;
	memset(disk, 0, sizeof(disk));
	buf_reset(&told);
	writes_fail = reads_fail = false;
	size = fits = sizeof(disk); /* long enough for what is written */
	return 0;
}

/* --- tests --- */

static void test_one_piece(void **state)
{
	(void)state;
	sqlite3_file *file = open_file(SQLITE_OPEN_WAL);
	sqlite3_int64 at = 32;

	assert_int_equal(write_at(file, 0, 32, 'h'), SQLITE_OK);
	for (char page = 'a'; page < 'f'; page++, at += 24 + 4096) {
		assert_int_equal(write_at(file, at, 24, page), SQLITE_OK);
		assert_int_equal(write_at(file, at + 24, 4096, page), SQLITE_OK);
	}
	assert_told("");
	assert_int_equal(file->pMethods->xSync(file, SQLITE_SYNC_FULL), SQLITE_OK);
	assert_told("w0+20632 size sync ");
	assert_int_equal(disk[31], 'h');
	for (int i = 0; i < 5; i++) {
		assert_int_equal(disk[32 + i * 4120], 'a' + i);
		assert_int_equal(disk[32 + i * 4120 + 4119], 'a' + i);
	}
	assert_int_equal(disk[20632], 0);
	close_file(file);
	assert_told("close ");
}

static void test_order(void **state)
{
	(void)state;
	sqlite3_file *file = open_file(SQLITE_OPEN_WAL);
	char data[10];
	sqlite3_int64 told_size;

	/* Elsewhere, and over what waits. */
	write_at(file, 100, 10, 'a');
	write_at(file, 50, 10, 'b');
	assert_told("w100+10 size ");
	write_at(file, 55, 10, 'c');
	assert_told("w50+10 ");
	/* A read beside it and within it. */
	file->pMethods->xRead(file, data, 10, 65);
	assert_told("r65+10 ");
	file->pMethods->xRead(file, data, 10, 46);
	assert_told("w55+10 r46+10 ");
	assert_memory_equal(data, "\0\0\0\0bbbbbc", 10);
	write_at(file, 65, 10, 'd');
	file->pMethods->xFileSize(file, &told_size);
	assert_told("w65+10 size ");
	write_at(file, 75, 10, 'e');
	file->pMethods->xTruncate(file, 1000);
	assert_told("w75+10 t1000 ");
	write_at(file, 80, 10, 'f');
	close_file(file);
	assert_told("w80+10 size close ");
}

/* What does not fit lets go of what waits; what would never fit does not wait. */
static void test_limit(void **state)
{
	(void)state;
	sqlite3_file *file = open_file(SQLITE_OPEN_WAL);

	write_at(file, 0, 100000, 'a');
	write_at(file, 100000, 100000, 'b');
	assert_told("w0+100000 size ");
	write_at(file, 200000, 200000, 'c');
	assert_told("w100000+100000 w200000+200000 ");
	close_file(file);
	assert_told("close ");
	assert_int_equal(disk[199999], 'b');
	assert_int_equal(disk[399999], 'c');
}

/* The error is told once, by what made the bytes go; they do not come back. */
static void test_failure(void **state)
{
	(void)state;
	sqlite3_file *file = open_file(SQLITE_OPEN_WAL);

	writes_fail = true;
	assert_int_equal(write_at(file, 0, 10, 'a'), SQLITE_OK);
	assert_int_equal(file->pMethods->xSync(file, SQLITE_SYNC_FULL), SQLITE_FULL);
	assert_told("w0+10 r0+10 ");
	assert_int_equal(write_at(file, 0, 10, 'a'), SQLITE_OK);
	assert_int_equal(write_at(file, 100, 10, 'b'), SQLITE_FULL);
	assert_told("w0+10 r0+10 ");
	writes_fail = false;
	assert_int_equal(file->pMethods->xSync(file, SQLITE_SYNC_FULL), SQLITE_OK);
	assert_told("sync ");
	close_file(file);
}

/* A write that failed, after which the file has all of it or could have. */
static void test_failure_in_doubt(void **state)
{
	(void)state;
	sqlite3_file *file = open_file(SQLITE_OPEN_WAL);

	memset(disk, 'a', 5000);
	writes_fail = true;
	write_at(file, 0, 5000, 'a');
	assert_int_equal(file->pMethods->xSync(file, SQLITE_SYNC_FULL), SQLITE_IOERR);
	assert_told("w0+5000 r0+4096 r4096+904 ");
	disk[4999] = 'b';
	write_at(file, 0, 5000, 'a');
	assert_int_equal(file->pMethods->xSync(file, SQLITE_SYNC_FULL), SQLITE_FULL);
	reads_fail = true;
	write_at(file, 0, 5000, 'a');
	assert_int_equal(file->pMethods->xSync(file, SQLITE_SYNC_FULL), SQLITE_IOERR);
	close_file(file);
}

/* A file that becomes longer does so by steps, with zeros behind what was written. */
static void test_steps(void **state)
{
	(void)state;
	sqlite3_file *file = open_file(SQLITE_OPEN_WAL);

	memset(disk, 'x', sizeof(disk));
	size = 0;
	write_at(file, 0, 100000, 'a');
	file->pMethods->xSync(file, SQLITE_SYNC_FULL);
	assert_told("w0+100000 size w100000+65536 w165536+65536 w231072+31072 sync ");
	assert_int_equal(size, 256 * 1024);
	assert_int_equal(disk[99999], 'a');
	assert_int_equal(disk[100000], 0);
	assert_int_equal(disk[size - 1], 0);
	write_at(file, 100000, 100000, 'b');
	file->pMethods->xSync(file, SQLITE_SYNC_FULL);
	assert_told("w100000+100000 sync ");
	/* The disk is full: no zeros, and what is written counts. */
	file->pMethods->xTruncate(file, 0);
	fits = 100000;
	write_at(file, 0, 100000, 'c');
	assert_int_equal(file->pMethods->xSync(file, SQLITE_SYNC_FULL), SQLITE_OK);
	assert_int_equal(size, 100000);
	close_file(file);
}

static void test_other_files(void **state)
{
	(void)state;
	sqlite3_file *file = open_file(SQLITE_OPEN_MAIN_DB);

	write_at(file, 0, 10, 'a');
	assert_told("w0+10 ");
	close_file(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_one_piece, setup),
		cmocka_unit_test_setup(test_order, setup),
		cmocka_unit_test_setup(test_limit, setup),
		cmocka_unit_test_setup(test_failure, setup),
		cmocka_unit_test_setup(test_failure_in_doubt, setup),
		cmocka_unit_test_setup(test_steps, setup),
		cmocka_unit_test_setup(test_other_files, setup),
	};
	static sqlite3_vfs below;

	below = *sqlite3_vfs_find(NULL);
	below.zName = "below";
	below.szOsFile = (int)sizeof(sqlite3_file);
	below.xOpen = below_open;
	below.pNext = NULL;
	if (sqlite3_vfs_register(&below, 1) != SQLITE_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
