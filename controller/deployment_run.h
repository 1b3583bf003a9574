/* One run of a Deployment's key: the calls that change its replica sets. When the last is answered the run
 * goes on (to the status).
 */
#pragma once

#include "controller/owned_pods.h"
#include "controller/set_index.h"
#include "lib/event_recorder.h"
#include "lib/work_queue.h"

/* What all runs share: deployment.c's own. */
struct deployments {
	struct api_client *client;
	struct cache *cache;
	struct owned_index *owned;
	struct event_recorder *events;
	struct work_queue *queue;
	const struct resource *resource, *set_resource;
	struct set_index sets;
};

/* Names, not pointers into the cache, since that changes while calls are under way. */
struct deployment_run {
	struct deployments *deployments;
	char *key, *namespace_, *name, *uid;
	size_t in_flight;
	bool failed;
	char *created_set, *create_error;
	int64_t revision; /* that of the current template's set; 0: there is none */
	void (*answered)(struct deployment_run *run); /* called when the last call is answered */
};

/* What a run looks at: valid until it returns to the loop. */
struct deployment_view {
	const struct cached_deployment *d;
	struct cached_replica_set **sets; /* oldest first */
	size_t n;
	struct cached_replica_set *new_set; /* that of the current template, or NULL */
	int64_t surge, unavailable;
};

struct deployment_run *deployment_run_begin(struct deployments *deployments,
					    const struct cached_deployment *d,
					    void (*answered)(struct deployment_run *run));
/* Over: the key is done, or tried again after a pause when a call failed. */
void deployment_run_finish(struct deployment_run *run);
/* The Deployment as the cache has it now, if it is still the same one. */
struct cached_deployment *deployment_run_object(const struct deployment_run *run);

void deployment_view_open(const struct deployment_run *run, const struct cached_deployment *d,
			  struct deployment_view *v);
void deployment_view_close(struct deployment_view *v);

/* The calls. Scalings and creations are told as events when they are answered. */
void deployment_run_create(struct deployment_run *run, const struct deployment_view *v, int64_t replicas,
			   int64_t revision);
void deployment_run_scale(struct deployment_run *run, const struct deployment_view *v,
			  const struct cached_replica_set *rs, int64_t replicas);
void deployment_run_delete(struct deployment_run *run, const struct cached_replica_set *rs);
/* Takes in a set without a controller. */
void deployment_run_adopt(struct deployment_run *run, const struct cached_deployment *d,
			  const struct cached_replica_set *rs);
/* Brings RS's annotations, minReadySeconds and revision up to date; does nothing when they are. */
void deployment_run_refresh(struct deployment_run *run, const struct deployment_view *v,
			    const struct cached_replica_set *rs, int64_t revision);
/* resourceVersion of an answer's object; 0: it has none. */
uint64_t deployment_response_revision(const struct api_response *response);
