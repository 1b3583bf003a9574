#include "scheduler/pod.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

/* Also what shape.c, affinity.c and resources.c look at. */
const char *const pod_wants[] = {
	"metadata.generation",
	"metadata.deletionTimestamp",
	"metadata.ownerReferences.controller",
	"metadata.ownerReferences.uid",
	"spec.nodeName",
	"spec.priority",
	"spec.schedulerName",
	"spec.schedulingGates",
	"spec.nodeSelector",
	"spec.affinity.nodeAffinity",
	"spec.tolerations",
	"spec.overhead",
	"spec.containers.resources.requests",
	"spec.containers.ports",
	"spec.containers.restartPolicy",
	"spec.initContainers.resources.requests",
	"spec.initContainers.ports",
	"spec.initContainers.restartPolicy",
	"status.conditions.type",
	"status.conditions.status",
	"status.conditions.message",
	NULL,
};

static char *controller_uid(const struct json_object *metadata)
{
	const struct json_object *owners = json_get(metadata, "ownerReferences");

	for (size_t i = 0; i < json_len(owners); i++)
		if (json_boolean(json_at(owners, i), "controller", false))
			return mem_dup(json_str(json_at(owners, i), "uid"));
	return NULL;
}

static char *unscheduled_message(const struct json_object *obj)
{
	const struct json_object *conditions = json_path(obj, "status", "conditions", NULL);

	for (size_t i = 0; i < json_len(conditions); i++) {
		const struct json_object *c = json_at(conditions, i);
		if (strcmp(json_str_or_empty(c, "type"), "PodScheduled") == 0 &&
		    strcmp(json_str_or_empty(c, "status"), "False") == 0)
			return mem_dup(json_str_or_empty(c, "message"));
	}
	return NULL;
}

bool pod_decode(struct pod *pod, const struct json_object *obj, struct shapes *shapes)
{
	const struct json_object *metadata = json_get(obj, "metadata"), *spec = json_get(obj, "spec");
	const char *namespace_ = json_str_or_empty(metadata, "namespace"),
		   *name = json_str_or_empty(metadata, "name");
	const char *node_name = json_str(spec, "nodeName");
	size_t namespace_size = strlen(namespace_) + 1, name_size = strlen(name) + 1;

	pod->namespace_ = mem_alloc(namespace_size + name_size);
	pod->name = pod->namespace_ + namespace_size;
	memcpy(pod->namespace_, namespace_, namespace_size);
	memcpy(pod->name, name, name_size);
	pod->node_name = node_name && *node_name ? mem_dup(node_name) : NULL;
	pod->owner_uid = controller_uid(metadata);
	pod->priority = json_int(spec, "priority", 0);
	pod->generation = json_int(metadata, "generation", 0);
	pod->shape = shape_intern(shapes, spec);
	pod->schedulable = pod->shape && !pod->node_name &&
			   json_len(json_get(spec, "schedulingGates")) == 0 &&
			   !json_get(metadata, "deletionTimestamp") &&
			   strcmp(json_str_or_empty(spec, "schedulerName"), POD_SCHEDULER_NAME) == 0;
	if (!pod->node_name)
		pod->condition_message = unscheduled_message(obj);
	pod->heap_index = SIZE_MAX;
	return true;
}

void pod_close(void *item)
{
	struct pod *pod = item;

	shape_release(pod->shape);
	free(pod->namespace_);
	free(pod->node_name);
	free(pod->owner_uid);
	free(pod->condition_message);
}
