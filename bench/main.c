/* knarr-bench: the load and the measuring of `make bench`; bench/README.md lists its parts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "bench/process.h"
#include "lib/log.h"
#include "lib/timefmt.h"

static const struct {
	const char *name;
	int n_args; /* at least */
	const char *args;
	int (*run)(int argc, char **argv);
} commands[] = {
	{ "api-ready", 4, "CLUSTER-DIR BIN-DIR PORT STORE-DIR", bench_api_ready },
	{ "bind", 3, "KUBECONFIG NODES PODS", bench_bind },
	{ "churn", 4, "KUBECONFIG PODS-PER-SECOND SECONDS ROUNDS", bench_churn },
	{ "deploy", 3, "KUBECONFIG NAME REPLICAS", bench_deploy },
	{ "exec", 2, "TIMES COMMAND...", bench_exec },
	{ "fake-nodes", 3, "KUBECONFIG PREFIX NODES [together]", bench_fake_nodes },
	{ "fill", 4, "KUBECONFIG nodes|pods|configmaps PREFIX N", bench_fill },
	{ "floor-fanout", 3, "FOLDER CONNECTIONS EVENTS", bench_floor_fanout },
	{ "floor-flush", 2, "FOLDER SECONDS", bench_floor_flush },
	{ "floor-http", 4, "PORT CERTIFICATE KEY THREADS", bench_floor_http },
	{ "floor-sqlite", 1, "FOLDER", bench_floor_sqlite },
	{ "pods", 3, "KUBECONFIG PODS ROUNDS", bench_pods },
	{ "reschedule", 4, "KUBECONFIG PODS PREFIX PID", bench_reschedule },
	{ "restart", 2, "KUBECONFIG PIDFILE", bench_restart },
	{ "roll", 2, "KUBECONFIG NAME", bench_roll },
	{ "run", 1, "COMMAND...", bench_run },
	{ "update", 5, "KUBECONFIG OBJECTS UPDATES DATABASE LOG", bench_update },
	{ "usage", 2, "SECONDS PID...", bench_usage },
	{ "watch", 4, "KUBECONFIG APISERVER-PID WATCHERS EVENTS", bench_watch },
};

/* Clients that run beside this one and count into its share: KNARR_BENCH_CLIENTS="PID PID". */
static double clients_cpu_s(void)
{
	const char *text = getenv("KNARR_BENCH_CLIENTS");
	double sum = 0;
	char *end;

	for (long pid; text && (pid = strtol(text, &end, 10)) > 0; text = end)
		sum += process_cpu_s((pid_t)pid);
	return sum;
}

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < ARRAY_SIZE(commands); i++) {
		if (strcmp(argv[1], commands[i].name) != 0)
			continue;
		if (argc - 2 < commands[i].n_args) {
			fprintf(stderr, "usage: knarr-bench %s %s\n", commands[i].name, commands[i].args);
			return 2;
		}
		/* What informers say of a server that was just killed is no news. */
		log_init("knarr-bench", LOG_LEVEL_ERROR, false);
		int64_t began_us = time_mono_us();
		double others_s = clients_cpu_s();
		int code = commands[i].run(argc - 2, argv + 2);
		double cpu_s = process_own_cpu_s() + clients_cpu_s() - others_s;
		if (code == 0)
			bench_figure("client-cpu", 1e8 * cpu_s / (double)(time_mono_us() - began_us));
		return code;
	}
	fprintf(stderr, "usage: knarr-bench COMMAND ARGUMENT...; bench/run calls it\n");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(stderr, "  %s %s\n", commands[i].name, commands[i].args);
	return 2;
}
