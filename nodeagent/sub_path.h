/* A path inside a volume that a container of the pod may be changing right now. It is opened so that no step
 * leaves the volume (openat2 RESOLVE_IN_ROOT), and what was opened is pinned by a bind mount: what is mounted
 * into the container later is what was checked. (The class of CVE-2017-1002101.)
 */
#pragma once

#include "lib/err.h"

/* Binds SUB of the volume at ROOT to PIN, which is made. A missing SUB is made as a folder. Idempotent. */
int sub_path_pin(const char *root, const char *sub, const char *pin, struct err *err);
