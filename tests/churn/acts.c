#include "tests/churn/acts.h"

#include <stdlib.h>
#include <string.h>

#include "lib/json.h"
#include "tests/churn/churn.h"
#include "tests/churn/players.h"

#define DEPLOYMENTS "/apis/apps/v1/namespaces/" WANTED_NAMESPACE "/deployments"
#define SETS        "/apis/apps/v1/namespaces/" WANTED_NAMESPACE "/replicasets"
#define PODS        "/api/v1/namespaces/" WANTED_NAMESPACE "/pods"
#define MERGE       "application/merge-patch+json"

struct acts {
	struct churn *churn;
	struct rng rng;
	struct wanted *wanted;
	void (*we_delete)(const char *uid, void *arg);
	void *arg;
	size_t count, refused;
	unsigned named; /* numbers in names: none is used twice but on purpose */
};

/* --- calls --- */

/* Whether it did what was asked for; anything else is a fault. A repeated call may find its own work done. */
static bool call(struct acts *a, const char *method, const char *path, const char *content_type,
		 const char *body)
{
	CLEANUP(buf_close) struct buf answer = BUF_INIT;
	bool repeated;
	int code = churn_call(a->churn, method, path, content_type, body, &answer, &repeated);
	bool done_before = repeated && ((code == 409 && strcmp(method, "POST") == 0) ||
					(code == 404 && strcmp(method, "DELETE") == 0));

	if ((code >= 200 && code < 300) || done_before)
		return true;
	if (code > 0)
		churn_fault(a->churn, "%s %s: answered %d: %.300s", method, path, code, answer.data);
	return false;
}

static void patch(struct acts *a, const char *collection, const char *name, const char *format, ...)
    PRINTF_LIKE(4, 5);
static void patch(struct acts *a, const char *collection, const char *name, const char *format, ...)
{
	CLEANUP(mem_freep) char *path = mem_printf("%s/%s", collection, name);
	va_list ap;

	va_start(ap, format);
	CLEANUP(mem_freep) char *body = mem_vprintf(format, ap);
	va_end(ap);
	call(a, "PATCH", path, MERGE, body);
}

static void delete (struct acts *a, const char *collection, const char *name, const char *policy)
{
	CLEANUP(mem_freep) char *path = mem_printf("%s/%s", collection, name);
	CLEANUP(mem_freep) char *body = mem_printf("{\"propagationPolicy\":\"%s\"}", policy);

	call(a, "DELETE", path, NULL, body);
}

/* --- slots --- */

static struct wanted_deployment *some_deployment(struct acts *a, bool exists)
{
	size_t first = rng_below(&a->rng, WANTED_DEPLOYMENTS);

	for (size_t i = 0; i < WANTED_DEPLOYMENTS; i++) {
		struct wanted_deployment *d = &a->wanted->deployments[(first + i) % WANTED_DEPLOYMENTS];
		if (d->exists == exists)
			return d;
	}
	return NULL;
}

static struct wanted_set *some_set(struct acts *a, bool exists)
{
	size_t first = rng_below(&a->rng, WANTED_SETS);

	for (size_t i = 0; i < WANTED_SETS; i++)
		if (a->wanted->sets[(first + i) % WANTED_SETS].exists == exists)
			return &a->wanted->sets[(first + i) % WANTED_SETS];
	return NULL;
}

static struct wanted_pod *some_pod(struct acts *a, bool exists)
{
	size_t first = rng_below(&a->rng, WANTED_PODS);

	for (size_t i = 0; i < WANTED_PODS; i++)
		if (a->wanted->pods[(first + i) % WANTED_PODS].exists == exists)
			return &a->wanted->pods[(first + i) % WANTED_PODS];
	return NULL;
}

static int some_replicas(struct acts *a)
{
	return (int)churn_between(&a->rng, 0, WANTED_MOST_REPLICAS);
}

static int some_millicpu(struct acts *a)
{
	return (int)churn_between(&a->rng, 1, 5) * 100;
}

/* --- the acts; false: nothing to do it to --- */

static void create_deployment(struct acts *a, struct wanted_deployment *d)
{
	CLEANUP(buf_close) struct buf body = BUF_INIT;

	wanted_deployment_body(d, &body);
	churn_note(a->churn,
		   "create deployment %s: %d replicas, version %d, surge %s, unavailable %s, history %d",
		   d->name, d->replicas, d->version, d->surge ? d->surge : "-",
		   d->unavailable ? d->unavailable : "-", d->history);
	call(a, "POST", DEPLOYMENTS, NULL, body.data);
}

static bool act_create(struct acts *a)
{
	static const char *const bounds[][2] = { { "1", "0" },
						 { "0", "1" },
						 { "\"25%\"", "\"25%\"" },
						 { "\"50%\"", "\"0%\"" },
						 { "3", "2" },
						 { "\"100%\"", "\"100%\"" },
						 { NULL, NULL } };
	struct wanted_deployment *d = some_deployment(a, false);

	if (!d)
		return false;
	const char *const *bound = bounds[rng_below(&a->rng, ARRAY_SIZE(bounds))];
	*d = (struct wanted_deployment){ .exists = true,
					 .replicas = some_replicas(a),
					 .version = 1,
					 .millicpu = some_millicpu(a),
					 .history = (int)churn_between(&a->rng, 0, 3),
					 .surge = bound[0],
					 .unavailable = bound[1] };
	snprintf(d->name, sizeof(d->name), "d%u", a->named++);
	create_deployment(a, d);
	return true;
}

static bool act_scale(struct acts *a)
{
	struct wanted_deployment *d = some_deployment(a, true);

	if (!d)
		return false;
	d->replicas = some_replicas(a);
	churn_note(a->churn, "scale deployment %s to %d", d->name, d->replicas);
	CLEANUP(mem_freep) char *name = mem_printf("%s/scale", d->name);
	patch(a, DEPLOYMENTS, name, "{\"spec\":{\"replicas\":%d}}", d->replicas);
	return true;
}

static bool act_roll(struct acts *a)
{
	struct wanted_deployment *d = some_deployment(a, true);

	if (!d)
		return false;
	/* An earlier version is a rollback: its ReplicaSet may still be there. */
	bool back = d->version > 1 && rng_chance(&a->rng, 35);
	d->version = back ? (int)churn_between(&a->rng, 1, d->version - 1) : d->version + 1;
	churn_note(a->churn, "%s deployment %s to version %d", back ? "roll back" : "roll", d->name,
		   d->version);
	patch(a, DEPLOYMENTS, d->name,
	      "{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"played:%d\","
	      "\"resources\":{"
	      "\"requests\":{\"cpu\":\"%dm\",\"memory\":\"64Mi\"}}}]}}}}",
	      d->version, d->millicpu);
	return true;
}

static void set_paused(struct acts *a, struct wanted_deployment *d, bool paused)
{
	d->paused = paused;
	churn_note(a->churn, "%s deployment %s", paused ? "pause" : "resume", d->name);
	patch(a, DEPLOYMENTS, d->name, "{\"spec\":{\"paused\":%s}}", paused ? "true" : "false");
}

static bool act_pause(struct acts *a)
{
	struct wanted_deployment *d = some_deployment(a, true);

	if (!d)
		return false;
	set_paused(a, d, !d->paused);
	return true;
}

/* A name is free again only after a deletion in the background: in the foreground the old object stays for a
 * while. */
static bool act_delete(struct acts *a)
{
	static const char *const policies[] = { "Background", "Foreground" };
	struct wanted_deployment *d = some_deployment(a, true);

	if (!d)
		return false;
	const char *policy = policies[rng_below(&a->rng, ARRAY_SIZE(policies))];
	churn_note(a->churn, "delete deployment %s: %s", d->name, policy);
	d->exists = false;
	delete (a, DEPLOYMENTS, d->name, policy);
	return true;
}

static bool act_replace(struct acts *a)
{
	struct wanted_deployment *d = some_deployment(a, true);

	if (!d)
		return false;
	/* The old one's ReplicaSets have the names that the new one wants for its own. */
	churn_note(a->churn, "replace deployment %s", d->name);
	delete (a, DEPLOYMENTS, d->name, "Background");
	d->replicas = some_replicas(a);
	d->paused = false;
	create_deployment(a, d);
	return true;
}

struct asked {
	struct churn *churn;
	const char *path;
};

static bool gone(struct buf *why, void *arg)
{
	const struct asked *asked = arg;

	buf_str(why, asked->path);
	return churn_call(asked->churn, "GET", asked->path, NULL, NULL, NULL, NULL) == 404;
}

static bool act_orphan(struct acts *a)
{
	struct wanted_deployment *d = some_deployment(a, true);

	if (!d)
		return false;
	CLEANUP(mem_freep) char *path = mem_printf(DEPLOYMENTS "/%s", d->name);
	struct asked asked = { a->churn, path };
	churn_note(a->churn, "delete deployment %s and leave its ReplicaSets, then create it again", d->name);
	delete (a, DEPLOYMENTS, d->name, "Orphan");
	churn_until(a->churn, "an orphaned deployment is gone", 60000, gone, &asked);
	d->paused = false;
	create_deployment(a, d);
	return true;
}

static bool act_set(struct acts *a)
{
	struct wanted_set *set = some_set(a, rng_chance(&a->rng, 60));

	if (!set)
		return false;
	if (!set->exists) {
		CLEANUP(buf_close) struct buf body = BUF_INIT;
		*set = (struct wanted_set){ .exists = true,
					    .replicas = some_replicas(a),
					    .millicpu = some_millicpu(a) };
		snprintf(set->name, sizeof(set->name), "s%u", a->named++);
		churn_note(a->churn, "create replica set %s: %d replicas", set->name, set->replicas);
		wanted_set_body(set, &body);
		call(a, "POST", SETS, NULL, body.data);
	} else if (rng_chance(&a->rng, 25)) {
		set->exists = false;
		churn_note(a->churn, "delete replica set %s", set->name);
		delete (a, SETS, set->name, rng_chance(&a->rng, 50) ? "Background" : "Foreground");
	} else {
		set->replicas = some_replicas(a);
		churn_note(a->churn, "scale replica set %s to %d", set->name, set->replicas);
		patch(a, SETS, set->name, "{\"spec\":{\"replicas\":%d}}", set->replicas);
	}
	return true;
}

static bool act_pod(struct acts *a)
{
	struct wanted_pod *pod = some_pod(a, rng_chance(&a->rng, 40));
	CLEANUP(buf_close) struct buf body = BUF_INIT;

	if (!pod)
		return false;
	if (pod->exists) {
		CLEANUP(mem_freep) char *path = mem_printf(PODS "/%s", pod->name);
		pod->exists = false;
		churn_note(a->churn, "delete pod %s", pod->name);
		/* 404: its node was lost, and it with it. */
		churn_call(a->churn, "DELETE", path, NULL, "{}", NULL, NULL);
		return true;
	}
	*pod = (struct wanted_pod){ .exists = true, .completes = rng_chance(&a->rng, 40) };
	snprintf(pod->name, sizeof(pod->name), "p%u", a->named++);
	churn_note(a->churn, "create pod %s%s", pod->name, pod->completes ? ", which completes" : "");
	wanted_pod_body(pod, &body);
	call(a, "POST", PODS, NULL, body.data);
	return true;
}

/* One of the pods that there are, which depends on the run and not only on the seed. */
static struct json_object *some_owned_pod(struct acts *a, bool bound)
{
	CLEANUP(json_putp) struct json_object *list = churn_get(a->churn, PODS "?labelSelector=app");
	const struct json_object *items = json_get(list, "items");
	size_t first = rng_below(&a->rng, 1000);

	for (size_t i = 0; i < json_len(items); i++) {
		struct json_object *pod = json_at(items, (first + i) % json_len(items));
		if (!json_path(pod, "metadata", "deletionTimestamp", NULL) &&
		    (!bound || *json_str_or_empty(json_get(pod, "spec"), "nodeName")))
			return json_object_get(pod);
	}
	return NULL;
}

static bool act_delete_owned(struct acts *a)
{
	bool force = rng_chance(&a->rng, 30);
	CLEANUP(json_putp) struct json_object *pod = some_owned_pod(a, false);
	const struct json_object *metadata = json_get(pod, "metadata");

	if (!pod)
		return false;
	CLEANUP(mem_freep) char *path = mem_printf(PODS "/%s", json_str(metadata, "name"));
	CLEANUP(mem_freep)
	char *body = mem_printf("{%s\"preconditions\":{\"uid\":\"%s\"}}",
				force ? "\"gracePeriodSeconds\":0," : "", json_str(metadata, "uid"));
	churn_note(a->churn, "delete pod %s%s", json_str(metadata, "name"), force ? " by force" : "");
	a->we_delete(json_str(metadata, "uid"), a->arg);
	churn_call(a->churn, "DELETE", path, NULL, body, NULL, NULL);
	return true;
}

static bool act_bind_again(struct acts *a)
{
	CLEANUP(json_putp) struct json_object *pod = some_owned_pod(a, true);
	const struct json_object *metadata = json_get(pod, "metadata");

	if (!pod)
		return false;
	CLEANUP(mem_freep) char *path = mem_printf(PODS "/%s/binding", json_str(metadata, "name"));
	CLEANUP(mem_freep)
	char *body = mem_printf("{\"apiVersion\":\"v1\",\"kind\":\"Binding\",\"metadata\":{\"name\":\"%s\"},"
				"\"target\":{\"kind\":\"Node\",\"name\":\"%s\"}}",
				json_str(metadata, "name"), players_name(0));
	int code = churn_call(a->churn, "POST", path, NULL, body, NULL, NULL);
	churn_note(a->churn, "bind pod %s again: %d", json_str(metadata, "name"), code);
	if (code == 409)
		a->refused++;
	else if (code != 404 && code > 0)
		churn_fault(a->churn, "binding pod %s a second time was answered %d, not 409",
			    json_str(metadata, "name"), code);
	return true;
}

static const struct {
	unsigned weight;
	bool (*act)(struct acts *a);
} rows[] = {
	{ 12, act_create }, { 22, act_scale },       { 20, act_roll },      { 6, act_pause },
	{ 5, act_delete },  { 4, act_replace },      { 2, act_orphan },     { 9, act_set },
	{ 12, act_pod },    { 6, act_delete_owned }, { 2, act_bind_again },
};

void acts_next(struct acts *a)
{
	unsigned all = 0;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		all += rows[i].weight;
	size_t drawn = rng_below(&a->rng, (uint32_t)all), i = 0;
	while (drawn >= rows[i].weight)
		drawn -= rows[i++].weight;
	if (rows[i].act(a))
		a->count++;
}

void acts_settle(struct acts *a)
{
	for (size_t i = 0; i < WANTED_DEPLOYMENTS; i++)
		if (a->wanted->deployments[i].exists && a->wanted->deployments[i].paused)
			set_paused(a, &a->wanted->deployments[i], false);
}

void acts_delete_all(struct acts *a)
{
	struct wanted *w = a->wanted;

	churn_note(a->churn, "delete everything");
	for (size_t i = 0; i < WANTED_DEPLOYMENTS; i++)
		if (w->deployments[i].exists)
			delete (a, DEPLOYMENTS, w->deployments[i].name, i % 2 ? "Foreground" : "Background");
	for (size_t i = 0; i < WANTED_SETS; i++)
		if (w->sets[i].exists)
			delete (a, SETS, w->sets[i].name, "Background");
	for (size_t i = 0; i < WANTED_PODS; i++) {
		CLEANUP(mem_freep) char *path = mem_printf(PODS "/%s", w->pods[i].name);
		if (w->pods[i].exists)
			churn_call(a->churn, "DELETE", path, NULL, "{}", NULL, NULL);
	}
	*w = (struct wanted){ 0 };
}

struct acts *acts_new(struct churn *churn, struct wanted *wanted,
		      void (*we_delete)(const char *uid, void *arg), void *arg)
{
	struct acts *a = mem_zalloc(sizeof(*a));

	*a = (struct acts){ .churn = churn,
			    .rng = rng_of(churn->opts->seed, CHURN_ACTS),
			    .wanted = wanted,
			    .we_delete = we_delete,
			    .arg = arg };
	return a;
}

void acts_free(struct acts *acts)
{
	free(acts);
}

size_t acts_count(const struct acts *acts)
{
	return acts->count;
}

size_t acts_refused(const struct acts *acts)
{
	return acts->refused;
}
