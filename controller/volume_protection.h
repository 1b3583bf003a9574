/* Claims and volumes that are deleted stay while they are in use: a claim while a pod of its namespace that
 * is not over names it, a volume while it is bound. Then their finalizer is taken away.
 * https://kubernetes.io/docs/concepts/storage/persistent-volumes/#storage-object-in-use-protection
 */
#pragma once

#include "controller/cache.h"

struct volume_protection;
struct volume_protection *volume_protection_new(struct loop *loop, struct api_client *client,
						struct cache *cache);
/* The cache knows everything: begin. */
void volume_protection_synced(struct volume_protection *protection);
void volume_protection_free(struct volume_protection *protection); /* NULL is fine */
