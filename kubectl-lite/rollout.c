#include "kubectl-lite/rollout.h"

#include <stdlib.h>
#include <string.h>

#include "kubectl-lite/commands.h"
#include "kubectl-lite/session.h"

#define REVISION "deployment.kubernetes.io/revision"

int rollout_find(const char *path, char **args, size_t n_args, const struct string_list *files,
		 bool recursive, const char *labels, struct objects *ret)
{
	struct objects_query query = { .args = args,
				       .n_args = n_args,
				       .files = files,
				       .recursive = recursive,
				       .labels = labels,
				       .fetch = true };
	struct err err = ERR_INIT;

	if (n_args == 0 && files->n == 0) {
		command_usage_error(path, "required resource not specified");
		return -1;
	}
	if (objects_find(&query, ret, &err) < 0) {
		session_failed(&err);
		return -1;
	}
	for (size_t i = 0; i < ret->n; i++)
		if (strcmp(ret->items[i].resource->qualified, "deployments.apps") != 0) {
			command_error("no rollouts of %s: kubectl-lite knows those of deployments",
				      ret->items[i].resource->qualified);
			objects_close(ret);
			return -1;
		}
	return 0;
}

struct gathering {
	const char *uid;
	struct rollout_revisions *revisions;
};

static bool gather(struct json_object *obj, void *arg)
{
	struct gathering *g = arg;
	const struct json_object *owners = json_path(obj, "metadata", "ownerReferences", NULL);
	const char *revision = json_str(json_path(obj, "metadata", "annotations", NULL), REVISION);

	for (size_t i = 0; revision && i < json_len(owners); i++) {
		const struct json_object *owner = json_at(owners, i);
		if (!json_boolean(owner, "controller", false) ||
		    strcmp(json_str_or_empty(owner, "uid"), g->uid) != 0)
			continue;
		struct rollout_revisions *r = g->revisions;
		r->items = mem_realloc_array(r->items, r->n + 1, sizeof(*r->items));
		r->items[r->n++] =
		    (struct rollout_revision){ strtoll(revision, NULL, 10), json_object_get(obj) };
		break;
	}
	return true;
}

static int by_number(const void *x, const void *y)
{
	const struct rollout_revision *a = x, *b = y;

	return (a->number > b->number) - (a->number < b->number);
}

int rollout_revisions(const struct object *deployment, struct rollout_revisions *ret, struct err *err)
{
	const struct resource *resource = resource_find("apps", "v1", "replicasets");
	struct rollout_revisions revisions = { 0 };
	struct gathering g = { object_meta(deployment->value, "uid"), &revisions };

	if (object_list(resource, deployment->namespace_, NULL, gather, &g, err) < 0) {
		rollout_revisions_close(&revisions);
		return -1;
	}
	if (revisions.n)
		qsort(revisions.items, revisions.n, sizeof(*revisions.items), by_number);
	*ret = revisions;
	return 0;
}

void rollout_revisions_close(struct rollout_revisions *revisions)
{
	for (size_t i = 0; i < revisions->n; i++)
		json_object_put(revisions->items[i].replica_set);
	free(revisions->items);
	*revisions = (struct rollout_revisions){ 0 };
}

static const struct command *const subcommands[] = {
	&rollout_history, &rollout_pause, &rollout_restart, &rollout_resume, &rollout_status,
	&rollout_undo,    NULL,
};

const struct command command_rollout = {
	.name = "rollout",
	.about = "Follow and steer the rollout of a deployment",
	.usage = "rollout SUBCOMMAND deployment/NAME [flags]",
	.help = "Examples:\n"
		"  kubectl-lite rollout status deployment/web\n"
		"  kubectl-lite rollout undo deployment/web\n"
		"  kubectl-lite rollout restart deployment/web\n",
	.subcommands = subcommands,
};
