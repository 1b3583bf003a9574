/* Events and messages about one container, as the kubelet words them.
 */
#pragma once

#include "nodeagent/container_worker.h"

struct container_about {
	const struct pod_context *pod;
	const struct json_object *spec; /* Container; NULL: the pod as a whole */
	enum container_kind kind;
};

/* Records an event about "spec.containers{NAME}" (or initContainers, ephemeralContainers) of the pod. */
void container_event(const struct container_about *about, const char *type, const char *reason,
		     const char *format, ...) PRINTF_LIKE(4, 5);
/* The pod is gone: its events need not be remembered. */
void container_events_forget(const struct pod_context *pod);
/* Why a container waits after its postStart hook failed. Caller frees. */
char *container_events_hook_error(const struct pod_context *pod, const struct json_object *spec,
				  const char *message, const char *output);
