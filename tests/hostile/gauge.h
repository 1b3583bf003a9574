/* Clients that behave, on a thread of their own: each gets and updates an object in turn, with a pause after
 * each answer. What they feel is what misbehaving clients do to others.
 */
#pragma once

#include <stdint.h>

#include "lib/err.h"
#include "lib/kubeconfig.h"

struct gauge;
/* CONFIG outlives it. */
struct gauge *gauge_start(const struct kubeconfig *config, struct err *err);
/* Ends the thread. NULL is fine. */
void gauge_stop(struct gauge *gauge);

struct gauge_reading {
	unsigned answered, failed;
	int64_t p50_us, p99_us, max_us;
	char fault[1024]; /* the first failure, or "" */
};
/* What was felt since the last reading. */
void gauge_read(struct gauge *gauge, struct gauge_reading *ret);
