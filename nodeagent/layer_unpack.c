#include "nodeagent/layer_unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "lib/mem.h"
#include "nodeagent/digest.h"

#define MAX_BYTES   (UINT64_C(64) << 30)
#define MAX_ENTRIES 4000000
#define CHUNK       65536

/* Two archives in a row: the outer takes off the compression, the inner reads tar from what the outer gives,
 * and in between every byte is hashed. */
struct unpacker {
	const struct layer_unpack_opts *opts;
	struct archive *outer, *inner;
	struct digest *digest;
	uint64_t bytes;
	bool too_large;
	struct folder *folders; /* whose times are set last, since filling them changes those */
	size_t n_folders, cap_folders;
};

struct folder {
	char *path;
	struct timespec mtime;
};

static int archive_error(struct err *err, struct archive *a, const char *what)
{
	const char *text = archive_error_string(a);
	return err_set(err, ERR_CORRUPT, "%s: %s", what, text ? text : "not an archive");
}

/* --- reading --- */

static ssize_t pull(struct archive *a, void *arg, const void **ret)
{
	struct unpacker *u = arg;
	la_int64_t offset;
	size_t len = 0;
	int rc = archive_read_data_block(u->outer, ret, &len, &offset);
	if (rc == ARCHIVE_EOF)
		return 0;
	if (rc < ARCHIVE_WARN) {
		archive_set_error(a, EINVAL, "%s", archive_error_string(u->outer));
		return -1;
	}
	u->bytes += len;
	if (u->bytes > MAX_BYTES) {
		u->too_large = true;
		archive_set_error(a, EFBIG, "too large");
		return -1;
	}
	digest_add(u->digest, *ret, len);
	if (u->opts->progress)
		u->opts->progress((uint64_t)archive_filter_bytes(u->outer, -1), u->opts->arg);
	return (ssize_t)len;
}

static int open_archives(struct unpacker *u, struct err *err)
{
	struct archive_entry *entry;
	u->outer = archive_read_new();
	u->inner = archive_read_new();
	u->digest = digest_new();
	archive_read_support_filter_gzip(u->outer);
	archive_read_support_filter_zstd(u->outer);
	archive_read_support_filter_xz(u->outer);
	archive_read_support_filter_bzip2(u->outer);
	archive_read_support_format_raw(u->outer);
	archive_read_support_format_empty(u->outer);
	archive_read_support_format_tar(u->inner);
	/* Names are bytes, whatever the locale. */
	archive_read_set_option(u->inner, "tar", "hdrcharset", "BINARY");
	if (archive_read_open_fd(u->outer, u->opts->fd, CHUNK) != ARCHIVE_OK ||
	    archive_read_next_header(u->outer, &entry) != ARCHIVE_OK)
		return archive_error(err, u->outer, "read archive");
	if (archive_read_open(u->inner, u, NULL, pull, NULL) != ARCHIVE_OK)
		return archive_error(err, u->inner, "read archive");
	return 0;
}

/* What follows tar's end marker belongs to the digest too. */
static int drain(struct unpacker *u, struct err *err)
{
	const void *data;
	ssize_t n;
	while ((n = pull(u->inner, u, &data)) > 0)
		;
	return n < 0 ? archive_error(err, u->inner, "read archive") : 0;
}

/* --- paths --- */

static int open_in(int root, const char *path, int flags)
{
	struct open_how how = { .flags = (unsigned)flags | O_CLOEXEC,
				.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
	return (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
}

/* Takes "./", leading and trailing slashes off, in place; false for names that no archive should hold. */
static bool clean(char *path)
{
	char *out = path;
	for (char *p = path; *p;) {
		size_t len = strcspn(p, "/");
		if (len == 2 && p[0] == '.' && p[1] == '.')
			return false;
		if (len && !(len == 1 && *p == '.')) {
			if (out != path)
				*out++ = '/';
			memmove(out, p, len);
			out += len;
		}
		p += len + (p[len] == '/');
	}
	*out = '\0';
	return strlen(path) < 4096;
}

/* Opens the folder of PATH, making what is missing; *ret_name points at PATH's last part. */
static int open_parent(int root, const char *path, const char **ret_name, struct err *err)
{
	const char *slash = strrchr(path, '/');
	*ret_name = slash ? slash + 1 : path;
	CLEANUP(mem_freep) char *folder = slash ? mem_dupn(path, (size_t)(slash - path)) : mem_dup(".");
	int fd = open_in(root, folder, O_PATH | O_DIRECTORY);
	for (char *p = folder; fd < 0 && errno == ENOENT && p;) {
		p = strchr(p + 1, '/');
		if (p)
			*p = '\0';
		const char *name = strrchr(folder, '/');
		CLEANUP(mem_freep)
		char *above = name ? mem_dupn(folder, (size_t)(name - folder)) : mem_dup(".");
		CLEANUP(mem_closep) int above_fd = open_in(root, above, O_PATH | O_DIRECTORY);
		if (above_fd < 0 || (mkdirat(above_fd, name ? name + 1 : folder, 0755) && errno != EEXIST))
			return err_set_errno(err, errno, "make folder %s", folder);
		if (p)
			*p = '/';
		else
			fd = open_in(root, folder, O_PATH | O_DIRECTORY);
	}
	return fd >= 0 ? fd : err_set_errno(err, errno, "open folder of %s", path);
}

/* Removes what an earlier entry of the same name made; a folder stays when a folder is to be there. */
static int make_room(int parent, const char *name, bool folder, struct err *err)
{
	struct stat st;
	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? 0 : err_set_errno(err, errno, "%s", name);
	if (S_ISDIR(st.st_mode) && folder)
		return 0;
	return unlinkat(parent, name, S_ISDIR(st.st_mode) ? AT_REMOVEDIR : 0)
		   ? err_set_errno(err, errno, "replace %s", name)
		   : 0;
}

/* --- entries --- */

static int copy_data(struct unpacker *u, int fd, la_int64_t size, struct err *err)
{
	const void *data;
	size_t len;
	la_int64_t offset;
	int rc;
	while ((rc = archive_read_data_block(u->inner, &data, &len, &offset)) == ARCHIVE_OK) {
		for (size_t done = 0; done < len;) {
			ssize_t n =
			    pwrite(fd, (const char *)data + done, len - done, offset + (la_int64_t)done);
			if (n < 0)
				return err_set_errno(err, errno, "write");
			done += (size_t)n;
		}
	}
	if (rc != ARCHIVE_EOF)
		return archive_error(err, u->inner, "read archive");
	/* A sparse file may end in a hole. */
	return ftruncate(fd, size) ? err_set_errno(err, errno, "set size") : 0;
}

static int make_file(struct unpacker *u, struct archive_entry *entry, int parent, const char *name,
		     struct err *err)
{
	CLEANUP(mem_closep)
	int fd = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set_errno(err, errno, "make file");
	return copy_data(u, fd, archive_entry_size(entry), err);
}

static int make_hardlink(struct unpacker *u, const char *target, int parent, const char *name,
			 struct err *err)
{
	CLEANUP(mem_freep) char *path = mem_dup(target);
	if (!clean(path))
		return err_set(err, ERR_CORRUPT, "hard link to \"%s\" leaves the archive", target);
	const char *last;
	CLEANUP(mem_closep) int from = open_parent(u->opts->dir_fd, path, &last, err);
	if (from < 0)
		return -1;
	return linkat(from, last, parent, name, 0) ? err_set_errno(err, errno, "link to %s", target) : 0;
}

static int make_node(struct unpacker *u, struct archive_entry *entry, int parent, const char *name,
		     struct err *err)
{
	mode_t type = archive_entry_filetype(entry);
	int rc;
	switch (type) {
	case AE_IFREG:
		return make_file(u, entry, parent, name, err);
	case AE_IFDIR:
		rc = mkdirat(parent, name, 0755) && errno != EEXIST;
		break;
	case AE_IFLNK:
		rc =
		    symlinkat(archive_entry_symlink(entry) ? archive_entry_symlink(entry) : "", parent, name);
		break;
	case AE_IFCHR:
	case AE_IFBLK:
	case AE_IFIFO:
		if (!u->opts->layer)
			return err_set(err, ERR_CORRUPT, "a device does not belong in this archive");
		rc = mknodat(parent, name, type | 0600, archive_entry_rdev(entry));
		break;
	default:
		return err_set(err, ERR_CORRUPT, "entry of unknown type %o", type);
	}
	return rc ? err_set_errno(err, errno, "make") : 0;
}

/* Those that mean the same on any machine. Others (trusted.overlay.* before all) would be the host's
 * business. */
static bool keeps_xattr(const char *name)
{
	return !strncmp(name, "user.", 5) || !strcmp(name, "security.capability");
}

static int set_xattrs(struct archive_entry *entry, int parent, const char *name, struct err *err)
{
	const char *key;
	const void *value;
	size_t len;
	char path[64 + 256];
	snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", parent, name);
	archive_entry_xattr_reset(entry);
	while (archive_entry_xattr_next(entry, &key, &value, &len) == ARCHIVE_OK) {
		if (keeps_xattr(key) && lsetxattr(path, key, value, len, 0) && errno != ENOTSUP)
			return err_set_errno(err, errno, "set attribute %s", key);
	}
	return 0;
}

static void remember_folder(struct unpacker *u, const char *path, struct timespec mtime)
{
	if (u->n_folders == u->cap_folders) {
		u->cap_folders = u->cap_folders ? 2 * u->cap_folders : 64;
		u->folders = mem_realloc_array(u->folders, u->cap_folders, sizeof(*u->folders));
	}
	u->folders[u->n_folders++] = (struct folder){ mem_dup(path), mtime };
}

/* Owner before mode, since a change of owner takes the set-ID bits off; attributes after the owner for the
 * same reason. */
static int set_attributes(struct unpacker *u, struct archive_entry *entry, int parent, const char *path,
			  const char *name, struct err *err)
{
	mode_t type = archive_entry_filetype(entry);
	if (u->opts->layer && fchownat(parent, name, (uid_t)archive_entry_uid(entry),
				       (gid_t)archive_entry_gid(entry), AT_SYMLINK_NOFOLLOW))
		return err_set_errno(err, errno, "set owner");
	if (type != AE_IFLNK && fchmodat(parent, name, archive_entry_perm(entry), 0))
		return err_set_errno(err, errno, "set mode");
	if (u->opts->layer && set_xattrs(entry, parent, name, err))
		return -1;
	const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT },
					   { archive_entry_mtime(entry), archive_entry_mtime_nsec(entry) } };
	if (type == AE_IFDIR)
		remember_folder(u, path, times[1]);
	else if (utimensat(parent, name, times, AT_SYMLINK_NOFOLLOW))
		return err_set_errno(err, errno, "set time");
	return 0;
}

/* `.wh.NAME`: NAME of a lower layer is not there. `.wh..wh..opq`: nothing of the lower folders is. */
static int make_whiteout(int parent, const char *path, const char *name, struct err *err)
{
	if (!strcmp(name, ".wh..wh..opq")) {
		char self[64];
		snprintf(self, sizeof(self), "/proc/self/fd/%d", parent);
		return setxattr(self, "trusted.overlay.opaque", "y", 1, 0)
			   ? err_set_errno(err, errno, "mark %s opaque", path)
			   : 0;
	}
	if (!strncmp(name, ".wh..wh.", 8))
		return 0; /* bookkeeping of the old aufs */
	const char *hidden = name + 4;
	if (!*hidden || !strcmp(hidden, ".") || !strcmp(hidden, ".."))
		return err_set(err, ERR_CORRUPT, "whiteout \"%s\" of nothing", path);
	struct stat st;
	/* A name that this layer has too was added after its removal: it hides the lower one by itself. */
	if (!fstatat(parent, hidden, &st, AT_SYMLINK_NOFOLLOW))
		return 0;
	return mknodat(parent, hidden, S_IFCHR, 0) ? err_set_errno(err, errno, "make whiteout %s", path) : 0;
}

static int unpack_entry(struct unpacker *u, struct archive_entry *entry, struct err *err)
{
	const char *raw = archive_entry_pathname(entry);
	CLEANUP(mem_freep) char *path = mem_dup(raw ? raw : archive_entry_pathname_utf8(entry));
	if (!path || !clean(path))
		return err_set(err, ERR_CORRUPT, "name \"%s\" leaves the archive", path ? path : "");
	if (!*path) /* the root itself: only its attributes count */
		return u->opts->layer && archive_entry_filetype(entry) == AE_IFDIR
			   ? set_attributes(u, entry, u->opts->dir_fd, ".", ".", err)
			   : 0;
	const char *name;
	CLEANUP(mem_closep) int parent = open_parent(u->opts->dir_fd, path, &name, err);
	if (parent < 0)
		return -1;
	if (strlen(name) > 255)
		return err_set(err, ERR_CORRUPT, "a name of over 255 bytes");
	int rc;
	const char *hardlink = archive_entry_hardlink(entry);
	if (u->opts->layer && !strncmp(name, ".wh.", 4))
		rc = make_whiteout(parent, path, name, err);
	else if (make_room(parent, name, !hardlink && archive_entry_filetype(entry) == AE_IFDIR, err))
		rc = -1;
	else if (hardlink)
		rc = make_hardlink(u, hardlink, parent, name, err);
	else
		rc = make_node(u, entry, parent, name, err) ||
			     set_attributes(u, entry, parent, path, name, err)
			 ? -1
			 : 0;
	return rc ? err_wrap(err, "%s", path) : 0;
}

static int unpack_entries(struct unpacker *u, struct err *err)
{
	struct archive_entry *entry;
	int rc;
	for (size_t n = 0;
	     (rc = archive_read_next_header(u->inner, &entry)) == ARCHIVE_OK || rc == ARCHIVE_WARN; n++) {
		if (n == MAX_ENTRIES)
			return err_set(err, ERR_LIMIT, "archive has over %d entries", MAX_ENTRIES);
		if (unpack_entry(u, entry, err))
			return -1;
	}
	if (u->too_large)
		return err_set(err, ERR_LIMIT, "archive is over %llu bytes", (unsigned long long)MAX_BYTES);
	return rc == ARCHIVE_EOF ? drain(u, err) : archive_error(err, u->inner, "read archive");
}

static void set_folder_times(struct unpacker *u)
{
	for (size_t i = u->n_folders; i-- > 0;) {
		const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, u->folders[i].mtime };
		CLEANUP(mem_closep)
		int fd = open_in(u->opts->dir_fd, u->folders[i].path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
		/* Gone when a later entry took its place. */
		if (fd >= 0)
			futimens(fd, times);
		free(u->folders[i].path);
	}
	free(u->folders);
}

int layer_unpack(const struct layer_unpack_opts *opts, char *ret_diff_id, struct err *err)
{
	struct unpacker u = { .opts = opts };
	mode_t mask = umask(0);
	int rc = open_archives(&u, err) || unpack_entries(&u, err) ? -1 : 0;
	umask(mask);
	set_folder_times(&u);
	if (!rc && ret_diff_id)
		digest_finish(u.digest, ret_diff_id);
	archive_read_free(u.inner);
	archive_read_free(u.outer);
	digest_free(u.digest);
	return rc;
}
