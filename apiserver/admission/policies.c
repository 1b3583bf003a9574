#include "apiserver/admission/policies.h"

#include <stdlib.h>
#include <string.h>

#include "apiserver/core/follow.h"
#include "lib/map.h"

/* The policies of one sort in one namespace. */
struct group {
	struct json_object **objects; /* by name */
	size_t n;
	char namespace_[];
};

struct policies {
	struct follow *follow;
	const struct resource *limit_ranges, *quotas, *priority_classes;
	struct map limits_by_namespace, quotas_by_namespace; /* struct group */
	struct group *classes;
};

static const char *name_of(const struct json_object *obj)
{
	return json_str_or_empty(json_get(obj, "metadata"), "name");
}

static struct group *group_new(const char *namespace_)
{
	size_t size = strlen(namespace_) + 1;
	struct group *group = mem_zalloc(sizeof(*group) + size);

	memcpy(group->namespace_, namespace_, size);
	return group;
}

static void group_free(struct group *group)
{
	for (size_t i = 0; i < group->n; i++)
		json_object_put(group->objects[i]);
	free(group->objects);
	free(group);
}

/* OBJECT (NULL: nothing) stands under NAME from here on. */
static void group_set(struct group *group, const char *name, const struct object *object)
{
	size_t at = 0;

	while (at < group->n && strcmp(name_of(group->objects[at]), name) < 0)
		at++;
	bool there = at < group->n && strcmp(name_of(group->objects[at]), name) == 0;
	if (there)
		json_object_put(group->objects[at]);
	if (!object) {
		if (there && at < --group->n)
			memmove(&group->objects[at], &group->objects[at + 1],
				(group->n - at) * sizeof(*group->objects));
		return;
	}
	if (!there) {
		group->objects = mem_realloc_array(group->objects, group->n + 1, sizeof(*group->objects));
		memmove(&group->objects[at + 1], &group->objects[at],
			(group->n - at) * sizeof(*group->objects));
		group->n++;
	}
	group->objects[at] = object_json(object);
}

static void changed(const struct follow_change *change, void *arg)
{
	struct policies *policies = arg;
	const struct object *any = change->object ? change->object : change->previous;

	if (change->resource == policies->priority_classes) {
		group_set(policies->classes, object_name(any), change->object);
		return;
	}
	struct map *map = change->resource == policies->quotas ? &policies->quotas_by_namespace
							       : &policies->limits_by_namespace;
	struct group *group = map_get(map, object_namespace(any));
	if (!group) {
		group = group_new(object_namespace(any));
		map_put(map, group->namespace_, group);
	}
	group_set(group, object_name(any), change->object);
	if (group->n == 0) {
		map_remove(map, group->namespace_);
		group_free(group);
	}
}

struct policies *policies_new(struct core *core)
{
	struct policies *policies = mem_zalloc(sizeof(*policies));

	policies->limit_ranges = resource_find("", "v1", "limitranges");
	policies->quotas = resource_find("", "v1", "resourcequotas");
	policies->priority_classes = resource_find("scheduling.k8s.io", "v1", "priorityclasses");
	policies->classes = group_new("");
	const struct resource *const followed[] = { policies->limit_ranges, policies->quotas,
						    policies->priority_classes };
	policies->follow = follow_new(core, followed, ARRAY_SIZE(followed), changed, policies);
	return policies;
}

static void groups_free(struct map *map)
{
	void *group;

	for (size_t i = 0; map_next(map, &i, NULL, &group);)
		group_free(group);
	map_close(map);
}

void policies_free(struct policies *policies)
{
	if (!policies)
		return;
	follow_free(policies->follow);
	groups_free(&policies->limits_by_namespace);
	groups_free(&policies->quotas_by_namespace);
	group_free(policies->classes);
	free(policies);
}

int policies_read(struct policies *policies, struct err *err)
{
	return follow_read(policies->follow, err);
}

void policies_done(struct policies *policies)
{
	follow_done(policies->follow);
}

static struct json_object *const *find(const struct map *map, const char *namespace_, size_t *ret_n)
{
	const struct group *group = map_get(map, namespace_);

	*ret_n = group ? group->n : 0;
	return group ? group->objects : NULL;
}

struct json_object *const *policies_limit_ranges(const struct policies *policies, const char *namespace_,
						 size_t *ret_n)
{
	return find(&policies->limits_by_namespace, namespace_, ret_n);
}

struct json_object *const *policies_quotas(const struct policies *policies, const char *namespace_,
					   size_t *ret_n)
{
	return find(&policies->quotas_by_namespace, namespace_, ret_n);
}

const struct json_object *policies_priority_class(const struct policies *policies, const char *name)
{
	const struct group *classes = policies->classes;

	for (size_t i = 0; i < classes->n; i++)
		if (strcmp(name_of(classes->objects[i]), name) == 0)
			return classes->objects[i];
	return NULL;
}

const struct json_object *policies_default_priority_class(const struct policies *policies)
{
	const struct group *classes = policies->classes;
	const struct json_object *least = NULL;

	for (size_t i = 0; i < classes->n; i++) {
		const struct json_object *class = classes->objects[i];
		if (json_boolean(class, "globalDefault", false) &&
		    (!least || json_int(class, "value", 0) < json_int(least, "value", 0)))
			least = class;
	}
	return least;
}
