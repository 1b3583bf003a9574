/* What a new cluster starts with: the namespaces that Kubernetes makes itself, each with its service account, so
 * that pods can be created at once. Idempotent.
 */
#pragma once

#include "apiserver/core/core.h"

/* Creates what is not there. Blocks until it is durable; the core's thread must run. */
int bootstrap(struct core *core, struct err *err);
