/* ResourceQuota: counts what a quota's namespace uses, when the quota is new or changed and when something
 * that counted goes. What comes is counted by the apiserver, in the transaction that stores it; a count that
 * overlaps with one is refused for its older version, and made again.
 * https://kubernetes.io/docs/concepts/policy/resource-quotas/
 */
#pragma once

#include "controller/cache.h"

struct resource_quotas;
struct resource_quotas *resource_quotas_new(struct loop *loop, struct api_client *client,
					    struct cache *cache);
/* The cache knows everything: begin. */
void resource_quotas_synced(struct resource_quotas *quotas);
void resource_quotas_free(struct resource_quotas *quotas); /* NULL is fine */
