#include "apiserver/bootstrap.h"

#include <errno.h>
#include <semaphore.h>

#include "apiserver/own_object.h"

static void replied(struct core_command *command)
{
	sem_post(command->arg);
}

static void submit(struct core *core, struct core_command *command, const struct resource *resource,
		   const char *namespace_, const char *name, sem_t *done)
{
	*command = (struct core_command){ .op = CORE_CREATE,
					  .resource = resource,
					  .namespace_ = namespace_,
					  .name = name,
					  .check_namespace = *namespace_ != '\0',
					  .reply = replied,
					  .arg = done,
					  .object = own_object(resource, namespace_, name, NULL) };
	core_submit(core, command);
}

int bootstrap(struct core *core, struct err *err)
{
	static const char *const names[] = { "default", "kube-system", "kube-public", "kube-node-lease" };
	const struct resource *namespaces = resource_find("", "v1", "namespaces"),
			      *accounts = resource_find("", "v1", "serviceaccounts");
	enum { N = ARRAY_SIZE(names) };
	struct core_command commands[2 * N];
	sem_t done;
	int result = 0;
	sem_init(&done, 0, 0);
	/* Submitted together they become one commit, in this order. */
	for (size_t i = 0; i < N; i++)
		submit(core, &commands[i], namespaces, "", names[i], &done);
	for (size_t i = 0; i < N; i++)
		submit(core, &commands[N + i], accounts, names[i], "default", &done);
	for (size_t i = 0; i < 2 * N; i++)
		while (sem_wait(&done) < 0 && errno == EINTR) {
		}
	for (size_t i = 0; i < 2 * N; i++) {
		const struct err *failure = &commands[i].err;
		/* A namespace that is on its way out takes no account. */
		bool good = failure->kind == ERR_NONE || failure->kind == ERR_ALREADY_EXISTS ||
			    failure->kind == ERR_FORBIDDEN;
		if (!good && result == 0) {
			if (err)
				*err = *failure;
			result = err_wrap(err, "create %s %s", commands[i].resource->singular, names[i % N]);
		}
		core_command_close(&commands[i]);
	}
	sem_destroy(&done);
	return result;
}
