#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "launcher/cluster.h"
#include "launcher/commands.h"
#include "launcher/credentials.h"
#include "launcher/pki.h"
#include "launcher/progress.h"
#include "launcher/supervisor.h"
#include "launcher/token_key.h"
#include "lib/log.h"
#include "lib/program.h"

struct up {
	const char *dir;
	const char *port_text;
	struct cluster_settings given;
	bool detach;
	bool no_agent;

	struct cluster cluster;
	struct loop *loop;
	struct supervisor *supervisor;
	int parent_fd; /* detached: the end that the waiting parent reads; -1 otherwise */
	int exit_code;
};

static void set_flag(int option, const char *value, void *arg)
{
	struct up *up = arg;

	switch (option) {
	case 'D':
		up->dir = value;
		break;
	case 'P':
		up->port_text = value;
		break;
	case 'A':
		up->given.address = value;
		break;
	case 'R':
		up->given.runtime = value;
		break;
	case 'S':
		up->given.service_cidr = value;
		break;
	case 'O':
		up->given.node_ports = value;
		break;
	case 'd':
		up->detach = true;
		break;
	case 'N':
		up->no_agent = true;
		break;
	default:
		break;
	}
}

/* The three ports after the apiserver's are the other programs'. */
enum { LAST_PORT = UINT16_MAX - 3 };

static int parse_port(const char *text, uint16_t *ret)
{
	char *end;
	long port = text ? strtol(text, &end, 10) : 0;

	if (text && (*end || end == text || port < 1 || port > LAST_PORT))
		return -1;
	*ret = (uint16_t)port;
	return 0;
}

/* The programs' --listen and the pods' network are IPv4. */
static bool is_ipv4(const char *text)
{
	struct in_addr address;

	return inet_pton(AF_INET, text, &address) == 1;
}

static void print_welcome(const struct up *up)
{
	const struct cluster *c = &up->cluster;
	CLEANUP(mem_freep) char *kubeconfig = cluster_path(c, "kubeconfig");
	CLEANUP(mem_freep)
	char *kubeconfig_word = command_shell_word(kubeconfig), *dir_word = command_shell_word(c->dir);

	printf("\nThe cluster runs: https://%s:%u, node %s, folder %s\n\n", c->address, c->port, c->node_name,
	       c->dir);
	printf("  export KUBECONFIG=%s\n  kubectl-lite get nodes\n", kubeconfig_word);
	printf("  knarr status --data %s\n  knarr down --data %s\n\n", dir_word, dir_word);
	if (!up->detach)
		printf("Ctrl-C stops it.\n");
	fflush(stdout);
}

static void all_stopped(void *arg)
{
	struct up *up = arg;

	loop_stop(up->loop);
}

/* From here on nobody looks at the terminal: output goes to the supervisor's log. */
static void let_parent_go(struct up *up)
{
	CLEANUP(mem_freep) char *path = cluster_path(&up->cluster, "log/knarr.log");
	CLEANUP(mem_closep) int log_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	CLEANUP(mem_closep) int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (log_fd >= 0 && null_fd >= 0) {
		dup2(null_fd, STDIN_FILENO);
		dup2(log_fd, STDOUT_FILENO);
		dup2(log_fd, STDERR_FILENO);
	}
	if (write(up->parent_fd, "r", 1) != 1) {
		log_warn("the starting command was ended, stopping", NULL);
		up->exit_code = 1;
		supervisor_stop(up->supervisor, all_stopped);
	}
	mem_closep(&up->parent_fd);
	up->parent_fd = -1;
}

static void cluster_ready(void *arg)
{
	struct up *up = arg;

	print_welcome(up);
	if (up->parent_fd >= 0)
		let_parent_go(up);
}

static void cluster_failed(const struct err *err, void *arg)
{
	struct up *up = arg;

	command_failed(err->msg);
	up->exit_code = 1;
	if (up->supervisor)
		supervisor_stop(up->supervisor, all_stopped);
	else
		loop_stop(up->loop);
}

static void stop_asked(int signo, void *arg)
{
	struct up *up = arg;

	log_info("stopping", "signal", strsignal(signo), NULL);
	supervisor_stop(up->supervisor, all_stopped);
}

/* The supervisor's life. */
static int serve(struct up *up)
{
	CLEANUP(mem_freep) char *bin_dir = command_bin_dir();
	CLEANUP(mem_closep) int lock = -1;
	struct err err = ERR_INIT;

	signal(SIGPIPE, SIG_IGN); /* `knarr up | head`, or the waiting command is ended */
	progress_begin("preparing %s", up->dir);
	if (cluster_open(up->dir, &up->given, &up->cluster, &lock, &err) < 0)
		goto fail;
	progress_done();
	progress_begin("certificates and credentials");
	if (pki_ensure(&up->cluster, &err) < 0 || token_key_ensure(&up->cluster, &err) < 0 ||
	    credentials_ensure(&up->cluster, &err) < 0)
		goto fail;
	progress_done();

	up->loop = loop_new(&err);
	if (!up->loop || loop_signal(up->loop, SIGTERM, stop_asked, up, &err) < 0 ||
	    loop_signal(up->loop, SIGINT, stop_asked, up, &err) < 0)
		goto fail;
	up->supervisor =
	    supervisor_new(up->loop, &up->cluster, bin_dir, !up->no_agent, cluster_ready, cluster_failed, up);
	if (up->exit_code == 0)
		loop_run(up->loop);
	supervisor_free(up->supervisor);
	loop_free(up->loop);
	cluster_close(&up->cluster);
	return up->exit_code;
fail:
	progress_fail();
	loop_free(up->loop);
	cluster_close(&up->cluster);
	return command_failed(err.msg);
}

/* Waits until the supervisor in the background serves, or is gone. */
static int wait_for_child(pid_t child, int fd)
{
	char text;
	int status;

	if (read(fd, &text, 1) == 1)
		return 0;
	if (waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) != 0)
		return WEXITSTATUS(status);
	return command_failed("the supervisor ended unexpectedly");
}

int command_up(const struct command *command, int argc, char **argv)
{
	static const struct option options[] = {
		{ "data", required_argument, NULL, 'D' },
		{ "port", required_argument, NULL, 'P' },
		{ "address", required_argument, NULL, 'A' },
		{ "runtime", required_argument, NULL, 'R' },
		{ "detach", no_argument, NULL, 'd' },
		{ "no-agent", no_argument, NULL, 'N' },
		{ "service-cidr", required_argument, NULL, 'S' },
		{ "node-ports", required_argument, NULL, 'O' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct up up = { .dir = CLUSTER_DEFAULT_DIR, .parent_fd = -1 };
	int ends[2];

	if (command_flags(command, argc, argv, options, set_flag, &up) != argc) {
		fprintf(stderr, "error: unexpected argument: %s\nSee 'knarr up --help' for usage.\n",
			argv[optind]);
		return 2;
	}
	if (parse_port(up.port_text, &up.given.port) < 0) {
		fprintf(stderr, "error: invalid --port %s: must be between 1 and %d\n", up.port_text,
			LAST_PORT);
		return 2;
	}
	if (up.given.address && !is_ipv4(up.given.address)) {
		fprintf(stderr, "error: invalid --address %s: must be an IPv4 address\n", up.given.address);
		return 2;
	}
	if (!*up.dir || (up.given.runtime && !*up.given.runtime)) {
		fprintf(stderr, "error: %s must not be empty\n", !*up.dir ? "--data" : "--runtime");
		return 2;
	}
	if (geteuid() != 0 && !up.no_agent)
		return command_failed(
		    "knarr up needs root, for containers and their network; try: sudo knarr up");
	umask(022);
	log_init("knarr", LOG_LEVEL_INFO, false);
	if (!up.detach) {
		log_init("knarr", LOG_LEVEL_WARN, false);
		return serve(&up);
	}
	if (pipe2(ends, O_CLOEXEC) < 0)
		return command_failed("cannot make a pipe");
	fflush(stdout);
	pid_t child = fork();
	if (child < 0)
		return command_failed("cannot start a process");
	if (child > 0) {
		close(ends[1]);
		return wait_for_child(child, ends[0]);
	}
	close(ends[0]);
	setsid();
	up.parent_fd = ends[1];
	return serve(&up);
}
