/* knarr-controller: keeps true what the API's objects ask for. */
#include <stdlib.h>

#include "controller/controllers.h"
#include "controller/pod_cidr.h"
#include "lib/log.h"
#include "lib/program.h"
#include "lib/program_client.h"

struct running {
	void **states; /* of the controllers, in their order */
};

/* Nothing acts before everything is known: half the truth would delete what only looks abandoned. */
static void synced(void *arg)
{
	struct running *running = arg;
	size_t n;
	const struct controller *controllers = controllers_all(&n);

	for (size_t i = 0; i < n; i++)
		controllers[i].synced(running->states[i]);
	log_info("controllers began", NULL);
	program_ready();
}

static void run(struct loop *loop, struct api_client *client, void *arg)
{
	struct running running = { 0 };
	struct owned_index owned;
	struct node_pods node_pods;
	size_t n;
	const struct controller *controllers = controllers_all(&n);
	struct controller_context context = { .loop = loop,
					      .client = client,
					      .owned = &owned,
					      .node_pods = &node_pods,
					      .cluster_cidr = *(const char **)arg };

	context.cache = cache_new(loop, client, synced, &running);
	/* Before their readers, so that they are told first. */
	owned_index_init(&owned, context.cache);
	node_pods_init(&node_pods, context.cache);
	running.states = mem_zalloc(n * sizeof(*running.states));
	for (size_t i = 0; i < n; i++)
		running.states[i] = controllers[i].start(&context);
	loop_run(loop);
	for (size_t i = n; i-- > 0;)
		controllers[i].stop(running.states[i]);
	free(running.states);
	node_pods_close(&node_pods);
	owned_index_close(&owned);
	cache_free(context.cache);
}

int main(int argc, char **argv)
{
	const char *kubeconfig = NULL, *cluster_cidr = "10.244.0.0/16";
	struct program_server_flags server_flags = { 0 };
	const struct program_flag flags[] = {
		PROGRAM_CLIENT_FLAG(kubeconfig),
		{ "cluster-cidr", "CIDR",
		  "where nodes' pod addresses come from, a /24 each (default: 10.244.0.0/16)", &cluster_cidr,
		  NULL, false },
		PROGRAM_SERVER_FLAGS(server_flags),
		{ 0 },
	};
	struct err err = ERR_INIT;

	program_flags("knarr-controller",
		      "Runs the controllers: deployments, replica sets, garbage, namespaces, nodes.", flags,
		      argc, argv);
	if (pod_cidr_check(cluster_cidr, &err) < 0) {
		log_error("cannot start", "error", err.msg, NULL);
		return 1;
	}
	return program_client_main("knarr-controller", kubeconfig, &server_flags, run, &cluster_cidr);
}
