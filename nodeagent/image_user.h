/* Users and groups of an image: names resolve in its own /etc/passwd and /etc/group, read from its layers as
 * overlayfs would show them, without mounting it and without ever leaving it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/buf.h"
#include "nodeagent/image_store.h"

struct image_user {
	uint32_t uid, gid;
	uint32_t *groups; /* of the user's in /etc/group; with gid */
	size_t n_groups;
};

/* Appends the file of the image at PATH ("etc/passwd", one folder deep). 0 also when there is none. */
int image_user_read_file(const struct image *image, const char *path, struct buf *ret, struct err *err);
/* USER as the image's User has it: "", "1000", "name", "name:group", "1000:1000". UID and GID replace its
 * parts when they are not negative. ERR_INVALID when a name is not found. Close with image_user_close. */
int image_user_resolve(const struct image *image, const char *user, int64_t uid, int64_t gid,
		       struct image_user *ret, struct err *err);
void image_user_close(struct image_user *user);
