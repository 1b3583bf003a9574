#include "controller/role_aggregation.h"

#include <stdlib.h>
#include <string.h>

#include "controller/key_run.h"
#include "lib/mem.h"

enum { MAX_RUNNING = 8 };

/* Keys are names of aggregated roles. */
struct role_aggregation {
	struct api_client *client;
	struct cache *cache;
	const struct resource *resource;
	struct work_queue *queue;
};

static struct json_object *parse_rules(const struct cached_cluster_role *role)
{
	struct json_object *rules = NULL;

	if (role->rules_json)
		json_parse(role->rules_json, strlen(role->rules_json), &rules, NULL, NULL);
	return rules;
}

static bool contains(const struct json_object *rules, const struct json_object *rule)
{
	for (size_t i = 0; i < json_len(rules); i++)
		if (json_equal(json_at(rules, i), rule))
			return true;
	return false;
}

static void add_rules(struct json_object *to, const struct cached_cluster_role *from)
{
	CLEANUP(json_putp) struct json_object *rules = parse_rules(from);

	for (size_t i = 0; i < json_len(rules); i++)
		if (!contains(to, json_at(rules, i)))
			json_object_array_add(to, json_object_get(json_at(rules, i)));
}

struct json_object *role_aggregation_rules(const struct cached_cluster_role *role,
					   const struct cached_cluster_role *const *roles, size_t n)
{
	struct json_object *rules = json_object_new_array();

	for (size_t s = 0; s < role->n_selectors; s++)
		for (size_t i = 0; i < n; i++)
			if (strcmp(roles[i]->meta.name, role->meta.name) != 0 &&
			    labels_match(roles[i]->meta.labels, &role->selectors[s]))
				add_rules(rules, roles[i]);
	return rules;
}

static int compare_names(const void *a, const void *b)
{
	const struct cached_cluster_role *const *x = a, *const *y = b;

	return strcmp((*x)->meta.name, (*y)->meta.name);
}

static struct json_object *wanted_rules(const struct role_aggregation *aggregation,
					const struct cached_cluster_role *role)
{
	const struct cached_cluster_role **roles = NULL, *each;
	struct json_object *rules;
	size_t n = 0;

	for (size_t i = 0; (each = cache_next(aggregation->cache, aggregation->resource, &i));) {
		roles = mem_realloc_array(roles, n + 1, sizeof(*roles));
		roles[n++] = each;
	}
	if (n)
		qsort(roles, n, sizeof(*roles), compare_names);
	rules = role_aggregation_rules(role, roles, n);
	free(roles);
	return rules;
}

static void reconcile(struct work_queue *queue, const char *key, void *arg)
{
	struct role_aggregation *aggregation = arg;
	const struct cached_cluster_role *role = cache_get(aggregation->cache, aggregation->resource, key);
	CLEANUP(json_putp) struct json_object *rules = NULL, *has = NULL;
	CLEANUP(buf_close) struct buf path = BUF_INIT, body = BUF_INIT;

	if (!cache_synced(aggregation->cache) || !role || !role->n_selectors || role->meta.deleting) {
		work_queue_done(queue, key, WORK_OK);
		return;
	}
	rules = wanted_rules(aggregation, role);
	has = parse_rules(role);
	if (json_equal(rules, has) || (!json_len(rules) && !json_len(has))) {
		work_queue_done(queue, key, WORK_OK);
		return;
	}
	meta_path(&path, aggregation->resource, NULL, key, NULL);
	/* Against the version it was computed from: what came meanwhile brings the key here again. */
	buf_printf(&body, "{\"metadata\":{\"resourceVersion\":\"%llu\"},\"rules\":",
		   (unsigned long long)role->meta.item.revision);
	json_write(&body, rules);
	buf_char(&body, '}');
	struct key_run *run = key_run_begin(queue, key, aggregation->client, "cluster role");
	key_run_call(run, "PATCH", &path, "application/merge-patch+json", &body, NULL, NULL);
	key_run_end(run);
}

static bool selects(const struct cached_cluster_role *role, const struct meta *meta)
{
	for (size_t i = 0; meta && i < role->n_selectors; i++)
		if (labels_match(meta->labels, &role->selectors[i]))
			return true;
	return false;
}

static void role_changed(const struct resource *resource, struct meta *old, struct meta *new_, void *arg)
{
	struct role_aggregation *aggregation = arg;
	const struct cached_cluster_role *role;
	const char *name = new_ ? new_->name : old->name;

	for (size_t i = 0; (role = cache_next(aggregation->cache, resource, &i));)
		if (role->n_selectors &&
		    (strcmp(role->meta.name, name) == 0 || selects(role, old) || selects(role, new_)))
			work_queue_add(aggregation->queue, role->meta.name);
}

struct role_aggregation *role_aggregation_new(struct loop *loop, struct api_client *client,
					      struct cache *cache)
{
	struct role_aggregation *aggregation = mem_zalloc(sizeof(*aggregation));

	aggregation->client = client;
	aggregation->cache = cache;
	aggregation->resource = resource_find("rbac.authorization.k8s.io", "v1", "clusterroles");
	aggregation->queue = work_queue_new(loop, MAX_RUNNING, reconcile, aggregation);
	cache_watch(cache, aggregation->resource, role_changed, aggregation);
	return aggregation;
}

void role_aggregation_synced(struct role_aggregation *aggregation)
{
	const struct cached_cluster_role *role;

	for (size_t i = 0; (role = cache_next(aggregation->cache, aggregation->resource, &i));)
		if (role->n_selectors)
			work_queue_add(aggregation->queue, role->meta.name);
}

void role_aggregation_free(struct role_aggregation *aggregation)
{
	if (!aggregation)
		return;
	work_queue_free(aggregation->queue);
	free(aggregation);
}
