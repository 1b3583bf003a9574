/* The agent's HTTPS API, shaped like the kubelet's: what the apiserver asks the node for.
 *
 *     GET
 * /containerLogs/NAMESPACE/POD/CONTAINER?follow=&tailLines=&previous=&sinceSeconds=&sinceTime=&timestamps=&limitBytes=
 *     GET /pods        the pods of this node as a PodList
 *     GET /metrics, /healthz
 *     /exec/, /attach/, /portForward/        nodeagent/streaming/streaming_server.h
 */
#pragma once

#include "lib/http_routes.h"
#include "nodeagent/agent.h"
#include "nodeagent/pod_manager.h"

struct log_server;
/* AGENT and PODS outlive it. NULL: it cannot listen, as http_routes_new says. */
struct log_server *log_server_new(struct agent *agent, struct pod_manager *pods,
				  const struct http_routes_opts *opts, struct err *err);
void log_server_free(struct log_server *server); /* NULL is fine */
/* At which it listens. */
uint16_t log_server_port(const struct log_server *server);
