/* What container_worker.c, container_worker_begin.c, container_worker_end.c and container_worker_record.c
 * share of a container's worker; others see container_worker.h only.
 */
#pragma once

#include "nodeagent/backoff.h"
#include "nodeagent/container_events.h"
#include "nodeagent/container_worker.h"
#include "nodeagent/probe.h"
#include "nodeagent/runtime.h"
#include "nodeagent/start_slots.h"

/* What a container in BACKOFF waits for. */
enum wait_for { WAIT_NOTHING, WAIT_CRASH, WAIT_IMAGE, WAIT_CONFIG };

#define SHOW_BACKOFF_AFTER_MS 1000 /* how it ended is shown that long before "back-off" is */

struct container_worker {
	struct pod_context *pod;
	const struct json_object *spec;
	enum container_kind kind;
	const struct container_worker_ops *ops;
	void *arg;
	enum container_worker_state state;

	struct container *container;
	unsigned attempts; /* made so far; the next one's number */
	unsigned lost;     /* of those, never made: the agent died over them */
	size_t removing;   /* old attempts whose remains are being removed */
	struct probe_set *probes;
	struct probe_action *hook;
	struct start_slot slot;  /* held while it is made and started */
	struct loop_timer timer; /* BACKOFF: next step; STOPPING: KILL */

	/* As shown. */
	enum container_shown shown;
	char *waiting_reason, *waiting_message;
	struct termination ended, last;
	int64_t restart_count, started_us;
	char *image, *image_id, *container_id;

	/* How the current attempt came to its end. */
	char *hook_error;    /* postStart's: shown instead of the exit */
	bool restart_wanted; /* ended by us, to begin again: probe, changed spec */
	bool for_good;       /* the pod ends */
	int64_t deadline_ms; /* STOPPING: loop clock */

	enum wait_for wait;
	struct backoff crash, pull;
	int64_t failed_ms;   /* boot clock of the last end; 0: none */
	int64_t retry_at_ms; /* BACKOFF: boot clock; INT64_MAX: not by time */
};

/* container_worker.c: states and what is shown. */
void container_worker_set_state(struct container_worker *w, enum container_worker_state state);
void container_worker_set_string(char **at, const char *value);
/* Shown as waiting; how it ended becomes its last state. REASON NULL: ContainerCreating. */
void container_worker_show_waiting(struct container_worker *w, const char *reason, const char *message);
/* Waits for WAIT; FIRST_MS -1: not for time. */
void container_worker_back_off(struct container_worker *w, enum wait_for wait, int64_t first_ms);
void container_worker_may_begin(struct container_worker *w);
int64_t container_worker_restarts(const struct container_worker *w);
struct container_about container_worker_about(const struct container_worker *w);
#define container_worker_event(w_, type_, reason_, ...)                                                      \
	do {                                                                                                 \
		struct container_about about_ = container_worker_about(w_);                                  \
		container_event(&about_, (type_), (reason_), __VA_ARGS__);                                   \
	} while (0)

/* container_worker_begin.c: from its image to running. */
/* It runs: probes begin, WAS_STARTED and WAS_READY as their verdicts were before a restart of the agent. */
void container_worker_run(struct container_worker *w, bool was_started, bool was_ready);
struct probe_target container_worker_target(const struct container_worker *w);
void container_worker_show_image_back_off(struct container_worker *w);

/* container_worker_end.c: from being stopped, or stopping by itself, to what comes next. */
void container_worker_stop_running(struct container_worker *w, int64_t grace_ms);
void container_worker_kill(struct container_worker *w);
void container_worker_on_exited(struct container *container, void *arg);
/* An attempt is over and shown as it should be: begins again now or later, or never. */
void container_worker_attempt_over(struct container_worker *w);
void container_worker_show_crash_back_off(struct container_worker *w);
