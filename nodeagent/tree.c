#include "nodeagent/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_FEW 64

int tree_make(const char *path, unsigned mode, struct err *err)
{
	CLEANUP(mem_freep) char *copy = mem_dup(path);

	for (char *slash = copy + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		if (mkdir(copy, mode) < 0 && errno != EEXIST)
			return err_set_errno(err, errno, "mkdir %s", copy);
		*slash = '/';
	}
	if (mkdir(copy, mode) < 0 && errno != EEXIST)
		return err_set_errno(err, errno, "mkdir %s", copy);
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path) < 0 && errno != ENOENT && errno != EBUSY ? -1 : 0;
}

int tree_remove(const char *path, struct err *err)
{
	if (nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) < 0 && errno != ENOENT)
		return err_set_errno(err, errno, "remove %s", path);
	return 0;
}

/* *LEFT: how many more may be removed. */
static bool remove_few(const char *path, dev_t device, unsigned *left)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT;
	if (*left == 0 || st.st_dev != device)
		return false;
	--*left;
	if (!S_ISDIR(st.st_mode))
		return unlink(path) == 0;
	if (rmdir(path) == 0)
		return true;
	DIR *d = opendir(path);
	bool all = d;
	for (struct dirent *e; all && (e = readdir(d));) {
		CLEANUP(mem_freep) char *below = mem_printf("%s/%s", path, e->d_name);
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			all = remove_few(below, device, left);
	}
	if (d)
		closedir(d);
	return all && rmdir(path) == 0;
}

bool tree_remove_few(const char *path)
{
	unsigned left = MAX_FEW;
	struct stat st;

	return lstat(path, &st) < 0 ? errno == ENOENT : remove_few(path, st.st_dev, &left);
}

static bool at_or_below(const char *path, const char *root)
{
	size_t len = strlen(root);

	return strncmp(path, root, len) == 0 && (path[len] == '\0' || path[len] == '/');
}

/* The mounts at or below ROOT in the order they were made; the caller frees each and the array. */
static int mounts_below(const char *root, char ***ret, size_t *ret_n, struct err *err)
{
	FILE *f = setmntent("/proc/self/mounts", "re");
	size_t n = 0;

	*ret = NULL;
	if (!f)
		return err_set_errno(err, errno, "open /proc/self/mounts");
	for (struct mntent *m; (m = getmntent(f));)
		if (at_or_below(m->mnt_dir, root)) {
			*ret = mem_realloc_array(*ret, n + 1, sizeof(**ret));
			(*ret)[n++] = mem_dup(m->mnt_dir);
		}
	endmntent(f);
	*ret_n = n;
	return 0;
}

bool tree_is_mount(const char *path)
{
	struct stat st, parent;
	CLEANUP(mem_freep) char *up = mem_printf("%s/..", path);

	return lstat(path, &st) == 0 && stat(up, &parent) == 0 && st.st_dev != parent.st_dev;
}

int tree_bind_private(const char *path, struct err *err)
{
	struct statx stx;

	if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, 0, &stx) == 0 &&
	    (stx.stx_attributes & STATX_ATTR_MOUNT_ROOT))
		return 0;
	if (mount(path, path, NULL, MS_BIND | MS_REC, NULL) < 0 ||
	    mount(NULL, path, NULL, MS_PRIVATE, NULL) < 0)
		return err_set_errno(err, errno, "bind %s onto itself", path);
	return 0;
}

int tree_unmount(const char *path, struct err *err)
{
	char **mounts;
	size_t n = 0;
	int rc = mounts_below(path, &mounts, &n, err);

	while (n > 0) {
		n--;
		if (rc == 0 && umount2(mounts[n], MNT_DETACH | UMOUNT_NOFOLLOW) < 0 && errno != EINVAL &&
		    errno != ENOENT)
			rc = err_set_errno(err, errno, "unmount %s", mounts[n]);
		free(mounts[n]);
	}
	free(mounts);
	return rc;
}
