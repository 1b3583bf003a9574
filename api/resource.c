#include "api/resource.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/mem.h"

/* Subresources whose behaviour the API server has. GROUP_VERSION is their body's, where it is not the
 * resource's. */
static const struct {
	const char *name, *group_version;
} served_subresources[] = {
	{ "status", NULL }, { "scale", "autoscaling/v1" }, { "binding", NULL },
	{ "log", NULL },    { "finalize", NULL },
};

static const struct {
	enum verb verb;
	const char *name;
} verb_names[] = {
	{ VERB_CREATE, "create" }, { VERB_DELETE, "delete" }, { VERB_DELETECOLLECTION, "deletecollection" },
	{ VERB_GET, "get" },       { VERB_LIST, "list" },     { VERB_PATCH, "patch" },
	{ VERB_UPDATE, "update" }, { VERB_WATCH, "watch" },
};

const char *verb_name(enum verb verb)
{
	for (size_t i = 0; i < ARRAY_SIZE(verb_names); i++)
		if (verb_names[i].verb == verb)
			return verb_names[i].name;
	return "";
}

enum verb verb_parse(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(verb_names); i++)
		if (strcmp(verb_names[i].name, name) == 0)
			return verb_names[i].verb;
	return 0;
}

/* Filled once, lives as long as the process. */
static struct {
	pthread_once_t once;
	struct resource *all;
	size_t n;
} table = { .once = PTHREAD_ONCE_INIT };

static unsigned parse_verbs(const char *list)
{
	char *copy CLEANUP(mem_freep) = mem_dup(list);
	unsigned verbs = 0;

	for (char *rest = copy, *name; (name = strsep(&rest, ",")) != NULL;)
		verbs |= verb_parse(name);
	return verbs;
}

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
		if (strcmp(kind_rows[i]->api_version, api_version) == 0 &&
		    strcmp(kind_rows[i]->kind, kind) == 0)
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
			.verbs = parse_verbs(row->verbs),
		};
		resource->subresources = all;
	}
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
		.list_kind = mem_printf("%sList", row->kind),
		.short_names = parse_list(row->short_names),
		.categories = parse_list(row->categories),
		.namespaced = row->namespaced,
		.verbs = parse_verbs(row->verbs),
		.def = schema_def_find(kind->definition),
		.kind = kind,
		.qualified = *group == '\0' ? row->name : mem_printf("%s.%s", row->name, group),
	};
	if (table.all[table.n - 1].def == NULL) {
		fprintf(stderr, "kind %s: no definition %s\n", kind->kind, kind->definition);
		abort();
	}
}

static int compare(const void *a, const void *b)
{
	const struct resource *x = a, *y = b;
	int order = strcmp(x->group, y->group);

	if (order == 0)
		order = strcmp(x->version, y->version);
	return order != 0 ? order : strcmp(x->plural, y->plural);
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
		for (size_t k = 0; k < schema_n_resources; k++) {
			const struct schema_resource *sub = &schema_resources[k];
			if (strcmp(sub->group_version, row->group_version) == 0 &&
			    strncmp(sub->name, row->name, len) == 0 && sub->name[len] == '/')
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

const struct resource *resource_find(const char *group, const char *version, const char *plural)
{
	size_t n;
	const struct resource *all = resource_all(&n);
	const struct resource key = { .group = group, .version = version, .plural = plural };

	return n == 0 ? NULL : bsearch(&key, all, n, sizeof(*all), compare);
}

const struct resource *resource_find_kind(const char *api_version, const char *kind)
{
	size_t n;
	const struct resource *all = resource_all(&n);

	for (size_t i = 0; i < n; i++)
		if (strcmp(all[i].kind_name, kind) == 0 && strcmp(all[i].group_version, api_version) == 0)
			return &all[i];
	return NULL;
}

static bool has_name(const struct resource *resource, const char *name, size_t len)
{
	const char *const own[] = { resource->plural, resource->singular, resource->kind_name };

	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		if (strncasecmp(own[i], name, len) == 0 && own[i][len] == '\0')
			return true;
	for (size_t i = 0; resource->short_names[i] != NULL; i++)
		if (strncasecmp(resource->short_names[i], name, len) == 0 &&
		    resource->short_names[i][len] == '\0')
			return true;
	return false;
}

/* What stands behind the name: nothing, ".group" or ".version.group". */
static bool has_suffix(const struct resource *resource, const char *suffix)
{
	size_t len = strlen(resource->version);

	if (*suffix == '\0')
		return true;
	suffix++;
	if (strcasecmp(suffix, resource->group) == 0)
		return true;
	if (strncasecmp(suffix, resource->version, len) != 0)
		return false;
	suffix += len;
	if (*suffix == '\0')
		return *resource->group == '\0';
	return *suffix == '.' && strcasecmp(suffix + 1, resource->group) == 0;
}

const struct resource *resource_find_typed(const char *name)
{
	size_t n, len = strcspn(name, ".");
	const struct resource *all = resource_all(&n);

	for (size_t i = 0; len > 0 && i < n; i++)
		if (has_name(&all[i], name, len) && has_suffix(&all[i], name + len))
			return &all[i];
	return NULL;
}

const struct subresource *resource_subresource(const struct resource *resource, const char *name)
{
	for (size_t i = 0; i < resource->n_subresources; i++)
		if (strcmp(resource->subresources[i].name, name) == 0)
			return &resource->subresources[i];
	return NULL;
}

bool resource_group_version_known(const char *group, const char *version)
{
	size_t n;
	const struct resource *all = resource_all(&n);

	for (size_t i = 0; i < n; i++)
		if (strcmp(all[i].group, group) == 0 && strcmp(all[i].version, version) == 0)
			return true;
	return false;
}
