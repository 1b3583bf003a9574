/* The encryption configuration of a running server: taken anew when its file changes, on the main thread's
 * loop. A configuration that cannot be read, or lacks a key that is in use, changes nothing.
 */
#pragma once

#include "apiserver/file_stamp.h"
#include "apiserver/file_watch.h"
#include "apiserver/store/encrypted.h"

struct encryption_file {
	const char *path;    /* borrowed; NULL: none */
	struct store *store; /* of store_encrypted, borrowed; set by who opened it */
	struct file_stamp stamp;
	struct file_watch watch;
};

/* PATH, as it is at this moment, is about to be read for the start. */
void encryption_file_init(struct encryption_file *file, const char *path);
/* The store is set. */
int encryption_file_watch(struct encryption_file *file, struct loop *loop, struct err *err);
void encryption_file_close(struct encryption_file *file); /* before store and loop go */
