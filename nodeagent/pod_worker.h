/* The life of one pod on this node, from the moment it is bound to its last deletion. Everything slow happens
 * elsewhere; the worker moves when something it waits for is told.
 */
#pragma once

#include <stdbool.h>

#include "lib/json.h"
#include "nodeagent/agent.h"

struct pod_worker;

struct pod_worker_ops {
	/* Nothing of it is left: not on this node, not in the API. It must be freed. */
	void (*gone)(struct pod_worker *worker, void *arg);
};

/* A pod that is new to this node. A reference to POD is taken. */
struct pod_worker *pod_worker_new(struct agent *agent, struct json_object *pod,
				  const struct pod_worker_ops *ops, void *arg);
/* A pod of which an earlier run of the agent left RECORD, saved as SEQUENCE: takes over what runs. NULL when
 * the record is unusable. */
struct pod_worker *pod_worker_restore(struct agent *agent, const struct json_object *record, int64_t sequence,
				      const struct pod_worker_ops *ops, void *arg, struct err *err);
void pod_worker_free(struct pod_worker *worker); /* containers run on */

/* The API has a newer version of it. */
void pod_worker_update(struct pod_worker *worker, struct json_object *pod);
/* The API has it no more: it is ended like a deleted pod and then gone. */
void pod_worker_deleted(struct pod_worker *worker);
/* Images came; the node's network is up. */
void pod_worker_images_changed(struct pod_worker *worker);
void pod_worker_network_ready(struct pod_worker *worker);

const char *pod_worker_uid(const struct pod_worker *worker);
const char *pod_worker_key(const struct pod_worker *worker); /* "NAMESPACE/NAME" */
/* As the API had it last; with the status that is shown now in *ret_status (both borrowed). */
const struct json_object *pod_worker_pod(const struct pod_worker *worker,
					 const struct json_object **ret_status);
/* Path of the log of CONTAINER, or of the attempt before with PREVIOUS. Errors in the kubelet's words:
 * ERR_BAD_REQUEST (container "c" in pod "p" is waiting to start: ContainerCreating), ERR_NOT_FOUND. Caller
 * frees. */
int pod_worker_log_path(const struct pod_worker *worker, const char *container, bool previous, char **ret,
			struct err *err);
/* The container of that name while it runs, and its part of the spec (RET_SPEC may be NULL). ERR_NOT_FOUND in
 * the kubelet's words. Both borrowed until the loop turns. */
struct container *pod_worker_running_container(const struct pod_worker *worker, const char *container,
					       const struct json_object **ret_spec, struct err *err);
/* Path of its network namespace, borrowed; *RET NULL: the node's own. ERR_NOT_FOUND: it has none yet, or any
 * more. */
int pod_worker_net_ns(const struct pod_worker *worker, const char **ret, struct err *err);
