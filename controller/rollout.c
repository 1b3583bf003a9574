#include "controller/rollout.h"

#include <stdlib.h>
#include <string.h>

int64_t rollout_resolve(const char *int_or_percent, int64_t replicas, bool round_up)
{
	char *end;

	if (!int_or_percent)
		return 0;
	int64_t n = strtoll(int_or_percent, &end, 10);
	if (*end != '%')
		return n;
	return (n * replicas + (round_up ? 99 : 0)) / 100;
}

void rollout_limits(const char *max_surge, const char *max_unavailable, int64_t replicas, int64_t *ret_surge,
		    int64_t *ret_unavailable)
{
	*ret_surge = rollout_resolve(max_surge, replicas, true);
	*ret_unavailable = rollout_resolve(max_unavailable, replicas, false);
	/* Percents may both come to nothing, and then nothing could ever move. */
	if (*ret_surge == 0 && *ret_unavailable == 0)
		*ret_unavailable = 1;
}

static int64_t smaller(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t larger(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* Takes up to LIMIT pods that are not available from the old sets: they serve nobody. */
static int64_t drop_unhealthy(struct rollout_set *old, size_t n_old, int64_t limit)
{
	int64_t dropped = 0;

	for (size_t i = 0; i < n_old && dropped < limit; i++) {
		if (old[i].target == 0 || old[i].target == old[i].available)
			continue;
		int64_t n = smaller(limit - dropped, old[i].target - old[i].available);
		if (n <= 0)
			continue;
		old[i].target -= n;
		dropped += n;
	}
	return dropped;
}

static void drop_available(struct rollout_set *old, size_t n_old, int64_t limit)
{
	for (size_t i = 0; i < n_old && limit > 0; i++) {
		int64_t n = smaller(limit, old[i].target);
		old[i].target -= n;
		limit -= n;
	}
}

bool rollout_rolling_step(struct rollout_set *new_, struct rollout_set *old, size_t n_old, int64_t replicas,
			  int64_t surge, int64_t unavailable)
{
	int64_t total = new_->replicas, old_total = 0, available = new_->available;

	new_->target = new_->replicas;
	for (size_t i = 0; i < n_old; i++) {
		old[i].target = old[i].replicas;
		total += old[i].replicas;
		old_total += old[i].replicas;
		available += old[i].available;
	}
	if (new_->replicas > replicas)
		new_->target = replicas;
	else if (new_->replicas < replicas)
		new_->target += smaller(larger(replicas + surge - total, 0), replicas - new_->replicas);
	if (new_->target != new_->replicas)
		return true; /* old ones shrink once this is done */
	if (old_total == 0)
		return false;

	/* Pods of the new set that are not available yet may never be: they must not count as cover for old
	 * ones. */
	int64_t min_available = replicas - unavailable;
	int64_t limit = total - min_available - (new_->replicas - new_->available);
	if (limit <= 0)
		return false;
	int64_t dropped = drop_unhealthy(old, n_old, limit);
	drop_available(old, n_old, smaller(available - min_available, limit - dropped));
	for (size_t i = 0; i < n_old; i++)
		if (old[i].target != old[i].replicas)
			return true;
	return false;
}

/* How much of the whole difference SET gets, by its size, signed; rounded. */
static int64_t share(const struct rollout_set *set, int64_t replicas_with_surge, int64_t to_add,
		     int64_t added)
{
	if (set->replicas == 0 || to_add == 0 || to_add == added)
		return 0;
	if (replicas_with_surge == 0)
		return -set->replicas; /* down to none: all of it, whatever the annotation says */
	int64_t base = set->max_annotation > 0 ? set->max_annotation : replicas_with_surge;
	int64_t wanted = (2 * set->replicas * replicas_with_surge + base) / (2 * base); /* to nearest */
	int64_t part = wanted - set->replicas;
	return to_add > 0 ? smaller(part, to_add - added) : larger(part, to_add - added);
}

bool rollout_proportional(struct rollout_set **sets, size_t n, int64_t replicas, int64_t allowed)
{
	int64_t total = 0, added = 0;
	bool changed = false;

	for (size_t i = 0; i < n; i++)
		total += sets[i]->replicas;
	int64_t allowed_size = replicas > 0 ? allowed : 0, to_add = allowed_size - total;
	for (size_t i = 0; i < n; i++) {
		int64_t part = share(sets[i], allowed_size, to_add, added);
		sets[i]->target = larger(sets[i]->replicas + part, 0);
		added += sets[i]->target - sets[i]->replicas;
	}
	/* What rounding left over goes to the largest. */
	if (n > 0 && to_add != added)
		sets[0]->target = larger(sets[0]->target + to_add - added, 0);
	for (size_t i = 0; i < n; i++)
		changed |= sets[i]->target != sets[i]->replicas;
	return changed;
}
