/* knarr-controller: keeps true what the API's objects ask for. */
#include <stdlib.h>

#include "controller/controllers.h"
#include "controller/node_lifecycle.h"
#include "controller/pod_cidr.h"
#include "lib/log.h"
#include "lib/program.h"
#include "lib/program_client.h"
#include "lib/timefmt.h"

#define ROOT_CA_MAX (256 * 1024)

struct options {
	const char *kubeconfig, *cluster_cidr, *node_grace, *root_ca_file;
	struct buf root_ca;
	int64_t node_grace_ms;
};

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
	const struct options *opts = arg;
	struct running running = { 0 };
	struct owned_index owned;
	struct node_pods node_pods;
	size_t n;
	const struct controller *controllers = controllers_all(&n);
	struct controller_context context = { .loop = loop,
					      .client = client,
					      .owned = &owned,
					      .node_pods = &node_pods,
					      .cluster_cidr = opts->cluster_cidr,
					      .root_ca = opts->root_ca.data,
					      .node_grace_ms = opts->node_grace_ms };

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

/* "40s" to milliseconds: a positive Go duration of at least one. */
static int parse_grace(struct options *opts, struct err *err)
{
	int64_t us;

	if (!opts->node_grace)
		return 0;
	if (!time_parse_duration(opts->node_grace, &us) || us < 1000)
		return err_set(err, ERR_BAD_REQUEST,
			       "--node-monitor-grace-period %s: must be a duration such as 40s",
			       opts->node_grace);
	opts->node_grace_ms = us / 1000;
	return 0;
}

int main(int argc, char **argv)
{
	struct options opts = { .cluster_cidr = "10.244.0.0/16", .node_grace_ms = NODE_GRACE_MS };
	struct program_server_flags server_flags = { 0 };
	const struct program_flag flags[] = {
		PROGRAM_CLIENT_FLAG(opts.kubeconfig),
		{ "cluster-cidr", "CIDR",
		  "where nodes' pod addresses come from, a /24 each (default: 10.244.0.0/16)",
		  &opts.cluster_cidr, NULL, false },
		{ "node-monitor-grace-period", "DURATION",
		  "how long a node may be silent before it counts as unreachable (default: 40s)",
		  &opts.node_grace, NULL, false },
		{ "root-ca-file", "FILE",
		  "who signed the API server's certificate: published to pods as ConfigMap kube-root-ca.crt",
		  &opts.root_ca_file, NULL, false },
		PROGRAM_SERVER_FLAGS(server_flags),
		{ 0 },
	};
	struct err err = ERR_INIT;

	program_flags("knarr-controller",
		      "Runs the controllers: deployments, replica sets, garbage, namespaces, nodes.", flags,
		      argc, argv);
	if (pod_cidr_check(opts.cluster_cidr, &err) < 0 || parse_grace(&opts, &err) < 0 ||
	    (opts.root_ca_file && buf_read_file(&opts.root_ca, opts.root_ca_file, ROOT_CA_MAX, &err) < 0)) {
		log_error("cannot start", "error", err.msg, NULL);
		return 1;
	}
	int code = program_client_main("knarr-controller", opts.kubeconfig, &server_flags, run, &opts);
	buf_close(&opts.root_ca);
	return code;
}
