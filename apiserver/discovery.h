/* Discovery: what is served, as clients ask for it first. Made for each request from the tables of resources
 * and steps. https://kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api
 */
#pragma once

#include "lib/buf.h"

/* Each appends a whole document. CORE: of /api, else of /apis. VERSION of apidiscovery.k8s.io: v2, or
 * v2beta1, which kubectl before 1.30 asks for; they differ in their names only. */
void discovery_write_aggregated(struct buf *b, bool core, const char *version);
void discovery_write_groups(struct buf *b);
/* False when nothing of that group is served. */
bool discovery_write_group(struct buf *b, const char *group);
void discovery_write_resources(struct buf *b, const char *group, const char *version);
/* What there is to ask for. */
void discovery_write_paths(struct buf *b);
