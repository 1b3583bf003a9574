/* Deployments: a replica set per version of the template, and the way from one to the next.
 *
 *   sync:  find or make the new set ──▶ paused or scaled: adjust sizes
 *                                   ├─▶ Recreate: old ones to 0, wait for their pods, then the new one up
 *                                   └─▶ RollingUpdate: one step of rollout.h
 *          ──▶ status and conditions ──▶ old sets over revisionHistoryLimit go
 *
 * A run sends its calls and lasts until they are answered; every answer comes back through the watch and
 * brings the key again.
 */
#pragma once

#include "controller/owned_pods.h"
#include "lib/event_recorder.h"

struct deployments;

struct deployments *deployments_new(struct loop *loop, struct api_client *client, struct cache *cache,
				    struct owned_index *owned);
void deployments_synced(struct deployments *ds);
void deployments_free(struct deployments *ds);
