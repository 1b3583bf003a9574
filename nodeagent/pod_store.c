#include "nodeagent/pod_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/spawn.h"
#include "nodeagent/tree.h"

#define RECORD_MAX (16 * 1024 * 1024)

static bool uid_is_safe(const char *uid)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.";

	return uid[0] != '\0' && uid[0] != '.' && uid[strspn(uid, allowed)] == '\0' && strlen(uid) < 128;
}

static char *pods_dir(const char *data_dir)
{
	return mem_printf("%s/pods", data_dir);
}

static char *trash_dir(const char *data_dir)
{
	return mem_printf("%s/pods/.trash", data_dir);
}

/* Pods have nothing to do with each other: an ext4 that is told so puts each one's files into another part of
 * the disk. Else they all share one, in which a file system without a journal looks at every inode that was
 * freed in the last minutes whenever it gives out a new one: after a hundred pods that was half of what the
 * next hundred took. Others know no such flag. */
static void spread(const char *pods)
{
	CLEANUP(mem_closep) int fd = open(pods, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int attributes;

	if (fd < 0 || ioctl(fd, FS_IOC_GETFLAGS, &attributes) < 0)
		return;
	attributes |= FS_TOPDIR_FL;
	ioctl(fd, FS_IOC_SETFLAGS, &attributes);
}

int pod_store_open(const char *data_dir, struct err *err)
{
	CLEANUP(mem_freep) char *pods = pods_dir(data_dir);

	if (tree_make(pods, 0711, err) < 0)
		return -1;
	spread(pods);
	return tree_bind_private(pods, err);
}

void pod_store_close(const char *data_dir)
{
	CLEANUP(mem_freep) char *pods = pods_dir(data_dir);

	umount2(pods, UMOUNT_NOFOLLOW);
}

char *pod_store_dir(const char *data_dir, const char *uid)
{
	return uid_is_safe(uid) ? mem_printf("%s/pods/%s", data_dir, uid) : NULL;
}

static char *record_path(const char *pod_dir, int64_t sequence)
{
	return mem_printf("%s/pod.%d.json", pod_dir, (int)(sequence & 1));
}

int pod_store_save(const char *pod_dir, const struct json_object *record, int64_t sequence, struct err *err)
{
	CLEANUP(mem_freep) char *path = record_path(pod_dir, sequence);
	CLEANUP(buf_close) struct buf b = BUF_INIT;
	CLEANUP(mem_closep) int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_set_errno(err, errno, "%s", path);
	buf_printf(&b, "{\"sequence\":%" PRId64 ",\"record\":", sequence);
	json_write(&b, record);
	buf_printf(&b, ",\"end\":%" PRId64 "}", sequence);
	for (size_t done = 0; done < b.len;) {
		ssize_t n = write(fd, b.data + done, b.len - done);
		if (n < 0)
			return err_set_errno(err, errno, "%s", path);
		done += (size_t)n;
	}
	/* What a longer record left behind the end goes last: until then the file is not one JSON value. */
	if (ftruncate(fd, (off_t)b.len) < 0)
		return err_set_errno(err, errno, "%s", path);
	return 0;
}

/* *ret_sequence is that of the record. */
static int load_one(const char *path, struct json_object **ret, int64_t *ret_sequence, struct err *err)
{
	CLEANUP(buf_close) struct buf b = BUF_INIT;
	CLEANUP(json_putp) struct json_object *file = NULL;

	if (access(path, F_OK) < 0)
		return err_set(err, ERR_NOT_FOUND, "%s is not there", path);
	if (buf_read_file(&b, path, RECORD_MAX, err) < 0)
		return -1;
	if (json_parse(b.data ? b.data : "", b.len, &file, NULL, err) < 0 ||
	    json_int(file, "sequence", -1) != json_int(file, "end", -2) ||
	    !json_str(json_path(file, "record", "pod", "metadata", NULL), "uid") ||
	    !json_path(file, "record", "worker", NULL))
		return err_set(err, ERR_CORRUPT, "%s is no record of a pod", path);
	*ret = json_object_get(json_get(file, "record"));
	*ret_sequence = json_int(file, "sequence", 0);
	return 0;
}

int pod_store_load(const char *pod_dir, struct json_object **ret, int64_t *ret_sequence, struct err *err)
{
	struct json_object *best = NULL;
	int64_t best_sequence = 0;
	struct err first = ERR_INIT, second = ERR_INIT;

	for (int64_t i = 0; i < 2; i++) {
		CLEANUP(mem_freep) char *path = record_path(pod_dir, i);
		CLEANUP(json_putp) struct json_object *record = NULL;
		int64_t sequence = 0;
		if (load_one(path, &record, &sequence, i ? &second : &first) < 0 ||
		    (best && best_sequence > sequence))
			continue;
		json_object_put(best);
		best = TAKE(record);
		best_sequence = sequence;
	}
	if (!best) {
		const struct err *why = first.kind == ERR_NOT_FOUND ? &second : &first;
		return err_set(err, why->kind, "%s", why->msg);
	}
	*ret = best;
	*ret_sequence = best_sequence;
	return 0;
}

void pod_store_each(const char *data_dir, void (*fn)(const char *uid, const char *pod_dir, void *arg),
		    void *arg)
{
	CLEANUP(mem_freep) char *pods = pods_dir(data_dir);
	DIR *d = opendir(pods);

	if (!d)
		return;
	for (struct dirent *e; (e = readdir(d));) {
		if (!uid_is_safe(e->d_name))
			continue;
		CLEANUP(mem_freep) char *dir = mem_printf("%s/%s", pods, e->d_name);
		fn(e->d_name, dir, arg);
	}
	closedir(d);
}

/* A folder on its way out. What fails is tried again, each time later. */
struct discard {
	struct loop *loop;
	char *path;
	int64_t retry_ms;
	struct loop_timer again;
};

static void discard_failed(struct discard *d, const char *why)
{
	log_warn("a folder is not removed yet", "path", d->path, "error", why, NULL);
	loop_timer_arm(&d->again, d->retry_ms);
	d->retry_ms *= 2;
}

static void discard_free(struct discard *d)
{
	free(d->path);
	free(d);
}

static void on_removed(struct spawn_result *result, void *arg)
{
	struct discard *d = arg;

	if (result->status != 0)
		discard_failed(d, result->err.data);
	else
		discard_free(d);
}

static void on_discard(struct loop_timer *timer, void *arg)
{
	struct discard *d = arg;
	const char *argv[] = { "rm", "-rf", "--one-file-system", "--", d->path, NULL };
	struct spawn_opts opts = { .argv = argv, .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1 };
	struct err err = ERR_INIT;

	(void)timer;
	if (tree_remove_few(d->path))
		discard_free(d);
	else if (!spawn_start(d->loop, &opts, on_removed, d, &err))
		discard_failed(d, err.msg);
}

void pod_store_discard_path(struct loop *loop, const char *path)
{
	struct discard *d = mem_zalloc(sizeof(*d));

	*d = (struct discard){ .loop = loop, .path = mem_dup(path), .retry_ms = 1000 };
	loop_timer_init(&d->again, loop, on_discard, d);
	on_discard(&d->again, d);
}

void pod_store_discard(struct loop *loop, const char *data_dir, const char *uid)
{
	CLEANUP(mem_freep) char *dir = pod_store_dir(data_dir, uid);
	CLEANUP(mem_freep) char *trash = trash_dir(data_dir);
	CLEANUP(mem_freep) char *to = mem_printf("%s/%s", trash, uid);

	if (!dir)
		return;
	tree_make(trash, 0700, NULL);
	if (rename(dir, to) == 0)
		pod_store_discard_path(loop, to);
	else if (errno != ENOENT)
		pod_store_discard_path(loop, dir);
}

void pod_store_empty_trash(struct loop *loop, const char *data_dir)
{
	CLEANUP(mem_freep) char *trash = trash_dir(data_dir);

	if (access(trash, F_OK) == 0)
		pod_store_discard_path(loop, trash);
}
