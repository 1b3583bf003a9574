/* Attends to streams that wait for something to say, and to peers that have a time to keep. libmicrohttpd
 * does not look at a suspended connection: one thread here notices that the peer of one hung up, or that its
 * time is over, and wakes its reader.
 *
 *     reading ──nothing to send──▶ attend_park: suspended ──attend_wake / hang-up / deadline──▶ resumed,
 * reading
 */
#pragma once

#include <microhttpd.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

struct attendant;
int attendant_new(struct attendant **ret, struct err *err);
void attendant_free(struct attendant *attendant); /* all streams are gone */
/* Every stream hangs up: the server stops. */
void attendant_hang_up_all(struct attendant *attendant);
/* Shuts the sockets of streams whose peers do not read. */
void attendant_cut_all(struct attendant *attendant);

/* One per stream or peer, in the owner's memory. */
struct attend {
	struct attendant *attendant;
	struct MHD_Connection *connection;
	atomic_int state;      /* running, parked, woken */
	atomic_bool hung_up;   /* the peer is gone or the server stops: end the stream */
	atomic_bool timed_out; /* the deadline has passed: end it in order */
	bool cuts;             /* at the deadline the connection is cut */
	int fd;
	int64_t deadline_ms; /* time_mono_ms(); 0: none */
	size_t heap_index;
	uint32_t slot;
};

/* From the edge thread. TIMEOUT_MS 0: no deadline. */
void attend_begin(struct attend *attend, struct attendant *attendant, struct MHD_Connection *connection,
		  int64_t timeout_ms);
/* The peer has TIMEOUT_MS until attend_end: then its connection is cut. Nothing is ever woken. */
void attend_begin_cut(struct attend *attend, struct attendant *attendant, struct MHD_Connection *connection,
		      int64_t timeout_ms);
/* After it, nothing wakes the stream any more. */
void attend_end(struct attend *attend);
/* From the content reader, when there is nothing to send: suspends, unless it was woken in between. */
void attend_park(struct attend *attend);
/* Any thread: the reader runs (again) soon. */
void attend_wake(struct attend *attend);
