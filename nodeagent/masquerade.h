/* Traffic that leaves the pods' network takes the node's address: an nftables table of the bridge's name,
 *
 *     table ip BRIDGE {
 *         chain postrouting {
 *             type nat hook postrouting priority srcnat;
 *             ip saddr POD_CIDR ip daddr != CLUSTER_CIDR oifname != BRIDGE masquerade
 *         }
 *     }
 *
 * written by nfnetlink in one transaction, without libnftables: that would cost the agent more memory than
 * all the rest of its network.
 */
#pragma once

#include <netinet/in.h>
#include <stdint.h>

#include "lib/err.h"

struct masquerade {
	const char *bridge;
	struct in_addr pods, pods_mask; /* network byte order */
	struct in_addr cluster, cluster_mask;
};

/* Makes the table, in place of what there is of that name. */
int masquerade_set(const struct masquerade *opts, struct err *err);
/* Removes it; not there is fine. */
int masquerade_remove(const char *bridge, struct err *err);
