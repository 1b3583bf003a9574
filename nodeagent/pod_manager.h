/* All pods of this node: who is bound to it according to the API, and what is left of earlier runs on disk.
 */
#pragma once

#include "nodeagent/agent.h"
#include "nodeagent/pod_worker.h"

struct pod_manager;
/* AGENT outlives it. It does nothing before one of the next two. */
struct pod_manager *pod_manager_new(struct agent *agent);
void pod_manager_free(struct pod_manager *manager); /* containers run on */

/* Takes over what an earlier run of the agent left: before pod_manager_watch. */
void pod_manager_adopt(struct pod_manager *manager);
/* Begins to follow the API. Pods on disk that it does not know are ended. */
void pod_manager_watch(struct pod_manager *manager);
void pod_manager_images_changed(struct pod_manager *manager);
void pod_manager_network_ready(struct pod_manager *manager);

/* The pod of that name that the API has, or NULL. */
struct pod_worker *pod_manager_find(const struct pod_manager *manager, const char *namespace_,
				    const char *name);
/* for (size_t i = 0; (worker = pod_manager_next(m, &i));) */
struct pod_worker *pod_manager_next(const struct pod_manager *manager, size_t *cursor);
