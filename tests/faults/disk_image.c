#include "tests/faults/disk_image.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/buf.h"
#include "tests/support/rng.h"

#define SECTOR    512
#define PAGE      4096
#define FILE_MAX  (256U << 20)
#define MAX_FILES 64

/* A write, or with DATA NULL a change of the size to AT. */
struct disk_op {
	int64_t at;
	unsigned char *data;
	size_t len;
};

struct disk_image {
	char *path;
	ino_t inode;
	unsigned char *disk; /* as of the last sync */
	size_t size;
	struct disk_op *ops; /* since then */
	size_t n_ops, cap_ops;
	bool named;   /* its name is on the disk as well */
	bool removed; /* but the disk may not know yet */
};

static struct disk_image images[MAX_FILES];
static size_t n_images;
static struct rng rng;

void disk_image_seed(uint64_t seed)
{
	rng = rng_of(seed, 0);
}

uint32_t disk_image_random(uint32_t n)
{
	return rng_below(&rng, n);
}

static bool coin(void)
{
	return disk_image_random(2);
}

static void resize(struct disk_image *image, size_t size)
{
	image->disk = mem_realloc(image->disk, size);
	if (size > image->size)
		memset(image->disk + image->size, 0, size - image->size);
	image->size = size;
}

static void apply(struct disk_image *image, const struct disk_op *op, size_t skip, size_t len)
{
	size_t at = (size_t)op->at + skip;

	if (!op->data) {
		resize(image, (size_t)op->at);
		return;
	}
	if (at + len > image->size)
		resize(image, at + len);
	memcpy(image->disk + at, op->data + skip, len);
}

static void drop_ops(struct disk_image *image)
{
	for (size_t i = 0; i < image->n_ops; i++)
		free(image->ops[i].data);
	image->n_ops = 0;
}

/* Each sector on its own. */
static void apply_torn(struct disk_image *image, const struct disk_op *op)
{
	size_t done = 0;

	while (done < op->len) {
		size_t in_sector = SECTOR - ((size_t)op->at + done) % SECTOR;
		size_t len = in_sector < op->len - done ? in_sector : op->len - done;

		if (coin())
			apply(image, op, done, len);
		done += len;
	}
}

/* Some of what was written since the last sync, as the chance of this disk has it. */
static void apply_some(struct disk_image *image)
{
	uint32_t habit = disk_image_random(4);

	for (size_t i = 0; i < image->n_ops; i++) {
		const struct disk_op *op = &image->ops[i];

		if (habit == 0)
			continue; /* nothing of it */
		if (habit == 1 || (habit == 2 && coin()) || (habit == 3 && !op->data && coin()))
			apply(image, op, 0, op->len);
		else if (habit == 3 && op->data)
			apply_torn(image, op);
	}
}

static struct disk_op *add_op(struct disk_image *image)
{
	if (image->n_ops == image->cap_ops) {
		image->cap_ops = image->cap_ops ? image->cap_ops * 2 : 64;
		image->ops = mem_realloc_array(image->ops, image->cap_ops, sizeof(*image->ops));
	}
	return &image->ops[image->n_ops++];
}

struct disk_image *disk_image_of(const char *path)
{
	CLEANUP(buf_close) struct buf content = BUF_INIT;
	struct disk_image *image = NULL;
	struct stat st;

	if (stat(path, &st) < 0)
		abort();
	for (size_t i = 0; i < n_images && !image; i++)
		if (images[i].inode == st.st_ino && !images[i].removed)
			image = &images[i];
	if (!image) {
		if (n_images == MAX_FILES || buf_read_file(&content, path, FILE_MAX, NULL) < 0)
			abort();
		image = &images[n_images++];
		*image =
		    (struct disk_image){ .inode = st.st_ino, .size = content.len, .named = content.len > 0 };
		image->disk = (unsigned char *)buf_take(&content);
	}
	if (!image->path || strcmp(image->path, path) != 0) {
		free(image->path);
		image->path = mem_dup(path);
	}
	return image;
}

void disk_image_write(struct disk_image *image, const void *data, size_t len, int64_t at)
{
	*add_op(image) = (struct disk_op){ .at = at, .data = mem_copy(data, len), .len = len };
}

void disk_image_truncate(struct disk_image *image, int64_t size)
{
	*add_op(image) = (struct disk_op){ .at = size };
}

void disk_image_names_synced(void)
{
	for (size_t i = 0; i < n_images; i++) {
		if (images[i].removed)
			free(TAKE(images[i].path));
		else
			images[i].named = true;
	}
}

/* The first sync of a new file is one of the folder as well: the unix VFS does that. */
void disk_image_sync(struct disk_image *image)
{
	for (size_t i = 0; i < image->n_ops; i++)
		apply(image, &image->ops[i], 0, image->ops[i].len);
	drop_ops(image);
	if (!image->named)
		disk_image_names_synced();
}

/* The pages that OP wrote, as the disk has them: what reads see once the cache has dropped them. */
static void show_old(const struct disk_image *image, const struct disk_op *op, disk_image_show_fn show,
		     void *arg)
{
	size_t end = ((size_t)op->at + op->len + PAGE - 1) / PAGE * PAGE;

	for (size_t at = (size_t)op->at / PAGE * PAGE; at < end; at += PAGE) {
		unsigned char page[PAGE] = { 0 };

		if (at < image->size)
			memcpy(page, image->disk + at, image->size - at < PAGE ? image->size - at : PAGE);
		show(page, PAGE, (int64_t)at, arg);
	}
}

void disk_image_sync_failed(struct disk_image *image, disk_image_show_fn show, void *arg)
{
	bool dropped = coin();

	apply_some(image);
	for (size_t i = 0; i < image->n_ops && dropped; i++)
		if (image->ops[i].data)
			show_old(image, &image->ops[i], show, arg);
	drop_ops(image);
}

void disk_image_removed(const char *path)
{
	disk_image_of(path)->removed = true;
}

static void write_file(const struct disk_image *image)
{
	CLEANUP(mem_closep) int fd = open(image->path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, image->disk, image->size) != (ssize_t)image->size)
		abort();
}

/* Whether its path still leads to it. */
static bool is_there(const struct disk_image *image)
{
	struct stat st;

	return image->path && stat(image->path, &st) == 0 && st.st_ino == image->inode;
}

void disk_image_power_cut(uint64_t seed)
{
	disk_image_seed(seed);
	for (size_t i = 0; i < n_images; i++) {
		struct disk_image *image = &images[i];

		apply_some(image);
		drop_ops(image);
		if (image->removed) {
			if (image->path && access(image->path, F_OK) < 0 && coin())
				write_file(image);
		} else if (is_there(image)) {
			if (!image->named && coin())
				unlink(image->path);
			else
				write_file(image);
		}
	}
	disk_image_forget();
}

void disk_image_forget(void)
{
	for (size_t i = 0; i < n_images; i++) {
		drop_ops(&images[i]);
		free(images[i].ops);
		free(images[i].disk);
		free(images[i].path);
	}
	n_images = 0;
}
