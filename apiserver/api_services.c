#include "apiserver/api_services.h"

#include <stdlib.h>
#include <string.h>

#include "apiserver/catalogue.h"
#include "apiserver/core/call.h"
#include "apiserver/managed.h"
#include "apiserver/own_object.h"
#include "lib/map.h"

#define GROUP           "apiregistration.k8s.io"
#define MANAGED         "kube-aggregator.kubernetes.io/automanaged"
#define CUSTOM_PRIORITY 1000
#define CUSTOM_VERSION  100

/* Kubernetes' order of groups and versions (controlplane DefaultGenericAPIServicePriorities). */
static const struct {
	const char *group, *version;
	int group_priority, version_priority;
} priorities[] = {
	{ "", "v1", 18000, 1 },
	{ "apps", "v1", 17800, 15 },
	{ "events.k8s.io", "v1", 17750, 5 },
	{ "authentication.k8s.io", "v1", 17700, 15 },
	{ "authorization.k8s.io", "v1", 17600, 15 },
	{ "autoscaling", "v1", 17500, 15 },
	{ "autoscaling", "v2", 17500, 30 },
	{ "batch", "v1", 17400, 15 },
	{ "certificates.k8s.io", "v1", 17300, 15 },
	{ "networking.k8s.io", "v1", 17200, 15 },
	{ "policy", "v1", 17100, 15 },
	{ "rbac.authorization.k8s.io", "v1", 17000, 15 },
	{ "storage.k8s.io", "v1", 16800, 15 },
	{ "apiextensions.k8s.io", "v1", 16700, 15 },
	{ "admissionregistration.k8s.io", "v1", 16700, 15 },
	{ "scheduling.k8s.io", "v1", 16600, 15 },
	{ "coordination.k8s.io", "v1", 16500, 15 },
	{ "node.k8s.io", "v1", 16300, 15 },
	{ "discovery.k8s.io", "v1", 16200, 15 },
	{ "flowcontrol.apiserver.k8s.io", "v1", 16100, 21 },
	{ "resource.k8s.io", "v1", 15900, 15 },
};

/* Metadata and spec of ROW's group and version. */
static struct json_object *wanted_of(const struct resource *row)
{
	struct json_object *obj = json_object_new_object(), *spec = json_ensure_object(obj, "spec");
	struct json_object *labels = json_ensure_object(json_ensure_object(obj, "metadata"), "labels");
	int group = CUSTOM_PRIORITY, version = CUSTOM_VERSION;

	for (size_t i = 0; !row->custom && i < ARRAY_SIZE(priorities); i++) {
		if (strcmp(priorities[i].group, row->group) != 0 ||
		    strcmp(priorities[i].version, row->version) != 0)
			continue;
		group = priorities[i].group_priority;
		version = priorities[i].version_priority;
	}
	json_set_str(labels, MANAGED, row->custom ? "true" : "onstart");
	if (*row->group)
		json_set_str(spec, "group", row->group);
	json_set_int(spec, "groupPriorityMinimum", group);
	json_set_str(spec, "version", row->version);
	json_set_int(spec, "versionPriority", version);
	return obj;
}

struct keeping {
	struct core *core;
	const struct resource *resource;
	struct map stored; /* by name */
	struct err *err;
	int result;
};

/* Others may write as well: what they changed meanwhile is looked at the next time. */
static void call(struct keeping *keeping, struct core_command *command)
{
	command->resource = keeping->resource;
	command->namespace_ = "";
	enum err_kind kind = core_call(keeping->core, command);
	if (keeping->result == 0 && kind != ERR_NONE && kind != ERR_CONFLICT && kind != ERR_NOT_FOUND &&
	    kind != ERR_ALREADY_EXISTS) {
		*keeping->err = command->err;
		keeping->result = err_wrap(keeping->err, "write APIService %s", command->name);
	}
	core_command_close(command);
}

static void keep_one(struct keeping *keeping, const struct resource *row)
{
	CLEANUP(mem_freep) char *name = mem_printf("%s.%s", row->version, row->group);
	CLEANUP(json_putp) struct json_object *wanted = wanted_of(row), *obj = NULL;
	CLEANUP(buf_close) struct buf managed = BUF_INIT;
	struct object *stored = map_remove(&keeping->stored, name);

	if (!stored) {
		struct core_command create = { .op = CORE_CREATE,
					       .name = name,
					       .object = own_object(keeping->resource, "", name, wanted) };
		call(keeping, &create);
		return;
	}
	/* Without the label it is somebody's own. */
	obj = object_json(stored);
	if (!object_label(stored, MANAGED) || json_equal(json_get(obj, "spec"), json_get(wanted, "spec")))
		return;
	json_set(obj, "spec", json_object_get(json_get(wanted, "spec")));
	managed_own(keeping->resource, stored, "", obj, &managed);
	struct core_command update = { .op = CORE_UPDATE,
				       .name = name,
				       .revision = object_revision(stored),
				       .uid = object_uid(stored),
				       .object =
					   object_new(keeping->resource, obj, managed.data, managed.len) };
	call(keeping, &update);
}

static void remove_others(struct keeping *keeping)
{
	const char *name;
	void *value;

	for (size_t i = 0; map_next(&keeping->stored, &i, &name, &value);) {
		const struct object *stored = value;
		struct core_command remove = { .op = CORE_DELETE, .name = name, .uid = object_uid(stored) };
		if (object_label(stored, MANAGED))
			call(keeping, &remove);
	}
}

int api_services_keep(struct core *core, struct err *err)
{
	struct keeping keeping = { .core = core,
				   .resource = resource_find(GROUP, "v1", "apiservices"),
				   .err = err };
	struct core_command list = { .op = CORE_LIST, .resource = keeping.resource };

	if (core_call(core, &list) != ERR_NONE) {
		*err = list.err;
		core_command_close(&list);
		return err_wrap(err, "list APIServices");
	}
	for (size_t i = 0; i < list.ret_n; i++)
		map_put(&keeping.stored, object_name(list.ret_objects[i]), list.ret_objects[i]);
	CLEANUP(catalogue_close) struct catalogue catalogue;
	catalogue_read(&catalogue);
	for (size_t i = 0; i < catalogue.n; i++)
		/* Kubernetes' aggregation layer, which has this group, registers none for itself. */
		if (catalogue_begins_version(&catalogue, i) && strcmp(catalogue.rows[i]->group, GROUP) != 0)
			keep_one(&keeping, catalogue.rows[i]);
	remove_others(&keeping);
	map_close(&keeping.stored);
	core_command_close(&list);
	return keeping.result;
}
