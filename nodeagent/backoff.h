/* Exponential back-off of one thing that keeps failing: a crashing container, an image that is not there.
 *
 * The first delay is 10 s, each further one twice the last, at most 300 s. A thing that stayed well for twice
 * the longest delay (10 minutes) begins anew. Times are CLOCK_BOOTTIME milliseconds (time_boot_ms), so that a
 * wall clock that jumps changes nothing and the state survives a restart of the agent.
 * (client-go util/flowcontrol Backoff, with the kubelet's values.)
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define BACKOFF_INITIAL_MS 10000
#define BACKOFF_MAX_MS     300000

/* All zero: has not failed yet. */
struct backoff {
	int64_t delay_ms;
	int64_t updated_ms; /* when the delay was last raised */
};

/* How long from NOW_MS the thing that failed at FAILED_MS must still wait; 0: it may be tried. */
int64_t backoff_remaining_ms(const struct backoff *b, int64_t failed_ms, int64_t now_ms);
/* It is tried now: the delay that holds when it fails again. */
void backoff_next(struct backoff *b, int64_t now_ms);
/* MS as Go writes a duration: "10s", "1m20s", "5m0s". Returns BUF. */
const char *backoff_duration_text(int64_t ms, char *buf, size_t size);
