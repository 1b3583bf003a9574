/* The variables by which containers find Services: NAME_SERVICE_HOST, NAME_SERVICE_PORT and those that
 * Docker's links had, as the kubelet makes them. A pod gets those of its namespace, unless enableServiceLinks
 * is false, and always those of the Service `kubernetes` in `default`.
 * https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
 *
 * Nothing forwards the address of a Service yet. What a pod is told of `kubernetes` has to lead somewhere, so
 * it is the address and port where the agent itself reaches the API server, under the usual names; and
 * nothing, when that is an address of the machine alone and the pod has a network of its own.
 *
 * All Services are watched. Pods that the API server hands out are taken up once they are known (main.c);
 * containers that start again before, after a restart of the agent, do without.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/json.h"

/* Is told of each variable. */
typedef void (*service_var_fn)(const char *name, const char *value, void *arg);

/* One Service as its variables show it. */
struct service_link {
	const char *name, *host;
	size_t n_ports;
	const struct service_link_port {
		const char *name, *protocol; /* "" for none; "TCP" */
		int port;                    /* in names */
		int value;                   /* where it leads */
	} * ports;
};

/* Pure. */
void service_link_vars(const struct service_link *link, service_var_fn fn, void *arg);

struct agent;
struct service_env;

/* SERVER is the API server's URL, as the agent reaches it. SYNCED is called when all Services are known. */
struct service_env *service_env_new(struct agent *agent, const char *server, void (*synced)(void *arg),
				    void *arg);
void service_env_free(struct service_env *env); /* NULL is fine */
bool service_env_synced(const struct service_env *env);
/* Calls FN with each variable of POD's containers. ENV NULL: there are none. */
void service_env_each(const struct service_env *env, const struct json_object *pod, service_var_fn fn,
		      void *arg);
