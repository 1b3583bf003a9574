#include "apiserver/own_object.h"

#include <string.h>

#include "apiserver/chance.h"
#include "apiserver/managed.h"
#include "lib/timefmt.h"

static void add_members(struct json_object *to, const struct json_object *from, const char *but)
{
	if (!from)
		return;
	json_object_object_foreach((struct json_object *)(uintptr_t)from, key, value)
	{
		if (value && strcmp(key, but) != 0)
			json_set(to, key, json_object_get(value));
	}
}

struct object *own_object(const struct resource *resource, const char *namespace_, const char *name,
			  const struct json_object *rest)
{
	CLEANUP(json_putp) struct json_object *obj = json_object_new_object();
	CLEANUP(buf_close) struct buf managed = BUF_INIT;
	char uuid[CHANCE_UUID_SIZE], now[TIMEFMT_SIZE];
	struct json_object *metadata;

	json_set_str(obj, "kind", resource->kind_name);
	json_set_str(obj, "apiVersion", resource->group_version);
	metadata = json_ensure_object(obj, "metadata");
	json_set_str(metadata, "name", name);
	json_set_str(metadata, "namespace", *namespace_ ? namespace_ : NULL);
	json_set_str(metadata, "uid", chance_uuid(uuid));
	if (resource->kind->has_generation)
		json_set_int(metadata, "generation", 1);
	json_set_str(metadata, "creationTimestamp", time_format(time_now_us(), now));
	add_members(metadata, json_get(rest, "metadata"), "");
	add_members(obj, rest, "metadata");
	if (resource->kind->set_defaults)
		resource->kind->set_defaults(obj);
	managed_own(resource, NULL, "", obj, &managed);
	if (resource->kind->prepare_create)
		resource->kind->prepare_create(obj);
	return object_new(resource, obj, managed.data, managed.len);
}
