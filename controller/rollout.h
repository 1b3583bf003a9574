/* The arithmetic of a rollout: from what is to how many pods each replica set should have next. No I/O, no
 * clock. https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#rolling-update-deployment
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "25%" or "3" of REPLICAS, rounded up or down; NULL is 0. */
int64_t rollout_resolve(const char *int_or_percent, int64_t replicas, bool round_up);
/* maxSurge (rounded up) and maxUnavailable (down) of a Deployment; both 0 makes maxUnavailable 1. */
void rollout_limits(const char *max_surge, const char *max_unavailable, int64_t replicas, int64_t *ret_surge,
		    int64_t *ret_unavailable);

/* A replica set as the rollout sees it. */
struct rollout_set {
	int64_t replicas;  /* spec */
	int64_t actual;    /* status.replicas */
	int64_t available; /* status.availableReplicas */
	int64_t created_us;
	int64_t max_annotation; /* max-replicas when it was last scaled; -1: unknown */
	int64_t target;         /* result: what spec.replicas should be */
};

/* One step of a rolling update. NEW may grow up to the surge; OLD (oldest first) shrink as far as
 * availability allows, unhealthy pods first. Sets targets; true when any differs from replicas. */
bool rollout_rolling_step(struct rollout_set *new_, struct rollout_set *old, size_t n_old, int64_t replicas,
			  int64_t surge, int64_t unavailable);
/* The Deployment was scaled during a rollout: divides the difference among SETS (all of them, largest first)
 * in proportion to their sizes. ALLOWED is replicas + surge (0 when replicas is 0). */
bool rollout_proportional(struct rollout_set **sets, size_t n, int64_t replicas, int64_t allowed);
