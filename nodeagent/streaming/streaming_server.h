/* exec, attach and port-forward, as the kubelet's server has them:
 *
 *     /exec/NAMESPACE/POD/CONTAINER?command=a&command=b&input=1&output=1&error=1&tty=1
 *     /attach/NAMESPACE/POD/CONTAINER?input=1&output=1&error=1&tty=1
 *     /portForward/NAMESPACE/POD
 *
 * Only for the API server: who may do this to a pod is decided there.
 */
#pragma once

#include "lib/http_exchange.h"
#include "nodeagent/pod_manager.h"

struct streaming_server;
/* AGENT and PODS outlive it. */
struct streaming_server *streaming_server_new(struct agent *agent, const struct pod_manager *pods);
/* Ends all sessions; what was started in containers runs on. Before the HTTP server ends. NULL is fine. */
void streaming_server_free(struct streaming_server *server);

/* Routes of http_routes.h. */
void streaming_exec(struct streaming_server *server, struct http_exchange *exchange);
void streaming_attach(struct streaming_server *server, struct http_exchange *exchange);
void streaming_forward(struct streaming_server *server, struct http_exchange *exchange);
