/* Liveness, readiness and startup probes of one container: when each is tried and what its results amount to.
 * https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/
 *
 * Two things are better than in Kubernetes. A readiness or startup probe is tried as soon as its initial
 * delay is over and, until it first succeeds, again after 10, 20, 40 ... ms up to its period: a pod is Ready
 * when it is, not at the next whole second. Tries of that fast phase that fail are not counted and make no
 * event. And there is no random delay.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "nodeagent/probe_action.h"

enum probe_kind { PROBE_STARTUP, PROBE_READINESS, PROBE_LIVENESS };
extern const char *const probe_kind_names[3]; /* "Startup", "Readiness", "Liveness" */

/* The arithmetic of one probe, apart from clocks and sockets. */
struct probe_schedule {
	int64_t initial_delay_ms, period_ms, timeout_ms;
	int64_t success_threshold, failure_threshold;
	bool quick; /* has a fast phase: readiness, startup */
	/* State. */
	int64_t fast_ms;      /* next step of the fast phase */
	int64_t fast_left_ms; /* what of the first period the fast phase has left */
	int64_t run;          /* results alike in a row */
	bool run_success;
};

enum probe_verdict {
	PROBE_VERDICT_NONE, /* nothing new: below its threshold, or in the fast phase */
	PROBE_VERDICT_GOOD,
	PROBE_VERDICT_BAD,
};

/* By the times and thresholds of PROBE (core/v1 Probe), which is not needed afterwards. */
void probe_schedule_init(struct probe_schedule *s, enum probe_kind kind, const struct json_object *probe);
/* Delay of the first try from the container's start. */
int64_t probe_schedule_first_ms(const struct probe_schedule *s);
/* Takes a result in; says whether a failure counts (makes an event) and when the next try is due. */
enum probe_verdict probe_schedule_result(struct probe_schedule *s, enum probe_outcome outcome,
					 bool *ret_counted, int64_t *ret_next_ms);

/* The probes of one running container. */
struct probe_set;
struct probe_set_ops {
	/* Readiness or startup changed: ask probe_set_ready, probe_set_started. */
	void (*changed)(void *arg);
	/* Liveness or startup failed for good: the container must be restarted. The set may be freed in the
	 * call. */
	void (*failed)(enum probe_kind kind, void *arg);
	/* A try failed and counts. */
	void (*unhealthy)(enum probe_kind kind, bool errored, const char *message, void *arg);
};

/* TARGET's pointers must stay; GRACE as started and ready were before a restart of the agent (both false for
 * a new container). STARTED_US: wall clock of its start. */
struct probe_set *probe_set_new(const struct probe_target *target, int64_t started_us, bool was_started,
				bool was_ready, const struct probe_set_ops *ops, void *arg);
void probe_set_free(struct probe_set *set); /* NULL is fine; no call after */
bool probe_set_started(const struct probe_set *set);
bool probe_set_ready(const struct probe_set *set);
/* Stops startup and liveness; readiness goes on: the container is being ended. */
void probe_set_stopping(struct probe_set *set);
