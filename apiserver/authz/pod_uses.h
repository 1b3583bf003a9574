/* What a pod refers to by name in its own namespace. Pure. (pkg/api/v1/pod: VisitPodSecretNames and its kin)
 */
#pragma once

#include <stdbool.h>

#include "lib/json.h"

enum pod_use { POD_USES_SECRET, POD_USES_CONFIG_MAP, POD_USES_CLAIM, POD_USES_SERVICE_ACCOUNT };

/* NAME NULL: any of that sort. */
bool pod_uses(const struct json_object *pod, enum pod_use use, const char *name);
/* Calls FN with each claim's name until it gives true, and gives that. */
bool pod_each_claim(const struct json_object *pod, bool (*fn)(const char *name, void *arg), void *arg);
