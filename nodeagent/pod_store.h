/* What the agent must know of its pods after a restart: one JSON record per pod under DIR/pods/UID,
 *
 *     {"sequence": N, "record": {"pod": as the API had it, "status": as last shown, "worker": the worker's
 * own}, "end": N}
 *
 * written in turn to pod.0.json and pod.1.json: whatever a crash leaves of the one, the other is whole, and
 * the higher readable sequence counts. (Not a new file renamed over the old one: hundreds of changes a second
 * would have the file system look for new inodes most of the time.) There is no fsync: a record only serves
 * containers that outlive the agent, and those do not outlive the machine. Records that a power cut left
 * unreadable are an error at load, and their pod is begun anew.
 */
#pragma once

#include "lib/err.h"
#include "lib/json.h"
#include "lib/loop.h"

/* Makes DIR/pods, a mount of its own: see tree_bind_private. The mounts of a node's pods lie below it, and
 * each container's shim leaves out those of other pods. Removed pods go through DIR/pods/.trash: a rename
 * does not leave a mount. */
int pod_store_open(const char *data_dir, struct err *err);
/* Takes the mount away again, unless pods have mounts below it. */
void pod_store_close(const char *data_dir);
/* DIR/pods/UID; NULL when UID is not made of letters, digits, '-' and '.'. Caller frees. */
char *pod_store_dir(const char *data_dir, const char *uid);
/* SEQUENCE is one more than at the last save; RECORD has the three members above. */
int pod_store_save(const char *pod_dir, const struct json_object *record, int64_t sequence, struct err *err);
/* ERR_NOT_FOUND without any, or ERR_CORRUPT when it is no record. */
int pod_store_load(const char *pod_dir, struct json_object **ret, int64_t *ret_sequence, struct err *err);
/* Calls FN for each folder under DIR/pods. */
void pod_store_each(const char *data_dir, void (*fn)(const char *uid, const char *pod_dir, void *arg),
		    void *arg);
/* Takes the folder away at once and removes it in a child process. Nothing may be mounted in it. */
void pod_store_discard(struct loop *loop, const char *data_dir, const char *uid);
/* Removes a folder that nothing uses any more, in a child process. */
void pod_store_discard_path(struct loop *loop, const char *path);
/* Removes what earlier runs had no time to remove. */
void pod_store_empty_trash(struct loop *loop, const char *data_dir);
