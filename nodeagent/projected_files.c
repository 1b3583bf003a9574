#include "nodeagent/projected_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/timefmt.h"
#include "nodeagent/tree.h"

static bool path_stays_inside(const char *path)
{
	if (path[0] == '\0' || path[0] == '/' || strncmp(path, "..", 2) == 0)
		return false;
	for (const char *p = path; p; p = strchr(p, '/')) {
		if (*p == '/')
			p++;
		size_t len = strcspn(p, "/");
		if (len == 0 || (len == 1 && p[0] == '.') || (len == 2 && p[0] == '.' && p[1] == '.'))
			return false;
	}
	return true;
}

int projected_files_add(struct projected_files *files, const char *path, const void *data, size_t len,
			unsigned mode, struct err *err)
{
	struct projected_file *file = NULL;

	if (!path_stays_inside(path))
		return err_set(err, ERR_INVALID, "path \"%s\" does not stay inside the volume", path);
	for (size_t i = 0; i < files->n; i++)
		if (strcmp(files->files[i].path, path) == 0)
			file = &files->files[i];
	if (!file) {
		files->files = mem_realloc_array(files->files, files->n + 1, sizeof(*files->files));
		file = &files->files[files->n++];
		*file = (struct projected_file){ .path = mem_dup(path), .uid = (uid_t)-1 };
	}
	free(file->data);
	file->data = mem_alloc(len + 1);
	memcpy(file->data, data, len);
	file->data[len] = '\0';
	file->len = len;
	file->mode = mode;
	return 0;
}

void projected_files_own(struct projected_files *files, const char *path, uid_t uid)
{
	for (size_t i = 0; i < files->n; i++)
		if (strcmp(files->files[i].path, path) == 0)
			files->files[i].uid = uid;
}

void projected_files_close(struct projected_files *files)
{
	for (size_t i = 0; i < files->n; i++) {
		free(files->files[i].path);
		free(files->files[i].data);
	}
	free(files->files);
	*files = (struct projected_files){ 0 };
}

/* Counts regular files below DIR_FD; -1 when it cannot be read. Takes the descriptor. */
static long count_files(int dir_fd)
{
	DIR *d = fdopendir(dir_fd);
	long n = 0;

	if (!d) {
		close(dir_fd);
		return -1;
	}
	for (struct dirent *e; (e = readdir(d));) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		int sub = openat(dirfd(d), e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		long below = sub >= 0 ? count_files(sub) : 1;
		n += below > 0 ? below : 0;
	}
	closedir(d);
	return n;
}

static bool is_current(const char *dir, const struct projected_files *files)
{
	CLEANUP(mem_freep) char *data = mem_printf("%s/..data", dir);
	int fd = open(data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || count_files(fd) != (long)files->n)
		return false;
	for (size_t i = 0; i < files->n; i++) {
		CLEANUP(mem_freep) char *path = mem_printf("%s/%s", data, files->files[i].path);
		CLEANUP(buf_close) struct buf b = BUF_INIT;
		struct stat st;
		if (buf_read_file(&b, path, files->files[i].len + 1, NULL) < 0 ||
		    b.len != files->files[i].len ||
		    memcmp(b.data ? b.data : "", files->files[i].data, b.len) != 0 || stat(path, &st) < 0 ||
		    (st.st_mode & 0777) != (files->files[i].mode & 0777))
			return false;
	}
	return true;
}

static int write_one(const char *dir, const struct projected_file *file, gid_t gid, struct err *err)
{
	CLEANUP(mem_freep) char *path = mem_printf("%s/%s", dir, file->path);
	CLEANUP(mem_closep) int fd = -1;

	for (char *slash = path + strlen(dir) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		if (mkdir(path, 0755) < 0 && errno != EEXIST)
			return err_set_errno(err, errno, "%s", path);
		*slash = '/';
	}
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set_errno(err, errno, "%s", path);
	for (size_t done = 0; done < file->len;) {
		ssize_t n = write(fd, file->data + done, file->len - done);
		if (n < 0)
			return err_set_errno(err, errno, "%s", path);
		done += (size_t)n;
	}
	if ((gid != (gid_t)-1 || file->uid != (uid_t)-1) && fchown(fd, file->uid, gid) < 0)
		return err_set_errno(err, errno, "%s", path);
	if (fchmod(fd, file->mode & 0777) < 0)
		return err_set_errno(err, errno, "%s", path);
	return 0;
}

/* Points ..data at NAME in one step. */
static int switch_to(const char *dir, const char *name, struct err *err)
{
	CLEANUP(mem_freep) char *tmp = mem_printf("%s/..data_tmp", dir);
	CLEANUP(mem_freep) char *data = mem_printf("%s/..data", dir);

	unlink(tmp);
	if (symlink(name, tmp) < 0 || rename(tmp, data) < 0)
		return err_set_errno(err, errno, "%s", data);
	return 0;
}

static bool has_first_part(const struct projected_files *files, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < files->n; i++)
		if (strncmp(files->files[i].path, name, len) == 0 &&
		    (files->files[i].path[len] == '\0' || files->files[i].path[len] == '/'))
			return true;
	return false;
}

/* The names that programs open: made for new files, removed for files that are gone. Old folders go too. */
static void link_names(const char *dir, const struct projected_files *files, const char *current)
{
	for (size_t i = 0; i < files->n; i++) {
		CLEANUP(mem_freep)
		char *first = mem_dupn(files->files[i].path, strcspn(files->files[i].path, "/"));
		CLEANUP(mem_freep) char *path = mem_printf("%s/%s", dir, first);
		CLEANUP(mem_freep) char *target = mem_printf("..data/%s", first);
		if (symlink(target, path) < 0 && errno != EEXIST)
			continue;
	}
	DIR *d = opendir(dir);
	if (!d)
		return;
	for (struct dirent *e; (e = readdir(d));) {
		CLEANUP(mem_freep) char *path = mem_printf("%s/%s", dir, e->d_name);
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
		    strcmp(e->d_name, "..data") == 0 || strcmp(e->d_name, current) == 0)
			continue;
		if (strncmp(e->d_name, "..", 2) == 0)
			tree_remove(path, NULL);
		else if (!has_first_part(files, e->d_name))
			unlink(path);
	}
	closedir(d);
}

int projected_files_write(const char *dir, const struct projected_files *files, gid_t gid, struct err *err)
{
	char stamp[TIMEFMT_SIZE];

	if (is_current(dir, files))
		return 0;
	CLEANUP(mem_freep)
	char *name = mem_printf("..%s.%lld", time_format(time_now_us(), stamp), (long long)time_mono_us());
	CLEANUP(mem_freep) char *path = mem_printf("%s/%s", dir, name);
	if (mkdir(path, 0755) < 0)
		return err_set_errno(err, errno, "%s", path);
	for (size_t i = 0; i < files->n; i++)
		if (write_one(path, &files->files[i], gid, err) < 0) {
			tree_remove(path, NULL);
			return -1;
		}
	if (switch_to(dir, name, err) < 0)
		return -1;
	link_names(dir, files, name);
	return 0;
}
