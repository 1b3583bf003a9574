/* What both shapes of churn share: the cluster under fire, the journal of acts, calls that are repeated until
 * answered.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/api_client.h"
#include "tests/churn/programs.h"
#include "tests/support/rng.h"

/* What is drawn from the seed, each with numbers of its own: one that draws more or less often in another run
 * does not change the others. */
enum { CHURN_ACTS, CHURN_KILLS, CHURN_LOSSES, CHURN_PAUSES, CHURN_PLAYERS };

struct churn_opts {
	const char *dir; /* the cluster's folder */
	const char *bin_dir;
	uint64_t seed;
	int64_t fire_ms;            /* how long kills and acts go on, all rounds together */
	const char *shape, *report; /* report: file for the counts as JSON (tests/soak), or NULL */
};

struct churn {
	const struct churn_opts *opts;
	struct loop *loop;
	struct api_client *client; /* the administrator's */
	struct programs *programs;
	FILE *journal;
	int64_t began_ms;
	unsigned faults; /* broken promises so far */
	bool stopped;    /* asked to by a signal */
};

/* Takes the running cluster over and opens its journal, DIR.journal. */
int churn_open(struct churn *churn, const struct churn_opts *opts, const struct programs_extra *extra,
	       struct err *err);
void churn_close(struct churn *churn);

/* A line of the journal, with the time. */
void churn_note(struct churn *churn, const char *format, ...) PRINTF_LIKE(2, 3);
/* The same, on stderr as well: a promise that was broken. */
void churn_fault(struct churn *churn, const char *format, ...) PRINTF_LIKE(2, 3);
/* Prints the journal's last lines on stderr. */
void churn_show_journal(struct churn *churn);

struct churn_count {
	const char *what;
	uint64_t n;
};
/* Prints the counts on a line, and into the report. */
void churn_tell(struct churn *churn, const struct churn_count *counts, size_t n);

/* LEAST to MOST, both possible. */
int64_t churn_between(struct rng *rng, int64_t least, int64_t most);

/* Turns the loop for that long, or until it is asked to stop. */
void churn_wait(struct churn *churn, int64_t ms);
/* Sends the request until the server answers with anything but 429 or 5xx; the code, and the body in *ret
 * (may be NULL). Whether an earlier try reached the server is unknown then: *ret_repeated (may be NULL). -1
 * when no answer came for a minute, which is a fault. */
int churn_call(struct churn *churn, const char *method, const char *path, const char *content_type,
	       const char *body, struct buf *ret, bool *ret_repeated);
/* GET as JSON; NULL with a fault when it is not there. */
struct json_object *churn_get(struct churn *churn, const char *path);
/* Looks at CONDITION every 100 ms until it is true. When it is not within LIMIT_MS that is a fault: "not so
 * in time: WHAT: " and what CONDITION said last in WHY. */
bool churn_until(struct churn *churn, const char *what, int64_t limit_ms,
		 bool (*condition)(struct buf *why, void *arg), void *arg);
