/* tar archives as streams, in the format that all tars read (POSIX ustar, with GNU's records for long names):
 * files and folders for cp.
 */
#pragma once

#include <stddef.h>

#include "lib/err.h"

/* Writes PATH, a file or a folder with all below it, as NAME to FD. Symbolic links are written as such; what
 * else is neither is left out and told on stderr. */
int tar_write(int fd, const char *path, const char *name, struct err *err);
/* Reads an archive from FD and puts what lies at or below PREFIX ("" or ".": all) to DEST in its place. "./"
 * and
 * "/" before a name or the prefix mean nothing. Nothing is written
 * outside of DEST: names with ".." are an error, links are left out and told on stderr. *RET_N: how many
 * entries there were. */
int tar_read(int fd, const char *prefix, const char *dest, size_t *ret_n, struct err *err);
