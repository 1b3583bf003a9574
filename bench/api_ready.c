#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/bench.h"
#include "lib/spawn.h"
#include "lib/timefmt.h"

/* Asks /readyz until it is answered with 200. The server says when it listens, so the first try is the one.
 */
static int wait_for_answer(const char *kubeconfig)
{
	struct loop *loop = loop_new(NULL);
	struct api_client *client = bench_client(loop, kubeconfig);
	struct err err = ERR_INIT;
	int failed = api_client_do(client, "GET", "/readyz", "*/*", NULL, NULL, 0, NULL, NULL, &err);

	if (failed)
		fprintf(stderr, "error: %s\n", err.msg);
	api_client_free(client);
	loop_free(loop);
	return failed;
}

static _Noreturn void exec_server(char **argv, const char *store, int ready_fd)
{
	const char *dir = argv[0], *bin = argv[1], *port = argv[2];
	CLEANUP(mem_freep) char *program = mem_printf("%s/knarr-apiserver", bin);
	CLEANUP(mem_freep) char *ready = mem_printf("--ready-fd=%d", ready_fd);
	CLEANUP(mem_freep) char *data = mem_printf("--data-dir=%s", store);
	CLEANUP(mem_freep) char *listen = mem_printf("--listen=127.0.0.1:%s", port);
	CLEANUP(mem_freep)
	char *cert = mem_printf("--tls-cert=%s/pki/apiserver.crt", dir),
	     *key = mem_printf("--tls-key=%s/pki/apiserver.key", dir);
	CLEANUP(mem_freep)
	char *ca = mem_printf("--client-ca=%s/pki/ca.crt", dir),
	     *tokens = mem_printf("--token-file=%s/auth/tokens.csv", dir);

	execl(program, program, ready, data, listen, cert, key, ca, tokens, "--log-level=error",
	      (char *)NULL);
	fprintf(stderr, "error: cannot run %s: %s\n", program, strerror(errno));
	_exit(127);
}

int bench_api_ready(int argc, char **argv)
{
	if (argc != 4) {
		fprintf(stderr, "usage: knarr-bench api-ready CLUSTER-DIR BIN-DIR PORT STORE-DIR\n");
		return 1;
	}
	CLEANUP(mem_freep) char *kubeconfig = mem_printf("%s/kubeconfig", argv[0]);
	int ready[2], failed = 0;
	char text[8];

	if (pipe(ready) < 0)
		return 1;
	int64_t began_us = time_mono_us();
	pid_t pid = fork();
	if (pid == 0) {
		close(ready[0]);
		exec_server(argv, argv[3], ready[1]);
	}
	close(ready[1]);
	failed = read(ready[0], text, sizeof(text)) <= 0 || wait_for_answer(kubeconfig) < 0;
	int64_t took_us = time_mono_us() - began_us;
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
	if (!failed)
		printf("%.1f\n", (double)took_us / 1000);
	return failed;
}
