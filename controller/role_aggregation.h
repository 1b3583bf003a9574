/* ClusterRoles with an aggregationRule: their rules are those of all ClusterRoles that it selects, so that a
 * new kind's roles become part of "admin", "edit" and "view" by their labels. It is a reconciler, as in
 * Kubernetes, and no work of the API server's index: what a role allows is to be read in it, and checked when
 * somebody gives it away.
 * https://kubernetes.io/docs/reference/access-authn-authz/rbac/#aggregated-clusterroles
 */
#pragma once

#include "controller/cache.h"

struct role_aggregation;

struct role_aggregation *role_aggregation_new(struct loop *loop, struct api_client *client,
					      struct cache *cache);
void role_aggregation_synced(struct role_aggregation *aggregation);
void role_aggregation_free(struct role_aggregation *aggregation);

/* The rules that ROLE should have, of the N roles in ROLES, in order of their names, each rule once; a JSON
 * array. Pure. */
struct json_object *role_aggregation_rules(const struct cached_cluster_role *role,
					   const struct cached_cluster_role *const *roles, size_t n);
