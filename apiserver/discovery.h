/* Discovery: what is served, as clients ask for it first. Made once from the tables of resources and steps.
 * https://kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api
 */
#pragma once

#include "lib/buf.h"

/* Each appends a whole document. CORE: of /api, else of /apis. */
void discovery_write_aggregated(struct buf *b, bool core);
void discovery_write_groups(struct buf *b);
/* False when nothing of that group is served. */
bool discovery_write_group(struct buf *b, const char *group);
void discovery_write_resources(struct buf *b, const char *group, const char *version);
