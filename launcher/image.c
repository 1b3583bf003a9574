#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "launcher/cluster.h"
#include "launcher/commands.h"

/* The node agent's program has the image store; this only finds the cluster's folder and hands over. */
int command_image(const struct command *command, int argc, char **argv)
{
	CLEANUP(mem_freep) char *bin_dir = command_bin_dir();
	CLEANUP(mem_freep) char *program = mem_printf("%s/knarr-nodeagent", bin_dir);
	CLEANUP(mem_freep) const char **args = mem_zalloc(((size_t)argc + 5) * sizeof(*args));
	const char *dir = CLUSTER_DEFAULT_DIR;
	struct cluster cluster = { 0 };
	struct err err = ERR_INIT;
	size_t n = 0;

	args[n++] = program;
	args[n++] = "image";
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			printf("%s.\n\nUsage:\n  knarr %s\n\nFlags:\n%s", command->about, command->usage,
			       command->help);
			return 0;
		}
		if (strcmp(argv[i], "--data") == 0 && i + 1 < argc)
			dir = argv[++i];
		else if (strncmp(argv[i], "--data=", 7) == 0)
			dir = argv[i] + 7;
		else
			args[n++] = argv[i];
	}
	if (n == 2) {
		fprintf(stderr, "error: say what to do: import FILE, ls or rm NAME\nSee 'knarr image --help' "
				"for usage.\n");
		return 2;
	}
	if (cluster_load(dir, &cluster, &err) < 0)
		return command_failed(err.msg);
	CLEANUP(mem_freep) char *agent_dir = cluster_path(&cluster, "agent");
	cluster_close(&cluster);
	args[n++] = "--data-dir";
	args[n++] = agent_dir;
	execv(program, (char *const *)args);
	fprintf(stderr, "error: cannot run %s: %s\n", program, strerror(errno));
	return 1;
}
