#include "tests/churn/dice.h"

/* splitmix64: every state gives a good number, so any seed will do. */
static uint64_t next(struct dice *dice)
{
	uint64_t z = dice->state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

struct dice dice_new(uint64_t seed, const char *what)
{
	struct dice dice = { .state = seed };

	for (; *what; what++)
		dice.state = next(&dice) ^ (unsigned char)*what;
	return dice;
}

size_t dice_below(struct dice *dice, size_t n)
{
	return n ? next(dice) % n : 0;
}

int64_t dice_between(struct dice *dice, int64_t least, int64_t most)
{
	return least + (int64_t)dice_below(dice, (size_t)(most - least) + 1);
}

bool dice_chance(struct dice *dice, unsigned percent)
{
	return dice_below(dice, 100) < percent;
}
