#include "nodeagent/sub_path.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "nodeagent/tree.h"

static int open_inside(int root, const char *path)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};

	return (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
}

/* Makes the missing folders of SUB one by one, each inside the one opened before it. Returns what SUB is,
 * opened. */
static int make_inside(int root, const char *sub, struct err *err)
{
	CLEANUP(mem_freep) char *path = mem_dup(sub);
	int fd = -1;

	for (char *end = path;; end++) {
		if (*end != '/' && *end != '\0')
			continue;
		char saved = *end;
		*end = '\0';
		CLEANUP(mem_closep) int parent = fd >= 0 ? fd : dup(root);
		const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
		if (name[0] != '\0') {
			fd = open_inside(root, path);
			if (fd < 0 && errno == ENOENT && mkdirat(parent, name, 0750) == 0)
				fd = open_inside(root, path);
			if (fd < 0)
				return err_set_errno(err, errno, "subPath %s", sub);
		} else {
			fd = parent;
			parent = -1;
		}
		*end = saved;
		if (saved == '\0')
			return fd;
	}
}

static int make_target(int source, const char *pin, struct err *err)
{
	CLEANUP(mem_freep) char *parent = mem_dupn(pin, (size_t)(strrchr(pin, '/') - pin));
	struct stat st;

	if (tree_make(parent, 0750, err) < 0)
		return -1;
	if (fstat(source, &st) < 0)
		return err_set_errno(err, errno, "stat");
	if (S_ISDIR(st.st_mode))
		return tree_make(pin, 0750, err);
	CLEANUP(mem_closep) int fd = open(pin, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	return fd < 0 ? err_set_errno(err, errno, "%s", pin) : 0;
}

int sub_path_pin(const char *root, const char *sub, const char *pin, struct err *err)
{
	CLEANUP(mem_closep) int root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(mem_closep) int fd = -1;
	char source[64];

	if (root_fd < 0)
		return err_set_errno(err, errno, "%s", root);
	for (const char *p = sub; (p = strstr(p, "..")); p += 2)
		if ((p == sub || p[-1] == '/') && (p[2] == '\0' || p[2] == '/'))
			return err_set(err, ERR_INVALID, "subPath %s must not contain '..'", sub);
	if (sub[0] == '/')
		return err_set(err, ERR_INVALID, "subPath %s must be a relative path", sub);
	fd = make_inside(root_fd, sub, err);
	if (fd < 0)
		return -1;
	/* Left by an attempt before: the next container gets what is there now. */
	if ((access(pin, F_OK) == 0 && tree_unmount(pin, err) < 0) || make_target(fd, pin, err) < 0)
		return -1;
	snprintf(source, sizeof(source), "/proc/self/fd/%d", fd);
	if (mount(source, pin, NULL, MS_BIND | MS_REC, NULL) < 0)
		return err_set_errno(err, errno, "bind subPath %s", sub);
	return 0;
}
