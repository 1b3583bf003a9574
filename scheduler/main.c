/* knarr-scheduler: decides which node each pod runs on. */
#include "lib/program.h"
#include "lib/program_client.h"
#include "scheduler/scheduler.h"

static void synced(void *arg)
{
	(void)arg;
	program_ready();
}

static void run(struct loop *loop, struct api_client *client, void *arg)
{
	struct scheduler *scheduler = scheduler_new(loop, client, synced, arg);

	loop_run(loop);
	scheduler_free(scheduler);
}

int main(int argc, char **argv)
{
	const char *kubeconfig = NULL;
	struct program_server_flags server_flags = { 0 };
	const struct program_flag flags[] = {
		PROGRAM_CLIENT_FLAG(kubeconfig),
		PROGRAM_SERVER_FLAGS(server_flags),
		{ 0 },
	};

	program_flags("knarr-scheduler", "Decides which node each pod runs on.", flags, argc, argv);
	return program_client_main("knarr-scheduler", kubeconfig, &server_flags, run, NULL);
}
