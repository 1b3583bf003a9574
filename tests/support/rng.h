/* Random numbers that a seed repeats (splitmix64): each user of a test has its own, so that what one draws
 * does not depend on how fast another is.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct rng {
	uint64_t state;
};

/* The STREAM-th sequence of SEED. */
struct rng rng_of(uint64_t seed, uint64_t stream);
uint64_t rng_next(struct rng *rng);
/* 0 to N - 1. */
uint32_t rng_below(struct rng *rng, uint32_t n);
/* True in PERCENT of a hundred. */
bool rng_chance(struct rng *rng, uint32_t percent);
