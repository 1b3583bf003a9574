/* Files of the image store that image_store.c and image_import.c share. */
#pragma once

#include "nodeagent/image_manifest.h"
#include "nodeagent/image_store.h"

struct image_store {
	struct loop *loop;
	char *dir;
	int lock_fd;
	int inotify_fd;
	struct loop_io *io;
	void (*changed)(void *arg);
	void *arg;
};

/* Paths; the caller frees. */
char *image_store_blob_path(const struct image_store *store, const char *digest);
char *image_store_layer_path(const struct image_store *store, const char *diff_id);
char *image_store_ref_path(const struct image_store *store, const char *reference);
/* A JSON blob's text, its digest verified. */
int image_store_read_blob(const struct image_store *store, const char *digest, struct buf *ret,
			  struct err *err);
/* Locks the store for changes; blocks. Close the descriptor to unlock. */
int image_store_lock(const struct image_store *store, struct err *err);
/* Removes every blob and layer that no reference needs; to be called with the lock held. */
int image_store_sweep(const struct image_store *store, struct err *err);
