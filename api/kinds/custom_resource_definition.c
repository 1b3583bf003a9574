/* CustomResourceDefinition (apiextensions.k8s.io/v1). What it defines is made in api/crd.h; names are
 * accepted and its status is written in apiserver/crd/. */
#include "api/kinds/custom_resource_definition.h"

#include <ctype.h>
#include <string.h>

#include "api/fault.h"
#include "api/kinds/defaults.h"
#include "api/kinds/kinds.h"
#include "lib/mem.h"

#define APPROVAL "api-approved.kubernetes.io"

static void set_defaults(struct json_object *obj)
{
	struct json_object *spec = json_ensure_object(obj, "spec");
	struct json_object *names = json_ensure_object(spec, "names");
	const char *kind = json_str_or_empty(names, "kind");

	if (*kind) {
		CLEANUP(mem_freep) char *singular = mem_dup(kind), *list = mem_printf("%sList", kind);
		for (char *s = singular; *s; s++)
			*s = (char)tolower((unsigned char)*s);
		default_str(names, "singular", singular);
		default_str(names, "listKind", list);
	}
	default_str(json_ensure_object(spec, "conversion"), "strategy", "None");
}

/* --- status --- */

static bool has_string(const struct json_object *array, const char *text)
{
	for (size_t i = 0; i < json_len(array); i++)
		if (strcmp(json_object_get_string(json_at(array, i)), text) == 0)
			return true;
	return false;
}

/* Every version that objects were ever stored in. */
static void add_stored_version(struct json_object *obj)
{
	struct json_object *stored = json_ensure_array(json_ensure_object(obj, "status"), "storedVersions");
	const struct json_object *versions = json_path(obj, "spec", "versions", NULL);

	for (size_t i = 0; i < json_len(versions); i++) {
		const char *name = json_str_or_empty(json_at(versions, i), "name");

		if (json_boolean(json_at(versions, i), "storage", false) && !has_string(stored, name))
			json_object_array_add(stored, json_object_new_string(name));
	}
}

static void prepare_create(struct json_object *obj)
{
	struct json_object *status = json_object_new_object(), *accepted = json_object_new_object();

	json_set_str(accepted, "plural", "");
	json_set_str(accepted, "kind", "");
	json_object_object_add(status, "conditions", NULL);
	json_set(status, "acceptedNames", accepted);
	json_set(obj, "status", status);
	add_stored_version(obj);
}

static void prepare_update(struct json_object *obj, const struct json_object *old)
{
	/* It is still OLD's. */
	json_set(obj, "status", json_clone(json_get(old, "status")));
	add_stored_version(obj);
}

static void validate_stored_versions(const struct json_object *obj, struct field_errors *errors)
{
	const struct json_object *stored = json_path(obj, "status", "storedVersions", NULL);
	const struct json_object *versions = json_path(obj, "spec", "versions", NULL);
	struct field_path path;

	field_path_init(&path, "status.storedVersions");
	if (!json_len(stored)) {
		field_error_add(errors, FIELD_INVALID, &path, stored,
				"must have at least one stored version");
		return;
	}
	for (size_t i = 0; i < json_len(stored); i++) {
		const char *name = json_object_get_string(json_at(stored, i));
		size_t mark = field_push_index(&path, i);
		bool there = false;

		for (size_t k = 0; k < json_len(versions); k++)
			there |= strcmp(json_str_or_empty(json_at(versions, k), "name"), name) == 0;
		if (!there)
			field_error_invalid_str(errors, &path, name, "must appear in spec.versions");
		field_pop(&path, mark);
	}
	for (size_t k = 0; k < json_len(versions); k++) {
		const char *name = json_str_or_empty(json_at(versions, k), "name");

		if (json_boolean(json_at(versions, k), "storage", false) && !has_string(stored, name))
			field_error_add(errors, FIELD_INVALID, &path, stored,
					"must have the storage version %s", name);
	}
}

/* --- validation --- */

static void validate_name(const struct json_object *obj, struct field_errors *errors)
{
	const struct json_object *spec = json_get(obj, "spec");
	const char *name = json_str_or_empty(json_get(obj, "metadata"), "name");
	CLEANUP(mem_freep)
	char *wanted = mem_printf("%s.%s", json_str_or_empty(json_get(spec, "names"), "plural"),
				  json_str_or_empty(spec, "group"));
	struct field_path path;

	field_path_init(&path, "metadata.name");
	if (strcmp(name, wanted) != 0)
		field_error_invalid_str(errors, &path, name, "must be spec.names.plural+\".\"+spec.group");
}

static bool ends_in(const char *group, const char *domain)
{
	size_t len = strlen(group), tail = strlen(domain);

	return len >= tail && strcmp(group + len - tail, domain) == 0 &&
	       (len == tail || group[len - tail - 1] == '.');
}

/* Groups of the Kubernetes community need its approval. */
static void validate_approval(const struct json_object *obj, struct field_errors *errors)
{
	const char *group = json_str_or_empty(json_get(obj, "spec"), "group");
	const char *approval = json_str_or_empty(json_path(obj, "metadata", "annotations", NULL), APPROVAL);
	struct field_path path;

	if (!ends_in(group, "k8s.io") && !ends_in(group, "kubernetes.io"))
		return;
	field_path_init(&path, "metadata.annotations[" APPROVAL "]");
	if (!*approval)
		field_error_required(errors, &path,
				     "protected groups must have approval annotation \"" APPROVAL
				     "\", see https://github.com/kubernetes/enhancements/pull/1111");
	else if (strncmp(approval, "unapproved", 10) != 0 && strncmp(approval, "http", 4) != 0)
		field_error_invalid_str(errors, &path, approval,
					"protected groups must have approval annotation \"" APPROVAL
					"\" with either a URL or a reason starting with \"unapproved\", see "
					"https://github.com/kubernetes/enhancements/pull/1111");
}

static void validate(const struct json_object *obj, struct field_errors *errors)
{
	const struct json_object *spec = json_get(obj, "spec");
	struct field_path path;

	validate_name(obj, errors);
	field_path_init(&path, "spec");
	crd_validate_spec(spec, &path, errors);
	validate_stored_versions(obj, errors);
	validate_approval(obj, errors);
}

static bool is_established(const struct json_object *obj)
{
	const struct json_object *conditions = json_path(obj, "status", "conditions", NULL);

	for (size_t i = 0; i < json_len(conditions); i++)
		if (!strcmp(json_str_or_empty(json_at(conditions, i), "type"), "Established"))
			return !strcmp(json_str_or_empty(json_at(conditions, i), "status"), "True");
	return false;
}

static void validate_update(const struct json_object *obj, const struct json_object *old,
			    struct field_errors *errors)
{
	const struct json_object *spec = json_get(obj, "spec"), *old_spec = json_get(old, "spec");
	const struct json_object *names = json_get(spec, "names"), *old_names = json_get(old_spec, "names");
	struct field_path path;

	field_path_init(&path, "spec");
	validate_immutable(spec, old_spec, "group", &path, errors);
	if (is_established(old))
		validate_immutable(spec, old_spec, "scope", &path, errors);
	field_push(&path, "names");
	validate_immutable(names, old_names, "plural", &path, errors);
	if (is_established(old))
		validate_immutable(names, old_names, "kind", &path, errors);
}

static void validate_status(const struct json_object *obj, const struct json_object *old,
			    struct field_errors *errors)
{
	(void)old;
	validate_stored_versions(obj, errors);
}

const struct kind kind_custom_resource_definition = {
	.api_version = "apiextensions.k8s.io/v1",
	.kind = "CustomResourceDefinition",
	.definition = "apiextensions.v1.CustomResourceDefinition",
	.any_finalizer = true,
	.has_status = true,
	.has_generation = true,
	.set_defaults = set_defaults,
	.prepare_create = prepare_create,
	.prepare_update = prepare_update,
	.validate = validate,
	.validate_update = validate_update,
	.validate_status = validate_status,
};
