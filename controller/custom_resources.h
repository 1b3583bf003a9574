/* Custom resources among what the controllers know: follows the CustomResourceDefinitions, publishes the rows
 * of those that are established (api/resource_set.h) and has the cache watch their objects, so that the
 * garbage collector and the namespace controller treat them as any others.
 */
#pragma once

#include "controller/cache.h"

struct custom_resources;

struct custom_resources *custom_resources_new(struct loop *loop, struct api_client *client,
					      struct cache *cache);
void custom_resources_synced(struct custom_resources *resources);
void custom_resources_free(struct custom_resources *resources);
