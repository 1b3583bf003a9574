/* cordon, uncordon and drain: nodes that get no more pods, and give up those they have.
 * https://kubernetes.io/docs/tasks/administer-cluster/safely-drain-node/
 */
#include "kubectl-lite/cordon.h"

#include <stdio.h>
#include <string.h>

#include "kubectl-lite/commands.h"
#include "kubectl-lite/dry_run.h"
#include "kubectl-lite/session.h"
#include "kubectl-lite/target.h"

static struct {
	const char *labels, *dry_run;
} flags;

static const struct flag cordon_flags[] = {
	{ "selector", 'l', FLAG_STRING, &flags.labels, "LABELS", "nodes with these labels", NULL, NULL },
	{ "dry-run", 0, FLAG_STRING, &flags.dry_run, "WHERE",
	  "none, client (show only) or server (ask, but store nothing)", "unchanged", NULL },
	{ 0 },
};

int cordon_find_nodes(char **args, size_t n_args, const char *labels, struct objects *ret, struct err *err)
{
	char **words = mem_realloc_array(NULL, n_args + 1, sizeof(*words));
	struct objects_query query = { .args = words, .n_args = n_args + 1, .labels = labels, .fetch = true };
	char type[] = "nodes";

	words[0] = type;
	memcpy(words + 1, args, n_args * sizeof(*words));
	int failed = objects_find(&query, ret, err);
	free(words);
	return failed;
}

int cordon_node(const struct object *node, bool unschedulable, enum dry_run dry_run, struct err *err)
{
	CLEANUP(json_putp) struct json_object *patch = json_object_new_object();
	const char *done = unschedulable ? "cordoned" : "uncordoned";
	bool was = json_boolean(json_get(node->value, "spec"), "unschedulable", false);

	if (was == unschedulable) {
		printf("node/%s already %s%s\n", node->name, done, dry_run_suffix(dry_run));
		return 0;
	}
	struct json_object *spec = json_ensure_object(patch, "spec");
	if (unschedulable)
		json_set_bool(spec, "unschedulable", true);
	else
		json_object_object_add(spec, "unschedulable", NULL);
	if (dry_run != DRY_RUN_CLIENT && object_patch(node->resource, NULL, node->name, NULL,
						      dry_run == DRY_RUN_SERVER ? "dryRun=All" : NULL,
						      "strategic-merge", patch, NULL, err) < 0)
		return -1;
	printf("node/%s %s%s\n", node->name, done, dry_run_suffix(dry_run));
	return 0;
}

static int run(char **args, size_t n_args, bool unschedulable, const char *name)
{
	struct objects nodes;
	enum dry_run dry_run;
	struct err err = ERR_INIT;

	if (!n_args && !flags.labels)
		return command_usage_error(name, "USAGE: %s NODE [flags]", name);
	if (dry_run_parse(flags.dry_run, &dry_run, &err) < 0 ||
	    cordon_find_nodes(args, n_args, flags.labels, &nodes, &err) < 0)
		return session_failed(&err);
	int code = nodes.bad > 0;
	for (size_t i = 0; i < nodes.n; i++) {
		err = ERR_INIT;
		if (cordon_node(&nodes.items[i], unschedulable, dry_run, &err) < 0)
			code = session_failed(&err);
	}
	objects_close(&nodes);
	return code;
}

static int run_cordon(char **args, size_t n_args)
{
	return run(args, n_args, true, "cordon");
}

static int run_uncordon(char **args, size_t n_args)
{
	return run(args, n_args, false, "uncordon");
}

const struct command command_cordon = {
	.name = "cordon",
	.about = "Let no more pods come to a node",
	.usage = "cordon NODE... [flags]",
	.flags = cordon_flags,
	.run = run_cordon,
};

const struct command command_uncordon = {
	.name = "uncordon",
	.about = "Let pods come to a node again",
	.usage = "uncordon NODE... [flags]",
	.flags = cordon_flags,
	.run = run_uncordon,
};
