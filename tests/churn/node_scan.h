/* What a node's agent has made on this machine, looked up where the kernel and runc keep it, not where the
 * agent says.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "tests/churn/names.h"

struct node_scan {
	struct names pod_dirs;    /* uids: folders DIR/pods/UID */
	struct names mounts;      /* uids of pods with something mounted below their folder */
	struct names leases;      /* uids of pods with an address */
	struct names pod_cgroups; /* uids, in any hierarchy */
	struct names cgroups;     /* container IDs, in any hierarchy */
	struct names containers;  /* container IDs that the OCI runtime knows */
	struct names shims;       /* "UID/containers/NAME/ATTEMPT" of running shims */
	struct names trash;       /* folders that still wait to be removed */
	size_t links;             /* on the bridge */
	size_t children;          /* of the agent, zombies included */
};

struct node_where {
	const char *agent_dir, *bridge, *cgroup_parent;
	pid_t agent; /* 0: it does not run */
};

void node_scan(const struct node_where *where, struct node_scan *ret);
void node_scan_close(struct node_scan *scan); /* for CLEANUP */

/* One attempt of a container of which no end is recorded, and whether it was started. */
struct node_attempt {
	char uid[256], name[256];
	unsigned attempt;
	pid_t shim, init; /* 0: not that far */
	uint64_t shim_start, init_start;
	bool started;
};
/* Attempts whose shim or init lives, sorted; at most MOST of them. */
size_t node_attempts(const char *agent_dir, struct node_attempt *list, size_t most);
