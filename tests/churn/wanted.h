/* What the acts have asked the cluster for so far: the spec that it must come to. Changed only by acts, so
 * that it is the same in every run of a seed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/buf.h"

#define WANTED_NAMESPACE "churn"
#define WANTED_POD_SPEC                                                                                      \
	"\"terminationGracePeriodSeconds\":1,\"tolerations\":["                                              \
	"{\"key\":\"node.kubernetes.io/not-ready\",\"operator\":\"Exists\",\"effect\":\"NoExecute\","        \
	"\"tolerationSeconds\":1},{\"key\":\"node.kubernetes.io/unreachable\",\"operator\":\"Exists\","      \
	"\"effect\":\"NoExecute\",\"tolerationSeconds\":1}]"

enum { WANTED_DEPLOYMENTS = 6, WANTED_SETS = 3, WANTED_PODS = 8, WANTED_MOST_REPLICAS = 10 };

struct wanted_deployment {
	bool exists;
	char name[32];
	int replicas, version, millicpu, history;
	const char *surge, *unavailable; /* JSON; NULL: Recreate */
	bool paused;
};

struct wanted_set {
	bool exists;
	char name[32];
	int replicas, millicpu;
};

/* A bare pod may be gone when its node was lost: nobody makes it again. */
struct wanted_pod {
	bool exists;
	char name[32];
	bool completes;
};

struct wanted {
	struct wanted_deployment deployments[WANTED_DEPLOYMENTS];
	struct wanted_set sets[WANTED_SETS];
	struct wanted_pod pods[WANTED_PODS];
};

/* Their bodies for POST. */
void wanted_deployment_body(const struct wanted_deployment *deployment, struct buf *ret);
void wanted_set_body(const struct wanted_set *set, struct buf *ret);
void wanted_pod_body(const struct wanted_pod *pod, struct buf *ret);
