/* From a pod's container to the OCI runtime's config.json.
 * https://github.com/opencontainers/runtime-spec/blob/main/config.md and config-linux.md
 *
 * What the pod leaves open is as containerd sets it: 14 capabilities, masked and read-only paths of /proc and
 * /sys, the mounts of /proc, /dev, /sys. Faults of the container's description are ERR_INVALID: the kubelet
 * shows such as CreateContainerConfigError.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/err.h"
#include "lib/json.h"
#include "nodeagent/runtime.h"

/* What the machine grants, found once. */
struct oci_machine {
	uint64_t capabilities;
	uint64_t max_files;    /* hard limit of open files, capped at 1048576 */
	int oom_score_adj_min; /* lower than this we may not go */
	bool cgroup_v2, swap_limit;
	bool seccomp_default;    /* containers without a seccompProfile get RuntimeDefault */
	const char *seccomp_dir; /* of Localhost profiles; NULL: there are none */
};

/* What this machine and this process can give to containers; seccomp_* are the caller's to set. */
void oci_machine_probe(struct oci_machine *ret);

/* CGROUP: path of the container's group, with a leading slash. TERMINATION_LOG: file to bind at
 * terminationMessagePath, or NULL. The caller owns *ret. */
int oci_config_build(const struct oci_machine *machine, const struct container_spec *spec, const char *cgroup,
		     const char *termination_log, struct json_object **ret, struct err *err);

/* Parts of it, each filling what it is named after. */
/* oci_process.c: CONFIG.process */
int oci_process_build(const struct oci_machine *machine, const struct container_spec *spec,
		      struct json_object *config, struct err *err);
/* oci_mounts.c: CONFIG.mounts */
int oci_mounts_build(const struct oci_machine *machine, const struct container_spec *spec,
		     const char *termination_log, struct json_object *config, struct err *err);

/* securityContext.KEY of the container, else of the pod; NULL. */
struct json_object *oci_security(const struct container_spec *spec, const char *key);
bool oci_privileged(const struct container_spec *spec);
/* Capabilities the container gets: the default set changed by its securityContext. */
int oci_capabilities(const struct oci_machine *machine, const struct container_spec *spec, uint64_t *ret,
		     struct err *err);
/* Signal number of "SIGTERM", "TERM", "15", "SIGRTMIN+3"; 0 when it is none. */
int oci_signal_number(const char *name);
/* The container's stop signal: lifecycle.stopSignal, the image's StopSignal, SIGTERM. */
int oci_stop_signal(const struct container_spec *spec);
