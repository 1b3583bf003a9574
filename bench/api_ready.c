/* A server with an empty store, from its start to its first answer. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/bench.h"
#include "bench/client.h"
#include "lib/timefmt.h"

/* The server says when it listens, so the first try is the one. */
static void wait_for_answer(const char *kubeconfig)
{
	struct loop *loop = loop_new(NULL);
	struct api_client *client = client_new(loop, kubeconfig);

	client_do(client, "GET", "/readyz", NULL, NULL, NULL);
	api_client_free(client);
	loop_free(loop);
}

static _Noreturn void exec_server(char **argv, int ready_fd)
{
	const char *dir = argv[0], *bin = argv[1], *port = argv[2], *store = argv[3];
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
	CLEANUP(mem_freep) char *kubeconfig = mem_printf("%s/kubeconfig", argv[0]);
	int ready[2];
	char text[8];

	(void)argc;
	if (pipe(ready) < 0)
		bench_die("no pipe: %s", strerror(errno));
	int64_t began_us = time_mono_us();
	pid_t pid = fork();
	if (pid == 0) {
		close(ready[0]);
		exec_server(argv, ready[1]);
	}
	close(ready[1]);
	if (read(ready[0], text, sizeof(text)) <= 0)
		bench_die("the server ended before it was ready");
	close(ready[0]);
	wait_for_answer(kubeconfig);
	bench_figure("api-ready", (double)(time_mono_us() - began_us) / 1000);
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
	return 0;
}
