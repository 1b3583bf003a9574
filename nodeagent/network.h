/* The node's pod network: one bridge, one veth pair per pod, addresses from the podCIDR; forwarding and
 * masquerading for traffic that leaves the pods. All by netlink (libnl-route-3) and, for masquerading, an
 * nftables table of our own named like the bridge.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"
#include "lib/loop.h"

struct network;

struct network_opts {
	const char *state_dir;    /* addresses in use: one symlink per address, named by it, to the pod UID */
	const char *bridge;       /* "knarr1a2b3c", at most 15 bytes */
	const char *pod_cidr;     /* "10.244.0.0/24"; the bridge takes the first address */
	const char *cluster_cidr; /* not masqueraded; may equal pod_cidr */
	unsigned mtu;             /* 0: the default route's device's */
	const char
	    *node_address; /* what pods on the host's network show; NULL: the default route's device's */
};

/* Makes bridge, address, sysctls and nft table when they are not there; adopts them when they are. */
struct network *network_open(const struct network_opts *opts, struct err *err);
/* Forgets it; bridge and addresses stay (pods keep running). */
void network_close(struct network *network);
/* Removes table and bridge: for `knarr down --purge`. */
int network_purge(const char *bridge, struct err *err);

/* Reserves an address for the pod, durable before it returns; the same one when the pod has one.
 * ERR_LIMIT when the range is used up. Writes dotted decimal into BUF (16 bytes at least). */
int network_address_get(struct network *network, const char *pod_uid, char *buf, struct err *err);
int network_address_put(struct network *network, const char *pod_uid, struct err *err);
/* Attaches the namespace at NS_PATH: veth, lo up, eth0 with ADDRESS and a default route. Idempotent. A few
 * netlink round trips, bounded, under a millisecond; runs in the sandbox's child. */
int network_attach(struct network *network, const char *ns_path, const char *pod_uid, const char *address,
		   struct err *err);
int network_detach(struct network *network, const char *pod_uid, struct err *err);
const char *network_gateway(const struct network *network);
/* The node's own address (InternalIP; of pods with hostNetwork). */
const char *network_node_address(const struct network *network);
