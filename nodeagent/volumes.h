/* A pod's volumes, under POD_DIR/volumes/NAME: emptyDir (disk or memory), hostPath, ConfigMap, Secret,
 * downward API and projected; and the mounts they give its containers. What only a pod of a later knarr can
 * have is refused with a message that names it. https://kubernetes.io/docs/concepts/storage/volumes/
 */
#pragma once

#include "lib/err.h"
#include "lib/json.h"
#include "nodeagent/pod_env.h"
#include "nodeagent/pod_tokens.h"
#include "nodeagent/runtime.h"

struct volumes_opts {
	const char *pod_dir;
	const struct pod_env_opts
	    *env; /* pod, lookup and what the downward API needs; its container is not used */
	const struct pod_tokens *tokens; /* the pod's; NULL: it has none */
};

/* Makes all volumes, or brings those made of API objects up to date; idempotent. On failure the message is
 * that of the FailedMount event: MountVolume.SetUp failed for volume "v" : secret "no" not found. */
int volumes_setup(const struct volumes_opts *opts, struct err *err);
/* Unmounts what was mounted under POD_DIR; the folders go with POD_DIR itself. */
int volumes_teardown(const char *pod_dir, struct err *err);
/* Calls FN for each ConfigMap and Secret that the pod's volumes and containers refer to, optional ones too.
 */
void volumes_each_reference(const struct json_object *pod_spec,
			    void (*fn)(enum config_kind kind, const char *name, void *arg), void *arg);

/* Mounts of one container. */
struct volume_mounts {
	struct runtime_mount *mounts; /* their strings are owned */
	size_t n;
};
/* From volumeMounts; ENV expands subPathExpr. A subPath is resolved inside the volume without following
 * symbolic links out of it and pinned by a bind mount, so that a container cannot swap it. */
int volumes_mounts(const struct volumes_opts *opts, const struct json_object *container,
		   const struct pod_env *env, struct volume_mounts *ret, struct err *err);
/* Appends a mount of SOURCE. Copies. */
void volumes_mounts_add(struct volume_mounts *mounts, const char *source, const char *destination,
			bool read_only, const char *options);
void volumes_mounts_close(struct volume_mounts *mounts);
