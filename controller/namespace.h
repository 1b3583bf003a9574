/* Namespaces that are being deleted: emptied, then let go.
 *
 *   get it ──▶ delete the collections of every kind ──▶ list what remains ──▶ conditions
 *                                                            ├─ nothing: finalize, and it is gone
 *                                                            └─ something: again when the cache saw the last
 * of it go
 */
#pragma once

#include "controller/cache.h"

struct namespaces;

struct namespaces *namespaces_new(struct loop *loop, struct api_client *client, struct cache *cache);
void namespaces_synced(struct namespaces *namespaces);
void namespaces_free(struct namespaces *namespaces);
