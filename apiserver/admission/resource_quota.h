/* ResourceQuota: what a namespace may use up in all.
 *
 * The step `charge` looks at each quota of the namespace and refuses what does not fit. What does is written
 * into status.used of all of them in the same transaction as the object itself: no quota counts what was not
 * stored, none misses what was, and two requests cannot both take the last of it. A quota holds from when its
 * status says what is used; the controller counts that at first, and whenever something goes.
 * https://kubernetes.io/docs/concepts/policy/resource-quotas/
 */
#pragma once

#include "apiserver/edge/request.h"

/* A step behind validation: leaves in r->companions (companions.h) what is to be written along with r->obj,
 * and nothing else. */
enum step_result quota_charge(struct request *r);
