/* What the subcommands of rollout share: which deployments are meant, and their revisions.
 */
#pragma once

#include "kubectl-lite/objects.h"

extern const struct command rollout_history, rollout_pause, rollout_restart, rollout_resume, rollout_status,
    rollout_undo;

/* The objects of ARGS, fetched; none but deployments have rollouts here. On failure tells it and returns -1.
 */
int rollout_find(const char *path, char **args, size_t n_args, const struct string_list *files,
		 bool recursive, const char *labels, struct objects *ret);

/* The replica sets of DEPLOYMENT, by revision. */
struct rollout_revision {
	int64_t number;
	struct json_object *replica_set;
};
struct rollout_revisions {
	struct rollout_revision *items;
	size_t n;
};
int rollout_revisions(const struct object *deployment, struct rollout_revisions *ret, struct err *err);
void rollout_revisions_close(struct rollout_revisions *revisions);
