/* Progress of a command's steps: one line each, with a mark, colour and the step's time on a terminal, plain
 * in a pipe.
 *
 *     progress_begin("starting the API server");
 *     progress_done();            // "  ok    starting the API server (48 ms)"
 */
#pragma once

#include "lib/mem.h"

void progress_begin(const char *format, ...) PRINTF_LIKE(1, 2);
void progress_done(void);
void progress_fail(void); /* the step under way, if any, failed */
