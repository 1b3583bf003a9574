#include "scheduler/pod.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

const char *const pod_wants[] = { SHAPE_PATHS,
				  "metadata.generation",
				  "metadata.deletionTimestamp",
				  "metadata.ownerReferences",
				  "spec.nodeName",
				  "spec.priority",
				  "spec.schedulerName",
				  "spec.schedulingGates",
				  "status.conditions",
				  NULL };
enum { GENERATION = BEYOND_SHAPE, DELETED, OWNERS, NODE_NAME, PRIORITY, SCHEDULER, GATES, CONDITIONS };

static char *controller_uid(struct json_span owners)
{
	struct json_cursor owner = json_span_begin(owners);
	struct json_span text, key, value;

	while (json_span_element(&owner, &text)) {
		struct json_cursor c = json_span_begin(text);
		struct json_span uid = { 0 }, controller = { 0 };

		while (json_span_member(&c, &key, &value)) {
			if (json_key_is(key, "uid"))
				uid = value;
			else if (json_key_is(key, "controller"))
				controller = value;
		}
		if (json_span_true(controller))
			return json_span_dup(uid);
	}
	return NULL;
}

static char *unscheduled_message(struct json_span conditions)
{
	struct json_cursor condition = json_span_begin(conditions);
	struct json_span text, key, value;

	while (json_span_element(&condition, &text)) {
		struct json_cursor c = json_span_begin(text);
		struct json_span type = { 0 }, status = { 0 }, message = { 0 };

		while (json_span_member(&c, &key, &value)) {
			if (json_key_is(key, "type"))
				type = value;
			else if (json_key_is(key, "status"))
				status = value;
			else if (json_key_is(key, "message"))
				message = value;
		}
		if (json_span_is(type, "PodScheduled") && json_span_is(status, "False"))
			return message.p ? json_span_dup(message) : mem_dup("");
	}
	return NULL;
}

static bool is_empty(struct json_span array)
{
	struct json_cursor c = json_span_begin(array);
	struct json_span element;

	return !json_span_element(&c, &element);
}

bool pod_decode(struct pod *pod, const struct json_span *found, struct shapes *shapes)
{
	const char *slash = strchr(pod->item.key, '/');

	pod->namespace_ = slash ? mem_dupn(pod->item.key, (size_t)(slash - pod->item.key)) : mem_dup("");
	pod->name = slash ? slash + 1 : pod->item.key;
	pod->node_name = found[NODE_NAME].len > strlen("\"\"") ? json_span_dup(found[NODE_NAME]) : NULL;
	pod->owner_uid = controller_uid(found[OWNERS]);
	pod->priority = json_span_int(found[PRIORITY], 0);
	pod->generation = json_span_int(found[GENERATION], 0);
	pod->shape = shape_intern_text(shapes, found);
	pod->schedulable = pod->shape && !pod->node_name && is_empty(found[GATES]) && !found[DELETED].p &&
			   json_span_is(found[SCHEDULER], POD_SCHEDULER_NAME);
	if (!pod->node_name)
		pod->condition_message = unscheduled_message(found[CONDITIONS]);
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
