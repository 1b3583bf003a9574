/* A command that is waited for: by threads that have nothing else to do, never by an edge.
 */
#pragma once

#include "apiserver/core/core.h"

/* Submits COMMAND, whose reply and arg are set, and waits for its answer; the kind of its error. */
enum err_kind core_call(struct core *core, struct core_command *command);
