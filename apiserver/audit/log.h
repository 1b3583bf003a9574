/* The audit log's file: lines in the order they come, written by a thread of its own, whatever has gathered
 * at once; rotated by size. What does not fit into a bounded room is dropped and counted: a slow disk does
 * not stop the server.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

struct audit_log_opts {
	const char *path;   /* "-": standard output */
	int64_t max_bytes;  /* at which the file is put aside as NAME-TIME.log; 0: 100 MB */
	unsigned max_files; /* put aside, that are kept; 0: all */
	unsigned max_days;  /* after which they go; 0: never */
	size_t waiting_max; /* bytes of lines not written yet; 0: 32 MiB */
};

struct audit_log;
/* Opens the file and starts the thread. OPTS is copied. ERR_SYSTEM. */
int audit_log_new(const struct audit_log_opts *opts, struct audit_log **ret, struct err *err);
/* Writes what waits. NULL is fine. */
void audit_log_free(struct audit_log *log);
/* LINE with its newline. Any thread. */
void audit_log_add(struct audit_log *log, const char *line, size_t len);
/* Lines written, and dropped or failed to be written, so far. */
void audit_log_counts(struct audit_log *log, uint64_t *ret_written, uint64_t *ret_lost);
