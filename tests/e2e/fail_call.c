/* Preloaded into knarr-nodeagent: makes one of its system calls fail. Other programs that inherit it are left
 * alone; children that the agent forks count with it until they execute something else.
 *
 * The file named by FAIL_CALL is shared memory with the test, all of it text:
 *     0   the number of the call that fails, 8 digits; 00000000: none does
 *     16  how many calls there were so far, 8 digits; the test sets it back
 *     32  which call it was that failed, and a newline
 *
 * A call that fails does so before it does anything, with an error that it may give on a machine that is
 * short of something. Writes of the log (standard output and error) do not count.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { AT = 0, COUNT = 16, WHICH = 32, DIGITS = 8, SIZE = 128 };

static volatile char *control;

__attribute__((constructor)) static void attach(void)
{
	const char *path = getenv("FAIL_CALL");
	int fd;

	if (!path || strcmp(program_invocation_short_name, "knarr-nodeagent") != 0)
		return;
	fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0);
	if (fd < 0)
		return;
	control = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	syscall(SYS_close, fd);
	if (control == MAP_FAILED)
		control = NULL;
}

static unsigned number(size_t at)
{
	unsigned n = 0;

	for (size_t i = 0; i < DIGITS; i++)
		n = n * 10 + (unsigned)(control[at + i] - '0') % 10;
	return n;
}

/* Whether this call is the one. Two processes that count at the same moment may count once: the sweep does
 * not mind. */
static bool fails(const char *name, int error)
{
	if (!control)
		return false;
	unsigned count = number(COUNT) + 1, left = count;

	for (size_t i = DIGITS; i-- > 0; left /= 10)
		control[COUNT + i] = (char)('0' + left % 10);
	if (count != number(AT))
		return false;
	size_t n = strlen(name);
	for (size_t i = 0; i < n; i++)
		control[WHICH + i] = name[i];
	control[WHICH + n] = '\n';
	errno = error;
	return true;
}

/* NOLINTBEGIN(bugprone-macro-parentheses): types and lists of parameters take none. */
/* TYPE NAME(PARAMETERS), handed on with ARGUMENTS; fails with ERROR. */
#define CALL(type_, name_, parameters_, arguments_, error_)                                                  \
	type_ name_ parameters_                                                                              \
	{                                                                                                    \
		static type_(*real_) parameters_;                                                            \
		if (!real_)                                                                                  \
			real_ = (type_(*) parameters_)(uintptr_t)dlsym(RTLD_NEXT, #name_);                   \
		return fails(#name_, error_) ? (type_)-1 : real_ arguments_;                                 \
	}
/* The same of a function that takes a mode when it makes a file. */
#define OPEN(name_, parameters_, ...)                                                                        \
	int name_ parameters_                                                                                \
	{                                                                                                    \
		static int(*real_) parameters_;                                                              \
		va_list list;                                                                                \
		if (!real_)                                                                                  \
			real_ = (int(*) parameters_)(uintptr_t)dlsym(RTLD_NEXT, #name_);                     \
		va_start(list, flags);                                                                       \
		mode_t mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(list, mode_t) : 0;                      \
		va_end(list);                                                                                \
		return fails(#name_, EMFILE) ? -1 : real_(__VA_ARGS__, flags, mode);                         \
	}
/* NOLINTEND(bugprone-macro-parentheses) */

OPEN(open, (const char *path, int flags, ...), path)
OPEN(open64, (const char *path, int flags, ...), path)
OPEN(openat, (int dir, const char *path, int flags, ...), dir, path)
OPEN(openat64, (int dir, const char *path, int flags, ...), dir, path)
CALL(int, mkdir, (const char *path, mode_t mode), (path, mode), ENOSPC)
CALL(int, mkdirat, (int dir, const char *path, mode_t mode), (dir, path, mode), ENOSPC)
CALL(int, rmdir, (const char *path), (path), EBUSY)
CALL(int, unlink, (const char *path), (path), EIO)
CALL(int, unlinkat, (int dir, const char *path, int flags), (dir, path, flags), EIO)
CALL(int, remove, (const char *path), (path), EIO)
CALL(int, rename, (const char *from, const char *to), (from, to), ENOSPC)
CALL(int, renameat, (int a, const char *from, int b, const char *to), (a, from, b, to), ENOSPC)
CALL(int, symlink, (const char *to, const char *path), (to, path), ENOSPC)
CALL(int, symlinkat, (const char *to, int dir, const char *path), (to, dir, path), ENOSPC)
CALL(int, chmod, (const char *path, mode_t mode), (path, mode), EIO)
CALL(int, fchmod, (int fd, mode_t mode), (fd, mode), EIO)
CALL(int, chown, (const char *path, uid_t uid, gid_t gid), (path, uid, gid), EIO)
CALL(int, ftruncate, (int fd, off_t size), (fd, size), EIO)
CALL(int, ftruncate64, (int fd, off_t size), (fd, size), EIO)
CALL(int, fsync, (int fd), (fd), EIO)
CALL(int, flock, (int fd, int how), (fd, how), ENOLCK)
CALL(ssize_t, read, (int fd, void *data, size_t n), (fd, data, n), EIO)
CALL(ssize_t, pread, (int fd, void *data, size_t n, off_t at), (fd, data, n, at), EIO)
CALL(ssize_t, pread64, (int fd, void *data, size_t n, off_t at), (fd, data, n, at), EIO)
CALL(int, mount, (const char *from, const char *to, const char *type, unsigned long flags, const void *data),
     (from, to, type, flags, data), ENOMEM)
CALL(int, umount2, (const char *path, int flags), (path, flags), EBUSY)
CALL(int, unshare, (int flags), (flags), ENOSPC)
CALL(int, setns, (int fd, int type), (fd, type), ENOMEM)
CALL(int, sethostname, (const char *name, size_t n), (name, n), EPERM)
CALL(pid_t, fork, (void), (), EAGAIN)
CALL(int, execve, (const char *path, char *const *argv, char *const *envp), (path, argv, envp), ENOMEM)
CALL(int, dup2, (int from, int to), (from, to), EMFILE)
CALL(int, pipe2, (int fds[2], int flags), (fds, flags), EMFILE)
CALL(int, socket, (int domain, int type, int protocol), (domain, type, protocol), EMFILE)
CALL(int, bind, (int fd, const struct sockaddr *to, socklen_t n), (fd, to, n), EADDRINUSE)
CALL(int, connect, (int fd, const struct sockaddr *to, socklen_t n), (fd, to, n), ENETUNREACH)
CALL(int, setsockopt, (int fd, int level, int name, const void *value, socklen_t n),
     (fd, level, name, value, n), ENOMEM)
CALL(ssize_t, send, (int fd, const void *data, size_t n, int flags), (fd, data, n, flags), ENOBUFS)
CALL(ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags), (fd, message, flags), ENOBUFS)
CALL(ssize_t, sendto,
     (int fd, const void *data, size_t n, int flags, const struct sockaddr *to, socklen_t len),
     (fd, data, n, flags, to, len), ENOBUFS)
CALL(ssize_t, recv, (int fd, void *data, size_t n, int flags), (fd, data, n, flags), ECONNRESET)
CALL(ssize_t, recvmsg, (int fd, struct msghdr *message, int flags), (fd, message, flags), ENOBUFS)
CALL(int, epoll_ctl, (int epoll, int op, int fd, struct epoll_event *event), (epoll, op, fd, event), ENOMEM)
CALL(int, epoll_wait, (int epoll, struct epoll_event *events, int n, int timeout),
     (epoll, events, n, timeout), EINTR)
CALL(int, kill, (pid_t pid, int signo), (pid, signo), EPERM)

ssize_t write(int fd, const void *data, size_t n)
{
	if (fd > STDERR_FILENO && fails("write", ENOSPC))
		return -1;
	return syscall(SYS_write, fd, data, n);
}

DIR *opendir(const char *path)
{
	static DIR *(*real)(const char *);

	if (!real)
		real = (DIR * (*)(const char *))(uintptr_t)dlsym(RTLD_NEXT, "opendir");
	return fails("opendir", EMFILE) ? NULL : real(path);
}

/* Cannot be wrapped: the caller's frame would be gone when it returns the second time. Fork does the same. */
pid_t vfork(void)
{
	return fails("vfork", EAGAIN) ? -1 : (pid_t)syscall(SYS_clone, SIGCHLD, 0L, 0L, 0L, 0L);
}

/* What libc has no name for: pidfd_open, openat2, close_range. */
long syscall(long n, ...)
{
	static long (*real)(long, ...);
	va_list list;
	long a[6];

	if (!real)
		real = (long (*)(long, ...))(uintptr_t)dlsym(RTLD_NEXT, "syscall");
	va_start(list, n);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(list, long);
	va_end(list);
	bool counts =
	    n == SYS_pidfd_open || n == SYS_openat2 || n == SYS_close_range || n == SYS_pidfd_send_signal;
	if (counts && fails(n == SYS_pidfd_open    ? "pidfd_open"
			    : n == SYS_openat2     ? "openat2"
			    : n == SYS_close_range ? "close_range"
						   : "pidfd_send_signal",
			    EMFILE))
		return -1;
	return real(n, a[0], a[1], a[2], a[3], a[4], a[5]);
}
