/* How pods find the API server: the Service `kubernetes` in `default`, with the first address of the
 * cluster's network, its Endpoints and EndpointSlice; and the ServiceCIDR of that name, which the network is.
 * All of them are made when they are not there; what is in Endpoints and slice is put right as well.
 *
 * An API server that listens on the loopback address alone is reached by no pod: the Service is there, and
 * has no endpoints. (Kubernetes refuses loopback addresses in both kinds.)
 */
#pragma once

#include "apiserver/core/core.h"
#include "apiserver/service/networks.h"

#define KUBERNETES_SERVICE   "kubernetes"
#define KUBERNETES_NAMESPACE "default"

/* The ServiceCIDR: another one of that name stays, with a warning in the log. Blocks until it is durable. */
int kubernetes_service_cidr(struct core *core, const struct service_networks *networks, struct err *err);
/* The Service and its endpoints at ADDRESS (NULL: nobody reaches it) and PORT. */
int kubernetes_service_ensure(struct core *core, const struct service_networks *networks, const char *address,
			      uint16_t port, struct err *err);
