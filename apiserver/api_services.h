/* The APIServices of what this server serves: one for each version of each group, in the store like any other
 * object, with the label kube-aggregator.kubernetes.io/automanaged. They tell clients what there is; deleting
 * one takes nothing out of service, and it comes back.
 */
#pragma once

#include "apiserver/core/core.h"

/* Makes what is missing, mends what differs and removes what is not served any more. Waits for the core: not
 * on an edge. Nothing is written when all is right. */
int api_services_keep(struct core *core, struct err *err);
