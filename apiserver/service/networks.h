/* --service-cluster-ip-range and --service-node-port-range: what Services of the cluster get. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"

#define SERVICE_CIDR_DEFAULT "10.96.0.0/16"
#define NODE_PORT_FIRST      30000
#define NODE_PORT_LAST       32767

struct service_networks {
	char cidrs[2][64]; /* the first one's family is what Services get by default */
	size_t n_cidrs;
	uint16_t node_ports[2]; /* first and last */
};

/* The defaults. */
#define SERVICE_NETWORKS_INIT                                                                                \
	((struct service_networks){ .cidrs = { SERVICE_CIDR_DEFAULT },                                       \
				    .n_cidrs = 1,                                                            \
				    .node_ports = { NODE_PORT_FIRST, NODE_PORT_LAST } })

/* "10.96.0.0/16", or one of each family: "10.96.0.0/16,fd00:10:96::/112". */
int service_networks_parse_cidrs(struct service_networks *networks, const char *text, struct err *err);
/* "30000-32767", "30000+2767". */
int service_networks_parse_ports(struct service_networks *networks, const char *text, struct err *err);
