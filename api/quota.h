/* Resource quotas: what an object uses up of a namespace's quota. Pure; the apiserver asks it before it
 * stores an object, the controller when it counts anew. Amounts are resource lists: JSON objects of name to
 * quantity. https://kubernetes.io/docs/concepts/policy/resource-quotas/
 */
#pragma once

#include <stdbool.h>

#include "api/resource.h"
#include "lib/buf.h"

/* Everything that OBJ, of RESOURCE, uses up, under all names that a quota may have for it ("pods",
 * "requests.cpu", "cpu", "count/deployments.apps"). For the caller; {} when nothing. */
struct json_object *quota_usage(const struct resource *resource, const struct json_object *obj);
/* True when NAME in a quota's spec.hard counts objects of RESOURCE. */
bool quota_counts(const char *name, const struct resource *resource);
/* True when QUOTA's scopes take in OBJ of RESOURCE. Scopes are about pods; a quota with scopes counts nothing
 * else. */
bool quota_in_scope(const struct json_object *quota, const struct resource *resource,
		    const struct json_object *obj);
/* What a pod must say for QUOTA to be able to count it: appends `must specify limits.cpu for: a,b;
 * requests.cpu for: a` when containers leave it out. HARD: the quota's resource list. True when nothing is
 * missing. */
bool quota_specified(const struct json_object *hard, const struct json_object *pod, struct buf *ret_missing);

/* --- resource lists --- */

/* Adds the members of MORE (NULL: none) to LIST, times FACTOR, 1 or -1; only those that MASK (NULL: all) has.
 */
void quota_add(struct json_object *list, const struct json_object *more, int factor,
	       const struct json_object *mask);
/* LIST as `requests.cpu=1,services=2`, in order of names; only those that MASK (NULL: all) has. */
void quota_write(struct buf *b, const struct json_object *list, const struct json_object *mask);
