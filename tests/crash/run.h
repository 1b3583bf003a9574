/* What the parts of a run of the crash checker share: the campaign kills and starts the server, clients write
 * and read, watchers watch. All are on one loop.
 */
#pragma once

#include "lib/api_client.h"
#include "lib/loop.h"
#include "tests/crash/history.h"
#include "tests/crash/objects.h"
#include "tests/crash/verdict.h"
#include "tests/support/rng.h"

/* The newest that anybody saw of an object: what clients base their preconditions on. */
struct known {
	struct state state;
	uint64_t older; /* the revision before it */
	char uid[40];
};

struct run {
	struct loop *loop;
	struct api_client *api;
	uint64_t seed;
	struct history history;
	struct verdict verdict;
	struct known known[OBJECTS];
	bool serving;             /* requests may be sent */
	bool stopping;            /* clients begin nothing new */
	uint32_t think_ms;        /* clients wait for less than this between two requests */
	size_t asking, watching;  /* requests under way */
	void (*quiet)(void *arg); /* one was over and no more is asked; called from the loop */
	void *arg;
	struct loop_task quiet_task;
	uint64_t acknowledged, refused, lost, reads, events, expired;
	uint64_t first_revision; /* of the run's first chapter */
};

/* A request or watch, which COUNT counts, leaves, or is over. */
void run_sent(size_t *count);
void run_over(struct run *run, size_t *count);
/* Somebody saw OBJECT in STATE (not there when its revision is 0) at REVISION. */
void run_learn(struct run *run, unsigned object, const struct state *state, const char *uid,
	       uint64_t revision);
