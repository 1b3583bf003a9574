/* A container's environment: variables of Services, env, envFrom, references to the pod's own fields,
 * resources, ConfigMaps and Secrets, and $(VAR) expansion, which command and args get as well.
 * https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/
 */
#pragma once

#include "lib/err.h"
#include "lib/json.h"
#include "lib/map.h"
#include "nodeagent/config_objects.h"
#include "nodeagent/service_env.h"

struct pod_env_opts {
	const struct json_object *pod;
	const struct json_object *container;
	const struct json_object *image_config; /* OCI image config; its Env comes first; or NULL */
	const char *hostname;                   /* HOSTNAME */
	const char *pod_ip, *host_ip, *node_name;
	int64_t node_millicpu, node_memory_bytes; /* what limits default to in resourceFieldRef */
	struct config_lookup lookup;
	const struct service_env *services; /* or NULL */
};

struct pod_env {
	char **vars; /* NULL-terminated "K=V", each name once */
	size_t n;
	struct map places; /* in vars, by name */
};

/* On failure the message is what CreateContainerConfigError shows: configmap "x" not found; couldn't find key
 * k in ConfigMap ns/x. */
int pod_env_build(const struct pod_env_opts *opts, struct pod_env *ret, struct err *err);
void pod_env_close(struct pod_env *env);
const char *pod_env_get(const struct pod_env *env, const char *name);
/* S with $(NAME) replaced from ENV, $$ by $; unknown names stay as they are. Caller frees. */
char *pod_env_expand(const struct pod_env *env, const char *s);
/* The value of a downward API field ("metadata.labels['app']"), for variables and files; labels and
 * annotations whole are KEY="VALUE" lines. ERR_INVALID for a path that is none. Caller frees. */
int pod_env_field(const struct pod_env_opts *opts, const char *path, char **ret, struct err *err);
/* The value of a resourceFieldRef of CONTAINER. */
int pod_env_resource(const struct pod_env_opts *opts, const struct json_object *container,
		     const struct json_object *ref, char **ret, struct err *err);
