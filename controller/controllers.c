#include "controller/controllers.h"

#include "controller/custom_resources.h"
#include "controller/deployment.h"
#include "controller/disruption.h"
#include "controller/garbage.h"
#include "controller/namespace.h"
#include "controller/node_lifecycle.h"
#include "controller/pod_cidr.h"
#include "controller/pod_gc.h"
#include "controller/replica_set.h"
#include "controller/resource_quota.h"
#include "controller/role_aggregation.h"
#include "controller/root_ca.h"
#include "controller/service_account.h"
#include "controller/service_cidr.h"
#include "controller/taint_eviction.h"
#include "controller/token_secrets.h"
#include "controller/volume_protection.h"
#include "lib/mem.h"

/* A row's functions for a controller whose own have types: void pointers only here. */
#define CONTROLLER(type_, prefix_, ...)                                                                      \
	static void *prefix_##_row_start(const struct controller_context *c)                                 \
	{                                                                                                    \
		return prefix_##_new(c->loop, c->client, c->cache, ##__VA_ARGS__);                           \
	}                                                                                                    \
	static void prefix_##_row_synced(void *state)                                                        \
	{                                                                                                    \
		prefix_##_synced((type_ *)state);                                                            \
	}                                                                                                    \
	static void prefix_##_row_stop(void *state)                                                          \
	{                                                                                                    \
		prefix_##_free((type_ *)state);                                                              \
	}
#define ROW(name_, prefix_)                                                                                  \
	{                                                                                                    \
		name_, prefix_##_row_start, prefix_##_row_synced, prefix_##_row_stop                         \
	}

CONTROLLER(struct replica_sets, replica_sets, c->owned)
CONTROLLER(struct deployments, deployments, c->owned)
CONTROLLER(struct custom_resources, custom_resources)
CONTROLLER(struct garbage, garbage)
CONTROLLER(struct namespaces, namespaces)
CONTROLLER(struct service_accounts, service_accounts)
CONTROLLER(struct role_aggregation, role_aggregation)
CONTROLLER(struct root_ca, root_ca, c->root_ca)
CONTROLLER(struct token_secrets, token_secrets, c->root_ca)
CONTROLLER(struct pod_cidrs, pod_cidrs, c->cluster_cidr)
CONTROLLER(struct node_lifecycle, node_lifecycle, c->node_pods, c->node_grace_ms)
CONTROLLER(struct taint_eviction, taint_eviction, c->node_pods)
CONTROLLER(struct pod_gc, pod_gc, c->node_pods)
CONTROLLER(struct resource_quotas, resource_quotas)
CONTROLLER(struct disruptions, disruptions)
CONTROLLER(struct volume_protection, volume_protection)
CONTROLLER(struct service_cidrs, service_cidrs)

static const struct controller rows[] = {
	ROW("replicaset", replica_sets),
	ROW("deployment", deployments),
	ROW("custom-resources", custom_resources),
	ROW("garbage-collector", garbage),
	ROW("namespace", namespaces),
	ROW("serviceaccount", service_accounts),
	ROW("root-ca-certificate-publisher", root_ca),
	ROW("serviceaccount-token", token_secrets),
	ROW("clusterrole-aggregation", role_aggregation),
	ROW("node-ipam", pod_cidrs),
	ROW("node-lifecycle", node_lifecycle),
	ROW("taint-eviction", taint_eviction),
	ROW("pod-garbage-collector", pod_gc),
	ROW("resourcequota", resource_quotas),
	ROW("disruption", disruptions),
	ROW("volume-protection", volume_protection),
	ROW("service-cidr", service_cidrs),
};

const struct controller *controllers_all(size_t *ret_n)
{
	*ret_n = ARRAY_SIZE(rows);
	return rows;
}
