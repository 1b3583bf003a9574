/* What cordon, uncordon and drain share.
 */
#pragma once

#include "kubectl-lite/dry_run.h"
#include "kubectl-lite/objects.h"

/* The nodes of ARGS, or those with LABELS; see objects_find. */
int cordon_find_nodes(char **args, size_t n_args, const char *labels, struct objects *ret, struct err *err);
/* Makes NODE (un)schedulable and says so. */
int cordon_node(const struct object *node, bool unschedulable, enum dry_run dry_run, struct err *err);
