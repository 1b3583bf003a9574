#include "controller/pod_cidr.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/key_run.h"
#include "lib/log.h"

enum { NODE_PREFIX = 24, MAX_RUNNING = 32 };

/* --- the pool --- */

static bool parse_cidr(const char *text, uint32_t *ret_address, unsigned *ret_prefix)
{
	const char *slash = strchr(text, '/');
	CLEANUP(mem_freep) char *address = slash ? mem_dupn(text, (size_t)(slash - text)) : NULL;
	struct in_addr in;
	char *end;

	if (!address || inet_pton(AF_INET, address, &in) != 1 || slash[1] < '0' || slash[1] > '9')
		return false;
	unsigned long prefix = strtoul(slash + 1, &end, 10);
	if (*end || prefix > 32)
		return false;
	*ret_address = ntohl(in.s_addr);
	*ret_prefix = (unsigned)prefix;
	return true;
}

int pod_cidr_check(const char *cidr, struct err *err)
{
	uint32_t address;
	unsigned prefix;

	if (!parse_cidr(cidr, &address, &prefix))
		return err_set(err, ERR_BAD_REQUEST,
			       "--cluster-cidr: \"%s\" is no IPv4 range such as 10.244.0.0/16", cidr);
	if (prefix < 8 || prefix > NODE_PREFIX)
		return err_set(err, ERR_BAD_REQUEST,
			       "--cluster-cidr: \"%s\": the prefix must be between 8 and %d", cidr,
			       NODE_PREFIX);
	if (address & (UINT32_MAX >> prefix))
		return err_set(err, ERR_BAD_REQUEST, "--cluster-cidr: \"%s\" has bits set outside its prefix",
			       cidr);
	return 0;
}

void cidr_pool_init(struct cidr_pool *pool, const char *cidr)
{
	unsigned prefix = NODE_PREFIX;

	*pool = (struct cidr_pool){ 0 };
	parse_cidr(cidr, &pool->base, &prefix);
	pool->n = 1U << (NODE_PREFIX - prefix);
	pool->holders = mem_zalloc(pool->n * sizeof(*pool->holders));
}

void cidr_pool_close(struct cidr_pool *pool)
{
	free(pool->holders);
}

int64_t cidr_pool_take(struct cidr_pool *pool)
{
	for (uint32_t i = 0; i < pool->n; i++) {
		uint32_t range = (pool->next + i) % pool->n;
		if (pool->holders[range])
			continue;
		pool->holders[range] = 1;
		pool->next = (range + 1) % pool->n;
		return range;
	}
	return -1;
}

int64_t cidr_pool_hold(struct cidr_pool *pool, const char *cidr)
{
	uint32_t address;
	unsigned prefix;

	if (!parse_cidr(cidr, &address, &prefix) || address < pool->base)
		return -1;
	uint32_t range = (address - pool->base) >> (32 - NODE_PREFIX);
	if (range >= pool->n || pool->holders[range] == UINT16_MAX)
		return -1;
	pool->holders[range]++;
	return range;
}

void cidr_pool_release(struct cidr_pool *pool, int64_t range)
{
	if (range >= 0 && pool->holders[range] > 0)
		pool->holders[range]--;
}

const char *cidr_pool_format(const struct cidr_pool *pool, int64_t range, char *buf)
{
	struct in_addr in = { .s_addr = htonl(pool->base + (uint32_t)(range << (32 - NODE_PREFIX))) };
	char address[INET_ADDRSTRLEN];

	inet_ntop(AF_INET, &in, address, sizeof(address));
	snprintf(buf, 20, "%s/%d", address, NODE_PREFIX);
	return buf;
}

/* --- the controller --- */

/* What a node holds, from when it is given, which is before its object says so. */
struct holding {
	int64_t range; /* -1: none of the pool */
	char name[];
};

struct pod_cidrs {
	struct api_client *client;
	struct cache *cache;
	const struct resource *resource;
	struct event_recorder *events;
	struct work_queue *queue;
	struct cidr_pool pool;
	struct map holdings; /* node name -> struct holding */
};

static struct holding *holding_of(struct pod_cidrs *cidrs, const char *node)
{
	struct holding *holding = map_get(&cidrs->holdings, node);
	size_t size = strlen(node) + 1;

	if (holding)
		return holding;
	holding = mem_alloc(sizeof(*holding) + size);
	holding->range = -1;
	memcpy(holding->name, node, size);
	map_put(&cidrs->holdings, holding->name, holding);
	return holding;
}

static void let_go(struct pod_cidrs *cidrs, const char *node)
{
	struct holding *holding = map_remove(&cidrs->holdings, node);

	if (holding)
		cidr_pool_release(&cidrs->pool, holding->range);
	free(holding);
}

static void give(struct pod_cidrs *cidrs, const struct cached_node *node, struct holding *holding)
{
	CLEANUP(buf_close) struct buf path = BUF_INIT, body = BUF_INIT;
	char cidr[20];

	cidr_pool_format(&cidrs->pool, holding->range, cidr);
	meta_path(&path, cidrs->resource, NULL, node->meta.name, NULL);
	buf_str(&body, "{\"metadata\":{\"uid\":");
	buf_json_string(&body, node->meta.item.uid);
	buf_printf(&body, "},\"spec\":{\"podCIDR\":\"%s\",\"podCIDRs\":[\"%s\"]}}", cidr, cidr);
	struct key_run *run = key_run_begin(cidrs->queue, node->meta.item.key, cidrs->client, "node");
	key_run_call(run, "PATCH", &path, "application/merge-patch+json", &body, NULL, NULL);
	key_run_end(run);
}

static void tell_none_left(struct pod_cidrs *cidrs, const struct cached_node *node)
{
	struct event_object about = {
		.api_version = "v1", .kind = "Node", .name = node->meta.name, .uid = node->meta.item.uid
	};

	event_record(cidrs->events, &about, "Normal", "CIDRNotAvailable",
		     "Node %s status is now: CIDRNotAvailable", node->meta.name);
	log_warn("no range of pod addresses left", "node", node->meta.name, NULL);
}

static void reconcile(struct work_queue *queue, const char *key, void *arg)
{
	struct pod_cidrs *cidrs = arg;
	const struct cached_node *node = cache_get(cidrs->cache, cidrs->resource, key);

	if (!node || node->pod_cidr || node->meta.deleting || !cache_synced(cidrs->cache)) {
		work_queue_done(queue, key, WORK_OK);
		return;
	}
	struct holding *holding = holding_of(cidrs, node->meta.name);
	if (holding->range < 0)
		holding->range = cidr_pool_take(&cidrs->pool);
	if (holding->range < 0) {
		tell_none_left(cidrs, node);
		work_queue_done(queue, key, WORK_RETRY);
		return;
	}
	give(cidrs, node, holding);
}

static void node_changed(const struct resource *resource, struct meta *old, struct meta *new_, void *arg)
{
	struct pod_cidrs *cidrs = arg;
	const struct cached_node *was = (struct cached_node *)old, *is = (struct cached_node *)new_;

	(void)resource;
	if (!is) {
		let_go(cidrs, was->meta.name);
		return;
	}
	if (!is->pod_cidr) {
		work_queue_add(cidrs->queue, is->meta.item.key);
		return;
	}
	if (was && was->pod_cidr)
		return; /* it cannot be changed once it is set */
	struct holding *holding = holding_of(cidrs, is->meta.name);
	int64_t given = holding->range;
	holding->range = cidr_pool_hold(&cidrs->pool, is->pod_cidr);
	cidr_pool_release(&cidrs->pool, given);
}

struct pod_cidrs *pod_cidrs_new(struct loop *loop, struct api_client *client, struct cache *cache,
				const char *cluster_cidr)
{
	struct pod_cidrs *cidrs = mem_zalloc(sizeof(*cidrs));

	cidrs->client = client;
	cidrs->cache = cache;
	cidrs->resource = resource_find("", "v1", "nodes");
	cidrs->events = event_recorder_new(loop, client, "cidrAllocator", NULL);
	cidrs->queue = work_queue_new(loop, MAX_RUNNING, reconcile, cidrs);
	cidr_pool_init(&cidrs->pool, cluster_cidr);
	cache_watch(cache, cidrs->resource, node_changed, cidrs);
	return cidrs;
}

void pod_cidrs_synced(struct pod_cidrs *cidrs)
{
	const struct cached_node *node;

	for (size_t i = 0; (node = cache_next(cidrs->cache, cidrs->resource, &i));)
		if (!node->pod_cidr)
			work_queue_add(cidrs->queue, node->meta.item.key);
}

void pod_cidrs_free(struct pod_cidrs *cidrs)
{
	void *holding;

	if (!cidrs)
		return;
	work_queue_free(cidrs->queue);
	event_recorder_free(cidrs->events);
	for (size_t i = 0; map_next(&cidrs->holdings, &i, NULL, &holding);)
		free(holding);
	map_close(&cidrs->holdings);
	cidr_pool_close(&cidrs->pool);
	free(cidrs);
}
