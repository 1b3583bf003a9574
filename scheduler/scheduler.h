/* The scheduler: watches pods and nodes, decides, binds.
 *
 * A decision is assumed at once (the node's account holds the pod) and the binding is sent; many are in
 * flight together. The watch confirms a binding; a refused one takes the assumption back. Correct when a call
 * is lost or repeated: the API server binds a pod once, and the watch has the last word.
 */
#pragma once

#include "lib/api_client.h"

struct scheduler;

struct scheduler *scheduler_new(struct loop *loop, struct api_client *client, void (*synced)(void *arg),
				void *arg);
void scheduler_free(struct scheduler *scheduler);
