/* The programs of a cluster, killed and started again when the seed says so.
 *
 * Not by the supervisor of `knarr up`: it waits longer and longer before it starts again what dies often, so
 * that a minute of kills would mostly be a minute of nothing running. Their command lines are its own, read
 * from /proc: what runs here is what a user runs. They end with us.
 */
#pragma once

#include <signal.h>

#include "lib/err.h"
#include "lib/loop.h"

enum program { PROGRAM_APISERVER, PROGRAM_SCHEDULER, PROGRAM_CONTROLLER, PROGRAM_NODEAGENT, PROGRAMS };

/* A flag that a program gets in addition. */
struct programs_extra {
	enum program program;
	const char *flag;
};

struct churn;
struct programs;
/* Takes over the cluster that `knarr up -d` runs in DIR: learns the command lines, stops it with `knarr
 * down`, and starts what ran. EXTRA ends with a NULL flag. A program that ends without having been killed is
 * a fault of CHURN. */
struct programs *programs_new(struct churn *churn, const char *dir, const char *bin_dir,
			      const struct programs_extra *extra, struct err *err);
/* Ends all with SIGTERM, waits for them; NULL is fine. */
void programs_free(struct programs *programs);

/* SIGKILL now, the start DOWN_MS later. False when it does not run, or is not of this cluster. */
bool programs_kill(struct programs *programs, enum program which, int64_t down_ms);
bool programs_all_run(const struct programs *programs);
const char *programs_name(enum program which);
unsigned programs_kills(const struct programs *programs, enum program which);
/* The value of "--FLAG=VALUE" in its command line, or NULL. */
const char *programs_flag(const struct programs *programs, enum program which, const char *flag);
/* Its pid, 0 while it does not run. */
pid_t programs_pid(const struct programs *programs, enum program which);
