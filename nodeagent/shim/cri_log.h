/* The container's log in the format of Kubernetes' container runtime interface:
 *
 *     2026-11-21T06:44:49.123456789Z stdout F a line
 *     2026-11-21T06:44:49.123456790Z stderr P a piece of a longer line
 *
 * P marks a piece that goes on in the stream's next record (lines over 16 KiB, and output that ends without a
 * newline). Rotation by size: log, log.1 (newer) ... Records are collected and written by cri_log_flush.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define CRI_LOG_PIECE 16384

struct cri_stream {
	const char *name; /* "stdout" */
	size_t len;       /* bytes of an unfinished line */
	char line[CRI_LOG_PIECE];
};

/* Opens "log" in the working directory for appending. */
int cri_log_open(uint64_t max_bytes, unsigned max_files);
/* Where to read the stream's next bytes to, and how many fit: never 0. */
char *cri_log_space(struct cri_stream *stream, size_t *ret_size);
/* LEN bytes were read there. */
void cri_log_added(struct cri_stream *stream, size_t len);
/* The stream is at its end: what is left is a piece. */
void cri_log_end(struct cri_stream *stream);
void cri_log_flush(void);
