/* This machine's Node in the API: registered, its status kept true (when something changes, and every 5
 * minutes), and its pod CIDR, which the control plane gives, told to the agent.
 */
#pragma once

#include "nodeagent/agent.h"

struct node_status_opts {
	int64_t max_pods;
	uint16_t port;
	const char *runtime_version;
	/* The Node has this spec.podCIDR. Called again when it changes, which the agent refuses. */
	void (*pod_cidr)(const char *cidr, void *arg);
	void *arg;
};

struct node_status;
/* OPS's strings are kept by pointer. Registers at once. */
struct node_status *node_status_new(struct agent *agent, const struct node_status_opts *opts);
void node_status_free(struct node_status *node);
/* The network is up: the node is Ready. */
void node_status_set_ready(struct node_status *node);
void node_status_images_changed(struct node_status *node);
