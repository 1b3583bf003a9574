#include "api/crd.h"

#include <stdlib.h>
#include <string.h>

#include "api/custom.h"
#include "api/structural_def.h"
#include "api/validate_meta.h"
#include "lib/mem.h"

struct version {
	struct resource resource;
	struct kind kind;
	struct custom custom;
	struct subresource subresources[2];
	char *definition_name;
};

/* Strings of the rows lie in DEFINITION, which nobody changes any more. */
struct crd {
	struct resource_family family; /* first */
	struct json_object *definition;
	struct resource_slot *slot;
	const struct resource *holder;
	char *qualified;
	const char **short_names, **categories;
	struct structural *stored; /* of the stored version, when that is not served */
	struct version *versions;
	const struct resource **rows;
	size_t n;
};

#define ALL_VERBS                                                                                            \
	(VERB_CREATE | VERB_DELETE | VERB_DELETECOLLECTION | VERB_GET | VERB_LIST | VERB_PATCH |             \
	 VERB_UPDATE | VERB_WATCH)

/* --- the end --- */

static void free_version(struct version *version)
{
	for (size_t i = 0; i < version->custom.n_paths; i++)
		jsonpath_free(version->custom.paths[i]);
	for (size_t i = 0; version->custom.columns && i <= version->custom.n_paths; i++)
		free((char *)version->custom.columns[i].description);
	free(version->custom.paths);
	free(version->custom.columns);
	free(version->custom.warning);
	custom_rules_free(version->custom.rules ? atomic_load(&version->custom.rules->rules) : NULL);
	free(version->custom.rules);
	structural_free(version->custom.schema);
	structural_def_free((struct schema_def *)(uintptr_t)version->resource.def);
	free((char *)version->resource.group_version);
	free((void *)(uintptr_t)version->kind.selectable_fields);
	free(version->definition_name);
}

static void crd_free(struct resource_family *family)
{
	struct crd *crd = CONTAINER_OF(family, struct crd, family);

	for (size_t i = 0; i < crd->n; i++)
		free_version(&crd->versions[i]);
	structural_free(crd->stored);
	free(crd->versions);
	free(crd->rows);
	free(crd->qualified);
	free(crd->short_names);
	free(crd->categories);
	resource_unref(crd->holder);
	resource_slot_unref(crd->slot);
	json_object_put(crd->definition);
	free(crd);
}

void crd_unref(struct crd *crd)
{
	if (crd)
		resource_family_unref(&crd->family);
}

/* --- parts of a version --- */

static const char **string_list(const struct json_object *array)
{
	size_t n = json_len(array);
	const char **list = mem_zalloc((n + 1) * sizeof(*list));

	for (size_t i = 0; i < n; i++)
		list[i] = json_object_get_string(json_at(array, i));
	return list;
}

/* A path without the dot that it begins with. */
static const char *without_dot(const char *path)
{
	return path && *path == '.' ? path + 1 : path;
}

static void add_column(struct custom *custom, struct kind_column column, const char *path)
{
	custom->columns = mem_realloc_array(custom->columns, custom->n_paths + 2, sizeof(*custom->columns));
	custom->paths = mem_realloc_array(custom->paths, custom->n_paths + 1, sizeof(struct jsonpath *));
	custom->columns[custom->n_paths + 1] = column;
	custom->paths[custom->n_paths] = NULL;
	jsonpath_parse_relaxed(path, &custom->paths[custom->n_paths++], NULL);
}

static void fill_columns(struct custom *custom, const struct json_object *version)
{
	const struct json_object *columns = json_get(version, "additionalPrinterColumns");

	custom->columns = mem_zalloc(sizeof(*custom->columns));
	custom->columns[0] =
	    (struct kind_column){ "Name", "string", "name",
				  mem_dup("Name of the object, unique in its namespace."), 0 };
	for (size_t i = 0; i < json_len(columns); i++) {
		const struct json_object *column = json_at(columns, i);
		const char *path = json_str_or_empty(column, "jsonPath");
		const char *description = json_str_or_empty(column, "description");

		add_column(custom,
			   (struct kind_column){
			       .name = json_str_or_empty(column, "name"),
			       .type = json_str_or_empty(column, "type"),
			       .format = json_str_or_empty(column, "format"),
			       .description =
				   *description ? mem_dup(description)
						: mem_printf("Custom resource definition column (in JSONPath "
							     "format): %s",
							     path),
			       .priority = (int)json_int(column, "priority", 0),
			   },
			   path);
	}
	if (!json_len(columns))
		add_column(
		    custom,
		    (struct kind_column){ "Age", "date", "", mem_dup("When the object was created."), 0 },
		    ".metadata.creationTimestamp");
}

static const char *const *selectable_of(const struct json_object *version)
{
	const struct json_object *fields = json_get(version, "selectableFields");
	const char **paths;

	if (!json_len(fields))
		return NULL;
	paths = mem_zalloc((json_len(fields) + 1) * sizeof(*paths));
	for (size_t i = 0; i < json_len(fields); i++)
		paths[i] = without_dot(json_str_or_empty(json_at(fields, i), "jsonPath"));
	return paths;
}

static void fill_kind(struct version *v, const struct json_object *version)
{
	const struct json_object *subresources = json_get(version, "subresources");
	const struct json_object *scale = json_get(subresources, "scale");

	v->kind = (struct kind){
		.api_version = v->resource.group_version,
		.kind = v->resource.kind_name,
		.has_status = json_get(subresources, "status") != NULL,
		.has_generation = true,
		.warnings = validate_finalizer_warnings,
		.selectable_fields = selectable_of(version),
		.scale_replicas = without_dot(json_str(scale, "specReplicasPath")),
		.scale_status_replicas = without_dot(json_str(scale, "statusReplicasPath")),
		.scale_selector = without_dot(json_str(scale, "labelSelectorPath")),
	};
}

static void fill_subresources(struct version *v)
{
	static const unsigned verbs = VERB_GET | VERB_PATCH | VERB_UPDATE;
	struct resource *resource = &v->resource;

	resource->subresources = v->subresources;
	if (v->kind.has_status)
		v->subresources[resource->n_subresources++] =
		    (struct subresource){ "status", resource->kind_name, resource->group_version, verbs };
	if (v->kind.scale_replicas)
		v->subresources[resource->n_subresources++] =
		    (struct subresource){ "scale", "Scale", "autoscaling/v1", verbs };
}

static int fill_custom(struct version *v, const struct json_object *version, bool terminating,
		       struct err *err)
{
	struct custom *custom = &v->custom;
	const char *warning = json_str(version, "deprecationWarning");

	custom->definition = json_path(version, "schema", "openAPIV3Schema", NULL);
	custom->terminating = terminating;
	custom->rules = mem_zalloc(sizeof(*custom->rules));
	if (json_boolean(version, "deprecated", false))
		custom->warning = warning ? mem_dup(warning)
					  : mem_printf("%s %s is deprecated", v->resource.group_version,
						       v->resource.kind_name);
	fill_columns(custom, version);
	v->kind.columns = custom->columns;
	v->kind.n_columns = custom->n_paths + 1;
	return structural_new(custom->definition, &custom->schema, err);
}

/* "dev.g.v1.Ship" of group g.dev. */
static char *definition_name(const struct resource *resource)
{
	struct buf name = BUF_INIT;

	for (const char *end = resource->group + strlen(resource->group); end > resource->group;) {
		const char *dot = end;

		while (dot > resource->group && dot[-1] != '.')
			dot--;
		buf_add(&name, dot, (size_t)(end - dot));
		buf_char(&name, '.');
		end = dot > resource->group ? dot - 1 : dot;
	}
	buf_printf(&name, "%s.%s", resource->version, resource->kind_name);
	return buf_take(&name);
}

/* Since when objects were admitted by this schema: a definition that never changed had it from the start. */
static uint64_t since_of(const struct crd *crd, const struct crd *before, uint64_t revision)
{
	const struct json_object *spec = json_get(crd->definition, "spec");

	if (before && before->n && json_equal(spec, json_get(before->definition, "spec")))
		return before->versions[0].resource.since;
	return json_int(json_get(crd->definition, "metadata"), "generation", 0) <= 1 ? 0 : revision;
}

static int add_version(struct crd *crd, const struct json_object *version, uint64_t since, struct err *err)
{
	const struct json_object *names = json_path(crd->definition, "status", "acceptedNames", NULL);
	const struct json_object *spec = json_get(crd->definition, "spec");
	struct version *v = &crd->versions[crd->n];
	struct resource *resource = &v->resource;

	crd->rows[crd->n++] = resource;
	*resource = (struct resource){
		.index = crd->slot->index,
		.stored = resource,
		.group = crd->slot->group,
		.version = json_str_or_empty(version, "name"),
		.group_version = mem_printf("%s/%s", crd->slot->group, json_str_or_empty(version, "name")),
		.plural = crd->slot->plural,
		.singular = json_str_or_empty(names, "singular"),
		.kind_name = json_str_or_empty(names, "kind"),
		.list_kind = json_str_or_empty(names, "listKind"),
		.short_names = crd->short_names,
		.categories = crd->categories,
		.namespaced = !strcmp(json_str_or_empty(spec, "scope"), "Namespaced"),
		.verbs = ALL_VERBS,
		.kind = &v->kind,
		.qualified = crd->qualified,
		.custom = &v->custom,
		.holder = crd->holder,
		.family = &crd->family,
		.slot = crd->slot,
		.since = since,
	};
	fill_kind(v, version);
	fill_subresources(v);
	if (fill_custom(v, version, json_path(crd->definition, "metadata", "deletionTimestamp", NULL) != NULL,
			err) < 0)
		return -1;
	v->definition_name = definition_name(resource);
	resource->def = structural_def_of_object(v->custom.schema, v->definition_name);
	return 0;
}

/* --- the whole --- */

static bool same_strings(const char *const *a, const char *const *b)
{
	for (; a && b && *a && *b; a++, b++)
		if (strcmp(*a, *b) != 0)
			return false;
	return (!a || !*a) && (!b || !*b);
}

/* Whatever any version can be selected by, once. */
static const char **all_selectable(const struct json_object *versions)
{
	const char **paths = mem_zalloc(sizeof(*paths));
	size_t n = 0;

	for (size_t i = 0; i < json_len(versions); i++) {
		const char *const *own = selectable_of(json_at(versions, i));

		for (size_t k = 0; own && own[k]; k++) {
			bool there = false;

			for (size_t j = 0; j < n && !there; j++)
				there = strcmp(paths[j], own[k]) == 0;
			if (there)
				continue;
			paths = mem_realloc_array(paths, n + 2, sizeof(*paths));
			paths[n++] = own[k];
			paths[n] = NULL;
		}
		free((void *)(uintptr_t)own);
	}
	return paths;
}

static void set_holder(struct crd *crd, const struct crd *before)
{
	const struct json_object *versions = json_path(crd->definition, "spec", "versions", NULL);
	const char *kind =
	    json_str_or_empty(json_path(crd->definition, "status", "acceptedNames", NULL), "kind");
	bool namespaced =
	    !strcmp(json_str_or_empty(json_get(crd->definition, "spec"), "scope"), "Namespaced");
	CLEANUP(mem_freep) const char **selectable = all_selectable(versions);
	const struct resource *old = before ? before->holder : NULL;
	const char *stored = "";

	for (size_t i = 0; i < json_len(versions); i++)
		if (json_boolean(json_at(versions, i), "storage", false))
			stored = json_str_or_empty(json_at(versions, i), "name");
	if (old && old->slot == crd->slot && !strcmp(old->version, stored) && !strcmp(old->kind_name, kind) &&
	    old->namespaced == namespaced && same_strings(old->kind->selectable_fields, selectable))
		crd->holder = resource_ref(old);
	else
		crd->holder = resource_holder_new(crd->slot, stored, kind, namespaced, selectable);
}

/* Tells each version the schema of the one that is stored. */
static int set_stored(struct crd *crd, const struct json_object *versions, struct err *err)
{
	const struct structural *stored = NULL;

	for (size_t i = 0; i < crd->n; i++)
		if (!strcmp(crd->rows[i]->version, crd->holder->version))
			stored = crd->versions[i].custom.schema;
	for (size_t i = 0; i < json_len(versions) && !stored; i++) {
		const struct json_object *version = json_at(versions, i);

		if (strcmp(json_str_or_empty(version, "name"), crd->holder->version) != 0)
			continue;
		if (structural_new(json_path(version, "schema", "openAPIV3Schema", NULL), &crd->stored, err) <
		    0)
			return -1;
		stored = crd->stored;
	}
	for (size_t i = 0; i < crd->n; i++)
		crd->versions[i].custom.stored = stored;
	return 0;
}

int crd_new(const struct json_object *definition, const struct crd *before, uint64_t revision,
	    struct crd **ret, struct err *err)
{
	struct crd *crd = mem_zalloc(sizeof(*crd));
	const struct json_object *spec, *versions, *names;
	uint64_t since;

	atomic_init(&crd->family.refs, 1);
	crd->family.free = crd_free;
	crd->definition = json_clone(definition);
	spec = json_get(crd->definition, "spec");
	versions = json_get(spec, "versions");
	names = json_path(crd->definition, "status", "acceptedNames", NULL);
	crd->slot = resource_slot_new(json_str_or_empty(spec, "group"),
				      json_str_or_empty(json_get(spec, "names"), "plural"));
	crd->qualified = mem_printf("%s.%s", crd->slot->plural, crd->slot->group);
	crd->short_names = string_list(json_get(names, "shortNames"));
	crd->categories = string_list(json_get(names, "categories"));
	crd->versions = mem_zalloc((json_len(versions) + 1) * sizeof(*crd->versions));
	crd->rows = mem_zalloc((json_len(versions) + 1) * sizeof(struct resource *));
	set_holder(crd, before);
	since = since_of(crd, before, revision);
	for (size_t i = 0; i < json_len(versions); i++) {
		const struct json_object *version = json_at(versions, i);

		if (json_boolean(version, "served", false) && add_version(crd, version, since, err) < 0) {
			crd_unref(crd);
			return -1;
		}
	}
	if (set_stored(crd, versions, err) < 0) {
		crd_unref(crd);
		return -1;
	}
	*ret = crd;
	return 0;
}

struct resource_family *crd_family(struct crd *crd)
{
	return &crd->family;
}

const struct resource *const *crd_rows(const struct crd *crd, size_t *ret_n)
{
	*ret_n = crd->n;
	return crd->rows;
}

const struct resource *crd_holder(const struct crd *crd)
{
	return crd->holder;
}

bool crd_condition_is_true(const struct json_object *definition, const char *type)
{
	const struct json_object *conditions = json_path(definition, "status", "conditions", NULL);

	for (size_t i = 0; i < json_len(conditions); i++)
		if (!strcmp(json_str_or_empty(json_at(conditions, i), "type"), type))
			return !strcmp(json_str_or_empty(json_at(conditions, i), "status"), "True");
	return false;
}
