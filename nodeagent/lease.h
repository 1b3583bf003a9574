/* The node's Lease in kube-node-lease: renewed every 10 seconds; the node counts as lost when it was not
 * for 40. https://kubernetes.io/docs/concepts/architecture/nodes/#node-heartbeats
 */
#pragma once

#include "lib/api_client.h"
#include "lib/loop.h"

#define LEASE_RENEW_MS   10000
#define LEASE_DURATION_S 40

struct lease;
/* Begins at once; NODE_NAME is copied. */
struct lease *lease_new(struct loop *loop, struct api_client *api, const char *node_name);
void lease_free(struct lease *lease);
