/* A run of the crash checker: starts the server, has it killed, starts it again, and has each chapter judged.
 *
 *     starting ──ready──▶ serving ──killed──▶ dead, requests over ──▶ starting
 *         │ killed on the way   │ enough for a chapter: nothing new is begun
 *         └──▶ starting         ▼
 *                            closing: all answered ─▶ the state is listed ─▶ watchers drained,
 *                            informers up to date ─▶ judged ─▶ serving
 */
#pragma once

#include "tests/crash/run.h"

struct campaign_opts {
	const char *server;  /* path of knarr-apiserver */
	const char *preload; /* path of kill-at-call.so */
	const char *dir;     /* there, empty */
	uint64_t seed;
	unsigned kills;   /* to end after */
	unsigned seconds; /* to end after, 0: no limit */
	unsigned clients;
};

struct campaign_counts {
	unsigned timed;     /* kills at a moment */
	unsigned at_call;   /* kills at a call on the database's files */
	unsigned unstarted; /* of both: before the server served */
	unsigned chapters;
	uint64_t acknowledged, refused, lost, lost_happened, reads, events, expired;
};

/* Runs to the end; 0, or -1 with the faults in *RET_FAULTS. */
int campaign_run(const struct campaign_opts *opts, struct campaign_counts *ret, struct buf *ret_faults,
		 struct err *err);
