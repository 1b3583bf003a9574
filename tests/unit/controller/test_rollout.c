#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "controller/rollout.h"
#include "lib/mem.h"

static void test_limits(void **state)
{
	static const struct {
		const char *surge, *unavailable;
		int64_t replicas, want_surge, want_unavailable;
	} cases[] = {
		{ "25%", "25%", 3, 1, 0 },  { "25%", "25%", 5, 2, 1 }, { "25%", "25%", 0, 0, 1 }, { "0", "0", 3, 0, 1 },
		{ "0", "10%", 3, 0, 1 },    { "2", "1", 3, 2, 1 },     { "100%", "0", 4, 4, 0 },  { "0", "100%", 4, 0, 4 },
		{ "25%", "25%", 4, 1, 1 },  { NULL, NULL, 2, 0, 1 },   { "1%", "1%", 1000, 10, 10 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int64_t surge, unavailable;
		rollout_limits(cases[i].surge, cases[i].unavailable, cases[i].replicas, &surge, &unavailable);
		if (surge != cases[i].want_surge || unavailable != cases[i].want_unavailable)
			fail_msg("case %zu: %lld %lld", i, (long long)surge, (long long)unavailable);
	}
}

/* A step each: sizes and available pods before, sizes after. */
static void test_steps(void **state)
{
	static const struct step {
		const char *what;
		int64_t replicas, surge, unavailable;
		int64_t new_[2];      /* replicas, available */
		int64_t old[3][2];
		size_t n_old;
		int64_t want_new, want_old[3];
	} steps[] = {
		/* Three pods, a quarter: one more, none less. */
		{ "just begun", 3, 1, 0, { 1, 0 }, { { 3, 3 } }, 1, 1, { 3 } },
		{ "first is available", 3, 1, 0, { 1, 1 }, { { 3, 3 } }, 1, 1, { 2 } },
		{ "room for a second", 3, 1, 0, { 1, 1 }, { { 2, 3 } }, 1, 2, { 2 } },
		{ "second not available yet", 3, 1, 0, { 2, 1 }, { { 2, 2 } }, 1, 2, { 2 } },
		{ "second is available", 3, 1, 0, { 2, 2 }, { { 2, 2 } }, 1, 2, { 1 } },
		{ "room for the third", 3, 1, 0, { 2, 2 }, { { 1, 1 } }, 1, 3, { 1 } },
		{ "third is available", 3, 1, 0, { 3, 3 }, { { 1, 1 } }, 1, 3, { 0 } },
		{ "done", 3, 1, 0, { 3, 3 }, { { 0, 0 } }, 1, 3, { 0 } },
		/* A version that never becomes available stops the rollout, and goes when another comes. */
		{ "a bad version", 3, 1, 0, { 1, 0 }, { { 3, 3 } }, 1, 1, { 3 } },
		{ "back from it: its pods go first", 3, 1, 0, { 3, 3 }, { { 1, 0 } }, 1, 3, { 0 } },
		{ "unhealthy ones of the oldest first", 4, 1, 1, { 1, 1 }, { { 2, 0 }, { 2, 2 } }, 2, 1, { 0, 2 } },
		{ "no surge: old ones first", 3, 0, 1, { 0, 0 }, { { 3, 3 } }, 1, 0, { 2 } },
		{ "no surge: then a new one", 3, 0, 1, { 0, 0 }, { { 2, 2 } }, 1, 1, { 2 } },
		{ "all at once", 4, 4, 0, { 0, 0 }, { { 4, 4 } }, 1, 4, { 4 } },
		{ "too many new ones", 2, 1, 0, { 3, 3 }, { { 0, 0 } }, 1, 2, { 0 } },
		{ "scaled to nothing", 0, 0, 1, { 0, 0 }, { { 2, 2 } }, 1, 0, { 0 } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		const struct step *s = &steps[i];
		struct rollout_set new_ = { .replicas = s->new_[0], .available = s->new_[1] }, old[3] = { 0 };
		bool moves = s->want_new != s->new_[0];
		for (size_t k = 0; k < s->n_old; k++) {
			old[k] = (struct rollout_set){ .replicas = s->old[k][0], .available = s->old[k][1] };
			moves |= s->want_old[k] != s->old[k][0];
		}
		bool moved = rollout_rolling_step(&new_, old, s->n_old, s->replicas, s->surge, s->unavailable);
		if (moved != moves || new_.target != s->want_new)
			fail_msg("%s: new %lld", s->what, (long long)new_.target);
		for (size_t k = 0; k < s->n_old; k++)
			if (old[k].target != s->want_old[k])
				fail_msg("%s: old %zu %lld", s->what, k, (long long)old[k].target);
	}
}

static void test_proportional(void **state)
{
	static const struct scaling {
		const char *what;
		int64_t replicas, allowed;
		int64_t sets[3][2]; /* replicas, max-replicas annotation */
		size_t n;
		int64_t want[3];
	} cases[] = {
		/* 10 with 3 more allowed, in a rollout of 8 and 5, to 15 with 18 (the documentation's example). */
		{ "grows", 15, 18, { { 8, 13 }, { 5, 13 } }, 2, { 11, 7 } },
		{ "shrinks", 5, 7, { { 8, 13 }, { 5, 13 } }, 2, { 4, 3 } },
		{ "to nothing", 0, 0, { { 3, 4 }, { 1, 4 } }, 2, { 0, 0 } },
		{ "to nothing, the annotation lost", 0, 0, { { 3, 0 }, { 1, 0 } }, 2, { 0, 0 } },
		{ "stays", 10, 13, { { 8, 13 }, { 5, 13 } }, 2, { 8, 5 } },
		{ "rounded up only as long as there is anything", 4, 5, { { 1, 3 }, { 1, 3 }, { 1, 3 } }, 3, { 2, 2, 1 } },
		{ "what rounding leaves goes to the largest", 10, 10, { { 4, 9 }, { 3, 9 }, { 2, 9 } }, 3, { 5, 3, 2 } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct rollout_set sets[3] = { 0 }, *pointers[3] = { &sets[0], &sets[1], &sets[2] };
		int64_t total = 0;
		for (size_t k = 0; k < cases[i].n; k++)
			sets[k] = (struct rollout_set){ .replicas = cases[i].sets[k][0], .max_annotation = cases[i].sets[k][1] };
		rollout_proportional(pointers, cases[i].n, cases[i].replicas, cases[i].allowed);
		for (size_t k = 0; k < cases[i].n; k++) {
			total += sets[k].target;
			if (sets[k].target != cases[i].want[k])
				fail_msg("%s: set %zu %lld", cases[i].what, k, (long long)sets[k].target);
		}
		assert_int_equal(total, cases[i].allowed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_proportional),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
