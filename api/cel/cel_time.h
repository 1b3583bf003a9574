/* Times and durations as texts have them: exact to the nanosecond, unlike lib/timefmt.h.
 */
#pragma once

#include "api/cel/cel_value.h"
#include "lib/buf.h"

#define CEL_SECOND   1000000000LL
#define CEL_TIME_MIN (-62135596800LL) /* the year 1 */
#define CEL_TIME_MAX 253402300799LL   /* the end of 9999 */

/* RFC 3339. TEXT need not end in a NUL, here and below. */
bool cel_parse_timestamp(const char *text, size_t len, struct cel_value *ret);
/* "2026-11-21" */
bool cel_parse_date(const char *text, size_t len, struct cel_value *ret);
/* A duration of Go: "1h2m3.5s". */
bool cel_parse_duration(const char *text, size_t len, struct cel_value *ret);
/* The same, or with days, weeks and spaces, as OpenAPI's format "duration" has them in Kubernetes: "3 days".
 */
bool cel_parse_long_duration(const char *text, size_t len, struct cel_value *ret);
void cel_write_timestamp(struct buf *b, const struct cel_value *timestamp);
/* "90.5s" */
void cel_write_duration(struct buf *b, const struct cel_value *duration);
