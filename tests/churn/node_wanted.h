/* What the acts have asked a node for so far, and whether the API shows it.
 */
#pragma once

#include <stdbool.h>

#include "tests/churn/names.h"
#include "tests/churn/node_rules.h"

enum { NODE_WEBS = 2, NODE_PODS = 4, NODE_MOST_REPLICAS = 3 };

enum node_pod_kind {
	NODE_POD_NONE,
	NODE_POD_RUNS,      /* Always: an init container, one with probes, one that ignores SIGTERM */
	NODE_POD_COMPLETES, /* OnFailure: ends with 0 after two seconds */
	NODE_POD_NEVER,     /* Never: Failed once it is hit */
};

struct node_wanted {
	struct node_web {
		bool exists;
		char name[32];
		int replicas, version;
	} webs[NODE_WEBS];
	struct node_pod {
		enum node_pod_kind kind;
		char name[32];
	} pods[NODE_PODS];
};

void node_web_body(const struct node_web *web, struct buf *ret);
void node_pod_body(const struct node_pod *pod, struct buf *ret);

/* From the pods of a settled node: those there are, those that have not ended, and their running containers.
 */
struct node_expected {
	struct names pods, live, containers;
};
void node_expected_close(struct node_expected *expected); /* for CLEANUP */
/* Whether the lists of Deployments and pods show what is wanted; else WHY. */
bool node_wanted_shown(const struct node_wanted *wanted, const struct node_rules *rules,
		       const struct json_object *deployments, const struct json_object *pods,
		       struct node_expected *ret, struct buf *why);
