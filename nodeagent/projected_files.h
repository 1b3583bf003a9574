/* A folder of small files that changes as a whole: what ConfigMap, Secret, downward API and projected volumes
 * are made of. A reader sees all of the old files or all of the new ones:
 *
 *     ..2026_11_21_07_00_00.123456789/KEY   the files
 *     ..data -> ..2026_...                  replaced by rename
 *     KEY -> ..data/KEY
 *
 * (The layout of Kubernetes' AtomicWriter: programs that watch ..data work unchanged.)
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "lib/err.h"

struct projected_file {
	char *path; /* relative, may have folders in it */
	char *data;
	size_t len;
	unsigned mode;
	uid_t uid; /* (uid_t)-1: ours */
};

struct projected_files {
	struct projected_file *files;
	size_t n;
};

/* Adds a file; PATH must stay inside the folder (ERR_INVALID: absolute, "..", empty). Copies. A path
 * that is there already is replaced: later sources win. */
int projected_files_add(struct projected_files *files, const char *path, const void *data, size_t len,
			unsigned mode, struct err *err);
/* The file PATH, which has been added, belongs to UID. */
void projected_files_own(struct projected_files *files, const char *path, uid_t uid);
void projected_files_close(struct projected_files *files);
/* Makes DIR (which exists) hold exactly FILES; does nothing when it does already. GID -1: unchanged. */
int projected_files_write(const char *dir, const struct projected_files *files, gid_t gid, struct err *err);
