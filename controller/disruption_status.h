/* What the status of a PodDisruptionBudget should say: pure functions.
 * (pkg/controller/disruption: getExpectedPodCount, countHealthyPods, buildDisruptedPodMap, updatePdbStatus.)
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/json.h"

/* An eviction that nothing came of is forgotten after this: the pod counts as healthy again. */
#define DISRUPTION_PATIENCE_MS 120000

struct disruption_pod {
	const char *name;
	bool ready, deleting;
};

/* True when BUDGET speaks of parts of what there should be, so that EXPECTED below matters. */
bool disruption_needs_scale(const struct json_object *budget);
/* The status for the N PODS that BUDGET covers, whose controllers want EXPECTED. *ret_recheck_ms is when an
 * eviction in it runs out, or -1. The caller's. */
struct json_object *disruption_status(const struct json_object *budget, const struct disruption_pod *pods,
				      size_t n, int64_t expected, int64_t now_us, int64_t *ret_recheck_ms);
/* The status when WHY makes it impossible to say how many there should be: nothing may be evicted. */
struct json_object *disruption_status_unknown(const struct json_object *budget, const char *why,
					      int64_t now_us);
