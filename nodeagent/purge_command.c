#include "nodeagent/purge_command.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/mem.h"
#include "lib/program.h"
#include "nodeagent/network.h"
#include "nodeagent/runtime.h"
#include "nodeagent/sandbox.h"

static int told(const char *what, const struct err *err)
{
	fprintf(stderr, "%s: %s\n", what, err->msg);
	return 1;
}

int purge_command(int argc, char **argv)
{
	const char *data_dir = NULL, *bridge = NULL, *cgroup_parent = NULL;
	const struct program_flag flags[] = {
		{ "data-dir", "DIR", "the agent's folder", &data_dir, NULL, true },
		{ "bridge", "NAME", "bridge of the pod network", &bridge, NULL, true },
		{ "cgroup-parent", "NAME", "cgroup that all pods lie under", &cgroup_parent, NULL, true },
		{ 0 },
	};
	struct err err = ERR_INIT;
	int code = 0;

	program_flags("knarr-nodeagent purge",
		      "Ends all pods of this node and removes their network, mounts and cgroups.", flags,
		      argc, argv);
	CLEANUP(mem_freep) char *pods = mem_printf("%s/pods", data_dir);
	/* Processes first: they hold the cgroups and the mounts. */
	if (runtime_purge(cgroup_parent, &err) < 0)
		code = told("containers", &err);
	if (network_purge(bridge, &err) < 0)
		code = told("network", &err);
	if (sandbox_purge(pods, &err) < 0)
		code = told("mounts", &err);
	return code;
}
