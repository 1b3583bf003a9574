/* A watch as a command sees it: events one by one, the stream read on the session's loop until the command
 * has had enough.
 */
#pragma once

#include "lib/err.h"
#include "lib/json.h"

/* Watches PATH (with its query but `watch`). EVENT gets type ("ADDED"...) and object; false ends the watch.
 * Runs until then, until the server ends it (0), TIMEOUT_US passes (ERR_TIMEOUT; 0: no limit), or it fails.
 * An ERROR event is an error. */
int watch_run(const char *path, const char *accept,
	      bool (*event)(const char *type, struct json_object *obj, void *arg), void *arg,
	      int64_t timeout_us, struct err *err);
