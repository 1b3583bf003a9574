#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <getopt.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "launcher/cluster.h"
#include "launcher/commands.h"
#include "launcher/progress.h"
#include "launcher/supervisor.h"
#include "lib/spawn.h"

enum { STOP_TIMEOUT_MS = 60 * 1000, WALK_FDS = 32 };

struct down {
	const char *dir;
	bool purge;
};

static void set_flag(int option, const char *value, void *arg)
{
	struct down *down = arg;

	if (option == 'D')
		down->dir = value;
	else if (option == 'p')
		down->purge = true;
}

/* Ends the supervisor, and with it the programs; waits until it is gone. */
static int stop_supervisor(int pid, struct err *err)
{
	CLEANUP(mem_closep) int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd ended = { .fd = pidfd, .events = POLLIN };

	if (pidfd < 0 || syscall(SYS_pidfd_send_signal, pidfd, SIGTERM, NULL, 0) < 0)
		return errno == ESRCH ? 0 : err_set_errno(err, errno, "cannot stop process %d", pid);
	int n = poll(&ended, 1, STOP_TIMEOUT_MS);
	if (n < 0)
		return err_set_errno(err, errno, "waiting for process %d", pid);
	if (n == 0)
		return err_set(err, ERR_TIMEOUT, "process %d does not end; look at its log", pid);
	return 0;
}

/* The agent's program knows what it made: containers, mounts, network, cgroups. */
static int purge_node(const struct cluster *cluster, struct err *err)
{
	CLEANUP(mem_freep) char *bin_dir = command_bin_dir();
	CLEANUP(mem_freep) char *program = mem_printf("%s/knarr-nodeagent", bin_dir);
	CLEANUP(mem_freep) char *agent_dir = cluster_path(cluster, "agent");
	char bridge[32], cgroup[32];
	const char *argv[] = {
		program,
		"purge",
		"--data-dir",
		agent_dir,
		"--bridge",
		cluster_bridge(cluster, bridge, sizeof(bridge)),
		"--cgroup-parent",
		cluster_cgroup(cluster, cgroup, sizeof(cgroup)),
		NULL,
	};
	struct spawn_opts opts = { .argv = argv, .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1 };
	struct spawn_result result;
	char how[64];
	int failed = 0;

	if (spawn_run(&opts, &result, err) < 0)
		return -1;
	if (result.status != 0)
		failed = err_set(err, ERR_INTERNAL, "removing this node's pods: %s: %s",
				 spawn_status_text(result.status, how, sizeof(how)),
				 result.err.len ? result.err.data : "no message");
	buf_close(&result.out);
	buf_close(&result.err);
	return failed;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path) < 0 && errno != ENOENT ? -1 : 0;
}

/* Only what a cluster makes; DIR itself goes when nothing else is in it. Never crosses into another mount. */
static int remove_files(const struct cluster *cluster, struct err *err)
{
	static const char *const names[] = { "apiserver", "agent", "auth",       "pki",
					     "log",       "run",   "kubeconfig", "cluster.json" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		CLEANUP(mem_freep) char *path = cluster_path(cluster, names[i]);
		if (nftw(path, remove_one, WALK_FDS, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) < 0 && errno != ENOENT)
			return err_set_errno(err, errno, "cannot remove %s", path);
	}
	rmdir(cluster->dir);
	return 0;
}

static int purge(const struct cluster *cluster, struct err *err)
{
	CLEANUP(mem_closep) int lock = -1;

	/* Nobody may start it again meanwhile. */
	if (cluster_lock(cluster, &lock, err) < 0)
		return -1;
	progress_begin("ending the containers, removing network and cgroups");
	if (purge_node(cluster, err) < 0)
		return -1;
	progress_done();
	progress_begin("removing %s", cluster->dir);
	if (remove_files(cluster, err) < 0)
		return -1;
	progress_done();
	return 0;
}

static void print_farewell(const struct cluster *cluster)
{
	CLEANUP(mem_freep) char *dir = command_shell_word(cluster->dir);

	printf("\nPods' containers run on. Start again: knarr up --data %s   Remove everything: knarr down "
	       "--data %s --purge\n",
	       dir, dir);
}

int command_down(const struct command *command, int argc, char **argv)
{
	static const struct option options[] = {
		{ "data", required_argument, NULL, 'D' },
		{ "purge", no_argument, NULL, 'p' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct down down = { .dir = CLUSTER_DEFAULT_DIR };
	struct cluster cluster = { 0 };
	struct err err = ERR_INIT;

	if (command_flags(command, argc, argv, options, set_flag, &down) != argc) {
		fprintf(stderr, "error: unexpected argument: %s\nSee 'knarr down --help' for usage.\n",
			argv[optind]);
		return 2;
	}
	if (geteuid() != 0)
		return command_failed("knarr down needs root; try: sudo knarr down");
	if (cluster_load(down.dir, &cluster, &err) < 0)
		return command_failed(err.msg);

	int pid = cluster_supervisor(&cluster), failed = 0;
	if (pid) {
		progress_begin("stopping the programs");
		failed = stop_supervisor(pid, &err);
		if (!failed)
			progress_done();
	} else {
		printf("The cluster in %s is not running.\n", cluster.dir);
	}
	if (!failed && down.purge)
		failed = purge(&cluster, &err);
	else if (!failed && pid)
		print_farewell(&cluster);
	if (failed)
		progress_fail();
	cluster_close(&cluster);
	return failed ? command_failed(err.msg) : 0;
}
