/* The life of one container of a pod: made from its image, started, watched by probes, ended, tried again.
 * The pod's worker decides when it may begin and when it must end for good; everything between is decided
 * here.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "nodeagent/agent.h"
#include "nodeagent/config_objects.h"
#include "nodeagent/pod_status.h"
#include "nodeagent/sandbox.h"

/* What a pod's containers know of it; owned by the pod's worker. */
struct pod_context {
	struct agent *agent;
	struct json_object *pod; /* its spec member stays the same object as long as the worker lives */
	char *namespace_, *name, *uid;
	char *dir, *cgroup, *hostname;
	struct sandbox sandbox; /* set before the first container begins */
	struct config_lookup lookup;
};

enum container_worker_state {
	CONTAINER_WORKER_IDLE,     /* may begin */
	CONTAINER_WORKER_STARTING, /* being made and started */
	CONTAINER_WORKER_HOOK,     /* postStart is under way */
	CONTAINER_WORKER_RUNNING,
	CONTAINER_WORKER_STOPPING,
	CONTAINER_WORKER_BACKOFF, /* waits: for time, an image, a ConfigMap */
	CONTAINER_WORKER_ENDED,   /* for good */
};

struct container_worker;

struct container_worker_ops {
	/* What the API shows has changed. MILESTONE: observers must be able to see this very state. */
	void (*changed)(struct container_worker *worker, bool milestone, void *arg);
	/* Something may be done now that could not before: the pod's worker looks at all its containers. */
	void (*advance)(void *arg);
	/* An attempt is about to be made: what save gives must be on disk when this returns. */
	void (*save)(void *arg);
	/* The pod's container of that name while it runs, or NULL. */
	struct container *(*running)(const char *name, void *arg);
};

/* SPEC: the Container inside POD's spec. OPS is kept by pointer. */
struct container_worker *container_worker_new(struct pod_context *pod, const struct json_object *spec,
					      enum container_kind kind,
					      const struct container_worker_ops *ops, void *arg);
void container_worker_free(struct container_worker *worker); /* a running container runs on */

enum container_worker_state container_worker_state(const struct container_worker *worker);
enum container_kind container_worker_kind(const struct container_worker *worker);
const char *container_worker_name(const struct container_worker *worker);
/* Idle only. When too many are being made at once it stays idle, and ADVANCE is called when its turn has
 * come. */
void container_worker_begin(struct container_worker *worker);
/* Ends it for good within GRACE_MS: preStop, TERM, KILL. Called again it can only shorten the time. */
void container_worker_stop(struct container_worker *worker, int64_t grace_ms);
/* Ends it to begin again with what its spec says now ("Container c definition changed, will be restarted").
 */
void container_worker_replace(struct container_worker *worker);
/* Nothing of it is left to wait for: it has ended for good and its remains are removed. */
bool container_worker_is_quiet(const struct container_worker *worker);
/* Being made or started: containers after it wait. */
bool container_worker_is_starting(const struct container_worker *worker);
/* Runs and its startup probe has succeeded. */
bool container_worker_is_started(const struct container_worker *worker);
/* It has ended and its exit code was 0. */
bool container_worker_has_succeeded(const struct container_worker *worker);
/* Images came to the node; a ConfigMap or Secret came or changed: whoever waited for it tries at once. */
void container_worker_images_changed(struct container_worker *worker);
void container_worker_config_changed(struct container_worker *worker);

/* How it is shown; strings borrowed until the next call of anything here. */
void container_worker_view(const struct container_worker *worker, struct container_view *ret);
/* The attempt whose log is the current or, with PREVIOUS, the one before; -1 when there is none. */
int container_worker_log_attempt(const struct container_worker *worker, bool previous);

/* The container while it runs, and its spec (RET_SPEC may be NULL); NULL: it does not. */
struct container *container_worker_running(const struct container_worker *worker,
					   const struct json_object **ret_spec);

/* For the record on disk, and back after a restart of the agent: takes over the container that runs, or
 * learns how it ended meanwhile. Makes no call of OPS before the loop runs. */
struct json_object *container_worker_save(const struct container_worker *worker);
void container_worker_restore(struct container_worker *worker, const struct json_object *saved);
