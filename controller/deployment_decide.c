#include "controller/deployment_decide.h"

#include <stdlib.h>
#include <string.h>

#include "controller/deployment_set.h"
#include "controller/deployment_status.h"
#include "controller/rollout.h"

static int64_t old_replicas(const struct deployment_view *v)
{
	int64_t total = 0;

	for (size_t i = 0; i < v->n; i++)
		if (v->sets[i] != v->new_set)
			total += v->sets[i]->replicas;
	return total;
}

static int64_t next_revision(const struct deployment_view *v)
{
	int64_t most = 0;

	for (size_t i = 0; i < v->n; i++)
		if (v->sets[i] != v->new_set && deployment_revision(v->sets[i]->revision_text) > most)
			most = deployment_revision(v->sets[i]->revision_text);
	return most + 1;
}

static void create_set(struct deployment_run *run, const struct deployment_view *v)
{
	int64_t replicas = v->d->replicas;

	if (!v->d->recreate) {
		int64_t room = v->d->replicas + v->surge - old_replicas(v);
		replicas = room < 0 ? 0 : room < replicas ? room : replicas;
	}
	deployment_run_create(run, v, replicas, next_revision(v));
}

/* The set of the current template has the highest revision: after a rollback an old one becomes new again. */
static void keep_revision(struct deployment_run *run, const struct deployment_view *v)
{
	int64_t revision = deployment_revision(v->new_set->revision_text), next = next_revision(v);

	deployment_run_refresh(run, v, v->new_set, revision > next ? revision : next);
}

/* Largest first, the newer of equals first when growing, the older when shrinking: as Kubernetes orders them.
 */
static int by_size(const void *x, const void *y)
{
	const struct rollout_set *a = *(struct rollout_set *const *)x, *b = *(struct rollout_set *const *)y;

	if (a->replicas != b->replicas)
		return a->replicas > b->replicas ? -1 : 1;
	return (a->created_us < b->created_us) - (a->created_us > b->created_us);
}

static struct rollout_set as_rollout(const struct cached_replica_set *rs)
{
	return (struct rollout_set){ .replicas = rs->replicas,
				     .actual = rs->status.replicas,
				     .available = rs->status.available,
				     .created_us = rs->meta.created_us,
				     .max_annotation = rs->max_annotation,
				     .target = rs->replicas };
}

static void scale_to_targets(struct deployment_run *run, const struct deployment_view *v,
			     const struct rollout_set *r)
{
	for (size_t i = 0; i < v->n; i++)
		if (r[i].target != v->sets[i]->replicas ||
		    (r[i].replicas > 0 && v->sets[i]->desired_annotation != v->d->replicas))
			deployment_run_scale(run, v, v->sets[i], r[i].target);
}

/* The Deployment's size changed: brings the sets to it without moving the rollout. */
static void scale_all(struct deployment_run *run, const struct deployment_view *v)
{
	CLEANUP(mem_freep) struct rollout_set *r = mem_zalloc((v->n + 1) * sizeof(*r));
	CLEANUP(mem_freep) struct rollout_set **active = mem_zalloc((v->n + 1) * sizeof(*active));
	size_t n = 0;

	for (size_t i = 0; i < v->n; i++) {
		r[i] = as_rollout(v->sets[i]);
		if (r[i].replicas > 0)
			active[n++] = &r[i];
	}
	if (n <= 1) {
		/* One set has all pods, or none has any: then the newest takes them. */
		const struct cached_replica_set *only = v->new_set ? v->new_set
							: v->n     ? v->sets[v->n - 1]
								   : NULL;
		for (size_t i = 0; i < v->n; i++)
			if (n == 1 ? active[0] == &r[i] : v->sets[i] == only)
				r[i].target = v->d->replicas;
	} else if (v->new_set && v->new_set->replicas == v->d->replicas &&
		   v->new_set->status.available == v->d->replicas) {
		for (size_t i = 0; i < v->n; i++)
			if (v->sets[i] != v->new_set)
				r[i].target = 0;
	} else if (!v->d->recreate) {
		qsort(active, n, sizeof(*active), by_size);
		rollout_proportional(active, n, v->d->replicas, v->d->replicas + v->surge);
	}
	scale_to_targets(run, v, r);
}

static bool was_scaled(const struct deployment_view *v)
{
	for (size_t i = 0; i < v->n; i++)
		if (v->sets[i]->replicas > 0 && v->sets[i]->desired_annotation >= 0 &&
		    v->sets[i]->desired_annotation != v->d->replicas)
			return true;
	return false;
}

/* Pods of sets but the new one that still run: a Recreate waits for them. */
static bool old_pods_run(struct deployment_run *run, const struct deployment_view *v)
{
	for (size_t i = 0; i < v->n; i++) {
		if (v->sets[i] == v->new_set)
			continue;
		const struct owned_pods *owned =
		    owned_pods_of(run->deployments->owned, v->sets[i]->meta.item.uid);
		for (const struct cached_pod *pod = owned->pods; pod; pod = pod->next_owned)
			if (pod->phase != PHASE_SUCCEEDED && pod->phase != PHASE_FAILED)
				return true;
	}
	return false;
}

static void recreate(struct deployment_run *run, const struct deployment_view *v)
{
	bool scaled = false;

	for (size_t i = 0; i < v->n; i++)
		if (v->sets[i] != v->new_set && v->sets[i]->replicas > 0) {
			deployment_run_scale(run, v, v->sets[i], 0);
			scaled = true;
		}
	if (scaled || old_pods_run(run, v))
		return;
	if (!v->new_set)
		create_set(run, v);
	else if (v->new_set->replicas != v->d->replicas)
		deployment_run_scale(run, v, v->new_set, v->d->replicas);
}

static void roll(struct deployment_run *run, const struct deployment_view *v)
{
	CLEANUP(mem_freep) struct rollout_set *old = mem_zalloc((v->n + 1) * sizeof(*old));
	CLEANUP(mem_freep) struct cached_replica_set **old_sets = mem_zalloc((v->n + 1) * sizeof(*old_sets));
	size_t n = 0;

	if (!v->new_set) {
		create_set(run, v);
		return;
	}
	struct rollout_set new_ = as_rollout(v->new_set);
	for (size_t i = 0; i < v->n; i++)
		if (v->sets[i] != v->new_set) {
			old_sets[n] = v->sets[i];
			old[n++] = as_rollout(v->sets[i]);
		}
	if (!rollout_rolling_step(&new_, old, n, v->d->replicas, v->surge, v->unavailable))
		return;
	if (new_.target != new_.replicas)
		deployment_run_scale(run, v, v->new_set, new_.target);
	for (size_t i = 0; i < n; i++)
		if (old[i].target != old[i].replicas)
			deployment_run_scale(run, v, old_sets[i], old[i].target);
}

static int by_revision(const void *x, const void *y)
{
	const struct cached_replica_set *a = *(struct cached_replica_set *const *)x,
					*b = *(struct cached_replica_set *const *)y;
	int64_t ra = deployment_revision(a->revision_text), rb = deployment_revision(b->revision_text);

	return (ra > rb) - (ra < rb);
}

/* Deletes the oldest empty sets over the history limit. */
static void clean_history(struct deployment_run *run, const struct deployment_view *v)
{
	CLEANUP(mem_freep) struct cached_replica_set **empty = mem_zalloc((v->n + 1) * sizeof(*empty));
	size_t n = 0;

	for (size_t i = 0; i < v->n; i++) {
		struct cached_replica_set *rs = v->sets[i];
		if (rs != v->new_set && rs->replicas == 0 && rs->status.replicas == 0 && !rs->meta.deleting &&
		    rs->meta.generation <= rs->status.observed_generation)
			empty[n++] = rs;
	}
	qsort(empty, n, sizeof(*empty), by_revision);
	for (size_t i = 0; (int64_t)(n - i) > v->d->history_limit; i++)
		deployment_run_delete(run, empty[i]);
}

/* Takes in sets that match and have no controller: left by a Deployment deleted with its sets orphaned. */
static bool adopt(struct deployment_run *run, const struct cached_deployment *d)
{
	const struct set_list *orphans = set_index_orphans(&run->deployments->sets, run->namespace_);
	bool any = false;

	for (size_t i = 0; orphans && i < orphans->n; i++) {
		const struct cached_replica_set *rs = orphans->sets[i];
		if (rs->meta.deleting || !labels_match(rs->meta.labels, &d->selector))
			continue;
		deployment_run_adopt(run, d, rs);
		any = true;
	}
	return any;
}

static bool is_complete(const struct cached_deployment *d)
{
	CLEANUP(json_putp) struct json_object *status = NULL;

	return d->status_json &&
	       json_parse(d->status_json, strlen(d->status_json), &status, NULL, NULL) == 0 &&
	       deployment_complete(status, d);
}

void deployment_decide(struct deployment_run *run, const struct cached_deployment *d)
{
	CLEANUP(deployment_view_close) struct deployment_view v = { 0 };

	/* That it goes on again is shown before it does. */
	if ((d->shown_paused && !d->paused) || adopt(run, d))
		return;
	deployment_view_open(run, d, &v);
	if (v.new_set)
		keep_revision(run, &v);
	if (d->paused || was_scaled(&v))
		scale_all(run, &v);
	else if (d->recreate)
		recreate(run, &v);
	else
		roll(run, &v);
	if (!d->paused && is_complete(d))
		clean_history(run, &v);
}
