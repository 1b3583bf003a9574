/* The files of a container attempt (POD_DIR/containers/NAME/ATTEMPT/), from which a restarted agent goes on:
 *
 *   container.json  {"id","cgroup","stop_signal"}                      by the agent, before there is a shim
 *   shim.json       {"pid","start_time"}                               by the shim, before it calls the
 * runtime state.json      {"pid","start_time","started_us"}                  by the shim, when init runs
 *   exit.json       {"exit_code","signal","oom_killed","finished_us"}  by the shim, when init has ended
 *
 * Each appears by rename. Only exit.json is synced to disk: what the others tell of does not outlive the
 * machine's power, and a file that a crash of the machine cut short reads as ERR_CORRUPT.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/err.h"

#define CONTAINER_ID_SIZE 72

struct container_record {
	char id[CONTAINER_ID_SIZE]; /* 64 hex characters */
	char cgroup[512];           /* below the hierarchies' roots: "knarr-1a2b3c/burstable/podUID/ID" */
	int stop_signal;
};

struct shim_record {
	pid_t pid;
	uint64_t start_time; /* process_id.h */
};

struct state_record {
	pid_t pid; /* init */
	uint64_t start_time;
	int64_t started_us;
};

struct exit_record {
	int exit_code; /* 128 + signal when killed */
	int signal;
	bool oom_killed;
	int64_t finished_us;
};

/* Reads the file of that name in DIR. ERR_NOT_FOUND, ERR_CORRUPT. */
int container_record_read(const char *dir, struct container_record *ret, struct err *err);
int container_record_read_shim(const char *dir, struct shim_record *ret, struct err *err);
int container_record_read_state(const char *dir, struct state_record *ret, struct err *err);
int container_record_read_exit(const char *dir, struct exit_record *ret, struct err *err);
/* The same from text; never trusts it: values out of range are ERR_CORRUPT. */
int container_record_parse(const char *text, size_t len, struct container_record *ret, struct err *err);
int container_record_parse_shim(const char *text, size_t len, struct shim_record *ret, struct err *err);
int container_record_parse_state(const char *text, size_t len, struct state_record *ret, struct err *err);
int container_record_parse_exit(const char *text, size_t len, struct exit_record *ret, struct err *err);

/* To container.json and exit.json of the attempt's folder DIR, whole or not at all. ERR_SYSTEM. */
int container_record_write(const char *dir, const struct container_record *record, struct err *err);
int container_record_write_exit(const char *dir, const struct exit_record *record, struct err *err);

/* DATA to DIR/NAME by rename, without sync. */
int container_record_write_file(const char *dir, const char *name, const char *data, size_t len,
				struct err *err);
