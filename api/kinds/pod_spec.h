/* The parts that validation and defaults of a PodSpec are made of: one file each, pod_spec_*.c. PATH is
 * always that of the object handed in. The exported whole is in validate.h: default_pod_spec,
 * validate_pod_spec.
 */
#pragma once

#include <stdbool.h>

#include "api/field_error.h"
#include "api/validate.h"
#include "lib/map.h"

/* What a container is in its pod: some fields are allowed in one role only. */
enum container_role { CONTAINER_MAIN, CONTAINER_INIT, CONTAINER_EPHEMERAL };

/* pod_spec_defaults.c: what a Pod gets and a template does not: requests from limits, host ports of
 * hostNetwork. */
void pod_spec_default_of_pod(struct json_object *spec);
/* Members of volume sources, of whatever types VOLUME has. */
void pod_spec_default_sources(struct json_object *volume);

/* pod_spec_containers.c: all three lists, names unique over all of them. */
void pod_spec_validate_containers(const struct json_object *spec, struct field_path *path,
				  struct field_errors *errors);
/* True when the init container keeps running beside the main ones: restartPolicy Always. */
bool pod_spec_is_sidecar(const struct json_object *container);

/* pod_spec_ports.c */
void pod_spec_validate_ports(const struct json_object *ports, bool host_network, struct field_path *path,
			     struct field_errors *errors);
/* Host ports may be taken once in the whole pod. PATH: of the spec. */
void pod_spec_validate_host_ports(const struct json_object *spec, struct field_path *path,
				  struct field_errors *errors);

/* pod_spec_env.c: env and envFrom of a container. */
void pod_spec_validate_env(const struct json_object *container, struct field_path *path,
			   struct field_errors *errors);
/* A downward API reference. FILES: of a volume's file, which allows whole maps. */
void pod_spec_validate_field_ref(const struct json_object *ref, bool files, struct field_path *path,
				 struct field_errors *errors);
/* NAME_REQUIRED: a volume names the container whose resource it shows. */
void pod_spec_validate_resource_field_ref(const struct json_object *ref, bool files, struct field_path *path,
					  struct field_errors *errors);

/* pod_spec_probes.c: the three probes and the lifecycle hooks of a container. */
void pod_spec_validate_probes(const struct json_object *container, enum container_role role,
			      struct field_path *path, struct field_errors *errors);

/* pod_spec_resources.c. The name of a resource, that of a container or any. */
void pod_spec_validate_resource_name(const char *name, bool of_container, struct field_path *path,
				     struct field_errors *errors);
/* A map of amounts by resource; NULL is fine. */
void pod_spec_validate_amounts(struct json_object *list, struct field_path *path,
			       struct field_errors *errors);
void pod_spec_validate_resources(const struct json_object *resources, struct field_path *path,
				 struct field_errors *errors);
/* "Guaranteed", "Burstable" or "BestEffort". */
const char *pod_spec_qos_class(const struct json_object *spec);

/* pod_spec_volumes.c, pod_spec_mounts.c. A volume is of one of these types. */
struct volume_source_type {
	const char *key;
	void (*validate)(const struct json_object *source, struct field_path *path,
			 struct field_errors *errors);
	const char *required[4]; /* string members */
};
/* One of TYPES, and what it must be like. Returns how many OBJ has. */
size_t pod_spec_validate_sources(const struct json_object *obj, const struct volume_source_type *types,
				 size_t n_types, struct field_path *path, struct field_errors *errors);
void pod_spec_validate_host_path(const struct json_object *source, struct field_path *path,
				 struct field_errors *errors);
void pod_spec_validate_volumes(const struct json_object *spec, struct field_path *path,
			       struct field_errors *errors);
/* VOLUMES: the names of the pod's volumes. */
void pod_spec_validate_mounts(const struct json_object *container, const struct map *volumes,
			      enum container_role role, struct field_path *path, struct field_errors *errors);
/* True when a part of PATH is "..". */
bool pod_spec_has_backsteps(const char *path);
/* "must be a relative path", "must not contain '..'" and, unless MAY_BE_DOTTED, "must not start with '..'".
 * KEY: the member to blame. */
void pod_spec_validate_local_path(const char *value, const char *key, bool may_be_dotted,
				  struct field_path *path, struct field_errors *errors);

/* pod_spec_security.c */
void pod_spec_validate_pod_security(const struct json_object *context, const struct json_object *spec,
				    struct field_path *path, struct field_errors *errors);
void pod_spec_validate_container_security(const struct json_object *context, bool host_users,
					  struct field_path *path, struct field_errors *errors);

/* A core/v1 NodeSelector: its terms, of which there must be one. */
void pod_spec_validate_node_selector(const struct json_object *selector, struct field_path *path,
				     struct field_errors *errors);
/* pod_spec_affinity.c, pod_spec_placement.c: tolerations, topology spread, gates, node selector. */
void pod_spec_validate_affinity(const struct json_object *affinity, struct field_path *path,
				struct field_errors *errors);
void pod_spec_validate_placement(const struct json_object *spec, struct field_path *path,
				 struct field_errors *errors);
void pod_spec_validate_toleration(const struct json_object *toleration, struct field_path *path,
				  struct field_errors *errors);

/* pod_spec_network.c: host aliases, hostname, DNS. */
void pod_spec_validate_network(const struct json_object *spec, struct field_path *path,
			       struct field_errors *errors);

/* pod_spec_warnings.c. POD: a pod, or a template at PATH ("" for a pod). */
void pod_spec_warn(const struct json_object *pod, const char *path, warning_fn call, void *arg);

/* pod_spec_update.c: which fields of a stored pod's spec may change. */
void pod_spec_validate_update(const struct json_object *spec, const struct json_object *old,
			      struct field_path *path, struct field_errors *errors);
