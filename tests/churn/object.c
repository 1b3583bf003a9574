#include "tests/churn/object.h"

#include <stdlib.h>
#include <string.h>

const char *object_name(const struct json_object *obj)
{
	return json_str_or_empty(json_get(obj, "metadata"), "name");
}

const char *object_uid(const struct json_object *obj)
{
	return json_str_or_empty(json_get(obj, "metadata"), "uid");
}

const char *object_phase(const struct json_object *obj)
{
	return json_str_or_empty(json_get(obj, "status"), "phase");
}

uint64_t object_revision(const struct json_object *obj)
{
	return strtoull(json_str_or_empty(json_get(obj, "metadata"), "resourceVersion"), NULL, 10);
}

const char *object_controller(const struct json_object *obj)
{
	const struct json_object *refs = json_path(obj, "metadata", "ownerReferences", NULL);

	for (size_t i = 0; i < json_len(refs); i++)
		if (json_boolean(json_at(refs, i), "controller", false))
			return json_str_or_empty(json_at(refs, i), "uid");
	return "";
}

bool object_ready(const struct json_object *obj)
{
	const struct json_object *conditions = json_path(obj, "status", "conditions", NULL);

	for (size_t i = 0; i < json_len(conditions); i++)
		if (strcmp(json_str_or_empty(json_at(conditions, i), "type"), "Ready") == 0)
			return strcmp(json_str_or_empty(json_at(conditions, i), "status"), "True") == 0;
	return false;
}

bool object_terminating(const struct json_object *obj)
{
	return json_path(obj, "metadata", "deletionTimestamp", NULL) != NULL;
}

bool object_ended(const struct json_object *obj)
{
	const char *phase = object_phase(obj);

	return strcmp(phase, "Succeeded") == 0 || strcmp(phase, "Failed") == 0;
}
