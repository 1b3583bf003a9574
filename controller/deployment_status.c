#include "controller/deployment_status.h"

#include <stdio.h>
#include <string.h>

#include "lib/mem.h"
#include "lib/timefmt.h"

struct totals {
	int64_t replicas, ready, available, terminating;
	bool terminating_known;
};

static struct totals sum(const struct deployment_facts *f)
{
	struct totals t = { .terminating_known = true };

	for (size_t i = 0; i < f->n_sets; i++) {
		t.replicas += f->sets[i]->status.replicas;
		t.ready += f->sets[i]->status.ready;
		t.available += f->sets[i]->status.available;
		/* A set that was never looked at has none; one that was, by a controller that did not count
		 * them, has an unknown number. */
		if (f->sets[i]->status.terminating >= 0)
			t.terminating += f->sets[i]->status.terminating;
		else if (f->sets[i]->status.observed_generation > 0)
			t.terminating_known = false;
	}
	return t;
}

static struct json_object *find_condition(const struct json_object *conditions, const char *type)
{
	for (size_t i = 0; i < json_len(conditions); i++)
		if (strcmp(json_str_or_empty(json_at(conditions, i), "type"), type) == 0)
			return json_at(conditions, i);
	return NULL;
}

static void remove_condition(struct json_object *conditions, const char *type)
{
	for (size_t i = json_len(conditions); i-- > 0;)
		if (strcmp(json_str_or_empty(json_at(conditions, i), "type"), type) == 0)
			json_object_array_del_idx(conditions, i, 1);
}

/* Sets TYPE; unchanged status and reason leave it as it is, an unchanged status keeps the time of its
 * transition. A changed one goes to the end, as in Kubernetes. */
static void set_condition(struct json_object *conditions, const char *type, const char *status,
			  const char *reason, const char *message, int64_t now_us)
{
	struct json_object *old = find_condition(conditions, type);
	char now[TIMEFMT_SIZE], transition[TIMEFMT_SIZE];

	if (old && strcmp(json_str_or_empty(old, "status"), status) == 0 &&
	    strcmp(json_str_or_empty(old, "reason"), reason) == 0)
		return;
	time_format(now_us, now);
	strcpy(transition, now);
	if (old && strcmp(json_str_or_empty(old, "status"), status) == 0 &&
	    json_str(old, "lastTransitionTime"))
		snprintf(transition, sizeof(transition), "%s", json_str(old, "lastTransitionTime"));
	remove_condition(conditions, type);
	struct json_object *c = json_object_new_object();
	json_set_str(c, "type", type);
	json_set_str(c, "status", status);
	json_set_str(c, "lastUpdateTime", now);
	json_set_str(c, "lastTransitionTime", transition);
	json_set_str(c, "reason", reason);
	json_set_str(c, "message", message);
	json_object_array_add(conditions, c);
}

bool deployment_complete(const struct json_object *status, const struct cached_deployment *d)
{
	return json_int(status, "updatedReplicas", 0) == d->replicas &&
	       json_int(status, "replicas", 0) == d->replicas &&
	       json_int(status, "availableReplicas", 0) == d->replicas &&
	       json_int(status, "observedGeneration", 0) >= d->meta.generation;
}

static bool progressing(const struct json_object *old, const struct json_object *new_)
{
	int64_t old_total = json_int(old, "replicas", 0), old_updated = json_int(old, "updatedReplicas", 0);
	int64_t new_total = json_int(new_, "replicas", 0), new_updated = json_int(new_, "updatedReplicas", 0);

	return new_updated > old_updated || new_total - new_updated < old_total - old_updated ||
	       json_int(new_, "readyReplicas", 0) > json_int(old, "readyReplicas", 0) ||
	       json_int(new_, "availableReplicas", 0) > json_int(old, "availableReplicas", 0);
}

/* Milliseconds until the deadline since the last progress; 0 or less: it has passed. */
static int64_t until_deadline(const struct json_object *condition, const struct cached_deployment *d,
			      int64_t now_us)
{
	int64_t since_us = now_us;
	const char *text = json_str(condition, "lastUpdateTime");

	if (text)
		time_parse(text, &since_us);
	return d->progress_deadline_s * 1000 - (now_us - since_us) / 1000;
}

static void set_progressing(const struct deployment_facts *f, const struct json_object *old,
			    struct json_object *status, struct json_object *conditions,
			    int64_t *ret_deadline_ms)
{
	const struct cached_deployment *d = f->deployment;
	const char *name = f->new_set ? f->new_set->meta.name : d->meta.name,
		   *kind = f->new_set ? "ReplicaSet" : "Deployment";
	struct json_object *current = find_condition(conditions, "Progressing");
	const char *reason = json_str_or_empty(current, "reason");
	CLEANUP(mem_freep) char *message = NULL;

	if (d->progress_deadline_s <= 0 || d->progress_deadline_s == INT32_MAX) {
		remove_condition(conditions, "Progressing");
		return;
	}
	if (d->paused) {
		set_condition(conditions, "Progressing", "Unknown", "DeploymentPaused",
			      "Deployment is paused", f->now_us);
		return;
	}
	if (strcmp(reason, "DeploymentPaused") == 0) {
		set_condition(conditions, "Progressing", "Unknown", "DeploymentResumed",
			      "Deployment is resumed", f->now_us);
		return;
	}
	if (f->create_error) {
		set_condition(conditions, "Progressing", "False", "ReplicaSetCreateError", f->create_error,
			      f->now_us);
		return;
	}
	if (f->created_set) {
		message = mem_printf("Created new replica set \"%s\"", f->created_set);
		set_condition(conditions, "Progressing", "True", "NewReplicaSetCreated", message, f->now_us);
		return;
	}
	if (f->found_set) {
		message = mem_printf("Found new replica set \"%s\"", name);
		set_condition(conditions, "Progressing", "True", "FoundNewReplicaSet", message, f->now_us);
		return;
	}
	/* Once it is complete, scaling and lost pods are no new rollout. */
	bool was_complete = json_int(status, "replicas", 0) == json_int(status, "updatedReplicas", 0) &&
			    strcmp(reason, "NewReplicaSetAvailable") == 0;
	if (was_complete)
		return;
	if (deployment_complete(status, d)) {
		message = mem_printf("%s \"%s\" has successfully progressed.", kind, name);
		set_condition(conditions, "Progressing", "True", "NewReplicaSetAvailable", message,
			      f->now_us);
		return;
	}
	if (progressing(old, status)) {
		char now[TIMEFMT_SIZE];
		message = mem_printf("%s \"%s\" is progressing.", kind, name);
		/* Each step forward begins the deadline anew, the same reason or not. */
		set_condition(conditions, "Progressing", "True", "ReplicaSetUpdated", message, f->now_us);
		if ((current = find_condition(conditions, "Progressing")))
			json_set_str(current, "lastUpdateTime", time_format(f->now_us, now));
	} else if (current && strcmp(reason, "ProgressDeadlineExceeded") != 0 &&
		   until_deadline(current, d, f->now_us) <= 0) {
		message = mem_printf("%s \"%s\" has timed out progressing.", kind, name);
		set_condition(conditions, "Progressing", "False", "ProgressDeadlineExceeded", message,
			      f->now_us);
	}
	current = find_condition(conditions, "Progressing");
	if (current && strcmp(json_str_or_empty(current, "reason"), "ProgressDeadlineExceeded") != 0) {
		int64_t left = until_deadline(current, d, f->now_us);
		*ret_deadline_ms = left > 0 ? left + 1 : 1;
	}
}

static void set_count(struct json_object *status, const char *name, int64_t n)
{
	if (n)
		json_set_int(status, name, n);
}

struct json_object *deployment_status(const struct deployment_facts *f, int64_t *ret_deadline_ms)
{
	const struct cached_deployment *d = f->deployment;
	CLEANUP(json_putp) struct json_object *old = NULL;
	struct json_object *status = json_object_new_object();
	struct totals t = sum(f);

	*ret_deadline_ms = -1;
	if (d->status_json && json_parse(d->status_json, strlen(d->status_json), &old, NULL, NULL) < 0)
		old = NULL;
	struct json_object *conditions =
	    json_get(old, "conditions") ? json_clone(json_get(old, "conditions")) : json_object_new_array();
	int64_t updated = f->new_set ? f->new_set->status.replicas : 0, wanted = 0;
	for (size_t i = 0; i < f->n_sets; i++)
		wanted += f->sets[i]->replicas;
	json_set_int(status, "observedGeneration", d->meta.generation);
	set_count(status, "replicas", t.replicas);
	set_count(status, "updatedReplicas", updated);
	set_count(status, "readyReplicas", t.ready);
	set_count(status, "availableReplicas", t.available);
	set_count(status, "unavailableReplicas", wanted > t.available ? wanted - t.available : 0);
	if (t.terminating_known)
		json_set_int(status, "terminatingReplicas", t.terminating);
	if (d->collision_count >= 0)
		json_set_int(status, "collisionCount", d->collision_count);

	if (t.available >= d->replicas - f->unavailable)
		set_condition(conditions, "Available", "True", "MinimumReplicasAvailable",
			      "Deployment has minimum availability.", f->now_us);
	else
		set_condition(conditions, "Available", "False", "MinimumReplicasUnavailable",
			      "Deployment does not have minimum availability.", f->now_us);
	set_progressing(f, old, status, conditions, ret_deadline_ms);
	json_set(status, "conditions", conditions);
	return status;
}
