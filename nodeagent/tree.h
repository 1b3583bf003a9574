/* Folders on disk: made with their parents, removed with what is in them. */
#pragma once

#include <stdbool.h>

#include "lib/err.h"

/* Makes PATH and its missing parents, all with MODE. */
int tree_make(const char *path, unsigned mode, struct err *err);
/* Removes PATH and everything below it on the same file system, following no symbolic link; not there is
 * fine. For trees of bounded size: what a container may fill is removed by a child process instead. */
int tree_remove(const char *path, struct err *err);
/* The same at once, if it is small: some dozens of files. True when nothing is left. */
bool tree_remove_few(const char *path);
/* True when something is mounted at PATH. */
bool tree_is_mount(const char *path);
/* Makes the folder PATH a mount of its own (bound onto itself), private: what is mounted below it afterwards
 * is not copied into other mount namespaces, and goes from one with this mount. Once: a second call does
 * nothing. */
int tree_bind_private(const char *path, struct err *err);
/* Detaches whatever is mounted at or below PATH, deepest first. */
int tree_unmount(const char *path, struct err *err);
