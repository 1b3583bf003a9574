#include "apiserver/bootstrap.h"

#include <errno.h>
#include <semaphore.h>

#include "apiserver/chance.h"
#include "apiserver/managed.h"
#include "lib/timefmt.h"

static void replied(struct core_command *command)
{
	sem_post(command->arg);
}

static struct object *namespace_object(const struct resource *resource, const char *name)
{
	CLEANUP(json_putp) struct json_object *obj = json_object_new_object();
	char uuid[CHANCE_UUID_SIZE], now[TIMEFMT_SIZE];
	json_set_str(obj, "kind", resource->kind_name);
	json_set_str(obj, "apiVersion", resource->group_version);
	struct json_object *metadata = json_ensure_object(obj, "metadata");
	json_set_str(metadata, "name", name);
	json_set_str(metadata, "uid", chance_uuid(uuid));
	json_set_str(metadata, "creationTimestamp", time_format(time_now_us(), now));
	resource->kind->set_defaults(obj);
	CLEANUP(buf_close) struct buf managed = BUF_INIT;
	managed_own(resource, NULL, obj, &managed);
	resource->kind->prepare_create(obj);
	return object_new(resource, obj, managed.data, managed.len);
}

int bootstrap(struct core *core, struct err *err)
{
	static const char *const names[] = { "default", "kube-system", "kube-public", "kube-node-lease" };
	const struct resource *resource = resource_find("", "v1", "namespaces");
	struct core_command commands[ARRAY_SIZE(names)];
	sem_t done;
	int result = 0;
	sem_init(&done, 0, 0);
	/* Submitted together they become one commit. */
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		commands[i] = (struct core_command){ .op = CORE_CREATE,
						     .resource = resource,
						     .namespace_ = "",
						     .name = names[i],
						     .reply = replied,
						     .arg = &done,
						     .object = namespace_object(resource, names[i]) };
		core_submit(core, &commands[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		while (sem_wait(&done) < 0 && errno == EINTR) {
		}
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		enum err_kind kind = commands[i].err.kind;
		if (kind != ERR_NONE && kind != ERR_ALREADY_EXISTS && result == 0) {
			if (err)
				*err = commands[i].err;
			result = err_wrap(err, "create namespace %s", names[i]);
		}
		core_command_close(&commands[i]);
	}
	sem_destroy(&done);
	return result;
}
