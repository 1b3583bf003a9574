#include "api/validate_meta.h"

#include <string.h>

#include "api/fault.h"

#define ANNOTATIONS_MAX_BYTES (256 * 1024)

void validate_labels(const struct json_object *labels, struct field_path *path, struct field_errors *errors)
{
	if (!json_object_is_type(labels, json_type_object))
		return;
	json_object_object_foreach((struct json_object *)(uintptr_t)labels, key, value)
	{
		struct name_faults faults = { .n = 0 }, value_faults = { .n = 0 };
		const char *text = value ? json_object_get_string(value) : "";

		name_check_qualified(key, &faults);
		fault_names(errors, path, NULL, key, &faults);
		name_check_label_value(text, &value_faults);
		fault_names(errors, path, NULL, text, &value_faults);
	}
}

void validate_annotations(const struct json_object *annotations, struct field_path *path,
			  struct field_errors *errors)
{
	size_t bytes = 0;

	if (!json_object_is_type(annotations, json_type_object))
		return;
	json_object_object_foreach((struct json_object *)(uintptr_t)annotations, key, value)
	{
		struct name_faults faults = { .n = 0 };

		name_check_qualified(key, &faults);
		fault_names(errors, path, NULL, key, &faults);
		bytes += strlen(key) + (value ? (size_t)json_object_get_string_len(value) : 0);
	}
	if (bytes > ANNOTATIONS_MAX_BYTES)
		field_error_add(errors, FIELD_TOO_LONG, path, NULL, "may not be more than %d bytes",
				ANNOTATIONS_MAX_BYTES);
}

static void validate_selector_requirement(const struct json_object *requirement, struct field_path *path,
					  struct field_errors *errors)
{
	const char *key = json_str_or_empty(requirement, "key"),
		   *op = json_str_or_empty(requirement, "operator");
	const struct json_object *values = json_get(requirement, "values");
	struct name_faults faults = { .n = 0 };
	size_t mark;

	if (strcmp(op, "In") == 0 || strcmp(op, "NotIn") == 0) {
		if (json_len(values) == 0)
			fault_required(errors, path, "values",
				       "must be specified when `operator` is 'In' or 'NotIn'");
	} else if (strcmp(op, "Exists") == 0 || strcmp(op, "DoesNotExist") == 0) {
		if (json_len(values) > 0)
			fault_forbidden(errors, path, "values",
					"may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
	} else {
		fault_str(errors, path, "operator", op, "not a valid selector operator");
	}
	name_check_qualified(key, &faults);
	fault_names(errors, path, "key", key, &faults);
	mark = field_push(path, "values");
	for (size_t i = 0; i < json_len(values); i++) {
		const char *value = json_object_get_string(json_at(values, i));
		struct name_faults value_faults = { .n = 0 };
		size_t item = field_push_index(path, i);

		name_check_label_value(value, &value_faults);
		fault_names(errors, path, NULL, value, &value_faults);
		field_pop(path, item);
	}
	field_pop(path, mark);
}

void validate_label_selector(const struct json_object *selector, struct field_path *path,
			     struct field_errors *errors)
{
	const struct json_object *expressions = json_get(selector, "matchExpressions");
	size_t mark = field_push(path, "matchLabels");

	validate_labels(json_get(selector, "matchLabels"), path, errors);
	field_pop(path, mark);
	mark = field_push(path, "matchExpressions");
	for (size_t i = 0; i < json_len(expressions); i++) {
		size_t item = field_push_index(path, i);

		validate_selector_requirement(json_at(expressions, i), path, errors);
		field_pop(path, item);
	}
	field_pop(path, mark);
}

static void validate_name(const struct json_object *metadata, const char *key, bool is_prefix,
			  void (*check)(const char *name, bool is_prefix, struct name_faults *faults),
			  struct field_path *path, struct field_errors *errors)
{
	const char *name = json_str_or_empty(metadata, key);
	struct name_faults faults = { .n = 0 };

	check(name, is_prefix, &faults);
	fault_names(errors, path, key, name, &faults);
}

static void validate_owners(const struct json_object *owners, struct field_path *path,
			    struct field_errors *errors)
{
	static const char *const required[] = { "kind", "name", "uid" };
	const char *controller = NULL;

	for (size_t i = 0; i < json_len(owners); i++) {
		const struct json_object *owner = json_at(owners, i);
		const char *api_version = json_str_or_empty(owner, "apiVersion"),
			   *slash = strchr(api_version, '/');

		if (!*(slash ? slash + 1 : api_version))
			fault_str(errors, path, "apiVersion", api_version, "version must not be empty");
		for (size_t j = 0; j < ARRAY_SIZE(required); j++)
			if (!*json_str_or_empty(owner, required[j]))
				fault_str(errors, path, required[j], "", "must not be empty");
		if (strcmp(api_version, "v1") == 0 && strcmp(json_str_or_empty(owner, "kind"), "Event") == 0)
			field_error_add(errors, FIELD_INVALID, path, owner,
					"/v1, Kind=Event is disallowed from being an owner");
		if (!json_boolean(owner, "controller", false))
			continue;
		if (controller)
			field_error_add(
			    errors, FIELD_INVALID, path, owners,
			    "Only one reference can have Controller set to true. Found \"true\" in "
			    "references for %s and %s",
			    controller, json_str_or_empty(owner, "name"));
		controller = json_str_or_empty(owner, "name");
	}
}

static void validate_finalizers(const struct json_object *finalizers, struct field_path *path,
				struct field_errors *errors)
{
	bool orphan = false, foreground = false;

	if (!fault_list_fits(errors, path, finalizers))
		return;
	for (size_t i = 0; i < json_len(finalizers); i++) {
		const char *name = json_object_get_string(json_at(finalizers, i));
		struct name_faults faults = { .n = 0 };
		size_t mark = field_push_index(path, i);

		orphan = orphan || strcmp(name, "orphan") == 0;
		foreground = foreground || strcmp(name, "foregroundDeletion") == 0;
		name_check_qualified(name, &faults);
		fault_names(errors, path, NULL, name, &faults);
		field_pop(path, mark);
	}
	if (orphan && foreground)
		field_error_add(errors, FIELD_INVALID, path, finalizers,
				"orphan and foregroundDeletion cannot be both set");
}

/* Members whose rules hold on create and on update alike. */
static void validate_common(const struct json_object *metadata, struct field_path *path,
			    struct field_errors *errors)
{
	size_t mark;

	validate_non_negative(metadata, "generation", path, errors);
	mark = field_push(path, "labels");
	validate_labels(json_get(metadata, "labels"), path, errors);
	field_pop(path, mark);
	mark = field_push(path, "annotations");
	validate_annotations(json_get(metadata, "annotations"), path, errors);
	field_pop(path, mark);
	mark = field_push(path, "ownerReferences");
	validate_owners(json_get(metadata, "ownerReferences"), path, errors);
	field_pop(path, mark);
	mark = field_push(path, "finalizers");
	validate_finalizers(json_get(metadata, "finalizers"), path, errors);
	field_pop(path, mark);
}

void validate_meta(const struct json_object *obj, bool namespaced,
		   void (*name_check)(const char *name, bool is_prefix, struct name_faults *faults),
		   struct field_errors *errors)
{
	const struct json_object *metadata = json_get(obj, "metadata");
	const char *namespace = json_str_or_empty(metadata, "namespace");
	struct field_path path;

	if (!name_check)
		name_check = name_check_dns_subdomain;
	field_path_init(&path, "metadata");
	if (*json_str_or_empty(metadata, "generateName"))
		validate_name(metadata, "generateName", true, name_check, &path, errors);
	if (!*json_str_or_empty(metadata, "name"))
		fault_required(errors, &path, "name", "name or generateName is required");
	else
		validate_name(metadata, "name", false, name_check, &path, errors);
	if (!namespaced && *namespace)
		fault_forbidden(errors, &path, "namespace", "not allowed on this type");
	else if (namespaced && !*namespace)
		fault_required(errors, &path, "namespace", "");
	else if (namespaced)
		validate_name(metadata, "namespace", false, name_check_dns_label, &path, errors);
	validate_common(metadata, &path, errors);
}

static bool finalizer_lacks_domain(const char *name)
{
	return strcmp(name, "orphan") != 0 && strcmp(name, "foregroundDeletion") != 0 &&
	       strcmp(name, "kubernetes") != 0 && !strchr(name, '/');
}

void validate_finalizer_domains(const struct json_object *obj, struct field_errors *errors)
{
	const struct json_object *finalizers = json_path(obj, "metadata", "finalizers", NULL);
	struct field_path path;

	field_path_init(&path, "metadata.finalizers");
	for (size_t i = 0; json_len(finalizers) <= FAULT_LIST_MAX && i < json_len(finalizers); i++) {
		struct json_object *name = json_at(finalizers, i);
		size_t mark = field_push_index(&path, i);

		if (finalizer_lacks_domain(json_object_get_string(name)))
			field_error_add(
			    errors, FIELD_INVALID, &path, name,
			    "name is neither a standard finalizer name nor is it fully qualified");
		field_pop(&path, mark);
	}
}

static bool list_has(const struct json_object *list, const char *s)
{
	for (size_t i = 0; i < json_len(list); i++)
		if (strcmp(json_object_get_string(json_at(list, i)), s) == 0)
			return true;
	return false;
}

void validate_finalizer_warnings(const struct json_object *obj, const struct json_object *old,
				 warning_fn call, void *arg)
{
	const struct json_object *finalizers = json_path(obj, "metadata", "finalizers", NULL);
	const struct json_object *before = json_path(old, "metadata", "finalizers", NULL);

	for (size_t i = 0; json_len(finalizers) <= FAULT_LIST_MAX && i < json_len(finalizers); i++) {
		const char *name = json_object_get_string(json_at(finalizers, i));

		if (!finalizer_lacks_domain(name) || list_has(before, name))
			continue;
		CLEANUP(mem_freep)
		char *text =
		    mem_printf("metadata.finalizers: \"%s\": prefer a domain-qualified finalizer name "
			       "including a path (/) to avoid accidental conflicts with other "
			       "finalizer writers",
			       name);
		call(text, arg);
	}
}

/* Shown as Go prints a slice of strings: []string{"a", "b"}. */
static void validate_no_new_finalizers(const struct json_object *metadata, const struct json_object *old,
				       struct field_path *path, struct field_errors *errors)
{
	const struct json_object *finalizers = json_get(metadata, "finalizers");
	CLEANUP(buf_close) struct buf found = BUF_INIT, text = BUF_INIT;

	for (size_t i = 0; json_len(finalizers) <= FAULT_LIST_MAX && i < json_len(finalizers); i++) {
		const char *name = json_object_get_string(json_at(finalizers, i));

		if (!list_has(json_get(old, "finalizers"), name))
			buf_printf(&found, "%s\"%s\"", found.len > 0 ? ", " : "", name);
	}
	if (found.len == 0)
		return;
	buf_printf(&text,
		   "no new finalizers can be added if the object is being deleted, found new finalizers "
		   "[]string{%s}",
		   found.data);
	fault_forbidden(errors, path, "finalizers", text.data);
}

void validate_meta_update(const struct json_object *obj, const struct json_object *old,
			  struct field_errors *errors)
{
	static const char *const always[] = { "name", "namespace" };
	/* The server fills these in before validation when a client leaves them out. */
	static const char *const when_given[] = { "uid", "creationTimestamp", "deletionTimestamp",
						  "deletionGracePeriodSeconds" };
	const struct json_object *metadata = json_get(obj, "metadata"),
				 *old_metadata = json_get(old, "metadata");
	int64_t generation = json_int(metadata, "generation", INT64_MAX);
	struct field_path path;

	field_path_init(&path, "metadata");
	if (json_get(old_metadata, "deletionTimestamp"))
		validate_no_new_finalizers(metadata, old_metadata, &path, errors);
	for (size_t i = 0; i < ARRAY_SIZE(always); i++)
		validate_immutable(metadata, old_metadata, always[i], &path, errors);
	for (size_t i = 0; i < ARRAY_SIZE(when_given); i++)
		if (json_get(metadata, when_given[i]))
			validate_immutable(metadata, old_metadata, when_given[i], &path, errors);
	if (generation != INT64_MAX && generation < json_int(old_metadata, "generation", 0))
		fault_int(errors, &path, "generation", generation, "must not be decremented");
	validate_common(metadata, &path, errors);
}
