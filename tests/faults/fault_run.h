/* What the fault tests share: their folder, and how they are run: without arguments as a test of ./check,
 * with
 * `--seconds N [--seed S] [--report FILE]` at random for so long, by make soak.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* A folder in memory where there is one; removed with what is in it. */
char *fault_folder(void);
void fault_folder_empty(const char *dir);
void fault_folder_remove(char *dir);

struct fault_args {
	const char *part;   /* of make soak */
	const char *report; /* --report: where the counts go as JSON (tests/soak), or NULL */
	unsigned seconds;   /* 0: not at random */
	uint64_t seed;      /* chosen and said when not given */
};
/* Exits 2 with what is wrong. */
struct fault_args fault_args(const char *part, int argc, char **argv);
/* Runs ROUND with the seeds SEED, SEED + 1, ... until the time is over; says how to repeat one that fails. */
void fault_soak(const struct fault_args *args, void (*round)(uint64_t seed));

struct fault_count {
	const char *what;
	unsigned long n;
};
/* Says the counts, up to one without a name. */
void fault_report(const struct fault_args *args, const struct fault_count *counts);
