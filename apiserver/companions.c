#include "apiserver/companions.h"

#include <stdlib.h>
#include <string.h>

#include "apiserver/service/allocate.h"

/* NAMESPACE and NAME are copied. */
static void add(struct request *r, const struct core_command *command)
{
	struct core_command *companion = mem_copy(command, sizeof(*command));

	companion->namespace_ = mem_dup(command->namespace_);
	companion->name = mem_dup(command->name);
	companion->next = r->companions;
	r->companions = companion;
}

void companions_update(struct request *r, const struct object *current, struct object *object)
{
	add(r, &(struct core_command){ .op = CORE_UPDATE,
				       .resource = object_resource(current),
				       .namespace_ = object_namespace(current),
				       .name = object_name(current),
				       .object = object,
				       .revision = object_revision(current) });
}

void companions_create(struct request *r, struct object *object)
{
	add(r, &(struct core_command){ .op = CORE_CREATE,
				       .resource = object_resource(object),
				       .namespace_ = object_namespace(object),
				       .name = object_name(object),
				       .object = object });
}

void companions_delete(struct request *r, const struct resource *resource, const char *name)
{
	add(r, &(struct core_command){
		   .op = CORE_DELETE, .resource = resource, .namespace_ = "", .name = name });
}

void companions_remove(struct request *r)
{
	static const struct {
		const char *resource;
		void (*fn)(struct request *r);
	} rows[] = {
		{ "services", service_release },
	};

	companions_drop(r);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (strcmp(rows[i].resource, r->route.resource->qualified) == 0)
			rows[i].fn(r);
}

void companions_drop(struct request *r)
{
	while (r->companions) {
		struct core_command *companion = r->companions;
		r->companions = companion->next;
		object_unref(companion->object);
		free((char *)(uintptr_t)companion->namespace_);
		free((char *)(uintptr_t)companion->name);
		free(companion);
	}
}
