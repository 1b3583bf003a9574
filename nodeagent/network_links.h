/* Links, addresses and routes of the pod network, by netlink. Each call opens its own socket: they run
 * seldom, and some in a short-lived child.
 */
#pragma once

#include <netinet/in.h>
#include <stdint.h>

#include "lib/err.h"

/* A bridge NAME with ADDRESS/PREFIX, up. Made when it is not there. */
int network_links_bridge(const char *name, struct in_addr address, unsigned prefix, unsigned mtu,
			 struct err *err);
/* Deletes link NAME; not there is fine. */
int network_links_delete(const char *name, struct err *err);
/* Deletes all links that are ports of BRIDGE, then BRIDGE. */
int network_links_delete_bridge(const char *name, struct err *err);

struct network_link_pair {
	const char *bridge, *name; /* the node's end */
	int ns_fd;                 /* where the other end, eth0, goes */
	struct in_addr address, gateway;
	unsigned prefix, mtu;
};

/* The pair with its addresses and the default route, all up, and the namespace's lo. Idempotent. */
int network_links_attach(const struct network_link_pair *pair, struct err *err);
