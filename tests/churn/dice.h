/* Chance that a seed repeats: one stream of numbers for each thing that is decided by it, so that one that
 * draws more or less often in another run does not change the others.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dice {
	uint64_t state;
};

/* The stream WHAT of SEED. */
struct dice dice_new(uint64_t seed, const char *what);
/* 0 to N-1; 0 for N 0. */
size_t dice_below(struct dice *dice, size_t n);
/* LEAST to MOST, both possible. */
int64_t dice_between(struct dice *dice, int64_t least, int64_t most);
/* True PERCENT times of a hundred. */
bool dice_chance(struct dice *dice, unsigned percent);
