/* The ConfigMap kube-root-ca.crt of each active namespace: what pods verify the API server with.
 */
#pragma once

#include "controller/cache.h"

struct root_ca;

/* PEM is copied; NULL: nothing is published. */
struct root_ca *root_ca_new(struct loop *loop, struct api_client *client, struct cache *cache,
			    const char *pem);
void root_ca_synced(struct root_ca *root_ca);
void root_ca_free(struct root_ca *root_ca);
