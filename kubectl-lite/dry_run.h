/* --dry-run: where a change ends.
 */
#pragma once

#include "lib/err.h"

enum dry_run { DRY_RUN_NONE, DRY_RUN_CLIENT, DRY_RUN_SERVER };

/* "none", "client", "server", and "unchanged" (a bare --dry-run, which kubectl takes for client); NULL is
 * none. */
int dry_run_parse(const char *value, enum dry_run *ret, struct err *err);
/* What messages end with: "", " (dry run)", " (server dry run)". */
const char *dry_run_suffix(enum dry_run dry_run);
