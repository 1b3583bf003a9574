/* The PID namespace that the containers of a pod share: its first process, the record of that, and its bind
 * mount at POD_DIR/ns/pid. For the sandbox's child.
 */
#pragma once

#include "nodeagent/sandbox.h"

/* Makes the namespace and its process, which runs on. POD_DIR/ns is there; what was there of another one is
 * gone. The caller's further children would be of the namespace as well. */
int sandbox_pause_make(const struct sandbox_spec *spec, struct err *err);
/* The process lives. */
bool sandbox_pause_runs(const char *pod_dir);
/* Ends it, and with it all that is left in the namespace; removes record and mount. Idempotent. */
int sandbox_pause_end(const char *pod_dir, struct err *err);
