/* Structured logging to stderr: one line per record, `time level program message key=value ...` or,
 * with format json, one JSON object. Levels above the set one cost a compare.
 *
 *     log_info("pod started", "pod", key, "attempt_ms", log_num(ms), NULL);
 *
 * Values are quoted when they need it. Safe to call from several threads; a record is one write(2).
 * Secrets are never passed to a log call.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Sets the program's name (kept by pointer), the level and the format for the process. */
void log_init(const char *program, enum log_level level, bool json);
/* "error", "warn", "info", "debug" to *ret_level; false when NAME is none of them. */
bool log_level_parse(const char *name, enum log_level *ret_level);

/* MESSAGE, then pairs of key and string value, then NULL. A NULL value prints as `null`. */
#define log_error(...) log_record(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...)  log_record(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...)  log_record(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_record(LOG_LEVEL_DEBUG, __VA_ARGS__)
void log_record(enum log_level level, const char *message, ...) __attribute__((sentinel));

/* VALUE in decimal, in a thread-local ring of 16 buffers: valid for the next 15 calls. */
const char *log_num(int64_t value);
