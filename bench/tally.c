#include "bench/tally.h"

#include <stdlib.h>
#include <string.h>

#include "lib/informer.h"
#include "lib/mem.h"
#include "lib/timefmt.h"

struct tally_watch {
	struct loop *loop;
	struct informer *informer;
	struct informer_type type;
	const char *avoid;
	struct tally now, wanted;
	const size_t *least; /* NULL: wait for WANTED */
	size_t least_n;
	bool waiting;
	int64_t reached_us;
};

struct seen {
	struct informer_item item;
	bool placed, ready, tainted;
};

static bool decode_pod(void *item, struct json_object *obj, void *arg)
{
	const struct tally_watch *watch = arg;
	struct seen *seen = item;
	const struct json_object *conditions = json_path(obj, "status", "conditions", NULL);
	const char *node = json_str_or_empty(json_get(obj, "spec"), "nodeName");

	seen->placed = *node && !json_path(obj, "metadata", "deletionTimestamp", NULL) &&
		       !(watch->avoid && strncmp(node, watch->avoid, strlen(watch->avoid)) == 0);
	for (size_t i = 0; i < json_len(conditions); i++)
		if (strcmp(json_str_or_empty(json_at(conditions, i), "type"), "Ready") == 0)
			seen->ready =
			    strcmp(json_str_or_empty(json_at(conditions, i), "status"), "True") == 0;
	return true;
}

static bool decode_node(void *item, struct json_object *obj, void *arg)
{
	struct seen *seen = item;
	const struct json_object *taints = json_path(obj, "spec", "taints", NULL);

	(void)arg;
	seen->ready = json_len(taints) == 0;
	for (size_t i = 0; i < json_len(taints); i++)
		seen->tainted |= strcmp(json_str_or_empty(json_at(taints, i), "effect"), "NoExecute") == 0;
	return true;
}

static bool is(size_t count, size_t wanted)
{
	return wanted == TALLY_ANY || count == wanted;
}

static bool reached(const struct tally_watch *watch)
{
	const struct tally *now = &watch->now, *wanted = &watch->wanted;

	if (watch->least)
		return *watch->least >= watch->least_n;
	return is(now->present, wanted->present) && is(now->placed, wanted->placed) &&
	       is(now->ready, wanted->ready) && is(now->tainted, wanted->tainted);
}

static void look(struct tally_watch *watch)
{
	if (!watch->waiting || !reached(watch))
		return;
	watch->waiting = false;
	watch->reached_us = time_mono_us();
	loop_stop(watch->loop);
}

static void count(struct tally_watch *watch, const struct seen *seen, bool comes)
{
	size_t one = comes ? 1 : (size_t)-1;

	watch->now.present += one;
	watch->now.placed += seen->placed ? one : 0;
	watch->now.ready += seen->ready ? one : 0;
	watch->now.tainted += seen->tainted ? one : 0;
}

static void added(void *item, void *arg)
{
	count(arg, item, true);
	look(arg);
}

static void updated(void *old, void *new_, void *arg)
{
	count(arg, old, false);
	count(arg, new_, true);
	look(arg);
}

static void deleted(void *item, void *arg)
{
	count(arg, item, false);
	look(arg);
}

static struct tally_watch *tally_new(struct loop *loop, struct api_client *client, const char *path,
				     const char *query, const char *const *wants, const char *avoid,
				     bool (*decode)(void *item, struct json_object *obj, void *arg))
{
	struct tally_watch *watch = mem_zalloc(sizeof(*watch));

	*watch = (struct tally_watch){ .loop = loop,
				       .avoid = avoid,
				       .type = { .path = path,
						 .query = query,
						 .wants = wants,
						 .item_size = sizeof(struct seen),
						 .decode = decode,
						 .added = added,
						 .updated = updated,
						 .deleted = deleted } };
	watch->informer = informer_new(loop, client, &watch->type, watch);
	while (!informer_synced(watch->informer))
		loop_turn(loop, -1);
	return watch;
}

struct tally_watch *tally_pods(struct loop *loop, struct api_client *client, const char *query,
			       const char *avoid)
{
	static const char *const wants[] = { "metadata.deletionTimestamp", "spec.nodeName",
					     "status.conditions.type", "status.conditions.status", NULL };

	return tally_new(loop, client, "/api/v1/pods", query, wants, avoid, decode_pod);
}

struct tally_watch *tally_nodes(struct loop *loop, struct api_client *client)
{
	static const char *const wants[] = { "spec.taints.effect", NULL };

	return tally_new(loop, client, "/api/v1/nodes", NULL, wants, NULL, decode_node);
}

void tally_free(struct tally_watch *watch)
{
	informer_free(watch->informer);
	free(watch);
}

static int64_t wait_reached(struct tally_watch *watch)
{
	watch->waiting = true;
	look(watch);
	loop_run(watch->loop);
	return watch->reached_us;
}

int64_t tally_until(struct tally_watch *watch, struct tally wanted)
{
	watch->least = NULL;
	watch->wanted = wanted;
	return wait_reached(watch);
}

int64_t tally_until_least(struct tally_watch *watch, const size_t *count_, size_t n)
{
	watch->least = count_;
	watch->least_n = n;
	return wait_reached(watch);
}

const struct tally *tally_now(const struct tally_watch *watch)
{
	return &watch->now;
}
