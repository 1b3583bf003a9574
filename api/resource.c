#include "api/resource.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/version_order.h"
#include "lib/mem.h"

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

int resource_compare(const struct resource *a, const struct resource *b)
{
	int order = strcmp(a->group, b->group);

	if (order == 0)
		order = version_order(a->version, b->version);
	return order != 0 ? order : strcmp(a->plural, b->plural);
}

static int compare(const void *a, const void *b)
{
	return resource_compare(a, b);
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

bool resource_is_typed(const struct resource *resource, const char *name)
{
	size_t len = strcspn(name, ".");

	return len > 0 && has_name(resource, name, len) && has_suffix(resource, name + len);
}

const struct resource *resource_find_typed(const char *name)
{
	size_t n;
	const struct resource *all = resource_all(&n);

	for (size_t i = 0; i < n; i++)
		if (resource_is_typed(&all[i], name))
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
