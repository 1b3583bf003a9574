/* Churn of a node: a real agent with real containers; agent, shims and containers' processes under kill -9,
 * the control plane now and then, while pods are created, scaled, rolled and deleted. See README.md.
 */
#pragma once

struct churn;

/* Needs root, a cluster with a node agent, and the images market-data:v1, market-data:v2 and busybox:v1 on
 * it. Prints a line of counts. */
void node_run(struct churn *churn);
