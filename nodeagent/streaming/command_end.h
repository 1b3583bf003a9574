/* How a remote command ended, in the words of the kubelet's remote command server.
 */
#pragma once

#include "lib/buf.h"
#include "nodeagent/streaming/channels.h"

/* Each tells the client and leaves CHANNELS finished. */
void command_end_well(struct channels *channels);
/* The program ran and its exit code was CODE, not 0. */
void command_end_code(struct channels *channels, const char *const *argv, int code);
/* It did not run: WHAT is "executing command in" or "attaching to". */
void command_end_error(struct channels *channels, const char *what, const struct err *err);
