#include "apiserver/file_stamp.h"

#include <time.h>

struct file_stamp file_stamp_take(const char *path)
{
	struct file_stamp stamp = { .path = path };
	stat(path, &stamp.seen); /* a missing file is what reading it reports */
	return stamp;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

bool file_stamp_changed(struct file_stamp *stamp)
{
	struct stat now;
	if (stat(stamp->path, &now) < 0 || same_file(&now, &stamp->seen))
		return false;
	stamp->seen = now;
	return true;
}

int64_t file_stamp_clock_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
