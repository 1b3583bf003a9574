/* Preloaded into a program: kills it with SIGKILL at one of the calls by which it changes its database's
 * files.
 *
 *     KILL_AT_CALL   which one, counted from 1 over all threads since the start
 *     KILL_AT_WHEN   before; after; or half, when half of what a write is to write is written
 *
 * The calls are those by which SQLite and the apiserver change files, on descriptors and paths whose file is
 * named store.db or begins so (its log, the journal of its creation). Which call it was goes to stderr.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PATH_SIZE 512

enum when { BEFORE, HALF, AFTER };

static atomic_long calls;
static long fatal_call;
static enum when fatal_when;
static const char *fatal_file;
static _Thread_local char file[PATH_SIZE]; /* that the call is about */

__attribute__((constructor)) static void read_settings(void)
{
	const char *call = getenv("KILL_AT_CALL"), *when = getenv("KILL_AT_WHEN");

	fatal_call = call ? atol(call) : 0;
	fatal_file = getenv("KILL_AT_FILE");
	fatal_when = !when ? BEFORE : !strcmp(when, "half") ? HALF : !strcmp(when, "after") ? AFTER : BEFORE;
}

static int is_database(const char *path)
{
	const char *slash = strrchr(path, '/');

	snprintf(file, sizeof(file), "%s", slash ? slash + 1 : path);
	return fatal_file ? strcmp(file, fatal_file) == 0 : strncmp(file, "store.db", 8) == 0;
}

static int is_database_fd(int fd)
{
	char link[64], path[PATH_SIZE];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = syscall(SYS_readlinkat, AT_FDCWD, link, path, sizeof(path) - 1);
	if (n <= 0)
		return 0;
	path[n] = '\0';
	return is_database(path);
}

static void die(const char *what)
{
	static const char *const names[] = { "before", "half-way through", "after" };
	char text[PATH_SIZE + 128];
	int n = snprintf(text, sizeof(text), "killed %s call %ld: %s of %s\n", names[fatal_when], fatal_call,
			 what, file);

	syscall(SYS_write, STDERR_FILENO, text, n);
	syscall(SYS_kill, getpid(), SIGKILL);
	for (;;)
		pause();
}

/* Whether this call is the fatal one; when that is to die before it, it does. */
static int is_fatal(int counts, const char *what)
{
	if (!fatal_call || !counts || atomic_fetch_add(&calls, 1) + 1 != fatal_call)
		return 0;
	if (fatal_when == BEFORE)
		die(what);
	return 1;
}

static long result_of(int fatal, const char *what, long result)
{
	if (fatal)
		die(what);
	return result;
}

static size_t part_of(int fatal, size_t n)
{
	return fatal && fatal_when == HALF ? n / 2 : n;
}

ssize_t write(int fd, const void *data, size_t n)
{
	int fatal = is_fatal(fatal_call && is_database_fd(fd), "write");

	return result_of(fatal, "write", syscall(SYS_write, fd, data, part_of(fatal, n)));
}

ssize_t pwrite64(int fd, const void *data, size_t n, off_t at)
{
	int fatal = is_fatal(fatal_call && is_database_fd(fd), "pwrite");

	return result_of(fatal, "pwrite", syscall(SYS_pwrite64, fd, data, part_of(fatal, n), at));
}

ssize_t pwrite(int fd, const void *data, size_t n, off_t at)
{
	return pwrite64(fd, data, n, at);
}

int fdatasync(int fd)
{
	int fatal = is_fatal(fatal_call && is_database_fd(fd), "fdatasync");

	return (int)result_of(fatal, "fdatasync", syscall(SYS_fdatasync, fd));
}

int fsync(int fd)
{
	int fatal = is_fatal(fatal_call && is_database_fd(fd), "fsync");

	return (int)result_of(fatal, "fsync", syscall(SYS_fsync, fd));
}

int ftruncate64(int fd, off_t size)
{
	int fatal = is_fatal(fatal_call && is_database_fd(fd), "ftruncate");

	return (int)result_of(fatal, "ftruncate", syscall(SYS_ftruncate, fd, size));
}

int unlink(const char *path)
{
	int fatal = is_fatal(is_database(path), "unlink");

	return (int)result_of(fatal, "unlink", syscall(SYS_unlinkat, AT_FDCWD, path, 0));
}

int rename(const char *from, const char *to)
{
	int fatal = is_fatal(is_database(to), "rename");

	return (int)result_of(fatal, "rename", syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0));
}
