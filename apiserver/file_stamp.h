/* Notices that a file has changed, by a look at its inode when somebody uses what was read from it: no
 * thread, no watch, nothing while nobody asks. A file replaced by rename is noticed as well.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

struct file_stamp {
	const char *path; /* borrowed */
	struct stat seen;
};

/* What the file is at this moment; before it is read, so that a change during the reading is seen later. */
struct file_stamp file_stamp_take(const char *path);
/* The file is there and is not what STAMP, which is brought up to date, saw last. */
bool file_stamp_changed(struct file_stamp *stamp);

/* A monotonic clock that costs no system call and is right to a few milliseconds: for how often to look. */
int64_t file_stamp_clock_ms(void);
