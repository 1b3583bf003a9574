/* The built-in resources: facts/resources.tsv joined with the rows of kinds/. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/resource.h"
#include "lib/mem.h"

/* Subresources whose behaviour the API server has. GROUP_VERSION is their body's, where it is not the
 * resource's. */
static const struct {
	const char *name, *group_version;
} served_subresources[] = {
	{ "status", NULL },
	{ "scale", "autoscaling/v1" },
	{ "binding", NULL },
	{ "log", NULL },
	{ "finalize", NULL },
	{ "token", "authentication.k8s.io/v1" },
	{ "exec", NULL },
	{ "attach", NULL },
	{ "portforward", NULL },
	{ "proxy", NULL },
	{ "eviction", "policy/v1" },
	{ "ephemeralcontainers", NULL },
	{ "resize", NULL },
};

/* Filled once, lives as long as the process. */
static struct {
	pthread_once_t once;
	struct resource *all;
	size_t n;
} table = { .once = PTHREAD_ONCE_INIT };

static const char *const *parse_list(const char *list)
{
	const char **names = mem_zalloc(sizeof(*names));
	size_t n = 0;

	char *copy = mem_dup(list); /* the names point into it */
	for (char *rest = copy, *name; (name = strsep(&rest, ",")) != NULL;) {
		if (*name == '\0')
			continue;
		names = mem_realloc_array(names, n + 2, sizeof(*names));
		names[n++] = name;
		names[n] = NULL;
	}
	if (n == 0)
		free(copy);
	return names;
}

static const struct kind *kind_row(const char *api_version, const char *kind)
{
	for (size_t i = 0; kind_rows[i] != NULL; i++)
		if (strcmp(kind_rows[i]->kind, kind) == 0 &&
		    strcmp(kind_rows[i]->api_version, api_version) == 0)
			return kind_rows[i];
	return NULL;
}

static void add_subresource(struct resource *resource, const struct schema_resource *row, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(served_subresources); i++) {
		if (strcmp(served_subresources[i].name, name) != 0)
			continue;
		struct subresource *all = (struct subresource *)resource->subresources;
		all = mem_realloc_array(all, resource->n_subresources + 1, sizeof(*all));
		const char *group_version = served_subresources[i].group_version;
		all[resource->n_subresources++] = (struct subresource){
			.name = served_subresources[i].name,
			.kind = row->kind,
			.group_version = group_version == NULL ? row->group_version : group_version,
			.verbs = row->verbs,
		};
		resource->subresources = all;
	}
}

/* Three texts as one. Every program's start does it often enough to do without a format. */
static char *joined(const char *a, const char *b, const char *c)
{
	char *text = mem_alloc(strlen(a) + strlen(b) + strlen(c) + 1);

	stpcpy(stpcpy(stpcpy(text, a), b), c);
	return text;
}

static void add_resource(const struct schema_resource *row, const struct kind *kind)
{
	const char *slash = strchr(row->group_version, '/');
	char *group =
	    slash == NULL ? mem_dup("") : mem_dupn(row->group_version, (size_t)(slash - row->group_version));

	table.all = mem_realloc_array(table.all, table.n + 1, sizeof(*table.all));
	table.all[table.n++] = (struct resource){
		.group = group,
		.version = slash == NULL ? row->group_version : slash + 1,
		.group_version = row->group_version,
		.plural = row->name,
		.singular = row->singular,
		.kind_name = row->kind,
		.list_kind = joined(row->kind, "List", ""),
		.short_names = parse_list(row->short_names),
		.categories = parse_list(row->categories),
		.namespaced = row->namespaced,
		.verbs = row->verbs,
		.def = schema_def_find(kind->definition),
		.kind = kind,
		.qualified = *group == '\0' ? row->name : joined(row->name, ".", group),
	};
	if (table.all[table.n - 1].def == NULL) {
		fprintf(stderr, "kind %s: no definition %s\n", kind->kind, kind->definition);
		abort();
	}
}

static int compare(const void *a, const void *b)
{
	return resource_compare(a, b);
}

static const struct resource *stored_of(const struct resource *resource)
{
	const struct kind_view *view = resource->kind->view;

	for (size_t i = 0; view && i < table.n; i++)
		if (strcmp(table.all[i].group_version, view->api_version) == 0 &&
		    strcmp(table.all[i].kind_name, resource->kind_name) == 0)
			return &table.all[i];
	return resource;
}

static void fill_table(void)
{
	for (size_t i = 0; i < schema_n_resources; i++) {
		const struct schema_resource *row = &schema_resources[i];
		if (strchr(row->name, '/') != NULL)
			continue;
		const struct kind *kind = kind_row(row->group_version, row->kind);
		if (kind == NULL)
			continue;
		add_resource(row, kind);
		size_t len = strlen(row->name);
		/* They follow it. */
		for (size_t k = i + 1; k < schema_n_resources; k++) {
			const struct schema_resource *sub = &schema_resources[k];
			if (strncmp(sub->name, row->name, len) != 0 || sub->name[len] != '/')
				break;
			add_subresource(&table.all[table.n - 1], sub, sub->name + len + 1);
		}
	}
	if (table.n > 0)
		qsort(table.all, table.n, sizeof(*table.all), compare);
	for (size_t i = 0; i < table.n; i++) {
		table.all[i].index = (unsigned)i;
		table.all[i].stored = stored_of(&table.all[i]);
	}
}

const struct resource *resource_all(size_t *ret_n)
{
	pthread_once(&table.once, fill_table);
	*ret_n = table.n;
	return table.all;
}

const struct resource *resource_at(unsigned index)
{
	size_t n;
	const struct resource *all = resource_all(&n);

	return index < n ? &all[index] : NULL;
}
