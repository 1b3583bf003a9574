/* One try of what probes and lifecycle hooks do: run a command in the container, send an HTTP request, open a
 * TCP connection, wait. Never blocks; ends within its timeout.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/http_client.h"
#include "lib/json.h"
#include "lib/loop.h"
#include "nodeagent/runtime.h"

struct probe_target {
	struct loop *loop;
	struct http_client *http;
	struct container *container;              /* for exec */
	const char *address;                      /* where http and tcp go unless the action names a host */
	const struct json_object *container_spec; /* named ports */
};

enum probe_outcome {
	PROBE_SUCCESS,
	PROBE_FAILURE, /* MESSAGE is what an event says: "HTTP probe failed with statuscode: 404" */
	PROBE_UNKNOWN, /* could not be tried at all: neither counts */
};

/* OUTPUT: what a command printed, "" else. Both valid during the call. */
typedef void (*probe_action_fn)(enum probe_outcome outcome, const char *message, const char *output,
				void *arg);

struct probe_action;
/* ACTION is a Probe or LifecycleHandler: the member exec, httpGet, tcpSocket, grpc or sleep says what is
 * done. TIMEOUT_MS > 0. DONE is called once, from the loop, never from within; then the action is gone. */
struct probe_action *probe_action_start(const struct probe_target *target, const struct json_object *action,
					int64_t timeout_ms, probe_action_fn done, void *arg);
/* Ends it silently. NULL is fine. */
void probe_action_cancel(struct probe_action *action);
/* A port given as number or as the name of one of the container's; 0 when it is neither. */
int probe_action_port(const struct json_object *port, const struct json_object *container_spec);
