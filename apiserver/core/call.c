#include "apiserver/core/call.h"

#include <errno.h>
#include <semaphore.h>

static void replied(struct core_command *command)
{
	sem_post(command->arg);
}

enum err_kind core_call(struct core *core, struct core_command *command)
{
	sem_t answered;

	sem_init(&answered, 0, 0);
	command->reply = replied;
	/* Answered before this returns. */
	// cppcheck-suppress autoVariables
	command->arg = &answered;
	core_submit(core, command);
	while (sem_wait(&answered) < 0 && errno == EINTR) {
	}
	sem_destroy(&answered);
	return command->err.kind;
}
