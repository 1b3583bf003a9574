/* Programs in containers, for exec, cp and run.
 */
#pragma once

#include "kubectl-lite/remote_command.h"
#include "lib/buf.h"
#include "lib/json.h"

/* The request for SUBRESOURCE ("exec", "attach") of POD with COMMAND (NULL-terminated, or NULL) and the
 * streams that are not -1. Appends. */
void exec_path(struct buf *path, const struct json_object *pod, const char *subresource,
	       const char *container, char *const *command, const struct remote_command *streams);
/* Runs COMMAND; see remote_command_run. STREAMS->path is set meanwhile. */
int exec_run_command(const struct json_object *pod, const char *container, char *const *command,
		     struct remote_command *streams, int *ret_code, struct err *err);
