/* The ConfigMaps and Secrets that this node's pods use, and no others: each is watched while somebody holds
 * it, once however many pods share it. A missing object is watched as well, so that a pod that waits for it
 * goes on at the moment it is made.
 */
#pragma once

#include "lib/json.h"
#include "nodeagent/agent.h"

struct config_objects;
struct config_use; /* one user's hold on one object */

enum config_kind { CONFIG_MAP, CONFIG_SECRET };
enum config_presence { CONFIG_UNKNOWN /* not asked to the end yet */, CONFIG_MISSING, CONFIG_PRESENT };

/* Both outlive it. Nothing is asked for before the first use. */
struct config_objects *config_objects_new(struct loop *loop, struct api_client *api);
/* When all uses are given back. NULL is fine. */
void config_objects_free(struct config_objects *objects);

/* Holds NAMESPACE/NAME. CHANGED is called from the loop when its presence or content changes. */
struct config_use *config_objects_use(struct config_objects *objects, enum config_kind kind,
				      const char *namespace_, const char *name, void (*changed)(void *arg),
				      void *arg);
void config_objects_drop(struct config_use *use); /* NULL is fine */
/* *ret_object (may be NULL) is borrowed until the next change. */
enum config_presence config_use_get(const struct config_use *use, const struct json_object **ret_object);
bool config_use_is(const struct config_use *use, enum config_kind kind, const char *name);

/* What pods' files and variables are made from: finds an object of the pod's namespace by kind and name.
 * Given as a function so that those parts know nothing of watches. */
struct config_lookup {
	enum config_presence (*get)(enum config_kind kind, const char *name, const struct json_object **ret,
				    void *arg);
	void *arg;
};
