/* Container images for tests: layers from tables of entries, OCI archives around them.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "lib/buf.h"

struct fixture_entry {
	const char *path;
	mode_t type;         /* S_IFREG, S_IFDIR, S_IFLNK, S_IFCHR...; 0: hard link */
	mode_t mode;
	const char *content; /* of a file; target of a link */
	size_t len;          /* of content, 0: strlen */
	uid_t uid;
	gid_t gid;
	dev_t device;
	const char *xattr, *xattr_value; /* or NULL */
};

/* Appends a tar of the entries, compressed when GZIP. */
void image_fixture_layer(const struct fixture_entry *entries, size_t n, bool gzip, struct buf *ret);
/* Writes an OCI archive with one image to PATH. CONFIG is the JSON of config.config ("{\"Cmd\":[\"sh\"]}"); LAYERS are
 * tars as image_fixture_layer makes them. */
void image_fixture_archive(const char *path, const char *name, const char *config, struct buf *layers, bool gzip, size_t n);
/* The same with one layer that holds /bin/busybox with some of its names, /etc/passwd, /etc/group, /tmp. */
void image_fixture_busybox(const char *path, const char *name, const char *config);
