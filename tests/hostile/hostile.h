/* A run of the hostile checker: a real apiserver, clients that behave (gauge.h), and one way to misbehave
 * after the other (modes.c) with many peers each, while the former go on.
 */
#pragma once

#include "lib/api_client.h"
#include "tests/hostile/gauge.h"
#include "tests/hostile/peer.h"
#include "tests/support/apiserver_process.h"

struct hostile {
	struct loop *loop;
	struct apiserver_process server;
	bool stopping; /* its end is no fault */
	struct gauge *gauge;
	struct buf faults; /* a line each; empty: none */
	/* The mode under way. */
	struct peer *peers;
	size_t n;
	char **texts; /* of peers that each have their own */
	struct api_client *writer;
	unsigned written;
	/* Peers of earlier modes that stay. */
	struct peer *staying;
	size_t n_staying;
};

struct mode {
	const char *name;
	unsigned n_short, n_long; /* peers */
	bool stays;               /* until the end of the run */
	bool writes;              /* large objects are written all the time */
	unsigned growth_kib;      /* of the server's memory, for each peer */
	/* What peer I does; its text lives as long as the mode. */
	void (*plan)(struct hostile *h, unsigned i, struct peer_plan *ret);
	/* Every peer is as the server should have made it: true; asked again and again until it is or time is
	 * up. */
	bool (*settled)(const struct peer *peer);
	const char *promise; /* what did not hold when not all settled */
};

/* Ends with a row without a name. */
extern const struct mode modes[];
/* The last resort: more connections than the server has descriptors for. */
extern const struct mode overflow_mode;
