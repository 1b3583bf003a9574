/* Who may ask a node agent for what it knows: the API server, which has decided already whether its own
 * client may. Any other certificate of the cluster, such as another node's, opens nothing here.
 */
#pragma once

#include "lib/http_routes.h"

/* Common name of the certificate that the API server shows to agents. */
#define PEER_API_SERVER "kube-apiserver-kubelet-client"

/* True for the API server; anybody else is answered with 403. */
bool peer_may(struct http_exchange *exchange);
