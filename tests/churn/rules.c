#include "tests/churn/rules.h"

#include <stdlib.h>
#include <string.h>

#include "lib/map.h"
#include "lib/quantity.h"
#include "tests/churn/object.h"
#include "tests/churn/rules_window.h"

struct pod {
	char *uid, *name, *node, *owner;
	int64_t millicpu, memory;
	bool terminating, ended, ready;
};

struct node {
	char *name;
	int64_t millicpu, memory, pods;
	bool lost;
};

/* A ReplicaSet or a Deployment. */
struct owner {
	char *uid, *name, *owner;
	struct window window;
	int64_t replicas;
	bool terminating;
	bool settled;        /* as its spec says, as far as its own status tells */
	uint64_t kills_seen; /* rules->kills when it was last settled */
};

struct rules {
	void (*broken)(const char *what, void *arg);
	void *arg;
	struct map maps[RULES_KINDS]; /* nodes by name, the others by uid */
	struct map ours;              /* uids of pods that we deleted, their own values */
	uint64_t kills, calm;         /* kills so far; the revision from which they have no effect left */
	struct rules_counts counts;
};

static void broken(struct rules *r, const char *format, ...) PRINTF_LIKE(2, 3);
static void broken(struct rules *r, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	CLEANUP(mem_freep) char *text = mem_vprintf(format, ap);
	va_end(ap);
	r->broken(text, r->arg);
}

static bool active(const struct pod *pod)
{
	return !pod->terminating && !pod->ended;
}

static bool serves(const struct pod *pod)
{
	return pod->ready && active(pod);
}

/* --- nodes --- */

static void node_free(struct node *node)
{
	if (!node)
		return;
	free(node->name);
	free(node);
}

static void node_change(struct rules *r, const struct json_object *obj, bool deleted)
{
	const struct json_object *room = json_path(obj, "status", "allocatable", NULL);
	const struct json_object *taints = json_path(obj, "spec", "taints", NULL);
	const char *name = object_name(obj);

	if (deleted) {
		node_free(map_remove(&r->maps[RULES_NODE], name));
		return;
	}
	struct node *node = mem_zalloc(sizeof(*node));
	*node = (struct node){ .name = mem_dup(name),
			       .millicpu = quantity_milli_of(json_str(room, "cpu")),
			       .memory = quantity_value_of(json_str(room, "memory")),
			       .pods = quantity_value_of(json_str(room, "pods")),
			       .lost = !object_ready(obj) };
	for (size_t i = 0; i < json_len(taints); i++)
		node->lost |= strcmp(json_str_or_empty(json_at(taints, i), "effect"), "NoExecute") == 0;
	node_free(map_put(&r->maps[RULES_NODE], node->name, node));
}

static void check_room(struct rules *r, const struct pod *bound)
{
	const struct node *node = map_get(&r->maps[RULES_NODE], bound->node);
	int64_t millicpu = 0, memory = 0, pods = 0;
	const char *uid;
	void *value;

	if (!node) {
		broken(r, "binding: pod %s was bound to node %s, which does not exist", bound->name,
		       bound->node);
		return;
	}
	for (size_t i = 0; map_next(&r->maps[RULES_POD], &i, &uid, &value);) {
		const struct pod *pod = value;
		if (pod->ended || strcmp(pod->node, node->name) != 0)
			continue;
		millicpu += pod->millicpu;
		memory += pod->memory;
		pods++;
	}
	if (millicpu > node->millicpu || memory > node->memory || pods > node->pods)
		broken(r,
		       "room: with pod %s node %s has %lld of %lld millicpu, %lld of %lld bytes, %lld of "
		       "%lld pods",
		       bound->name, node->name, (long long)millicpu, (long long)node->millicpu,
		       (long long)memory, (long long)node->memory, (long long)pods, (long long)node->pods);
}

/* --- replica sets and deployments --- */

static void owner_free(struct owner *owner)
{
	if (!owner)
		return;
	free(owner->uid);
	free(owner->name);
	free(owner->owner);
	free(owner);
}

/* Whether a kill may still show in what happens to OWNER. */
static bool disturbed(const struct rules *r, const struct owner *owner)
{
	return owner->kills_seen != r->kills;
}

static size_t count_pods(const struct rules *r, const char *set, bool (*counts)(const struct pod *pod))
{
	const char *uid;
	void *value;
	size_t n = 0;

	for (size_t i = 0; map_next(&r->maps[RULES_POD], &i, &uid, &value);)
		n += strcmp(((struct pod *)value)->owner, set) == 0 && counts(value);
	return n;
}

static int64_t sum_sets(const struct rules *r, const struct owner *deployment, int64_t *ret_serving)
{
	int64_t replicas = 0, serving = 0;
	const char *uid;
	void *value;

	for (size_t i = 0; map_next(&r->maps[RULES_SET], &i, &uid, &value);) {
		const struct owner *set = value;
		if (strcmp(set->owner, deployment->uid) != 0)
			continue;
		replicas += set->replicas;
		serving += (int64_t)count_pods(r, uid, serves);
	}
	*ret_serving = serving;
	return replicas;
}

static void owner_read(struct owner *owner, enum rules_kind kind, const struct json_object *obj)
{
	const struct json_object *metadata = json_get(obj, "metadata"), *spec = json_get(obj, "spec"),
				 *status = json_get(obj, "status");
	int64_t generation = json_int(metadata, "generation", 0);
	int64_t observed = json_int(status, "observedGeneration", 0);

	free(owner->owner);
	owner->owner = mem_dup(object_controller(obj));
	owner->terminating = object_terminating(obj);
	owner->replicas = json_int(spec, "replicas", 1);
	if (kind == RULES_SET)
		window_see(&owner->window, generation, observed, owner->replicas, owner->replicas);
	else
		window_see_deployment(&owner->window, generation, observed, spec);
	owner->settled = observed == generation && json_int(status, "replicas", 0) == owner->replicas &&
			 (kind == RULES_SET || (json_int(status, "updatedReplicas", 0) == owner->replicas &&
						json_int(status, "availableReplicas", 0) == owner->replicas));
}

/* A Deployment that has all it wants, seen after the last kill: from here on it is held to every rule. */
static void consider_settled(struct rules *r, enum rules_kind kind, struct owner *owner, uint64_t revision)
{
	int64_t serving;

	if (!owner->settled || revision <= r->calm)
		return;
	if (kind == RULES_SET
		? (int64_t)count_pods(r, owner->uid, active) == owner->replicas
		: (sum_sets(r, owner, &serving) == owner->replicas && serving == owner->replicas))
		owner->kills_seen = r->kills;
}

static void check_surge(struct rules *r, const struct owner *set)
{
	const struct owner *deployment = map_get(&r->maps[RULES_DEPLOYMENT], set->owner);
	int64_t serving;

	if (!deployment || deployment->terminating || disturbed(r, deployment))
		return;
	int64_t replicas = sum_sets(r, deployment, &serving);
	r->counts.rollouts++;
	if (replicas > window_most(&deployment->window))
		broken(r,
		       "surge: ReplicaSet %s was raised to %lld: deployment %s has %lld replicas of at most "
		       "%lld",
		       set->name, (long long)set->replicas, deployment->name, (long long)replicas,
		       (long long)window_most(&deployment->window));
}

static void owner_change(struct rules *r, enum rules_kind kind, const struct json_object *obj, bool deleted)
{
	const char *uid = object_uid(obj);
	struct owner *owner = map_get(&r->maps[kind], uid);
	int64_t before = owner ? owner->replicas : 0;

	if (deleted) {
		owner_free(map_remove(&r->maps[kind], uid));
		return;
	}
	if (!owner) {
		owner = mem_zalloc(sizeof(*owner));
		owner->uid = mem_dup(uid);
		owner->name = mem_dup(object_name(obj));
		/* A ReplicaSet begins without pods; a Deployment may adopt others' ReplicaSets. */
		bool calm = object_revision(obj) > r->calm || r->kills == 0;
		owner->kills_seen = kind == RULES_SET && calm ? r->kills : r->kills - 1;
		map_put(&r->maps[kind], owner->uid, owner);
	}
	bool was_settled = owner->settled;
	owner_read(owner, kind, obj);
	/* Amid a rollout all its ReplicaSets are scaled in proportion, with an eye on surge only. */
	if (kind == RULES_DEPLOYMENT && owner->replicas != before && !was_settled)
		owner->kills_seen = r->kills - 1;
	if (kind == RULES_SET && owner->replicas > before)
		check_surge(r, owner);
	consider_settled(r, kind, owner, object_revision(obj));
}

/* --- pods --- */

static void pod_free(struct pod *pod)
{
	if (!pod)
		return;
	free(pod->uid);
	free(pod->name);
	free(pod->node);
	free(pod->owner);
	free(pod);
}

static struct pod *pod_read(const struct json_object *obj)
{
	const struct json_object *spec = json_get(obj, "spec");
	const struct json_object *containers = json_get(spec, "containers");
	struct pod *pod = mem_zalloc(sizeof(*pod));

	*pod = (struct pod){ .uid = mem_dup(object_uid(obj)),
			     .name = mem_dup(object_name(obj)),
			     .node = mem_dup(json_str_or_empty(spec, "nodeName")),
			     .owner = mem_dup(object_controller(obj)),
			     .terminating = object_terminating(obj),
			     .ended = object_ended(obj),
			     .ready = object_ready(obj) };
	for (size_t i = 0; i < json_len(containers); i++) {
		const struct json_object *requests =
		    json_path(json_at(containers, i), "resources", "requests", NULL);
		pod->millicpu += quantity_milli_of(json_str(requests, "cpu"));
		pod->memory += quantity_value_of(json_str(requests, "memory"));
	}
	return pod;
}

static void check_surplus(struct rules *r, const struct pod *pod)
{
	const struct owner *set = map_get(&r->maps[RULES_SET], pod->owner);

	if (!set || !active(pod))
		return;
	int64_t n = (int64_t)count_pods(r, set->uid, active);
	if (n <= window_most(&set->window))
		return;
	if (disturbed(r, set))
		r->counts.surplus++;
	else
		broken(r, "surplus: pod %s is number %lld of ReplicaSet %s, which wants %lld", pod->name,
		       (long long)n, set->name, (long long)window_most(&set->window));
}

/* OLD served and no longer does; NOW is NULL when it is gone. */
static void check_floor(struct rules *r, const struct pod *old, const struct pod *now)
{
	const struct owner *set = map_get(&r->maps[RULES_SET], old->owner);
	struct owner *deployment = set ? map_get(&r->maps[RULES_DEPLOYMENT], set->owner) : NULL;
	const struct node *node = map_get(&r->maps[RULES_NODE], old->node);
	int64_t serving;

	if (!deployment || deployment->terminating || set->terminating || disturbed(r, deployment))
		return;
	if (map_get(&r->ours, old->uid) || !node || node->lost || (now && !now->terminating)) {
		/* Not the Deployment's doing; it may have counted on this pod. */
		deployment->kills_seen = r->kills - 1;
		return;
	}
	sum_sets(r, deployment, &serving);
	r->counts.floors++;
	if (serving < window_least(&deployment->window))
		broken(r, "floor: with pod %s deleted, deployment %s has %lld ready pods of at least %lld",
		       old->name, deployment->name, (long long)serving,
		       (long long)window_least(&deployment->window));
}

static void pod_deleted(struct rules *r, const struct json_object *obj)
{
	const char *uid = object_uid(obj);
	struct pod *pod = map_remove(&r->maps[RULES_POD], uid);
	const struct node *node = pod ? map_get(&r->maps[RULES_NODE], pod->node) : NULL;

	if (!pod)
		return;
	r->counts.ended++;
	if (*pod->node && active(pod) && !map_get(&r->ours, uid) && node && !node->lost)
		broken(r, "loss: pod %s on node %s is gone, and nobody deleted it", pod->name, pod->node);
	if (serves(pod))
		check_floor(r, pod, NULL);
	pod_free(pod);
}

static void pod_change(struct rules *r, const struct json_object *obj, bool deleted)
{
	if (deleted) {
		pod_deleted(r, obj);
		return;
	}
	struct pod *pod = pod_read(obj);
	struct pod *old = map_get(&r->maps[RULES_POD], pod->uid);

	map_put(&r->maps[RULES_POD], pod->uid, pod);
	if (!old) {
		r->counts.created++;
		check_surplus(r, pod);
	}
	if (old && *old->node && strcmp(old->node, pod->node) != 0)
		broken(r, "binding: pod %s was on node %s and is now on \"%s\"", pod->name, old->node,
		       pod->node);
	if (*pod->node && !(old && *old->node)) {
		r->counts.bound++;
		check_room(r, pod);
	}
	if (old && serves(old) && !serves(pod))
		check_floor(r, old, pod);
	pod_free(old);
}

/* --- all --- */

struct rules *rules_new(void (*broken_fn)(const char *what, void *arg), void *arg)
{
	struct rules *r = mem_zalloc(sizeof(*r));

	r->broken = broken_fn;
	r->arg = arg;
	return r;
}

void rules_free(struct rules *r)
{
	const char *key;
	void *value;

	if (!r)
		return;
	for (size_t i = 0; map_next(&r->maps[RULES_NODE], &i, &key, &value);)
		node_free(value);
	for (size_t i = 0; map_next(&r->maps[RULES_POD], &i, &key, &value);)
		pod_free(value);
	for (enum rules_kind kind = RULES_SET; kind <= RULES_DEPLOYMENT; kind++)
		for (size_t i = 0; map_next(&r->maps[kind], &i, &key, &value);)
			owner_free(value);
	for (size_t i = 0; map_next(&r->ours, &i, &key, &value);)
		free(value);
	map_close(&r->ours);
	for (size_t i = 0; i < RULES_KINDS; i++)
		map_close(&r->maps[i]);
	free(r);
}

void rules_change(struct rules *r, enum rules_kind kind, const struct json_object *obj, bool deleted)
{
	if (kind == RULES_NODE)
		node_change(r, obj, deleted);
	else if (kind == RULES_POD)
		pod_change(r, obj, deleted);
	else
		owner_change(r, kind, obj, deleted);
}

void rules_killed(struct rules *r)
{
	r->kills++;
	r->calm = UINT64_MAX;
}

void rules_calm_since(struct rules *r, uint64_t revision)
{
	if (revision < r->calm)
		r->calm = revision;
}

void rules_we_delete(struct rules *r, const char *uid)
{
	char *copy = mem_dup(uid);

	free(map_put(&r->ours, copy, copy));
}

const struct rules_counts *rules_counts(const struct rules *rules)
{
	return &rules->counts;
}

size_t rules_pods(const struct rules *rules)
{
	return rules->maps[RULES_POD].count;
}
