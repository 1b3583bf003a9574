/* Flags, the front, and the order of things. See shim.h. */
#include "nodeagent/shim/shim.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct option flags[] = {
	{ "id", required_argument, NULL, 'i' },
	{ "dir", required_argument, NULL, 'd' },
	{ "pod-dir", required_argument, NULL, 'p' },
	{ "runtime", required_argument, NULL, 'r' },
	{ "root", required_argument, NULL, 'R' },
	{ "oom-file", required_argument, NULL, 'o' },
	{ "log-max-bytes", required_argument, NULL, 'b' },
	{ "log-max-files", required_argument, NULL, 'f' },
	{ "tty", no_argument, NULL, 't' },
	{ "stdin", no_argument, NULL, 's' },
	{ NULL, 0, NULL, 0 },
};

static void usage(void)
{
	fputs("usage: knarr-shim --id ID --dir DIR --pod-dir DIR --runtime PROGRAM --root DIR\n"
	      "                  [--oom-file FILE] --log-max-bytes N --log-max-files N [--tty] [--stdin] -- "
	      "LAYER...\n"
	      "Started by knarr-nodeagent, one per container; not for use by hand.\n",
	      stderr);
}

static bool parse_flags(int argc, char **argv, struct shim_opts *opts)
{
	for (int c; (c = getopt_long(argc, argv, "", flags, NULL)) != -1;) {
		switch (c) {
		case 'i':
			opts->id = optarg;
			break;
		case 'd':
			opts->dir = optarg;
			break;
		case 'p':
			opts->pod_dir = optarg;
			break;
		case 'r':
			opts->runtime = optarg;
			break;
		case 'R':
			opts->root = optarg;
			break;
		case 'o':
			opts->oom_file = optarg;
			break;
		case 'b':
			opts->log_max_bytes = strtoull(optarg, NULL, 10);
			break;
		case 'f':
			opts->log_max_files = (unsigned)strtoul(optarg, NULL, 10);
			break;
		case 't':
			opts->tty = true;
			break;
		case 's':
			opts->stdin_open = true;
			break;
		default:
			return false;
		}
	}
	opts->lower = argv + optind;
	opts->n_lower = (size_t)(argc - optind);
	return opts->id && opts->dir && opts->pod_dir && opts->runtime && opts->root && opts->log_max_bytes &&
	       opts->log_max_files && opts->n_lower;
}

/* Waits for the shim's word; the pipe ends without one when it died. */
static int front(int fd)
{
	char text[1024];
	size_t n = 0;
	for (ssize_t got; n < sizeof(text) && (got = read(fd, text + n, sizeof(text) - n)) != 0;) {
		if (got < 0 && errno != EINTR)
			break;
		n += got > 0 ? (size_t)got : 0;
	}
	if (n == 3 && !memcmp(text, "ok\n", 3))
		return 0;
	static const char died[] = "the shim died before the container ran";
	ssize_t written = n ? write(2, text, n) : write(2, died, sizeof(died) - 1);
	return written < 0 ? 2 : 1;
}

/* From here on nothing of the agent is left: session, standard streams, signals. */
static int detach(void)
{
	setsid();
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0)
		return -1;
	if (null > 2)
		close(null);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	return prctl(PR_SET_CHILD_SUBREAPER, 1);
}

/* Sets *ret_what and leaves errno on failure. */
static int prepare(const struct shim_opts *opts, int *ret_signal_fd, const char **ret_what)
{
	*ret_what = "detach";
	if (detach())
		return -1;
	*ret_what = opts->dir;
	if (chdir(opts->dir))
		return -1;
	*ret_what = "signalfd";
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	/* Blocked before the first child is there: an init that ends at once is not missed. */
	if (sigprocmask(SIG_BLOCK, &set, NULL) ||
	    (*ret_signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)) < 0)
		return -1;
	*ret_what = "shim.json";
	if (record_self())
		return -1;
	return rootfs_mount(opts, ret_what);
}

static int shim(const struct shim_opts *opts, int word_fd)
{
	const char *what = NULL;
	int signal_fd = -1;
	struct shim_stdio stdio = { -1, -1, -1 };
	pid_t init = -1;
	errno = 0;
	if (prepare(opts, &signal_fd, &what) || create_run(opts, &stdio, &init, &what)) {
		if (errno)
			dprintf(word_fd, "%s: %s", what, strerror(errno));
		else
			dprintf(word_fd, "%s", what);
		return 1;
	}
	/* An agent that died meanwhile does not read this; the container is adopted by the next one. */
	if (write(word_fd, "ok\n", 3) < 0 && errno != EPIPE)
		return 1;
	close(word_fd);
	return relay_run(opts, &stdio, init, signal_fd);
}

int main(int argc, char **argv)
{
	struct shim_opts opts = { 0 };
	if (argc > 1 && strcmp(argv[1], "exec") == 0)
		return exec_run(argc, argv);
	if (argc > 1 && strcmp(argv[1], "pause") == 0)
		return pause_run();
	if (!parse_flags(argc, argv, &opts)) {
		usage();
		return 2;
	}
	int word[2];
	if (pipe2(word, O_CLOEXEC)) {
		perror("knarr-shim: pipe");
		return 1;
	}
	pid_t pid = fork();
	if (pid < 0) {
		perror("knarr-shim: fork");
		return 1;
	}
	if (pid == 0) {
		close(word[0]);
		return shim(&opts, word[1]);
	}
	close(word[1]);
	return front(word[0]);
}
