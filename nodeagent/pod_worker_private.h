/* What pod_worker.c, pod_worker_setup.c, pod_worker_containers.c, pod_worker_end.c and pod_worker_record.c
 * share of a pod's worker; others see pod_worker.h only.
 */
#pragma once

#include "nodeagent/container_worker.h"
#include "nodeagent/pod_worker.h"

/*   VOLUMES ─▶ SANDBOX ─▶ ACTIVE ─▶ STOPPING ─▶ TEARDOWN ─▶ ENDED ─▶ DELETING ─▶ GONE
 *      │          │                      ▲                     │                   ▲
 *      └──────────┴───── deleted ────────┘                     └── not in the API ─┘
 *
 * VOLUMES   waits for the ConfigMaps, Secrets and tokens it names, then makes its volumes
 * SANDBOX   namespaces and address
 * ACTIVE    its containers live their lives (container_worker.h)
 * STOPPING  no container may begin; those that run are ended: main containers, then sidecars, last one first
 * TEARDOWN  sandbox, cgroup and volumes are taken down
 * ENDED     nothing runs; its final phase is shown; logs stay
 * DELETING  the API is asked to forget it
 */
enum pod_worker_state {
	POD_VOLUMES,
	POD_SANDBOX,
	POD_ACTIVE,
	POD_STOPPING,
	POD_TEARDOWN,
	POD_ENDED,
	POD_DELETING,
	POD_GONE,
};

struct pod_worker {
	struct pod_context ctx;
	const struct pod_worker_ops *ops;
	void *arg;
	char *key;
	enum pod_worker_state state;
	struct container_worker **containers; /* init containers first, ephemeral ones last */
	size_t n_containers, n_init;
	size_t n_lasting; /* those before the ephemeral ones */
	struct config_use **configs;
	size_t n_configs;
	struct pod_tokens *tokens; /* or NULL */

	struct json_object *status; /* as shown last */
	int64_t sequence;           /* of the record on disk */
	bool recorded;              /* there is one */
	int64_t start_us;
	bool sandbox_ready;
	bool initialized;              /* every init container has done its work once */
	const char *reason, *message;  /* why we failed it: static strings */
	bool deleting;                 /* the API asked for its end */
	bool cut;                      /* its grace period was shortened meanwhile */
	bool end_unshown;              /* its last container's end waits to be shown */
	bool unconfirmed;              /* after a restart: the API may have an older status than ours */
	bool forgotten;                /* the API has it no more */
	int64_t grace_ms, deadline_ms; /* STOPPING */

	struct sandbox_op *sandbox_op;
	struct loop_timer retry, active_deadline;
	int64_t retry_ms;
	struct loop_task task; /* advance */
};

/* pod_worker.c */
void pod_worker_set_state(struct pod_worker *w, enum pod_worker_state state);
/* ARG is the worker: it is looked at before the loop next sleeps. */
void pod_worker_advance_soon(void *arg);
const struct json_object *pod_worker_spec(const struct pod_worker *w);
void pod_worker_event(const struct pod_worker *w, const char *type, const char *reason, const char *message);
bool pod_worker_is_ending(const struct pod_worker *w);
int64_t pod_worker_spec_grace_ms(const struct pod_worker *w);
/* A worker that has not begun. NULL when POD's UID is unusable. */
struct pod_worker *pod_worker_make(struct agent *agent, const struct json_object *pod,
				   const struct pod_worker_ops *ops, void *arg);
/* Ends it when the API's metadata asks for that. */
void pod_worker_check_deletion(struct pod_worker *w);

/* pod_worker_record.c: on disk and in the API. */
void pod_worker_save(void *arg);
/* Shows how it stands now, if that has changed. */
void pod_worker_publish(struct pod_worker *w, bool milestone);

/* pod_worker_setup.c: what its containers need before they begin. */
enum config_presence pod_worker_lookup(enum config_kind kind, const char *name,
				       const struct json_object **ret, void *arg);
/* Takes hold of the ConfigMaps, Secrets and tokens that its spec names, and lets go of them. */
void pod_worker_hold_objects(struct pod_worker *w);
void pod_worker_hold_configs(struct pod_worker *w); /* those of what came into it as well */
void pod_worker_drop_objects(struct pod_worker *w);
void pod_worker_advance_volumes(struct pod_worker *w);
void pod_worker_make_sandbox(struct pod_worker *w);
void pod_worker_take_sandbox(struct pod_worker *w, const struct sandbox *sandbox);
/* Advances it again after a while, twice as long each time. */
void pod_worker_retry_later(struct pod_worker *w);
void pod_worker_on_retry(struct loop_timer *timer, void *arg);

/* pod_worker_containers.c: which of them may begin. */
void pod_worker_make_container_workers(struct pod_worker *w);
/* Ephemeral containers that the API's LIST has beyond those that there are. */
void pod_worker_add_ephemeral(struct pod_worker *w, const struct json_object *list);
void pod_worker_advance_active(struct pod_worker *w);

/* pod_worker_end.c */
void pod_worker_begin_stopping(struct pod_worker *w, int64_t grace_ms);
void pod_worker_advance_stopping(struct pod_worker *w);
void pod_worker_tear_down(struct pod_worker *w);
void pod_worker_advance_ended(struct pod_worker *w);
void pod_worker_arm_active_deadline(struct pod_worker *w);
void pod_worker_on_active_deadline(struct loop_timer *timer, void *arg);
