/* Starts a cluster's programs, keeps them running, stops them.
 *
 *     STOPPED ──start──▶ STARTING ──says ready──▶ READY ──ends──▶ WAITING ──back-off──▶ STARTING
 *                            └──ends before it was ever ready──▶ failed: `knarr up` gives up
 *
 * Each program's output goes to DIR/log/NAME.log, its pid to DIR/run/NAME.pid. A program that dies is started
 * again after 100 ms, doubling to 10 s, from the beginning once it has run for 10 s. If the supervisor itself
 * dies the programs end with it; the pods' containers run on.
 */
#pragma once

#include "launcher/cluster.h"
#include "lib/loop.h"

enum { SUPERVISOR_PROGRAMS = 4 };

struct supervisor;

/* Starts the API server, then the others once it is ready; WITH_AGENT false leaves the node agent out. READY
 * is called once when all are; FAILED when one of them ended before it was ever ready, with what its log said
 * last. */
struct supervisor *supervisor_new(struct loop *loop, const struct cluster *cluster, const char *bin_dir,
				  bool with_agent, void (*ready)(void *arg),
				  void (*failed)(const struct err *err, void *arg), void *arg);
/* Ends the programs, agent first, API server last, each with SIGTERM and after ten seconds SIGKILL; then
 * DONE. */
void supervisor_stop(struct supervisor *supervisor, void (*done)(void *arg));
void supervisor_free(struct supervisor *supervisor);

/* Name ("knarr-apiserver") of program I, for status. */
const char *supervisor_program(size_t i);
/* The pid that DIR/run/NAME.pid tells, when that program still runs; else 0. */
int supervisor_program_pid(const struct cluster *cluster, const char *name);
