/* Tells when files have changed, on a loop, by inotify on their folders: a file replaced by rename is noticed
 * as well. What changed is for the owner to find out; other files of the folders count, too.
 */
#pragma once

#include "lib/err.h"
#include "lib/loop.h"

struct file_watch {
	int fd;
	struct loop_io *io;
	struct loop_timer settle; /* files are replaced one after the other: the last change counts */
	void (*changed)(void *arg);
	void *arg;
};

/* CHANGED is called a moment after the last of some changes. To be closed, also on failure. */
int file_watch_open(struct file_watch *watch, struct loop *loop, void (*changed)(void *arg), void *arg,
		    struct err *err);
/* The file at PATH, NULL: none; it need not be there yet. */
int file_watch_add(struct file_watch *watch, const char *path, struct err *err);
void file_watch_close(struct file_watch *watch); /* before the loop goes; all zero is fine */
