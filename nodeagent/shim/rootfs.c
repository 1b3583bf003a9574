/* The container's root file system: its image's layers under a writable one, in a mount namespace of ours.
 *
 * Directories are handed to overlayfs as /proc/self/fd/N: a mount's options are one page, and 64-digit
 * names of many layers (or a data folder with a comma in its path) would not fit it.
 */
#include "nodeagent/shim/shim.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_dir(const char *path, bool make)
{
	if (make && mkdir(path, 0755) && errno != EEXIST)
		return -1;
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* The options of the overlay. The layers' descriptors stay open with a shared lock for as long as the shim
 * lives: that is how the image store knows that a layer is in use. */
static int options(const struct shim_opts *opts, char *text, size_t size, const char **ret_what)
{
	size_t n = (size_t)snprintf(text, size, "lowerdir=");
	for (size_t i = 0; i < opts->n_lower; i++) {
		*ret_what = opts->lower[i];
		int fd = open_dir(opts->lower[i], false);
		if (fd < 0 || flock(fd, LOCK_SH | LOCK_NB))
			return -1;
		n += (size_t)snprintf(text + n, size - n, "%s/proc/self/fd/%d", i ? ":" : "", fd);
		if (n >= size) {
			*ret_what = "the image has too many layers";
			errno = E2BIG;
			return -1;
		}
	}
	*ret_what = "overlay folders";
	int upper = open_dir("upper", true), work = open_dir("work", true);
	if (upper < 0 || work < 0 || (mkdir("rootfs", 0755) && errno != EEXIST))
		return -1;
	n += (size_t)snprintf(text + n, size - n, ",upperdir=/proc/self/fd/%d,workdir=/proc/self/fd/%d",
			      upper, work);
	if (n + sizeof(",volatile") > size) {
		errno = E2BIG;
		return -1;
	}
	return 0;
}

/* Leaves out the mounts of other pods, of which a node has hundreds: the runtime reads the table of mounts
 * many times over. They are all below the folder of the pods, which the agent made a mount of its own (see
 * pod_store_open): that goes with all below it, and a copy of this pod's part comes back. Without such a
 * mount, or such system calls (Linux 5.2), the table stays as it is. */
static int leave_other_pods(const char *pod_dir)
{
	char pods[PATH_MAX];
	int own = open_tree(AT_FDCWD, pod_dir, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	if (own < 0)
		return errno == ENOSYS ? 0 : -1;
	snprintf(pods, sizeof(pods), "%s/..", pod_dir);
	int rc = 0;
	if (!umount2(pods, MNT_DETACH))
		rc = move_mount(own, "", AT_FDCWD, pod_dir, MOVE_MOUNT_F_EMPTY_PATH);
	close(own);
	return rc;
}

int rootfs_mount(const struct shim_opts *opts, const char **ret_what)
{
	char text[4096];
	*ret_what = "mount namespace";
	/* Slave: mounts made on the host later still arrive, ours do not leave. First of all: an overlay
	 * takes no folder that was opened in another mount namespace. */
	if (unshare(CLONE_NEWNS))
		return -1;
	*ret_what =
	    "mount namespace (the root folder must be a mount point; in a chroot bind it onto itself)";
	if (mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL))
		return -1;
	*ret_what = opts->pod_dir;
	/* The working directory may have lain on a mount that went. */
	if (leave_other_pods(opts->pod_dir) || chdir(opts->dir))
		return -1;
	if (options(opts, text, sizeof(text), ret_what))
		return -1;
	*ret_what = "mount overlay";
	size_t n = strlen(text);
	/* What a container writes does not outlive a power cut, so the sync at unmount is spared
	 * (Linux 5.10). */
	memcpy(text + n, ",volatile", sizeof(",volatile"));
	if (!mount("overlay", "rootfs", "overlay", 0, text))
		return 0;
	text[n] = '\0';
	return mount("overlay", "rootfs", "overlay", 0, text);
}
