/* Inside of volumes.c: the volumes that are made of API objects, and what those and others share.
 */
#pragma once

#include <sys/types.h>

#include "nodeagent/volumes.h"

/* securityContext.fsGroup of the pod; (gid_t)-1: it has none. */
gid_t volume_fs_group(const struct volumes_opts *opts);
/* At DIR, unless something is mounted there already. OPTIONS: "mode=0755". */
int volume_mount_tmpfs(const char *dir, const char *options, struct err *err);
/* Writes the files of VOLUME, a configMap, secret, downwardAPI or projected, below DIR, or brings those that
 * are there up to date. ERR_NOT_FOUND: an object or key of it is not there. */
int volume_files_setup(const struct volumes_opts *opts, const char *dir, const struct json_object *volume,
		       struct err *err);
