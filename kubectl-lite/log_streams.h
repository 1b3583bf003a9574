/* Log streams of several containers onto standard output: one after the other, or, when followed, all at
 * once, line by line.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/err.h"

struct log_streams {
	struct log_stream *items;
	size_t n;
};

/* PREFIX comes before each line; NULL: bytes as they are. Both are copied. */
void log_streams_add(struct log_streams *streams, const char *path, const char *prefix);
/* Runs all to their ends. The first failure is *err; with IGNORE_ERRORS failures are told and the others go
 * on. */
int log_streams_run(struct log_streams *streams, bool at_once, bool ignore_errors, struct err *err);
void log_streams_close(struct log_streams *streams);
