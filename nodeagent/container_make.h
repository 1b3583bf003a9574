/* From a Container of a pod's spec to a container of the runtime: environment, mounts, user checks, the
 * attempt's folder; and from how one ended to what the API shows of it.
 */
#pragma once

#include "nodeagent/container_worker.h"
#include "nodeagent/image_store.h"
#include "nodeagent/pod_env.h"
#include "nodeagent/runtime.h"
#include "nodeagent/volumes.h"

struct container_make {
	struct pod_context *pod;
	const struct json_object *spec;
	const struct image *image;
	unsigned attempt;
	struct container *target; /* whose PID namespace it joins, or NULL */
	void (*done)(struct container *container, const struct err *err, void *arg);
	void (*exited)(struct container *container, void *arg);
	void *arg;
	/* Made by container_make_prepare. */
	struct pod_env env;
	struct volume_mounts mounts;
};

/* Everything that can be wrong with its configuration: the message of CreateContainerConfigError. */
int container_make_prepare(struct container_make *make, struct err *err);
/* Hands it to the runtime: runtime_run. */
void container_make_run(const struct container_make *make);
void container_make_close(struct container_make *make);
/* Removes the folders of attempts before the last two of ATTEMPTS: `logs --previous` needs two. */
void container_make_discard_old(const struct pod_context *pod, const char *name, unsigned attempts);
/* One more than the highest attempt whose folder is there; 0 without any. */
unsigned container_make_attempts_on_disk(const struct pod_context *pod, const char *name);
/* "runc://ID". Caller frees. */
char *container_make_id(const struct container *container);
/* The same of an attempt that could not be made, from its record; NULL when there is none. Caller frees. */
char *container_make_id_on_disk(const struct pod_context *pod, const char *name, unsigned attempt);
struct termination container_make_termination(const struct container *container,
					      const struct json_object *spec, const char *container_id);
/* Environment options for POD's container SPEC (NULL for volumes). */
struct pod_env_opts container_make_env_opts(const struct pod_context *pod, const struct json_object *spec,
					    const struct image *image);
