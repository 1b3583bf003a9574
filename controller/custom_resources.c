#include "controller/custom_resources.h"

#include <stdlib.h>
#include <string.h>

#include "api/crd.h"
#include "lib/log.h"
#include "lib/mem.h"

struct custom_resources {
	struct cache *cache;
	const struct resource *resource;
	struct map by_name; /* of definitions: struct custom_resource */
};

struct custom_resource {
	struct crd *crd;
	const struct resource *row; /* that the cache watches; of CRD */
	char name[];
};

static void drop(struct custom_resources *resources, const char *name)
{
	struct custom_resource *custom = map_remove(&resources->by_name, name);

	if (!custom)
		return;
	cache_drop(resources->cache, custom->row);
	resource_publish(crd_family(custom->crd), NULL, 0);
	crd_unref(custom->crd);
	free(custom);
}

/* The version whose objects are watched: one is as good as another. */
static const struct resource *watched_row(const struct crd *crd)
{
	size_t n;
	const struct resource *const *rows = crd_rows(crd, &n);

	return n ? rows[0] : NULL;
}

/* The same names and versions: nothing else of a definition matters here. */
static bool same_rows(const struct crd *a, const struct crd *b)
{
	size_t n_a, n_b;
	const struct resource *const *rows_a = crd_rows(a, &n_a), *const *rows_b = crd_rows(b, &n_b);

	for (size_t i = 0; n_a == n_b && i < n_a; i++)
		if (strcmp(rows_a[i]->version, rows_b[i]->version) != 0 ||
		    strcmp(rows_a[i]->kind_name, rows_b[i]->kind_name) != 0)
			return false;
	return n_a == n_b;
}

static void put(struct custom_resources *resources, const struct cached_definition *definition)
{
	const char *name = definition->meta.name;
	struct custom_resource *custom = map_get(&resources->by_name, name);
	CLEANUP(json_putp) struct json_object *obj = NULL;
	const struct resource *const *rows;
	struct crd *crd = NULL;
	size_t n;

	if (!definition->established ||
	    json_parse(definition->json, strlen(definition->json), &obj, NULL, NULL) < 0 ||
	    crd_new(obj, NULL, 0, &crd, NULL) < 0) {
		drop(resources, name);
		return;
	}
	rows = crd_rows(crd, &n);
	if ((custom && same_rows(crd, custom->crd)) || !n) {
		if (!n)
			drop(resources, name);
		crd_unref(crd);
		return;
	}
	drop(resources, name);
	if (!resource_publish(NULL, rows, n)) {
		log_warn("a custom resource definition has the name of a resource that is there", "name",
			 name, NULL);
		crd_unref(crd);
		return;
	}
	custom = mem_zalloc(sizeof(*custom) + strlen(name) + 1);
	memcpy(custom->name, name, strlen(name) + 1);
	custom->crd = crd;
	custom->row = watched_row(crd);
	map_put(&resources->by_name, custom->name, custom);
	cache_add(resources->cache, custom->row);
}

static void changed(const struct resource *resource, struct meta *old, struct meta *new_, void *arg)
{
	struct custom_resources *resources = arg;

	(void)resource;
	if (new_)
		put(resources, (const struct cached_definition *)new_);
	else
		drop(resources, old->name);
}

struct custom_resources *custom_resources_new(struct loop *loop, struct api_client *client,
					      struct cache *cache)
{
	struct custom_resources *resources = mem_zalloc(sizeof(*resources));

	(void)loop;
	(void)client;
	resources->cache = cache;
	resources->resource = resource_find("apiextensions.k8s.io", "v1", "customresourcedefinitions");
	cache_watch(cache, resources->resource, changed, resources);
	return resources;
}

void custom_resources_synced(struct custom_resources *resources)
{
	(void)resources; /* changes were told from the first list on */
}

void custom_resources_free(struct custom_resources *resources)
{
	void *value;

	if (!resources)
		return;
	for (size_t i = 0; map_next(&resources->by_name, &i, NULL, &value);) {
		struct custom_resource *custom = value;

		resource_publish(crd_family(custom->crd), NULL, 0);
		crd_unref(custom->crd);
		free(custom);
	}
	map_close(&resources->by_name);
	free(resources);
}
