#include "tests/support/apiserver_process.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/spawn.h"
#include "lib/timefmt.h"
#include "tests/support/pki.h"
#include "tests/support/rng.h"

#define TOKEN    "a-token-of-a-test"
#define PORT_MIN 20000
#define PORT_END 32768 /* Linux's ip_local_port_range begins here */

/* --- its folder --- */

static int write_file(const struct apiserver_process *process, const char *name, const char *text,
		      struct err *err)
{
	CLEANUP(mem_freep) char *path = mem_printf("%s/%s", process->dir, name);

	return buf_write_file_atomic(path, text, strlen(text), 0600, err);
}

static int write_credentials(struct apiserver_process *process, struct err *err)
{
	struct pki_ca ca;
	struct pki_pair pair;
	int result = 0;

	pki_ca_init(&ca, "test CA");
	pair = pki_server(&ca, NULL);
	if (write_file(process, "server.crt", pair.cert_pem, err) < 0 ||
	    write_file(process, "server.key", pair.key_pem, err) < 0 ||
	    write_file(process, "tokens.csv", TOKEN ",tester,tester,\"system:masters\"\n", err) < 0)
		result = -1;
	process->config = (struct kubeconfig){ .server = mem_printf("https://127.0.0.1:%u", process->port),
					       .ca_pem = mem_dup(ca.pem.cert_pem),
					       .token = mem_dup(TOKEN) };
	pki_pair_close(&pair);
	pki_ca_close(&ca);
	return result;
}

/* One that is free now. While the server is down between two starts others may take it as the source of a
 * connection if the kernel gives it to them, so it is below those that it gives. */
static int free_port(uint16_t *ret, struct err *err)
{
	struct rng rng = rng_of((uint64_t)time_now_us(), (uint64_t)getpid());

	for (unsigned tries = 0; tries < 1000; tries++) {
		CLEANUP(mem_closep) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		uint16_t port = (uint16_t)(PORT_MIN + rng_below(&rng, PORT_END - PORT_MIN));
		struct sockaddr_in address = { .sin_family = AF_INET,
					       .sin_port = htons(port),
					       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

		if (fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0) {
			*ret = port;
			return 0;
		}
	}
	return err_set_errno(err, errno, "a free port between %d and %d", PORT_MIN, PORT_END);
}

int apiserver_process_init(struct apiserver_process *process, struct loop *loop, const char *program,
			   const char *dir, struct err *err)
{
	CLEANUP(mem_freep) char *log = mem_printf("%s/log", dir);

	*process = (struct apiserver_process){
		.loop = loop, .program = mem_dup(program), .dir = mem_dup(dir), .ready_fd = -1, .log_fd = -1
	};
	if (free_port(&process->port, err) < 0 || write_credentials(process, err) < 0)
		return -1;
	process->log_fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	return process->log_fd < 0 ? err_set_errno(err, errno, "%s", log) : 0;
}

/* --- its life --- */

static void forget_ready(struct apiserver_process *process)
{
	loop_io_free(TAKE(process->ready_io));
	mem_closep(&process->ready_fd);
	process->ready_fd = -1;
}

static void on_ready(struct loop_io *io, int fd, uint32_t events, void *arg)
{
	struct apiserver_process *process = arg;
	char text[8];
	bool said = read(fd, text, sizeof(text)) > 0;

	(void)io;
	(void)events;
	forget_ready(process);
	if (!said)
		return; /* it ended before */
	process->is_ready = true;
	process->ready(process->arg);
}

static void on_end(struct spawn_result *result, void *arg)
{
	struct apiserver_process *process = arg;

	process->run = NULL;
	process->is_ready = false;
	forget_ready(process);
	process->ended(result->status, process->arg);
}

static int in_child(void *arg)
{
	const struct apiserver_process *process = arg;
	struct rlimit files = { process->max_files, process->max_files };

	if (process->max_files && setrlimit(RLIMIT_NOFILE, &files) < 0)
		return -1;
	return prctl(PR_SET_PDEATHSIG, SIGKILL);
}

/* FIRST and SECOND, which end with NULL (SECOND may be NULL), in an array of the caller's. */
static const char **joined(const char *const *first, const char *const *second)
{
	size_t n = 0, n_second = 0;
	const char **all;

	while (first[n])
		n++;
	while (second && second[n_second])
		n_second++;
	all = mem_zalloc((n + n_second + 1) * sizeof(*all));
	for (size_t i = 0; i < n; i++)
		all[i] = first[i];
	for (size_t i = 0; i < n_second; i++)
		all[n + i] = second[i];
	return all;
}

static int start(struct apiserver_process *process, const char *const *extra_env, int ready_fd,
		 struct err *err)
{
	const char *dir = process->dir;
	CLEANUP(mem_freep) const char **env = joined((const char *const *)environ, extra_env);
	CLEANUP(mem_freep) char *data = mem_printf("--data-dir=%s/data", dir);
	CLEANUP(mem_freep) char *listen_at = mem_printf("--listen=127.0.0.1:%u", process->port);
	CLEANUP(mem_freep) char *cert = mem_printf("--tls-cert=%s/server.crt", dir);
	CLEANUP(mem_freep) char *key = mem_printf("--tls-key=%s/server.key", dir);
	CLEANUP(mem_freep) char *tokens = mem_printf("--token-file=%s/tokens.csv", dir);
	CLEANUP(mem_freep) char *ready = mem_printf("--ready-fd=%d", ready_fd);
	const char *own[] = { process->program, data, listen_at, cert, key, tokens, ready, NULL };
	CLEANUP(mem_freep) const char **argv = joined(own, process->args);
	struct spawn_opts opts = { .argv = argv,
				   .envp = env,
				   .stdin_fd = -1,
				   .stdout_fd = process->log_fd,
				   .stderr_fd = process->log_fd,
				   .keep_fds = &ready_fd,
				   .n_keep_fds = 1,
				   .child_setup = in_child,
				   .child_setup_arg = process };

	process->run = spawn_start(process->loop, &opts, on_end, process, err);
	return process->run ? 0 : -1;
}

int apiserver_process_start(struct apiserver_process *process, const char *const *extra_env, struct err *err)
{
	int fds[2], result;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_set_errno(err, errno, "a pipe");
	process->ready_fd = fds[0];
	process->ready_io = loop_io_new(process->loop, fds[0], EPOLLIN, on_ready, process, err);
	result = process->ready_io ? start(process, extra_env, fds[1], err) : -1;
	close(fds[1]);
	if (result < 0)
		forget_ready(process);
	return result;
}

void apiserver_process_kill(const struct apiserver_process *process, int signo)
{
	if (process->run)
		kill(spawn_pid(process->run), signo);
}

void apiserver_process_close(struct apiserver_process *process)
{
	spawn_cancel(process->run);
	forget_ready(process);
	if (process->log_fd >= 0)
		close(process->log_fd);
	kubeconfig_close(&process->config);
	free(process->program);
	free(process->dir);
}

void apiserver_process_remove_folder(const char *dir)
{
	static const char *const names[] = { "data/store.db",
					     "data/store.db-wal",
					     "data/store.db-shm",
					     "data/store.db.new",
					     "data/store.db.new-journal",
					     "data/lock",
					     "data",
					     "server.crt",
					     "server.key",
					     "tokens.csv",
					     "log",
					     "" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		CLEANUP(mem_freep) char *path = mem_printf("%s/%s", dir, names[i]);

		remove(path);
	}
}
