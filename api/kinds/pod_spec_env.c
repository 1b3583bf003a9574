/* Environment of containers: plain values, references to fields, resources and keys of other objects. */
#include <string.h>

#include "api/fault.h"
#include "api/kinds/pod_spec.h"

/* What the downward API knows at all; each use allows a part of it. */
static const char *const known_fields[] = {
	"metadata.annotations", "metadata.labels",    "metadata.name",
	"metadata.namespace",   "metadata.uid",       "spec.nodeName",
	"spec.restartPolicy",   "spec.schedulerName", "spec.serviceAccountName",
	"status.hostIP",        "status.hostIPs",     "status.phase",
	"status.podIP",         "status.podIPs",      NULL,
};
static const char *const env_fields[] = {
	"metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName",
	"status.hostIP", "status.hostIPs",     "status.podIP", "status.podIPs", NULL,
};
static const char *const file_fields[] = {
	"metadata.annotations", "metadata.labels", "metadata.name",
	"metadata.namespace",   "metadata.uid",    NULL,
};
static const char *const resources[] = {
	"limits.cpu",   "limits.ephemeral-storage",   "limits.memory",
	"requests.cpu", "requests.ephemeral-storage", "requests.memory",
	NULL,
};

static bool listed(const char *const *list, const char *s)
{
	for (; *list; list++)
		if (strcmp(*list, s) == 0)
			return true;
	return false;
}

/* metadata.labels['key'], metadata.annotations['key']: true, and the key checked. */
static bool validate_subscript(const char *field, struct field_path *path, struct field_errors *errors)
{
	const char *bracket = strstr(field, "['");
	size_t len = strlen(field), prefix = bracket ? (size_t)(bracket - field) : 0;
	struct name_faults faults = { .n = 0 };

	if (!bracket || len < prefix + 4 || strcmp(field + len - 2, "']") != 0)
		return false;
	if (strncmp(field, "metadata.labels[", prefix + 1) != 0 &&
	    strncmp(field, "metadata.annotations[", prefix + 1) != 0)
		return false;
	CLEANUP(mem_freep) char *key = mem_dupn(bracket + 2, len - prefix - 4);
	name_check_qualified(key, &faults);
	fault_names(errors, path, NULL, key, &faults);
	return true;
}

void pod_spec_validate_field_ref(const struct json_object *ref, bool files, struct field_path *path,
				 struct field_errors *errors)
{
	const char *field = json_str_or_empty(ref, "fieldPath");
	const char *const *allowed = files ? file_fields : env_fields;

	if (!*json_str_or_empty(ref, "apiVersion"))
		fault_required(errors, path, "apiVersion", "");
	if (!*field) {
		fault_required(errors, path, "fieldPath", "");
	} else if (!listed(known_fields, field)) {
		size_t mark;

		if (validate_subscript(field, path, errors))
			return;
		mark = field_push(path, "fieldPath");
		field_error_invalid_str(errors, path, field,
					"error converting fieldPath: field label not supported: %s", field);
		field_pop(path, mark);
	} else if (!listed(allowed, field)) {
		fault_not_supported(errors, path, "fieldPath", field, allowed);
	}
}

static bool divisor_allowed(const char *resource, const char *divisor)
{
	static const char *const sizes[] = { "1",   "1k",  "1M",  "1G",  "1T",  "1P",  "1E",
					     "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei", NULL };

	if (strcmp(divisor, "0") == 0)
		return true;
	if (strstr(resource, ".cpu"))
		return strcmp(divisor, "1") == 0 || strcmp(divisor, "1m") == 0;
	return listed(sizes, divisor);
}

void pod_spec_validate_resource_field_ref(const struct json_object *ref, bool files, struct field_path *path,
					  struct field_errors *errors)
{
	const char *resource = json_str_or_empty(ref, "resource"), *divisor = json_str(ref, "divisor");
	bool huge = strncmp(resource, "limits.hugepages-", 17) == 0 ||
		    strncmp(resource, "requests.hugepages-", 19) == 0;

	if (files && !*json_str_or_empty(ref, "containerName"))
		fault_required(errors, path, "containerName", "");
	else if (!*resource)
		fault_required(errors, path, "resource", "");
	else if (!huge && !listed(resources, resource))
		fault_not_supported(errors, path, "resource", resource, resources);
	else if (divisor && !divisor_allowed(resource, divisor))
		fault_str(
		    errors, path, "divisor", divisor,
		    strstr(resource, ".cpu")
			? "only divisor's values 1m and 1 are supported with the cpu resource"
			: "only divisor's values 1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei "
			  "are supported with this resource");
}

static void validate_key_ref(const struct json_object *ref, struct field_path *path,
			     struct field_errors *errors)
{
	const char *name = json_str_or_empty(ref, "name"), *key = json_str_or_empty(ref, "key");
	struct name_faults faults = { .n = 0 }, key_faults = { .n = 0 };

	name_check_dns_subdomain(name, false, &faults);
	fault_names(errors, path, "name", name, &faults);
	if (!*key) {
		fault_required(errors, path, "key", "");
		return;
	}
	name_check_config_key(key, &key_faults);
	fault_names(errors, path, "key", key, &key_faults);
}

static void validate_file_ref(const struct json_object *ref, struct field_path *path,
			      struct field_errors *errors)
{
	static const char *const required[] = { "key", "volumeName", "path" };

	for (size_t i = 0; i < ARRAY_SIZE(required); i++)
		if (!*json_str_or_empty(ref, required[i]))
			fault_required(errors, path, required[i], "");
	pod_spec_validate_local_path(json_str_or_empty(ref, "path"), "path", false, path, errors);
}

static void validate_env_field_ref(const struct json_object *ref, struct field_path *path,
				   struct field_errors *errors)
{
	pod_spec_validate_field_ref(ref, false, path, errors);
}

static void validate_env_resource_ref(const struct json_object *ref, struct field_path *path,
				      struct field_errors *errors)
{
	pod_spec_validate_resource_field_ref(ref, false, path, errors);
}

/* What a value may come from. */
static const struct env_source {
	const char *key;
	void (*validate)(const struct json_object *ref, struct field_path *path, struct field_errors *errors);
} env_sources[] = {
	{ "fieldRef", validate_env_field_ref },  { "resourceFieldRef", validate_env_resource_ref },
	{ "configMapKeyRef", validate_key_ref }, { "secretKeyRef", validate_key_ref },
	{ "fileKeyRef", validate_file_ref },
};

static void validate_value_from(const struct json_object *env, struct field_path *path,
				struct field_errors *errors)
{
	const struct json_object *from = json_get(env, "valueFrom");
	size_t n = 0;

	if (!from)
		return;
	size_t mark = field_push(path, "valueFrom");
	for (size_t i = 0; i < ARRAY_SIZE(env_sources); i++) {
		const struct json_object *ref = json_get(from, env_sources[i].key);
		size_t inner;

		if (!ref)
			continue;
		n++;
		inner = field_push(path, env_sources[i].key);
		env_sources[i].validate(ref, path, errors);
		field_pop(path, inner);
	}
	if (n == 0)
		field_error_invalid_str(
		    errors, path, "",
		    "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, "
		    "`secretKeyRef` or `fileKeyRef`");
	else if (*json_str_or_empty(env, "value"))
		field_error_invalid_str(errors, path, "", "may not be specified when `value` is not empty");
	else if (n > 1)
		field_error_invalid_str(errors, path, "",
					"may not have more than one field specified at a time");
	field_pop(path, mark);
}

static void validate_ref_name(const struct json_object *ref, struct field_path *path,
			      struct field_errors *errors)
{
	const char *name = json_str_or_empty(ref, "name");
	struct name_faults faults = { .n = 0 };

	if (!*name) {
		fault_required(errors, path, "name", "");
		return;
	}
	name_check_dns_subdomain(name, false, &faults);
	fault_names(errors, path, "name", name, &faults);
}

static void validate_env_from(const struct json_object *from, struct field_path *path,
			      struct field_errors *errors)
{
	static const char *const keys[] = { "configMapRef", "secretRef" };
	const char *prefix = json_str_or_empty(from, "prefix");
	struct name_faults faults = { .n = 0 };
	size_t n = 0;

	if (*prefix)
		name_check_env_var(prefix, &faults);
	fault_names(errors, path, "prefix", prefix, &faults);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const struct json_object *ref = json_get(from, keys[i]);
		size_t mark;

		if (!ref)
			continue;
		n++;
		mark = field_push(path, keys[i]);
		validate_ref_name(ref, path, errors);
		field_pop(path, mark);
	}
	if (n == 0)
		field_error_invalid_str(errors, path, "",
					"must specify one of: `configMapRef` or `secretRef`");
	else if (n > 1)
		field_error_invalid_str(errors, path, "",
					"may not have more than one field specified at a time");
}

void pod_spec_validate_env(const struct json_object *container, struct field_path *path,
			   struct field_errors *errors)
{
	const struct json_object *env = json_get(container, "env"), *from = json_get(container, "envFrom");
	size_t mark = field_push(path, "env");

	for (size_t i = 0; i < json_len(env); i++) {
		const char *name = json_str_or_empty(json_at(env, i), "name");
		struct name_faults faults = { .n = 0 };
		size_t item = field_push_index(path, i);

		if (!*name)
			fault_required(errors, path, "name", "");
		else
			name_check_env_var(name, &faults);
		fault_names(errors, path, "name", name, &faults);
		validate_value_from(json_at(env, i), path, errors);
		field_pop(path, item);
	}
	field_pop(path, mark);
	mark = field_push(path, "envFrom");
	for (size_t i = 0; i < json_len(from); i++) {
		size_t item = field_push_index(path, i);

		validate_env_from(json_at(from, i), path, errors);
		field_pop(path, item);
	}
	field_pop(path, mark);
}
