/* What a disk would hold after a power cut, of the files that faulty_disk.h watches: each file's content as
 * of its last sync, and what was written since. The files themselves hold what a running system sees (the
 * page cache).
 *
 * Writes since the last sync may reach the disk or not, in any order, each 512-byte sector on its own; so may
 * changes of the size, and the removal of a file. After a sync that failed the same is true of what it should
 * have brought to the disk, but the kernel takes those pages for clean: no later sync brings them, and they
 * may be dropped from the cache, so that reads see the disk's old content.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct disk_image;

/* The image of the file at PATH, which is there; its content is taken to be on the disk when it is new to us.
 */
struct disk_image *disk_image_of(const char *path);
void disk_image_write(struct disk_image *image, const void *data, size_t len, int64_t at);
void disk_image_truncate(struct disk_image *image, int64_t size);
void disk_image_sync(struct disk_image *image);
/* SHOW puts old content back into the file when the cache drops it. */
typedef void (*disk_image_show_fn)(const void *page, size_t len, int64_t at, void *arg);
void disk_image_sync_failed(struct disk_image *image, disk_image_show_fn show, void *arg);
/* The file at PATH is being removed; a power cut may bring it back until the folder is synced. */
void disk_image_removed(const char *path);
/* The folder was synced. */
void disk_image_names_synced(void);

/* Gives all files the content that a power cut may leave, chosen by SEED. None may be open. */
void disk_image_power_cut(uint64_t seed);
/* Forgets all files. */
void disk_image_forget(void);

/* Choices, repeated by the same seed. */
void disk_image_seed(uint64_t seed);
/* Below N. */
uint32_t disk_image_random(uint32_t n);
