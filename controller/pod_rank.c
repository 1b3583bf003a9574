#include "controller/pod_rank.h"

#include <stdlib.h>
#include <string.h>

#include "lib/map.h"
#include "lib/mem.h"

/* A pod with what the order needs beyond it. */
struct ranked {
	struct cached_pod *pod;
	uint32_t on_node; /* pods of the set on its node */
	int ready_bucket; /* log2 of the seconds that it has been ready */
	int created_bucket;
};

/* Times count by order of magnitude, so that of pods started together not always the same one goes. */
static int bucket(int64_t since_us, int64_t now_us)
{
	int64_t seconds = since_us ? (now_us - since_us) / 1000000 : 0;

	return seconds <= 0 ? 0 : 64 - __builtin_clzll((unsigned long long)seconds);
}

static int phase_order(enum pod_phase phase)
{
	return phase == PHASE_PENDING ? 0 : phase == PHASE_UNKNOWN ? 1 : 2;
}

static int cmp(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

static int compare(const void *x, const void *y)
{
	const struct ranked *a = x, *b = y;
	int c;

	if ((c = cmp(a->pod->node_name != NULL, b->pod->node_name != NULL)) ||
	    (c = cmp(phase_order(a->pod->phase), phase_order(b->pod->phase))) ||
	    (c = cmp(a->pod->ready, b->pod->ready)) ||
	    (c = cmp(a->pod->deletion_cost, b->pod->deletion_cost)) || (c = cmp(b->on_node, a->on_node)) ||
	    (c = cmp(a->ready_bucket, b->ready_bucket)) || (c = cmp(b->pod->restarts, a->pod->restarts)) ||
	    (c = cmp(a->created_bucket, b->created_bucket)))
		return c;
	return strcmp(a->pod->meta.item.uid,
		      b->pod->meta.item.uid); /* the same choice each time it is asked */
}

void pod_rank_sort(struct cached_pod **pods, size_t n, int64_t now_us)
{
	CLEANUP(mem_freep) struct ranked *ranked = mem_zalloc((n + 1) * sizeof(*ranked));
	CLEANUP(map_close) struct map on_node = MAP_INIT;

	for (size_t i = 0; i < n; i++)
		if (pods[i]->node_name)
			map_put(&on_node, pods[i]->node_name,
				(void *)((uintptr_t)map_get(&on_node, pods[i]->node_name) + 1));
	for (size_t i = 0; i < n; i++)
		ranked[i] = (struct ranked){
			.pod = pods[i],
			.on_node = pods[i]->node_name
				       ? (uint32_t)(uintptr_t)map_get(&on_node, pods[i]->node_name)
				       : 0,
			.ready_bucket = pods[i]->ready ? bucket(pods[i]->ready_since_us, now_us) : 0,
			.created_bucket = bucket(pods[i]->meta.created_us, now_us),
		};
	qsort(ranked, n, sizeof(*ranked), compare);
	for (size_t i = 0; i < n; i++)
		pods[i] = ranked[i].pod;
}
