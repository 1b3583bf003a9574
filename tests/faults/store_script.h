/* A script of what the core does with a store, chosen by a seed, and the model of what must be in the store
 * after it: what was acknowledged, and nothing else.
 */
#pragma once

#include "apiserver/store/store.h"
#include "tests/support/rng.h"

struct script {
	char *dir;
	struct store *store; /* NULL: not open */
	struct rng rng;
	/* What was acknowledged. */
	struct script_row *rows;
	size_t n_rows, cap_rows;
	uint64_t revision; /* of the newest change acknowledged */
	uint64_t horizons[2];
	bool in_doubt;        /* the last commit may be there as well */
	bool stop_at_failure; /* of a commit, instead of trying the next */
	unsigned commits;     /* acknowledged */
};

void script_init(struct script *script, const char *dir, uint64_t seed);
void script_close(struct script *script);

/* Opens, loads and compares what is there with the model; then nothing is in doubt any more. -1 with *ERR
 * when the disk fails; fails the test when the content is wrong. */
int script_open(struct script *script, struct err *err);
/* Makes STEPS commits with housekeeping between them, until the store is in doubt. What fails must say so in
 * the right words. */
void script_run(struct script *script, unsigned steps);
/* One more commit, which must work. */
void script_works(struct script *script);
void script_shut(struct script *script);
