/* The ServiceAccount "default" of each active namespace.
 */
#pragma once

#include "controller/cache.h"

struct service_accounts;

struct service_accounts *service_accounts_new(struct loop *loop, struct api_client *client,
					      struct cache *cache);
void service_accounts_synced(struct service_accounts *accounts);
void service_accounts_free(struct service_accounts *accounts);
