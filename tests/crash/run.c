#include "tests/crash/run.h"

#include <stdio.h>

static void tell_quiet(struct loop_task *task, void *arg)
{
	struct run *run = arg;

	(void)task;
	if (!run->asking && run->quiet)
		run->quiet(run->arg);
}

void run_sent(size_t *count)
{
	++*count;
}

void run_over(struct run *run, size_t *count)
{
	--*count;
	run->quiet_task.fn = tell_quiet;
	run->quiet_task.arg = run;
	loop_post(run->loop, &run->quiet_task);
}

void run_learn(struct run *run, unsigned object, const struct state *state, const char *uid,
	       uint64_t revision)
{
	struct known *known = &run->known[object];

	if (revision < known->state.revision || (state->revision && state->revision == known->state.revision))
		return;
	known->older = known->state.revision;
	known->state = *state;
	snprintf(known->uid, sizeof(known->uid), "%s", uid ? uid : "");
}
