/* Nodes that die at once: kills the process that plays those called PREFIX-..., and takes the time from the
 * first NoExecute taint of one of them until PODS pods are bound to other nodes. */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "bench/bench.h"
#include "bench/client.h"
#include "bench/objects.h"
#include "bench/tally.h"

int bench_reschedule(int argc, char **argv)
{
	size_t n_pods = bench_count(argv[1]);
	CLEANUP(mem_freep) char *avoid = mem_printf("%s-", argv[2]);
	pid_t pid = (pid_t)bench_count(argv[3]);
	struct loop *loop = loop_new(NULL);
	struct api_client *client = client_new(loop, argv[0]);
	struct tally_watch *nodes = tally_nodes(loop, client);
	struct tally_watch *pods = tally_pods(loop, client, OBJECTS_SELECTOR, avoid);

	(void)argc;
	if (tally_now(pods)->present != n_pods || tally_now(pods)->placed != 0)
		bench_die("%zu of %zu pods are elsewhere before their nodes die", tally_now(pods)->placed,
			  tally_now(pods)->present);
	if (kill(pid, SIGKILL) < 0)
		bench_die("kill %d: %s", (int)pid, strerror(errno));
	int64_t tainted_us = tally_until_least(nodes, &tally_now(nodes)->tainted, 1);
	int64_t bound_us = tally_until_least(pods, &tally_now(pods)->placed, n_pods);
	bench_figure("reschedule-ms", (double)(bound_us - tainted_us) / 1000);
	tally_free(pods);
	tally_free(nodes);
	api_client_free(client);
	loop_free(loop);
	return 0;
}
