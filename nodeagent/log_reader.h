/* A container's log as `kubectl logs` shows it, read piece by piece from the CRI log files the shim writes:
 *
 *     2026-11-21T07:00:00.123456789Z stdout F a line
 *     2026-11-21T07:00:00.123456789Z stdout P part of a long li
 *
 * log.N ... log.1 are older files of the same log, log.1 the youngest. A reader that follows goes on over
 * rotations and ends when the container has ended (exit.json lies beside its log) and all is read.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/err.h"

struct log_reader_opts {
	int64_t tail_lines;  /* -1: all */
	int64_t since_us;    /* lines before it are left out; 0: none */
	int64_t limit_bytes; /* -1: none */
	bool timestamps;     /* each line keeps its time */
	bool follow;
};

struct log_reader;
/* PATH is that of the newest file. A log that is not there is empty. */
struct log_reader *log_reader_new(const char *path, const struct log_reader_opts *opts, struct err *err);
void log_reader_free(struct log_reader *reader);
/* Up to SIZE bytes; 0: nothing now, more may come (only when following); -1: the end. */
ssize_t log_reader_read(struct log_reader *reader, char *buf, size_t size);
