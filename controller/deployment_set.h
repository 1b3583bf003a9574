/* The replica sets of a Deployment as text: a new one's body, patches of existing ones.
 */
#pragma once

#include "controller/cache.h"

#define REVISION_ANNOTATION         "deployment.kubernetes.io/revision"
#define REVISION_HISTORY_ANNOTATION "deployment.kubernetes.io/revision-history"
#define DESIRED_ANNOTATION          "deployment.kubernetes.io/desired-replicas"
#define MAX_ANNOTATION              "deployment.kubernetes.io/max-replicas"

/* Appends the body of D's new replica set with REPLICAS pods and REVISION; *ret_name (caller frees) is what
 * it is called. */
int deployment_set_body(const struct cached_deployment *d, int64_t replicas, int64_t max_replicas,
			int64_t revision, struct buf *b, char **ret_name, struct err *err);
/* Appends the merge patch that scales RS; UID guards against a namesake. */
void deployment_set_scale_patch(const struct cached_replica_set *rs, int64_t replicas, int64_t desired,
				int64_t max_replicas, struct buf *b);
/* Appends the merge patch that makes RS, which has D's template, the set of REVISION in all else: revision,
 * minReadySeconds, the annotations that D hands down. False when nothing differs. */
bool deployment_set_update_patch(const struct cached_deployment *d, const struct cached_replica_set *rs,
				 int64_t revision, struct buf *b);
/* The revision that a set or Deployment is annotated with; 0: none. */
int64_t deployment_revision(const char *revision_text);
