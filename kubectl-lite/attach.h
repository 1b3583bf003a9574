/* Being attached to a container that runs, for attach and run.
 */
#pragma once

#include "lib/err.h"
#include "lib/json.h"

/* With our standard input when IN; on our terminal when TTY and there is one and the container has one.
 * Returns when the container or our input has ended. */
int attach_to(const struct json_object *pod, const char *container, bool in, bool tty, bool quiet,
	      struct err *err);
