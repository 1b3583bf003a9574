#include "tests/crash/caches.h"

#include <stdlib.h>
#include <string.h>

#include "lib/informer.h"

struct cached {
	struct informer_item item;
	unsigned object;
	struct state state;
};

struct caches {
	struct run *run;
	struct informer *informers[HISTORY_RESOURCES];
	void (*changed)(void *arg);
	void *arg;
};

static bool decode(void *item, struct json_object *obj, void *arg)
{
	struct cached *cached = item;
	const char *uid;

	(void)arg;
	return objects_parse(obj, &cached->object, &cached->state, &uid);
}

static void changed(void *item, void *arg)
{
	struct caches *caches = arg;

	(void)item;
	caches->changed(caches->arg);
}

static void updated(void *old, void *new_, void *arg)
{
	struct caches *caches = arg;
	const struct cached *before = old, *after = new_;

	if (after->state.revision <= before->state.revision)
		verdict_fault(&caches->run->verdict,
			      "an informer went from revision %llu of object %u back to %llu",
			      (unsigned long long)before->state.revision, after->object,
			      (unsigned long long)after->state.revision);
	caches->changed(caches->arg);
}

static const struct informer_type types[HISTORY_RESOURCES] = {
	[HISTORY_CONFIG_MAP] = { .path = "/api/v1/configmaps",
				 .item_size = sizeof(struct cached),
				 .decode = decode,
				 .added = changed,
				 .updated = updated,
				 .deleted = changed },
	[HISTORY_POD] = { .path = "/api/v1/pods",
			  .item_size = sizeof(struct cached),
			  .decode = decode,
			  .added = changed,
			  .updated = updated,
			  .deleted = changed },
};

struct caches *caches_new(struct run *run, void (*changed_fn)(void *arg), void *arg)
{
	struct caches *caches = mem_zalloc(sizeof(*caches));

	caches->run = run;
	caches->changed = changed_fn;
	caches->arg = arg;
	for (size_t i = 0; i < HISTORY_RESOURCES; i++)
		caches->informers[i] = informer_new(run->loop, run->api, &types[i], caches);
	return caches;
}

void caches_free(struct caches *caches)
{
	if (!caches)
		return;
	for (size_t i = 0; i < HISTORY_RESOURCES; i++)
		informer_free(caches->informers[i]);
	free(caches);
}

static bool holds(const struct informer *informer, const struct item *item)
{
	const struct cached *cached;

	for (size_t i = 0; (cached = informer_next(informer, &i));) {
		if (cached->object == item->object)
			return state_same(&cached->state, &item->state);
	}
	return false;
}

bool caches_hold(const struct caches *caches, const struct item *items, size_t n)
{
	size_t held = 0;

	for (size_t i = 0; i < HISTORY_RESOURCES; i++)
		held += informer_count(caches->informers[i]);
	for (size_t i = 0; i < n; i++) {
		if (!holds(caches->informers[caches->run->history.objects[items[i].object].resource],
			   &items[i]))
			return false;
	}
	return held == n;
}
