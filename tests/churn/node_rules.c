#include "tests/churn/node_rules.h"

#include <stdlib.h>
#include <string.h>

#include "lib/map.h"
#include "tests/churn/object.h"

struct container {
	char *key; /* "UID/NAME" */
	char *id;  /* as last shown */
	unsigned ids;
	unsigned sure, all; /* attempts hit: while they ran; at any time */
	unsigned last_hit;
};

struct pod {
	char *uid;
	bool ready, forgiven;
};

struct node_rules {
	void (*broken)(const char *what, void *arg);
	void *arg;
	struct map pods, containers;
};

static void broken(struct node_rules *r, const char *format, ...) PRINTF_LIKE(2, 3);
static void broken(struct node_rules *r, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	CLEANUP(mem_freep) char *text = mem_vprintf(format, ap);
	va_end(ap);
	r->broken(text, r->arg);
}

static struct container *container_get(struct node_rules *r, const char *uid, const char *name)
{
	CLEANUP(mem_freep) char *key = mem_printf("%s/%s", uid, name);
	struct container *c = map_get(&r->containers, key);

	if (c)
		return c;
	c = mem_zalloc(sizeof(*c));
	c->key = TAKE(key);
	c->id = mem_dup("");
	map_put(&r->containers, c->key, c);
	return c;
}

static struct pod *pod_get(struct node_rules *r, const char *uid)
{
	struct pod *pod = map_get(&r->pods, uid);

	if (pod)
		return pod;
	pod = mem_zalloc(sizeof(*pod));
	pod->uid = mem_dup(uid);
	map_put(&r->pods, pod->uid, pod);
	return pod;
}

/* A pod whose containers are not run again shows that it is no longer ready before it shows that it has
 * ended. */
static bool is_over(const struct json_object *obj)
{
	const struct json_object *list = json_path(obj, "status", "containerStatuses", NULL);
	bool again = strcmp(json_str_or_empty(json_get(obj, "spec"), "restartPolicy"), "Always") == 0;

	for (size_t i = 0; !again && i < json_len(list); i++)
		if (json_path(json_at(list, i), "state", "terminated", NULL))
			return true;
	return object_terminating(obj) || object_ended(obj);
}

/* Follows the IDs; true when the status shows all that was hit while it ran. */
static bool see_containers(struct node_rules *r, const char *uid, const struct json_object *obj)
{
	const struct json_object *list = json_path(obj, "status", "containerStatuses", NULL);
	const char *pod = object_name(obj);
	bool all_shown = true;

	for (size_t i = 0; i < json_len(list); i++) {
		const char *name = json_str_or_empty(json_at(list, i), "name");
		const char *id = json_str_or_empty(json_at(list, i), "containerID");
		struct container *c = container_get(r, uid, name);
		all_shown &= json_int(json_at(list, i), "restartCount", 0) >= (int64_t)c->all;
		if (!*id || strcmp(id, c->id) == 0)
			continue;
		free(c->id);
		c->id = mem_dup(id);
		if (++c->ids > 1 + c->all)
			broken(r, "restart: container %s of pod %s is the %u., and %u of them were hit", name,
			       pod, c->ids, c->all);
	}
	return all_shown;
}

void node_rules_pod(struct node_rules *r, const struct json_object *obj, bool deleted)
{
	const char *uid = object_uid(obj);
	struct pod *pod = pod_get(r, uid);
	bool ready = object_ready(obj), over = deleted || is_over(obj);
	bool all_shown = see_containers(r, uid, obj);

	if (pod->ready && !ready && !over && !pod->forgiven)
		broken(r, "flicker: pod %s is no longer ready, and nobody hit it", object_name(obj));
	pod->ready = ready;
	if (ready && all_shown)
		pod->forgiven = false;
}

void node_rules_hit(struct node_rules *r, const char *uid, const char *name, unsigned attempt, bool runs)
{
	struct container *c = container_get(r, uid, name);

	pod_get(r, uid)->forgiven = true;
	if (c->all > 0 && c->last_hit == attempt)
		return;
	c->last_hit = attempt;
	c->all++;
	c->sure += runs;
}

unsigned node_rules_hits(const struct node_rules *r, const char *uid, const char *name)
{
	CLEANUP(mem_freep) char *key = mem_printf("%s/%s", uid, name);
	const struct container *c = map_get(&r->containers, key);

	return c ? c->all : 0;
}

bool node_rules_restarts_right(const struct node_rules *r, const struct json_object *obj, struct buf *why)
{
	const struct json_object *list = json_path(obj, "status", "containerStatuses", NULL);
	const char *uid = object_uid(obj);

	for (size_t i = 0; i < json_len(list); i++) {
		const char *name = json_str_or_empty(json_at(list, i), "name");
		CLEANUP(mem_freep) char *key = mem_printf("%s/%s", uid, name);
		const struct container *c = map_get(&r->containers, key);
		int64_t got = json_int(json_at(list, i), "restartCount", 0);
		if (got >= (c ? c->sure : 0) && got <= (c ? c->all : 0))
			continue;
		buf_printf(
		    why,
		    "container %s of pod %s has restartCount %lld, and was hit %u times (%u while it ran)",
		    name, object_name(obj), (long long)got, c ? c->all : 0, c ? c->sure : 0);
		return false;
	}
	return true;
}

struct node_rules *node_rules_new(void (*broken_fn)(const char *what, void *arg), void *arg)
{
	struct node_rules *r = mem_zalloc(sizeof(*r));

	r->broken = broken_fn;
	r->arg = arg;
	return r;
}

void node_rules_free(struct node_rules *r)
{
	const char *key;
	void *value;

	if (!r)
		return;
	for (size_t i = 0; map_next(&r->pods, &i, &key, &value);) {
		free(((struct pod *)value)->uid);
		free(value);
	}
	for (size_t i = 0; map_next(&r->containers, &i, &key, &value);) {
		free(((struct container *)value)->key);
		free(((struct container *)value)->id);
		free(value);
	}
	map_close(&r->pods);
	map_close(&r->containers);
	free(r);
}
