/* The status of a Deployment, computed from its replica sets: a pure function.
 * https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#deployment-status
 */
#pragma once

#include "controller/cache.h"

/* What a sync found out. */
struct deployment_facts {
	const struct cached_deployment *deployment;
	const struct cached_replica_set *new_set;     /* or NULL */
	const struct cached_replica_set *const *sets; /* all, the new one among them */
	size_t n_sets;
	const char *created_set;  /* the new set was made in this sync: its name */
	bool found_set;           /* an existing set became the new one in this sync */
	const char *create_error; /* making it failed */
	int64_t surge, unavailable;
	int64_t now_us;
};

/* The status as it should be, from the one that is (deployment->status_json). *ret_deadline_ms: until the
 * progress deadline must be looked at again, -1: not. */
struct json_object *deployment_status(const struct deployment_facts *facts, int64_t *ret_deadline_ms);
/* All replicas updated and available, no old ones left. */
bool deployment_complete(const struct json_object *status, const struct cached_deployment *deployment);
