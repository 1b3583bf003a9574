/* Unpacks a layer (or any tar archive) into a folder, safely and as overlayfs wants it.
 * https://github.com/opencontainers/image-spec/blob/main/layer.md
 *
 * Whatever the archive's names and links say, nothing is made outside the folder: every path is resolved with
 * openat2(RESOLVE_IN_ROOT). Whiteouts become overlayfs' own: a device 0/0 for `.wh.NAME`, the xattr
 * trusted.overlay.opaque for `.wh..wh..opq`. Kept are owners, modes, times, hard links, devices, user xattrs
 * and file capabilities.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"

struct layer_unpack_opts {
	int fd; /* the archive: tar, plain or compressed by gzip, zstd, xz or bzip2; read from where it stands
		 */
	int dir_fd; /* the folder */
	bool layer; /* whiteouts, owners, devices, xattrs; else plain files, folders and links only */
	void (*progress)(uint64_t done_bytes, void *arg); /* of the archive, now and then; or NULL */
	void *arg;
};

/* Sets RET_DIFF_ID (DIGEST_SIZE bytes, or NULL) to the digest of the uncompressed archive. ERR_CORRUPT when
 * it is no archive or ends early; ERR_LIMIT over 64 GiB or 4,000,000 entries; ERR_SYSTEM for what the disk
 * refuses. */
int layer_unpack(const struct layer_unpack_opts *opts, char *ret_diff_id, struct err *err);
