#include "nodeagent/backoff.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

/* Also true when updated_ms lies in the future: the machine was booted since, the record means nothing. */
static bool expired(const struct backoff *b, int64_t at_ms)
{
	return at_ms - b->updated_ms > 2 * BACKOFF_MAX_MS || at_ms + BACKOFF_MAX_MS < b->updated_ms;
}

int64_t backoff_remaining_ms(const struct backoff *b, int64_t failed_ms, int64_t now_ms)
{
	if (b->delay_ms == 0 || expired(b, failed_ms))
		return 0;
	int64_t left = failed_ms + b->delay_ms - now_ms;
	if (left > b->delay_ms)
		left = b->delay_ms;
	return left > 0 ? left : 0;
}

void backoff_next(struct backoff *b, int64_t now_ms)
{
	if (b->delay_ms == 0 || expired(b, now_ms))
		b->delay_ms = BACKOFF_INITIAL_MS;
	else
		b->delay_ms = b->delay_ms * 2 < BACKOFF_MAX_MS ? b->delay_ms * 2 : BACKOFF_MAX_MS;
	b->updated_ms = now_ms;
}

const char *backoff_duration_text(int64_t ms, char *buf, size_t size)
{
	int64_t seconds = ms / 1000;

	if (seconds < 60)
		snprintf(buf, size, "%" PRId64 "s", seconds);
	else
		snprintf(buf, size, "%" PRId64 "m%" PRId64 "s", seconds / 60, seconds % 60);
	return buf;
}
