/* `apply --server-side`: the server merges and knows who owns what; here is only what it cannot know.
 */
#pragma once

#include "kubectl-lite/dry_run.h"
#include "kubectl-lite/manifest.h"

/* Applies MANIFEST as MANAGER; *ret is the object as it is then. What this command applied by itself before
 * is handed over to MANAGER. */
int apply_server(const struct manifest *manifest, const char *manager, bool force, enum dry_run dry_run,
		 struct json_object **ret, struct err *err);
/* session_failed, with what to do about conflicts. Returns 1. */
int apply_server_failed(const struct err *err);
